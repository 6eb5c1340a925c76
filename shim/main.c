/*
 * stepdown: do what needs root, give root away for good, prove it, become the
 * application. This file tells that story; each step has a file of its own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "compat/names.h"
#include "options.h"
#include "run/exec.h"
#include "run/init.h"
#include "run/signals.h"
#include "settle.h"
#include "steps.h"

/*
 * A socket that is opened while descriptor 0, 1 or 2 is closed would take its
 * place, and our messages would go into it. An O_PATH descriptor keeps the
 * place, cannot be read nor written, and is gone on execve: the application
 * finds what we were given.
 */
static int keep_standard_places(struct fault *f)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/", O_PATH | O_CLOEXEC) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "keep the place of descriptor %d", fd);
	return 0;
}

/* Without --user, as below a peer: nothing of who we are changes. */
static int leave_as_is(const struct init_spec *init, const struct launch *l,
		       struct fault *f)
{
	if (l->verbose)
		report_note("no --user: ids, capabilities, descriptors stay");
	if (limits_run(l->limits, f) < 0)
		return -1;
	return init->wanted ? init_run(init, l, f) : exec_application(l, f);
}

/* Returns the exit status, or -1 with a fault, or never. */
static int step_down(struct plan *plan, struct run *run, struct fault *f)
{
	const struct launch launch = {
		.exec = &plan->exec,
		.env = &plan->env,
		.limits = &plan->limits,
		.listen = &plan->listen,
		.bind = &plan->bind,
		.target = plan->keeps ? NULL : &plan->target,
		.root_home = plan->root_home,
		.run = run,
		.verbose = plan->verbose,
		.secure = plan->start.secure,
		.confine = &plan->confine,
		.proof = plan_verify_spec(plan),
		.plan = plan,
		.plan_size = sizeof(*plan)
	};

	if (plan->keeps)
		return leave_as_is(&plan->init, &launch, f);
	if (plan->action == ACTION_DRY_RUN)
		steps_print(plan);
	if (plan->action == ACTION_CHECK)
		return check_run(plan);
	/* Before what may be missing is named: it can be the reason for it. */
	start_tell(&plan->who, &plan->start);
	if (needs_check(plan, f) < 0 || steps_check(plan, f) < 0)
		return -1;
	if (plan->action == ACTION_DRY_RUN)
		return 0;
	if (steps_run(plan, run, f) < 0)
		return -1;
	if (plan->init.wanted)
		return init_run(&plan->init, &launch, f);
	if (exec_take_place(&launch, f) < 0)
		return -1;
	return exec_application(&launch, f);
}

/* Whatever can be found wrong is found here, before the first side effect. */
static int settle(struct plan *plan, char *const env[], struct fault *f)
{
	plan->who.verbose = plan->own.verbose = plan->verbose;
	plan->own.groups = plan->start.groups;
	plan->own.ngroups = plan->start.ngroups;
	plan->bind = (struct bind_spec){
		.wanted = plan->listen.handoff == HANDOFF_BIND,
		.nlisteners = plan->listen.count,
		.listeners = plan->listen.listeners
	};
	if (plan->bind.wanted)
		declared_settle(&plan->bind);
	if (plan->listen.inherited.wanted &&
	    inherited_read(&plan->listen.inherited,
			   plan->start.secure ? NULL : env, f) < 0)
		return -1;
	if (plan->keeps)
		return conflicts_check(plan, f);
	if (resolve_target(plan, PASSWD_USERS, PASSWD_GROUPS, f) < 0 ||
	    conflicts_check(plan, f) < 0)
		return -1;
	/* The config file's variables may be secrets; they are --user's. */
	if (plan->start.secure && plan->start.uid != plan->target.uid)
		plan->env.nset = 0;
	if (start_settle(&plan->who, &plan->start, &plan->target,
			 &plan->drop.keep_caps, f) < 0 ||
	    resolve_owners(plan, PASSWD_USERS, PASSWD_GROUPS, f) < 0)
		return -1;
	plan->confine.own = &plan->own;
	plan->confine.listen = &plan->listen;
	plan->confine.command = plan->exec.command[0];
	plan->confine.path = plan_path(plan);
	return account_resolve(&plan->account, &plan->target, f);
}

/* For a peer's option; it may be given more than once. */
static int set_for_peer(struct plan *plan, const char *name, const char *value,
			struct fault *f)
{
	uint64_t seen = 0;

	return options_set(plan, name, value, environ, &seen, f);
}

/*
 * Be the peer whose name we were called by. Of the config file, which is for
 * our own name, "strict" alone counts.
 *
 * Returns as names_run().
 */
static int be_peer(struct names *n, struct plan *plan, struct fault *f)
{
	static char *const no_words[] = { NULL };
	const struct start start = plan->start;

	if (start.secure)
		return fault_set(f, EXIT_USAGE, 0,
				 "never with setuid or file capabilities");
	if (settings_read(plan, SETTINGS_FILE, no_words, environ, f) < 0)
		return -1;
	n->strict = plan->strict;
	if (plan->config[0])
		memset(plan, 0, sizeof(*plan));
	plan->start = start;
	plan->strict = n->strict;
	return names_run(n, f);
}

/*
 * Signals are blocked from the first instruction on, before it is known whether
 * an init will be there to forward them, so that none is lost on the way.
 */
int main(int argc, char **argv)
{
	static struct plan plan __attribute__((aligned(4096))) SYS_LARGE;
	static struct run run SYS_LARGE;
	static struct fault f SYS_LARGE;
	struct names names = { .argv = argv, .plan = &plan, .set = set_for_peer,
			       .start = &plan.start };
	int result;

	(void)argc;
	run.signals = signals_block();
	result = keep_standard_places(&f);
	if (result == 0)
		result = start_read(&plan.start, &f);
	if (result == 0)
		result = names_find(&names)
			 ? be_peer(&names, &plan, &f)
			 : settings_read(&plan, SETTINGS_FILE, argv, environ,
					 &f);
	if (result > 0)
		return names.status;
	if (names.peer)
		plan.exec.command = names.argv;
	/* Somebody must be there to answer the application's bind(2). */
	plan.init.wanted |= plan.listen.handoff == HANDOFF_BIND;
	plan.keeps = (plan.init.wanted || names.peer) && !plan.start.secure &&
		     !plan.action && !plan.env.home &&
		     plan.topics % (1u << GETS) == 0;
	if (!plan.init.wanted)
		signals_restore(run.signals);
	if (plan.exec.pdeathsig)
		run.parent = getppid();
	if (result == 0 && plan.action == ACTION_HELP)
		options_help(plan.topic);
	else if (result == 0 && plan.action == ACTION_VERSION)
		report_line("stepdown %s", PACKAGE_VERSION);
	if (plan.action >= ACTION_HELP && result == 0)
		return 0;
	if (result == 0)
		result = settle(&plan, environ, &f);
	if (result == 0)
		result = step_down(&plan, &run, &f);
	if (result >= 0)
		return result;
	report_fault(&f);
	return names.peer ? 1 : f.status;
}
