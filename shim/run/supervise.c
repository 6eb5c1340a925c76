#include "run/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/sys.h"
#include "run/descendants.h"
#include "run/shed.h"
#include "run/signals.h"
#include "run/tty.h"

enum {
	PAUSE = 50,		/* milliseconds */
	DOZE = 1000,		/* milliseconds */
	KILL_PATIENCE = 5000,	/* milliseconds until we stop to wait */
	AT_ONCE = 4		/* signals read by one call */
};

/* ---- sending ---- */

/*
 * The child makes its process group before it execs; until then it is alone,
 * and the signal goes to it.
 */
static int send_group(const struct watch *w, int number)
{
	if (kill(-w->child, number) == 0)
		return 0;
	return errno == ESRCH ? kill(w->child, number) : -1;
}

/*
 * kill(-1) only as the first process of a pid namespace. Elsewhere it would
 * take every process of this uid with it: there only our own descendants, or
 * where /proc does not tell which those are, the child's group.
 */
static void send_all(const struct watch *w, int number)
{
	if (w->first)
		kill(-1, number);
	else if ((w->want.no_subreaper || offspring_signal(number) < 0) &&
		 w->child)
		send_group(w, number);
}

static void set_deadline(struct watch *w, enum phase phase, int64_t patience)
{
	int64_t deadline = sys_milliseconds() + patience;

	if (w->phase != STOPPING || phase == KILLING ||
	    deadline < w->deadline)
		w->deadline = deadline;
	w->phase = phase;
}

static void kill_all(struct watch *w)
{
	send_all(w, SIGKILL);
	set_deadline(w, KILLING, KILL_PATIENCE);
}

/* ---- forwarding ---- */

static bool asks_to_stop(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGQUIT;
}

static bool stops(int number)
{
	return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/*
 * Ours: what the kernel tells us of a child, and the SIGPIPE of our own failed
 * message. Sent by somebody, they are forwarded as any other.
 */
static bool is_ours(const struct signalfd_siginfo *s)
{
	if (s->ssi_signo == SIGCHLD)
		return s->ssi_code > 0;
	return s->ssi_signo == SIGPIPE && (pid_t)s->ssi_pid == getpid();
}

/* A real-time signal keeps the value that sigqueue(3) gave it. */
static int pass_on(const struct watch *w, int number,
		const struct signalfd_siginfo *s)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	if (w->want.signal_group || (w->terminal && number == SIGCONT))
		return send_group(w, number);
	if (s->ssi_code != SI_QUEUE)
		return kill(w->child, number);
	info.si_signo = number;
	info.si_pid = (pid_t)s->ssi_pid;
	info.si_uid = s->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)s->ssi_ptr;
	return sys_queue_signal(w->child, number, &info);
}

static void cannot_forward(struct watch *w, int number)
{
	const char *name = signals_name(number);
	struct fault f;

	if (w->said)
		return;
	w->said = true;
	fault_set(&f, 0, errno, "forward signal %d%s%s to process %d", number,
		  name ? " SIG" : "", name ? name : "", (int)w->child);
	report_warning_now(&f);
}

static void forward(struct watch *w, const struct signalfd_siginfo *s)
{
	int number = w->want.rewrite[s->ssi_signo];

	if (number == 0)
		number = (int)s->ssi_signo;
	if (is_ours(s) || number == SIGNAL_DROP || !w->child)
		return;
	/* Ctrl-Z, where nobody could wake us or the child again. */
	if (s->ssi_signo == SIGTSTP && s->ssi_code == SI_KERNEL && w->first)
		return;
	/* `fg`: the shell has made our group the foreground group. */
	if (number == SIGCONT && w->terminal && terminal_is_ours())
		terminal_give(w->child);
	if (pass_on(w, number, s) < 0) {
		cannot_forward(w, number);
		return;
	}
	if (stops(number) || number == SIGCONT)
		w->stop_sent = number != SIGCONT;
	if (w->want.stop_timeout && w->phase == RUNNING &&
	    (asks_to_stop(number) || asks_to_stop((int)s->ssi_signo)))
		set_deadline(w, STOPPING, w->want.stop_timeout);
}

static void read_signals(struct watch *w)
{
	struct signalfd_siginfo info[AT_ONCE];
	ssize_t length = read(WATCH_SIGNALS, info, sizeof(info));

	for (ssize_t i = 0; i < length / (ssize_t)sizeof(info[0]); i++)
		forward(w, &info[i]);
}

/* ---- reaping ---- */

/*
 * The application was stopped from the terminal. With a shell above us, our
 * own group must stop too, for the shell to notice and take the terminal back.
 * Without one nobody could ever type `fg`; the kernel would not even have
 * stopped the application had it been the first process.
 */
static void child_stopped(const struct watch *w, int number)
{
	if (!stops(number) || (!w->terminal && !w->stop_sent))
		return;
	if (!w->first && terminal_has_shell())
		kill(w->terminal ? 0 : getpid(), SIGSTOP);
	else if (number == SIGTSTP && !w->stop_sent)
		send_group(w, SIGCONT);
}

static void child_ended(struct watch *w, int status)
{
	w->child = 0;
	w->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
					: WEXITSTATUS(status);
}

static void reap(struct watch *w)
{
	bool reaped = false;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0 ||
	       (pid < 0 && errno == EINTR)) {
		if (pid < 0)
			continue;
		reaped = reaped || !WIFSTOPPED(status);
		if (pid != w->child)
			continue;
		if (WIFSTOPPED(status))
			child_stopped(w, WSTOPSIG(status));
		else
			child_ended(w, status);
		/* What is left dies with the namespace: no need to look. */
		if (!w->child && w->phase != KILLING && !w->want.drain)
			return;
	}
	w->childless = pid < 0 && errno == ECHILD;
	/* The children of a child that was killed have become ours. */
	if (w->phase == KILLING && reaped && !w->childless && !w->first)
		send_all(w, SIGKILL);
}

/* ---- the loop ---- */

static bool is_over(struct watch *w)
{
	if (w->childless)
		return true;
	if (w->child || w->phase >= DRAINING)
		return false;
	if (!w->want.drain)
		return true;
	send_all(w, SIGTERM);
	set_deadline(w, DRAINING, w->want.drain);
	return false;
}

/* Returns false when nothing more is worth waiting for. */
static bool time_is_up(struct watch *w)
{
	struct fault f;

	if (w->phase != KILLING) {
		kill_all(w);
		return true;
	}
	fault_set(&f, 0, 0, "processes are still there %d ms after SIGKILL",
		  KILL_PATIENCE);
	report_warning_now(&f);
	if (w->child)
		w->status = 128 + SIGKILL;
	return false;
}

/*
 * How long to sleep, in *left, or NULL for as long as nothing happens: until
 * the deadline, or after some work for a while in which more may come, before
 * memory is given back again.
 */
static struct timespec *patience(const struct watch *w, struct timespec *left)
{
	int64_t ms = DOZE;

	if (w->deadline)
		ms = w->deadline - sys_milliseconds();
	else if (!w->awake)
		return NULL;
	if (ms < 0)
		ms = 0;
	left->tv_sec = (time_t)(ms / 1000);
	left->tv_nsec = (long)(ms % 1000) * 1000000L;
	return left;
}

/* Give back what only the start, or the work of the last second, has used. */
static void give_back(struct watch *w)
{
	const uintptr_t keep[] = { (uintptr_t)watch, (uintptr_t)shed_code };

	if (w->plan) {
		shed_object(w->plan, sizeof(*w->plan));
		shed_object(w->run, sizeof(*w->run));
		w->plan = NULL;
	}
	shed_stack();
	shed_code(keep, ARRAY_LEN(keep));
	w->awake = false;
}

__attribute__((noinline)) void watch(struct watch *w)
{
	w->awake = true;
	for (;;) {
		struct pollfd look[] = {
			{ .fd = WATCH_SIGNALS, .events = POLLIN },
		};
		struct timespec left;
		int count = sys_poll(look, ARRAY_LEN(look),
					patience(w, &left));

		if (count == 0 && !w->deadline) {
			give_back(w);
			continue;
		}
		w->awake = true;
		if (count == 0 && !time_is_up(w))
			return;
		/* Somebody has set our RLIMIT_NOFILE to 0: do not spin. */
		if (count < 0 && count != -EINTR)
			poll(NULL, 0, PAUSE);
		/* Before reaping: a SIGCONT may undo a stop. */
		if (count > 0 && look[0].revents)
			read_signals(w);
		reap(w);
		if (is_over(w))
			return;
	}
}
