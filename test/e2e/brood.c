/*
 * brood: a process with much to do for an init, and what measures one.
 *
 * As the application below an init:
 *
 *	brood orphans N		N orphans, one after the other; says how many
 *				microseconds until no other process is left
 *	brood dead N FILE	says "ready"; once there is FILE: N orphans that
 *				all die, the init being stopped; says "dead N",
 *				and when no other process is left how long that
 *				took
 *	brood count		counts the signals it gets, and says how many of
 *				which at the first TERM; exits with status 37
 *	brood say		says the number of each signal it gets, and the
 *				value that came with it; TERM ends it
 *	brood pong		writes a byte for each USR1; TERM ends it
 *	brood busy SECONDS SEED	random children and orphans, some of which
 *				start others; counts signals as `count`, and
 *				checks what wait(2) says of each child
 *	brood exit N		exits with status N
 *	brood given COMMAND...	becomes COMMAND, with some signals blocked and
 *				some ignored, SIGCHLD among these
 *	brood become UID COMMAND...
 *				becomes COMMAND, as that user
 *	brood lead COMMAND...	becomes COMMAND, as leader of a process group
 *	brood queue PID N VALUE	sigqueue(3)
 *	brood storm [N]		sends signals to its parent as fast as the kernel
 *				takes them, from two processes; heeds no signal,
 *				or exits with status N soon
 *
 * Above an init:
 *
 *	brood ping N COMMAND...	COMMAND ends in `brood pong`: the microseconds
 *				from a signal to it until the answer
 *	brood race N , COMMAND... , COMMAND...
 *				each in turn, N times; the median microseconds
 *	brood statuses N COMMAND...
 *				COMMAND, with a random exit status as its last
 *				word, N times; fails if one comes back wrong
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RUNNERS = 16, LAST_SIGNAL = 64, ANSWER_MS = 5000 };

static void die(const char *words)
{
	fprintf(stderr, "brood: %s: %s\n", words, strerror(errno));
	exit(99);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static pid_t make(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0)
		;
}

/* ---- orphans ---- */

/* Processes in our pid namespace, zombies too, as /proc shows them. */
static int processes(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	if (!proc)
		die("/proc");
	while ((entry = readdir(proc)))
		count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
	closedir(proc);
	return count;
}

static void report_when_alone(double start)
{
	while (processes() > 2)
		sleep_ms(1);
	printf("%.0f\n", now() - start);
}

/* A middle process makes them and ends, so that they are the init's. */
static void orphans(int count)
{
	const double start = now();

	while (count > 0) {
		int some = count < 100 ? count : 100;
		pid_t middle = make();

		if (middle == 0) {
			while (some-- > 0)
				if (make() == 0)
					_exit(some & 63);
			_exit(0);
		}
		waitpid(middle, NULL, 0);
		count -= some;
	}
	report_when_alone(start);
}

/* They hold the pipe as long as they live. */
static void dead(int count, const char *file)
{
	int ends[2];
	char none;
	double start;

	puts("ready");
	fflush(stdout);
	while (access(file, F_OK) < 0)
		sleep_ms(5);
	if (pipe(ends) < 0)
		die("pipe");
	if (make() == 0) {
		for (int i = 0; i < count; i++)
			if (make() == 0)
				_exit(i & 63);
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &none, 1) != 0)
		die("read");
	wait(NULL);
	printf("dead %d\n", processes() - 2);
	fflush(stdout);
	while (processes() > count)
		sleep_ms(1);
	start = now();
	report_when_alone(start);
}

/* ---- signals ---- */

static sigset_t all;

/* With the kernel's own call: the C library keeps some signals from us. */
static void block_all(void)
{
	const uint64_t mask = UINT64_MAX;

	memcpy(&all, &mask, sizeof(mask));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

static int next_signal(siginfo_t *info)
{
	int number;

	do
		number = (int)syscall(SYS_rt_sigtimedwait, &all, info, NULL,
				      sizeof(uint64_t));
	while (number < 0);
	return number;
}

static void report_counts(const unsigned int *counts)
{
	for (int i = 1; i <= LAST_SIGNAL; i++)
		if (counts[i] && i != SIGCHLD)
			printf("signal.%d=%u\n", i, counts[i]);
	fflush(stdout);
}

static int count_signals(void)
{
	unsigned int counts[LAST_SIGNAL + 1] = { 0 };
	siginfo_t info;

	block_all();
	puts("ready");
	fflush(stdout);
	do
		counts[next_signal(&info)]++;
	while (info.si_signo != SIGTERM);
	report_counts(counts);
	return 37;
}

static void report_signals(void)
{
	siginfo_t info;

	block_all();
	puts("ready");
	do {
		fflush(stdout);
		next_signal(&info);
		printf("signal=%d value=%d\n", info.si_signo,
		       info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
	} while (info.si_signo != SIGTERM);
}

static void pong(void)
{
	siginfo_t info;

	block_all();
	do
		if (write(STDOUT_FILENO, "x", 1) != 1)
			die("write");
	while (next_signal(&info) != SIGTERM);
}

static void given(char **command)
{
	uint64_t mask = 0;
	static const int blocked[] = { SIGUSR1, SIGTERM, 32, 33, 34, 64 };

	for (size_t i = 0; i < sizeof(blocked) / sizeof(*blocked); i++)
		mask |= (uint64_t)1 << (blocked[i] - 1);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
	execvp(command[0], command);
	die(command[0]);
}

static void become(int uid, char **command)
{
	if (syscall(SYS_setresuid, uid, uid, uid) < 0)
		die("setresuid");
	execvp(command[0], command);
	die(command[0]);
}

static void lead(char **command)
{
	if (setpgid(0, 0) < 0)
		die("setpgid");
	execvp(command[0], command);
	die(command[0]);
}

/* ---- busy ---- */

static void live_and_die(unsigned int *state, int depth)
	__attribute__((noreturn));

static unsigned int random_number(unsigned int *state, unsigned int below)
{
	*state = *state * 1103515245u + 12345u;
	return (*state >> 16) % below;
}

static void live_and_die(unsigned int *state, int depth)
{
	if (depth > 0 && random_number(state, 3) == 0)
		for (unsigned int i = random_number(state, 4); i > 0; i--)
			if (make() == 0)
				live_and_die(state, depth - 1);
	if (random_number(state, 4) == 0)
		sleep_ms((long)random_number(state, 50));
	if (random_number(state, 8) == 0)
		kill(getpid(), SIGKILL);
	_exit((int)random_number(state, 256));
}

/* A child whose end we know beforehand. Returns 0 if wait(2) says the same. */
static int check_a_child(unsigned int *state)
{
	int status = (int)random_number(state, 256);
	int seen = 0;
	pid_t pid = make();

	if (pid == 0)
		_exit(status);
	if (waitpid(pid, &seen, 0) != pid || !WIFEXITED(seen) ||
	    WEXITSTATUS(seen) != status)
		return 1;
	return 0;
}

static int busy(int seconds, unsigned int seed)
{
	const double end = now() + seconds * 1e6;
	const struct timespec at_once = { 0 };
	unsigned int counts[LAST_SIGNAL + 1] = { 0 };
	unsigned int lost = 0;
	siginfo_t info;
	int number = 0;

	block_all();
	puts("ready");
	fflush(stdout);
	while (number != SIGTERM) {
		if (now() < end) {
			pid_t middle = make();

			if (middle == 0)
				live_and_die(&seed, 3);
			random_number(&seed, 2);
			waitpid(middle, NULL, 0);
			lost += (unsigned int)check_a_child(&seed);
		} else {
			sleep_ms(1);
		}
		while ((number = (int)syscall(SYS_rt_sigtimedwait, &all, &info,
					      &at_once,
					      sizeof(uint64_t))) > 0) {
			counts[number]++;
			if (number == SIGTERM)
				break;
		}
	}
	report_counts(counts);
	printf("lost=%u\n", lost);
	fflush(stdout);
	return 37;
}

/* ---- measuring ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

static void await_answer(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	char byte;

	if (poll(&look, 1, ANSWER_MS) != 1 || read(fd, &byte, 1) != 1)
		die("no answer");
}

static void ping(int count, char **command)
{
	double *times = calloc((size_t)count, sizeof(*times));
	int ends[2];
	pid_t pid;

	if (!times || pipe(ends) < 0)
		die("pipe");
	pid = make();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execvp(command[0], command);
		die(command[0]);
	}
	await_answer(ends[0]);
	for (int i = 0; i < count; i++) {
		double start = now();

		kill(pid, SIGUSR1);
		await_answer(ends[0]);
		times[i] = now() - start;
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	printf("%.1f\n", median(times, count));
}

static double run_once(char **command)
{
	double start = now();
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execvp(command[0], command);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die(command[0]);
	return now() - start;
}

static void race(int rounds, char **words)
{
	char **commands[MAX_RUNNERS];
	double *times[MAX_RUNNERS];
	int count = 0;

	for (; *words; words++) {
		if (strcmp(*words, ",") != 0)
			continue;
		if (count == MAX_RUNNERS)
			die("too many commands");
		*words = NULL;
		times[count] = calloc((size_t)rounds, sizeof(double));
		commands[count++] = words + 1;
	}
	for (int i = 0; i < rounds; i++)
		for (int j = 0; j < count; j++)
			times[j][i] = run_once(commands[j]);
	for (int j = 0; j < count; j++)
		printf("%.1f\n", median(times[j], rounds));
}

/* EAGAIN: its queue is full. */
static void flood(pid_t pid)
{
	for (int i = 0;; i++) {
		int number = 34 + i % 30;

		if (kill(pid, number) < 0 && errno != EAGAIN)
			_exit(0);
		syscall(SYS_tgkill, pid, pid, number);
		syscall(SYS_tgkill, pid, pid, SIGHUP);
	}
}

static int storm(int status)
{
	pid_t parent = getppid();

	block_all();
	for (int i = 0; i < 2; i++)
		if (make() == 0)
			flood(parent);
	puts("ready");
	fflush(stdout);
	sleep_ms(200);
	while (!status)
		pause();
	return status;
}

static int statuses(int rounds, char **words)
{
	unsigned int state = (unsigned int)getpid();
	char text[16];
	size_t count = 0;
	int wrong = 0;
	char **command;

	while (words[count])
		count++;
	command = calloc(count + 2, sizeof(*command));
	memcpy(command, words, count * sizeof(*command));
	command[count] = text;
	for (int i = 0; i < rounds; i++) {
		int wanted = (int)random_number(&state, 256);
		int status;
		pid_t pid;

		snprintf(text, sizeof(text), "%d", wanted);
		pid = vfork();
		if (pid == 0) {
			execvp(command[0], command);
			_exit(99);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != wanted) {
			printf("status %x, not %d\n", (unsigned int)status,
			       wanted);
			wrong++;
		}
	}
	printf("wrong=%d\n", wrong);
	return wrong > 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? atoi(argv[2]) : 0;

	if (strcmp(what, "orphans") == 0)
		orphans(number);
	else if (strcmp(what, "dead") == 0 && argc > 3)
		dead(number, argv[3]);
	else if (strcmp(what, "count") == 0)
		return count_signals();
	else if (strcmp(what, "say") == 0)
		report_signals();
	else if (strcmp(what, "pong") == 0)
		pong();
	else if (strcmp(what, "busy") == 0 && argc > 3)
		return busy(number, (unsigned int)atoi(argv[3]));
	else if (strcmp(what, "ping") == 0 && argc > 3)
		ping(number, argv + 3);
	else if (strcmp(what, "race") == 0 && argc > 3)
		race(number, argv + 3);
	else if (strcmp(what, "statuses") == 0 && argc > 3)
		return statuses(number, argv + 3);
	else if (strcmp(what, "given") == 0 && argc > 2)
		given(argv + 2);
	else if (strcmp(what, "become") == 0 && argc > 3)
		become(number, argv + 3);
	else if (strcmp(what, "lead") == 0 && argc > 2)
		lead(argv + 2);
	else if (strcmp(what, "queue") == 0 && argc > 4)
		return sigqueue(number, atoi(argv[3]),
				(union sigval){ .sival_int = atoi(argv[4]) });
	else if (strcmp(what, "storm") == 0)
		return storm(number);
	else if (strcmp(what, "exit") == 0)
		return number;
	else
		return 98;
	return 0;
}
