#include "run/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "run/plan.h"

enum {
	REAPED_AT_ONCE = 256,
	KILL_PATIENCE = 5000	/* milliseconds until we stop waiting */
};

/* ---- sending ---- */

/* Signal the child's process group, or the child if it is in another. */
static int signal_group(const struct supervisor *s, int number)
{
	if (kill(-s->child, number) == 0)
		return 0;
	return errno == ESRCH ? kill(s->child, number) : -1;
}

/*
 * Signal the children of this process, whose pids stay theirs until it reaps
 * them. The children of a child become its own when that child has ended.
 *
 * Returns 0, or -1 if /proc does not list them.
 */
static int signal_children(int number)
{
	char text[256];
	pid_t child = 0;
	ssize_t length;
	int fd;

	snprintf(text, sizeof(text), "/proc/self/task/%d/children",
		 (int)getpid());
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((length = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < length; i++) {
			if (text[i] != ' ') {
				child = child * 10 + (text[i] - '0');
				continue;
			}
			kill(child, number);
			child = 0;
		}
	close(fd);
	return 0;
}

/*
 * Only the first process of a pid namespace calls kill(-1): elsewhere it would
 * reach every process of this uid.
 */
static void signal_all(const struct supervisor *s, int number)
{
	if (s->first)
		kill(-1, number);
	else if ((s->spec->no_subreaper || signal_children(number) < 0 ||
		  number == SIGKILL) && s->child)
		signal_group(s, number);
}

static void set_deadline(struct supervisor *s, enum phase phase,
			 int64_t patience)
{
	int64_t deadline = sys_milliseconds() + patience;

	if (s->phase != STOPPING || phase == KILLING || deadline < s->deadline)
		s->deadline = deadline;
	s->phase = phase;
}

/* ---- the terminal ---- */

static int open_terminal(void)
{
	return open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

pid_t tty_foreground(void)
{
	int fd = open_terminal();
	pid_t group = tcgetpgrp(fd);

	close(fd);
	return group;
}

void tty_give(pid_t group)
{
	int fd = open_terminal();

	tcsetpgrp(fd, group);
	close(fd);
}

/*
 * TIOCNOTTY sends SIGHUP and SIGCONT to the foreground group, which is ours
 * (tty_ioctl(4)): discard them.
 */
int tty_leave(void)
{
	const uint64_t gone = SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGCONT);
	siginfo_t info;
	int fd;

	if (getsid(0) != getpid() || tty_foreground() != getpgrp())
		return -1;
	fd = open_terminal();
	if (ioctl(fd, TIOCNOTTY) < 0)
		return -1;
	while (signals_wait(gone, &info, 0))
		;
	return fd;
}

/*
 * Is there a terminal, and a shell that would notice if this process stopped,
 * and could continue it? POSIX calls a process group without one orphaned.
 */
static bool has_shell(void)
{
	pid_t parent = getppid();

	return tty_foreground() >= 0 && parent > 0 &&
	       getsid(parent) == getsid(0) && getpgid(parent) != getpgrp();
}

static bool is_job_stop(int number)
{
	return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/* If the foreground group is that of this process, make it the child's. */
static bool lend_terminal(struct supervisor *s)
{
	if (tty_foreground() != getpgrp())
		return false;
	tty_give(s->child);
	return s->lent = true;
}

/*
 * Another process of this group, as a pager behind the child in a pipeline, was
 * stopped because the child has the terminal: it belongs to this group again.
 */
static bool reclaim_terminal(struct supervisor *s)
{
	if (!s->child || tty_foreground() != s->child)
		return false;
	tty_give(getpgrp());
	s->lent = false;
	s->reclaimed = true;
	return kill(0, SIGCONT) == 0;
}

/* Returns when continued; at once if the process group is orphaned. */
static void stop(int number, bool group)
{
	signal(number, SIG_DFL);
	signals_restore(~SIGNAL_BIT(number));
	kill(group ? 0 : getpid(), number);
	signals_block();
}

/*
 * A child that stopped because it used the terminal gets it, if this process
 * has it. Otherwise this process stops likewise, for the shell above to notice;
 * `fg` continues both. Without a shell, which could, Ctrl-Z is undone.
 */
static void child_stopped(struct supervisor *s, int number)
{
	if ((number == SIGTTIN || number == SIGTTOU) && s->shared &&
	    lend_terminal(s)) {
		signal_group(s, SIGCONT);
	} else if (!s->first && (s->stop_sent || has_shell())) {
		s->lent = false;
		s->stopped = true;
		stop(number, is_job_stop(number) && !s->stop_sent);
	} else if (number == SIGTSTP && !s->stop_sent) {
		signal_group(s, SIGCONT);
	}
}

/* ---- forwarding ---- */

/*
 * Is it the kernel's SIGCHLD for a child, the SIGPIPE of our own message, or
 * the SIGCONT of reclaim_terminal()? Sent by another process, they are
 * forwarded as any other.
 */
static bool is_own(const siginfo_t *info)
{
	if (info->si_signo == SIGCHLD)
		return info->si_code > 0;
	return (info->si_signo == SIGPIPE || info->si_signo == SIGCONT) &&
	       info->si_pid == getpid();
}

/*
 * A signal from sigqueue(3) keeps its value; no call sends one to a process
 * group. Signals from the terminal are for the whole group, and so is SIGCONT,
 * by which a shell continues a job.
 */
static int send_on(const struct supervisor *s, int number,
		   const siginfo_t *info)
{
	if (s->spec->signal_group ||
	    (s->lends && (number == SIGCONT || info->si_code == SI_KERNEL)))
		return signal_group(s, number);
	return info->si_code == SI_QUEUE
		       ? sigqueue(s->child, number, info->si_value)
		       : kill(s->child, number);
}

static void warn_of_signal(struct supervisor *s, int number)
{
	struct fault f;

	fault_set(&f, 0, errno, "forward signal %d (%s) to process %d", number,
		  strsignal(number), (int)s->child);
	if (!s->warned)
		report_warning(&f);
	s->warned = true;
}

static void forward(struct supervisor *s, const siginfo_t *info)
{
	const uint64_t usual = SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGINT);
	const uint64_t stops = s->spec->stop_signals ? s->spec->stop_signals
						     : usual;
	const bool typed = info->si_code == SI_KERNEL;
	const int came = info->si_signo;
	int number = s->spec->rewrite[came] ? s->spec->rewrite[came] : came;

	if (is_own(info) || number == SIGNAL_DROP || !s->child)
		return;
	/* Ctrl-Z, where nobody could continue this process or the child. */
	if (came == SIGTSTP && typed && s->first)
		return;
	if ((came == SIGTTIN || came == SIGTTOU) && typed &&
	    reclaim_terminal(s))
		return;
	/* It has discarded a shell's SIGCONT (signal(7)): let it stop anew. */
	if (s->stopped && is_job_stop(came) && typed)
		signal_group(s, SIGCONT);
	/* `fg` made ours the foreground group; with a pager it stays so. */
	if (s->lends && !s->reclaimed && (typed || number == SIGCONT))
		lend_terminal(s);
	if (send_on(s, number, info) < 0) {
		warn_of_signal(s, number);
		return;
	}
	if (number == SIGCONT)
		s->stop_sent = s->stopped = false;
	else if ((is_job_stop(number) || number == SIGSTOP) && !typed)
		s->stop_sent = true;
	if (s->spec->stop_timeout.ms && s->phase == RUNNING &&
	    (stops & (SIGNAL_BIT(number) | SIGNAL_BIT(came))))
		set_deadline(s, STOPPING, s->spec->stop_timeout.ms);
}

/* Take each signal once: the next round, after the clock, takes the rest. */
static void take_signals(struct supervisor *s, int64_t patience)
{
	uint64_t left = UINT64_MAX;
	siginfo_t info;
	int number;

	while ((number = signals_wait(left, &info, patience)) > 0) {
		forward(s, &info);
		left &= ~SIGNAL_BIT(number);
		patience = 0;
	}
}

/* ---- reaping ---- */

static void child_changed(struct supervisor *s, const siginfo_t *info)
{
	const bool exited = info->si_code == CLD_EXITED;

	if (info->si_code == CLD_STOPPED || info->si_code == CLD_TRAPPED) {
		if (info->si_code == CLD_STOPPED && info->si_pid == s->child)
			child_stopped(s, info->si_status);
	} else if (info->si_pid == s->child) {
		s->child = 0;
		s->status = info->si_status + (exited ? 0 : 128);
	} else if (s->verbose) {
		report_note("init: reaped orphan %d, %s %d",
			    (int)info->si_pid, exited ? "status" : "signal",
			    info->si_status);
	}
}

/* Returns whether there may be more. */
static bool reap(struct supervisor *s)
{
	bool found = true;
	siginfo_t info;
	int count;

	for (count = 0; found && count < REAPED_AT_ONCE; count++) {
		info.si_pid = 0;
		s->childless = waitid(P_ALL, 0, &info,
				      WEXITED | WSTOPPED | WNOHANG) < 0;
		found = !s->childless && info.si_pid != 0;
		if (found)
			child_changed(s, &info);
	}
	/* The children of a child that was killed have become ours. */
	if (s->phase == KILLING && count > 1 && !s->childless)
		signal_all(s, SIGKILL);
	return found;
}

/* ---- the loop ---- */

static bool is_over(struct supervisor *s)
{
	if (s->childless)
		return true;
	if (s->child || s->phase >= DRAINING)
		return false;
	/* The rest dies with the namespace, or gets another parent. */
	if (!s->spec->drain.ms)
		return true;
	signal_all(s, SIGTERM);
	set_deadline(s, DRAINING, s->spec->drain.ms);
	return false;
}

/* At the deadline, kill all. Returns false if that has not helped in time. */
static bool kill_in_time(struct supervisor *s)
{
	struct fault f;

	if (s->phase != KILLING) {
		signal_all(s, SIGKILL);
		set_deadline(s, KILLING, KILL_PATIENCE);
		return true;
	}
	fault_set(&f, 0, 0, "processes are still there %d ms after SIGKILL",
		  KILL_PATIENCE);
	report_warning(&f);
	if (s->child)
		s->status = 128 + SIGKILL;
	return false;
}

/* Returns the milliseconds to the deadline, or -1 without one. */
static int64_t patience(const struct supervisor *s)
{
	const int64_t left = s->deadline - sys_milliseconds();

	if (!s->deadline)
		return -1;
	return left > 0 ? left : 0;
}

void supervise(struct supervisor *s)
{
	bool more = false;

	do {
		/* Before reaping: a SIGCONT may undo a stop. */
		take_signals(s, more ? 0 : patience(s));
		more = reap(s);
		if (is_over(s))
			return;
	} while (patience(s) != 0 || kill_in_time(s));
}
