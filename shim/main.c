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
 * A socket that is opened while descriptor 0, 1 or 2 is closed would get its
 * number, and our messages would go to it. An O_PATH descriptor keeps the
 * number, can be neither read nor written, and is closed by execve: the
 * application finds what we were given.
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

/* Returns the exit status, or -1 with a fault, or not at all. */
static int step_down(struct plan *plan, struct run *run, struct fault *f)
{
	if (plan->action == ACTION_DRY_RUN)
		steps_print(plan);
	if (plan->action)
		return check_run(plan);
	if (plan->keeps) {
		if (plan->verbose)
			report_note("no --user: ids, capabilities, "
				    "descriptors stay");
		if (limits_run(&plan->limits, f) < 0)
			return -1;
	} else {
		/* First how it was started: that may be why a check fails. */
		start_tell(&plan->who, &plan->start);
		if (needs_check(plan, f) < 0 || steps_check(plan, f) < 0)
			return -1;
		if (steps_run(plan, run, f) < 0)
			return -1;
	}
	if (plan->init.wanted)
		return init_run(plan, run, f);
	if (exec_take_place(plan, run, f) < 0)
		return -1;
	return exec_application(plan, run, f);
}

/* Complete and check the plan, before the first side effect. */
static int settle(struct plan *plan, char *const env[], struct fault *f)
{
	plan->own.verbose = plan->verbose;
	plan->own.groups = plan->start.groups;
	plan->own.ngroups = plan->start.ngroups;
	listen_settle(&plan->listen);
	if (plan->listen.inherited.wanted &&
	    inherited_read(&plan->listen.inherited,
			   plan->start.secure ? NULL : env, f) < 0)
		return -1;
	if (plan->keeps)
		return conflicts_check(plan, f);
	if (resolve_target(plan, PASSWD_USERS, PASSWD_GROUPS, f) < 0 ||
	    conflicts_check(plan, f) < 0)
		return -1;
	/* The config file's variables may be secrets, for --user alone. */
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

/*
 * Signals are blocked first of all, before it is known whether an init will
 * forward them, so that none is lost.
 */
int main(int argc, char **argv)
{
	static char *const no_words[] = { NULL };
	static struct plan plan __attribute__((aligned(4096))) SYS_LARGE;
	static struct plan file SYS_LARGE;
	static struct run run SYS_LARGE;
	static struct fault f SYS_LARGE;
	const struct peer *peer;
	int result;

	(void)argc;
	run.signals = signals_block();
	peer = names_find(&argv);
	result = keep_standard_places(&f);
	if (result == 0)
		result = start_read(&plan.start, &f);
	/* A peer takes only --strict from the config file. */
	if (result == 0 && !(peer && plan.start.secure))
		result = settings_read(peer ? &file : &plan, SETTINGS_FILE,
				       peer ? no_words : argv, environ, &f);
	if (result == 0 && peer) {
		plan.strict = file.strict;
		result = names_run(peer, &plan, argv, &f);
	}
	if (result > 0)
		return result - 1;
	/* A parent must answer the application's bind(2). */
	plan.init.wanted |= plan.listen.handoff == HANDOFF_BIND;
	plan.keeps = (plan.init.wanted || peer) && !plan.start.secure &&
		     !plan.action && !plan.env.home && !plan.who.user &&
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
	return peer ? 1 : f.status;
}
