#include "init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"
#include "compat.h"
#include "fault.h"
#include "handoff.h"
#include "launch.h"
#include "plan.h"
#include "say.h"
#include "session.h"
#include "shed.h"
#include "signals.h"
#include "terminal.h"
#include "text.h"
#include "watch.h"

enum {
	FORK_TRIES = 20,
	PAUSE = 50		/* milliseconds */
};

void init_describe(const struct plan *plan, struct text *out)
{
	text_add(out, "fork; the parent forwards signals, reaps");
	if (plan->init.stop_timeout)
		text_add(out, ", kills %u ms after a signal to stop",
			 plan->init.stop_timeout);
	if (plan->init.drain)
		text_add(out, ", gives what is left %u ms",
			 plan->init.drain);
	text_add(out, "\nchild: ");
	launch_describe(plan, out);
}

static int exit_status(const struct watch *w)
{
	for (size_t i = 0; i < w->want.nexits; i++)
		if (w->want.exits[i].from == w->status)
			return w->want.exits[i].to;
	return w->status;
}

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
		say_note("init: not process 1, so a subreaper");
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
			  "no memory, or a limit (--pids-limit, ulimits.nproc)");
}

/* In the child. With signals still held, SIGTTOU cannot stop it here. */
static int become(const struct plan *plan, struct run *run,
		  const struct watch *w, bool ignored_chld,
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
	if (ignored_chld)
		signals_ignore(SIGCHLD);
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
static void let_go(const struct watch *w, const struct plan *plan, int signals,
		   struct fault *ignored)
{
	dup2(signals, WATCH_SIGNALS);
	if (!w->terminal)
		close(STDIN_FILENO);
	/* The broker has descriptors, and then we have no other. */
	if (plan_brokers(plan))
		close(signals);
	else
		handoff_close_from(STDERR_FILENO + 1, ignored);
	(void)!chdir("/");
}

int init_run(struct plan *plan, struct run *run, char *const given[],
	     struct fault *f)
{
	bool ignored_chld;
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
	/* An ignored SIGCHLD would make the kernel reap, and lose the status. */
	ignored_chld = signals_default(SIGCHLD);
	w.child = try_fork(f);
	if (w.child < 0)
		return -1;
	if (w.child == 0)
		return become(plan, run, &w, ignored_chld, given, f);
	if (broker_parent(plan, run, w.child, f) < 0) {
		kill(w.child, SIGKILL);
		waitpid(w.child, NULL, 0);
		return -1;
	}
	let_go(&w, plan, signals, f);
	if (!plan_brokers(plan)) {
		shed_object(plan, sizeof(*plan));
		shed_object(run, sizeof(*run));
	}
	watch(&w);
	if (w.terminal && !w.first)
		terminal_give(0);
	return exit_status(&w);
}
