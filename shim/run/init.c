#include "run/init.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/report.h"
#include "base/text.h"
#include "bind/broker.h"
#include "drop/command.h"
#include "drop/confine.h"
#include "drop/verify.h"
#include "plan.h"
#include "run/exec.h"
#include "run/session.h"
#include "run/signals.h"
#include "run/supervise.h"
#include "run/tty.h"

enum {
	FORK_TRIES = 20,
	PAUSE = 50,		/* milliseconds */
	CHILD_STACK = 65536	/* bytes; launch takes 34,000: handoff.c's names */
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
	if (plan->listen.handoff == HANDOFF_NGINX && !w->want.rewrite[SIGWINCH])
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
		report_note("init: not process 1, so a subreaper");
	return 0;
}

/* What the child has to know. */
struct birth {
	const struct plan *plan;
	struct run *run;
	const struct watch *watch;
	char *const *given;	/* the environment */
	bool ignored_chld;
};

/* Only the application is in the domain of --confine: we answer from outside. */
static int enter_domain(const struct birth *b, struct fault *f)
{
	const struct plan *plan = b->plan;
	const struct confine_plan c = plan_confinement(
		plan, command_path(plan->variables, plan->nvariables, b->given));
	int abi;

	if (plan->confine.mode == CONFINE_OFF)
		return 0;
	abi = confine_run(&c, f);
	/* The broker would be asked about a bind(2), and report it. */
	return abi < 0 ? -1 : verify_domain(abi, !plan->bind.wanted, f);
}

/* In the child. With signals still held, SIGTTOU cannot stop it here. */
static int become(const struct birth *b, struct fault *f)
{
	const struct plan *plan = b->plan;

	if (plan->setsid) {
		if (session_start(plan, f) < 0)
			return -1;
		if (b->run->terminal_left)
			terminal_take();
	} else {
		setpgid(0, 0);
		if (b->watch->terminal)
			terminal_give(0);
	}
	if (session_tie(plan, b->run->parent, f) < 0)
		return -1;
	if (b->ignored_chld)
		signals_ignore(SIGCHLD);
	if (enter_domain(b, f) < 0)
		return -1;
	if (plan->bind.wanted && broker_prove(f) < 0)
		return -1;
	signals_release(b->run->signals);
	return launch(plan, b->run, b->given, f);
}

/*
 * The child's first function, and its exit status if it comes back. We may be
 * asleep meanwhile, so it must not wait for whoever reads stderr, nor be stopped
 * as one who writes to a terminal from the background.
 */
static int live(void *argument)
{
	struct fault f = { 0 };

	become(argument, &f);
	signals_hold();
	report_fault_now(&f);
	return f.status;
}

/*
 * As vfork(2), which saves copying the memory's map: the child has our memory,
 * and we go on when it executes or ends; signals are held, none is lost. Its
 * stack is a part of ours. Not where it may last: a broker has to do with the
 * child before it executes, Ctrl-Z could stop it, a folder may not answer.
 *
 * EAGAIN and ENOMEM may pass: a limit on processes, a busy machine.
 */
static pid_t give_birth(struct birth *b, struct fault *f)
{
	_Alignas(16) char stack[CHILD_STACK];
	int flags = SIGCHLD;

	if (!b->plan->bind.wanted && !b->watch->terminal &&
	    !b->plan->limits.chdir)
		flags |= CLONE_VM | CLONE_VFORK;
	for (int tries = 1;; tries++) {
		pid_t pid = clone(live, stack + sizeof(stack), flags, b);

		if (pid >= 0)
			return pid;
		if ((errno != EAGAIN && errno != ENOMEM) ||
		    tries == FORK_TRIES)
			break;
		poll(NULL, 0, PAUSE);
	}
	fault_set(f, EXIT_STEP, errno, "fork");
	return fault_hint(f,
			  "no memory, or a limit (--rlimit=nproc, --pids-limit)");
}

/*
 * In the parent, which may not fail from here on. It keeps stderr for its
 * messages and, to give it back and forth, the terminal; not stdin and stdout,
 * whose other ends must see when the application closes them, nor sockets,
 * which would stay open after the application has closed them, nor a folder,
 * which could not be unmounted.
 */
static void let_go(const struct watch *w, const struct plan *plan,
		   const struct run *run, int signals, struct fault *ignored)
{
	dup2(signals, WATCH_SIGNALS);
	if (!w->terminal)
		close(STDIN_FILENO);
	/* The broker has descriptors, and then we have no other. */
	if (plan->bind.wanted) {
		close(signals);
		for (size_t i = 0; i < run->sockets.count; i++)
			close(run->sockets.all[i].fd);
	} else
		fs_close_from(STDERR_FILENO + 1, ignored);
	(void)!chdir("/");
}

int init_run(struct plan *plan, struct run *run, char *const given[],
	     struct fault *f)
{
	struct watch w = { 0 };
	struct birth b = { .plan = plan, .run = run, .watch = &w,
			   .given = given };
	const struct verify_spec proof = plan_verify_spec(plan);
	int signals = signals_descriptor();

	if (signals < 0) {
		fault_set(f, EXIT_STEP, errno, "open a signal descriptor");
		return f->err != EMFILE ? -1 :
		       fault_hint(f, "raise --rlimit=nofile, or ulimit -n");
	}
	prepare(plan, &w);
	if (guard(plan, &w, f) < 0 ||
	    session_tie(plan, run->parent, f) < 0 ||
	    (plan->bind.wanted &&
	     broker_start(&plan->bind, &proof, &run->seen, f) < 0))
		return -1;
	run->parent = getpid();
	run->terminal_left = plan->setsid && terminal_leave();
	/* An ignored SIGCHLD would make the kernel reap, and lose the status. */
	b.ignored_chld = signals_default(SIGCHLD);
	w.child = give_birth(&b, f);
	if (w.child < 0)
		return -1;
	let_go(&w, plan, run, signals, f);
	/* A broker has use for both. */
	if (!plan->bind.wanted) {
		w.plan = plan;
		w.run = run;
	}
	watch(&w);
	if (w.terminal && !w.first)
		terminal_give(0);
	return exit_status(&w);
}
