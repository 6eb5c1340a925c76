#include "init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker.h"
#include "compat.h"
#include "fault.h"
#include "handoff.h"
#include "launch.h"
#include "offspring.h"
#include "plan.h"
#include "say.h"
#include "session.h"
#include "shed.h"
#include "signals.h"
#include "terminal.h"
#include "text.h"

enum {
	SIGNAL_FD = STDOUT_FILENO,	/* the parent has no other use for it */
	FORK_TRIES = 20,
	PAUSE = 50,		/* milliseconds */
	KILL_PATIENCE = 5000,	/* milliseconds until we stop to wait */
	AT_ONCE = 4		/* signals read by one call */
};

enum phase {
	RUNNING,
	STOPPING,	/* a signal to stop was forwarded, the clock runs */
	DRAINING,	/* the application has ended, the rest was told to */
	KILLING		/* all were killed */
};

/* All that the parent keeps. It is small, and lives on the stack. */
struct watch {
	struct init want;
	enum phase phase;
	pid_t child;		/* 0 once it was reaped */
	int status;		/* its exit status then */
	bool first;		/* the first process of its pid namespace */
	bool terminal;		/* the child has the one on standard input */
	bool childless;
	bool stop_sent;		/* a stop signal was forwarded, not typed */
	bool said;		/* that a signal could not be forwarded */
	int64_t deadline;	/* milliseconds, or 0 */
};

void init_describe(const struct plan *plan, struct text *out)
{
	text_add(out, "fork; the parent stays: it forwards signals, reaps, returns the exit status");
	if (plan->init.stop_timeout)
		text_add(out, ", kills %u ms after it was told to stop",
			 plan->init.stop_timeout);
	if (plan->init.drain)
		text_add(out, ", gives what is left %u ms",
			 plan->init.drain);
	text_add(out, "\nchild: ");
	launch_describe(plan, out);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

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
	int64_t deadline = now() + patience;

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
	return compat_queue_signal(w->child, number, &info);
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
	say_warning_now(&f);
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
	ssize_t length = read(SIGNAL_FD, info, sizeof(info));

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

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
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
	say_warning_now(&f);
	if (w->child)
		w->status = 128 + SIGKILL;
	return false;
}

/* What is left of the time, in *left, or NULL where there is no limit. */
static struct timespec *patience(const struct watch *w, struct timespec *left)
{
	int64_t ms;

	if (!w->deadline)
		return NULL;
	ms = w->deadline - now();
	if (ms < 0)
		ms = 0;
	left->tv_sec = (time_t)(ms / 1000);
	left->tv_nsec = (long)(ms % 1000) * 1000000L;
	return left;
}

/*
 * Before the first sleep, which is the one that lasts: give back what only the
 * start has used.
 */
static void shed_start(uintptr_t caller)
{
	const uintptr_t keep[] = { caller, (uintptr_t)shed_code };

	shed_stack();
	shed_code(keep, ARRAY_LEN(keep));
}

__attribute__((noinline)) static void watch(struct watch *w, const struct plan *plan,
					struct run *run)
{
	shed_start((uintptr_t)watch);
	for (;;) {
		struct pollfd look[] = {
			{ .fd = SIGNAL_FD, .events = POLLIN },
			{ .fd = run->notify_fd, .events = POLLIN },
		};
		struct timespec left;
		int count = compat_poll(look, ARRAY_LEN(look),
					patience(w, &left));

		if (count == 0 && !time_is_up(w))
			return;
		/* Somebody has set our RLIMIT_NOFILE to 0: do not spin. */
		if (count < 0 && count != -EINTR)
			poll(NULL, 0, PAUSE);
		/* Before reaping: a SIGCONT may undo a stop. */
		if (count > 0 && look[0].revents)
			read_signals(w);
		if (count > 0 && look[1].revents)
			broker_serve(plan, run);
		reap(w);
		if (is_over(w))
			return;
	}
}

static int exit_status(const struct watch *w)
{
	for (size_t i = 0; i < w->want.nexits; i++)
		if (w->want.exits[i].from == w->status)
			return w->want.exits[i].to;
	return w->status;
}

/* ---- before and after the fork ---- */

/*
 * A signal that the terminal itself sends goes to the foreground group. If it
 * is to be rewritten it must come to us: then the child is not the foreground
 * group. It is what keeps SIGWINCH, by which nginx ends its workers when its
 * sockets were inherited, from it.
 */
static bool rewrites_the_terminal(const struct init *want)
{
	return want->rewrite[SIGINT] || want->rewrite[SIGQUIT] ||
	       want->rewrite[SIGTSTP] || want->rewrite[SIGWINCH];
}

static void prepare(const struct plan *plan, struct watch *w)
{
	w->want = plan->init;
	w->first = getpid() == 1;
	w->status = EXIT_STEP;
	if (plan->handoff == HANDOFF_NGINX && !w->want.rewrite[SIGWINCH])
		w->want.rewrite[SIGWINCH] = SIGNAL_DROP;
	w->terminal = !plan->setsid && !rewrites_the_terminal(&w->want) &&
		      terminal_is_ours();
}

/*
 * Not dumpable: other processes of this uid can neither trace us nor read our
 * memory (ptrace(2), "access mode checking"). Before the fork, so that there
 * is no moment when they could; execve(2) undoes it in the child. An orphan
 * must come to us from the first one on, so that is before the fork as well.
 */
static int guard(const struct plan *plan, const struct watch *w,
		 struct fault *f)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "become not dumpable");
	if (w->first || w->want.no_subreaper)
		return 0;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "become a subreaper");
	if (plan->verbose)
		say_note("init: not process 1, so a subreaper: orphans come to process %d",
			 (int)getpid());
	return 0;
}

/* EAGAIN and ENOMEM may pass: a limit on processes, a busy machine. */
static pid_t try_fork(struct fault *f)
{
	pid_t pid;

	for (int tries = 1;; tries++) {
		pid = compat_fork();
		if (pid >= 0)
			return pid;
		if ((errno != EAGAIN && errno != ENOMEM) ||
		    tries == FORK_TRIES)
			break;
		poll(NULL, 0, PAUSE);
	}
	fault_set(f, EXIT_STEP, errno, "fork");
	return fault_hint(f,
			  "the user may have no more processes (--pids-limit, ulimits.nproc), or memory is short");
}

/* In the child. With signals still held, SIGTTOU cannot stop it here. */
static int become(const struct plan *plan, struct run *run,
		  const struct watch *w, const struct sigaction *chld,
		  char *const given[], struct fault *f)
{
	if (plan->setsid) {
		if (session_start(plan, f) < 0)
			return -1;
		if (run->terminal_left)
			terminal_take();
	} else {
		setpgid(0, 0);
		if (w->terminal)
			terminal_give(0);
	}
	if (session_tie(plan, run->parent, f) < 0)
		return -1;
	if (chld->sa_handler == SIG_IGN)
		sigaction(SIGCHLD, chld, NULL);
	if (broker_child(plan, run, f) < 0)
		return -1;
	signals_release(run->signals);
	return launch(plan, run, given, f);
}

/*
 * In the parent, which may not fail from here on. It keeps stderr for its
 * messages and, to give it back and forth, the terminal; not stdin and stdout,
 * whose other ends must see when the application closes them, nor sockets,
 * which would stay open after the application has closed them, nor a folder,
 * which could not be unmounted.
 */
static void let_go(const struct watch *w, const struct run *run, int signals,
		   struct fault *ignored)
{
	dup2(signals, SIGNAL_FD);
	if (!w->terminal)
		close(STDIN_FILENO);
	if (run->notify_fd < 0)
		handoff_close_from(STDERR_FILENO + 1, ignored);
	(void)!chdir("/");
}

int init_run(struct plan *plan, struct run *run, char *const given[],
	     struct fault *f)
{
	/* An ignored SIGCHLD would make the kernel reap, and lose the status. */
	const struct sigaction reset = { .sa_handler = SIG_DFL };
	struct sigaction chld;
	struct watch w = { 0 };
	int signals = signals_descriptor();

	if (signals < 0)
		return fault_set(f, EXIT_STEP, errno, "open a signal descriptor");
	prepare(plan, &w);
	if (guard(plan, &w, f) < 0 ||
	    session_tie(plan, run->parent, f) < 0 ||
	    broker_before(plan, run, f) < 0)
		return -1;
	run->parent = getpid();
	run->terminal_left = plan->setsid && terminal_leave();
	sigaction(SIGCHLD, &reset, &chld);
	w.child = try_fork(f);
	if (w.child < 0)
		return -1;
	if (w.child == 0)
		return become(plan, run, &w, &chld, given, f);
	broker_parent(plan, run, signals);
	let_go(&w, run, signals, f);
	if (run->notify_fd < 0)
		shed_object(plan, sizeof(*plan));
	watch(&w, plan, run);
	if (w.terminal && !w.first)
		terminal_give(0);
	return exit_status(&w);
}
