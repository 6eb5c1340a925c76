#include "run/launch.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/text.h"
#include "bind/broker.h"
#include "drop/confine.h"
#include "drop/limits.h"
#include "drop/verify.h"
#include "listen/listen.h"
#include "plan.h"
#include "run/env.h"
#include "run/exec.h"
#include "run/init.h"
#include "run/signals.h"

/* What the application is started with. */
struct application {
	const struct plan *plan;
	struct run *run;
	char *const *given;	/* our own environment */
};

/* Tell the application of its sockets and of its secrets. */
static int announce(const struct listen_spec *spec,
		    const struct sockets *sockets, struct environment *e,
		    struct fault *f)
{
	const pid_t pid = spec->no_listen_pid ? 0 : getpid();
	char entry[LISTEN_VALUE_SIZE], *value;
	int more = 1;

	for (size_t n = 0; more > 0; n++) {
		struct text t;

		text_start(&t, entry, sizeof(entry));
		more = sockets_variable(sockets, spec->handoff, pid, n, &t, f);
		value = strchr(entry, '=');
		if (more <= 0 || !value)
			continue;
		*value++ = '\0';
		if (env_set(e, f, entry, "%s", value) < 0)
			more = -1;
	}
	explicit_bzero(entry, sizeof(entry));
	return more;
}

/*
 * LISTEN_PID is the number of the process that calls execve, so this is done
 * in the child of --init.
 */
static int exec_application(const struct application *a, struct fault *f)
{
	const struct plan *plan = a->plan;
	struct environment *e = &a->run->environment;

	if (limits_chdir(&plan->limits, plan->target.uid, f) < 0 ||
	    env_build(e, a->given, &plan->env, &plan->target, plan->root_home,
		      f) < 0 ||
	    announce(&plan->listen, &a->run->sockets, e, f) < 0 ||
	    sockets_arrange(&a->run->sockets, f) < 0 ||
	    verify_descriptors(sockets_descriptors(&a->run->sockets), f) < 0)
		return -1;
	return exec_command(&plan->exec, env_get(e, "PATH"), e->list, f);
}

static int start_broker(void *argument, struct fault *f)
{
	const struct application *a = argument;
	const struct verify_spec proof = plan_verify_spec(a->plan);

	return a->plan->bind.wanted
		       ? broker_start(&a->plan->bind, &proof, &a->run->seen, f)
		       : 0;
}

/* Only the application is in the domain of --confine, not its parent. */
static int enter_domain(const struct application *a, struct fault *f)
{
	const struct plan *plan = a->plan;
	const struct confine_plan c = plan_confinement(plan, a->given);
	int abi;

	if (plan->confine.mode == CONFINE_OFF)
		return 0;
	abi = confine_run(&c, f);
	/* The broker would be asked about a bind(2), and report it. */
	return abi < 0 ? -1 : verify_domain(abi, !plan->bind.wanted, f);
}

static int launch_child(void *argument, struct fault *f)
{
	const struct application *a = argument;

	if (enter_domain(a, f) < 0)
		return -1;
	signals_restore(a->run->signals);
	return exec_application(a, f);
}

/* The whole pages of a static object become zeroes, and are nobody's memory. */
static void forget(const void *object, size_t size)
{
	madvise((void *)(uintptr_t)object, size & ~(size_t)4095,
		MADV_DONTNEED);
}

/* The parent keeps descriptors 0 to 2, and the plan for a broker alone. */
static void let_go(void *argument)
{
	const struct application *a = argument;
	struct fault ignored;

	if (a->plan->bind.wanted) {
		sockets_close(&a->run->sockets);
		return;
	}
	fs_close_from(STDERR_FILENO + 1, &ignored);
	forget(a->plan, sizeof(*a->plan));
	forget(a->run, sizeof(*a->run));
}

int launch_run(const struct plan *plan, struct run *run, char *const given[],
	       struct fault *f)
{
	struct application a = { plan, run, given };
	struct init_spec init = plan->init;
	const struct init_start start = {
		.exec = &plan->exec,
		.parent = run->parent,
		.env = given,
		.guarded = plan->bind.wanted || plan->start.secure,
		.verbose = plan->verbose,
		.before = start_broker,
		.child = launch_child,
		.after = let_go,
		.argument = &a
	};

	if (!plan->init.wanted) {
		if (exec_start_session(&plan->exec, f) < 0 ||
		    exec_tie_to_parent(&plan->exec, run->parent, f) < 0)
			return -1;
		return exec_application(&a, f);
	}
	/* By it nginx ends its workers when its sockets were inherited. */
	if (plan->listen.handoff == HANDOFF_NGINX && !init.rewrite[SIGWINCH])
		init.rewrite[SIGWINCH] = SIGNAL_DROP;
	return init_run(&init, &start, f);
}
