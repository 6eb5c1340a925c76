#include "steps.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "bind/declared.h"
#include "bind/filter.h"
#include "cred/account.h"
#include "cred/caps.h"
#include "cred/start.h"
#include "drop/confine.h"
#include "drop/drop.h"
#include "drop/limits.h"
#include "drop/verify.h"
#include "listen/listen.h"
#include "own/own.h"
#include "plan.h"
#include "run/exec.h"
#include "run/init.h"

/*
 * The adapters: each takes from the plan what its step is about, so that no
 * step needs to know the plan.
 */
static void describe_listen(const struct plan *plan, struct text *out)
{
	if (plan->bind.wanted)
		declared_describe(&plan->bind, out);
	else
		listen_describe(&plan->listen, out);
}

static int check_listen(const struct plan *plan, struct fault *f)
{
	if (!plan->bind.wanted)
		return 0;
	if (plan->strict && plan->bind.low_port) {
		fault_set(f, EXIT_STEP, 0,
			  "--strict: --handoff=bind must keep CAP_NET_BIND_SERVICE in one thread, since port %u is below %u",
			  plan->bind.low_port, plan->bind.port_start);
		fault_hint(f, "open the port, or declare a higher one");
		return caps_open_ports(f, plan->bind.low_port);
	}
	return filter_check(f);
}

/*
 * For --handoff=bind the addresses are bound once, so that what the kernel
 * refuses is found before the drop. The supervisor keeps the descriptors that
 * it has, so there must be no others.
 */
static int run_listen(const struct plan *plan, struct run *run,
		      struct fault *f)
{
	const size_t inherited = plan->listen.inherited.count;

	if (listen_run(&plan->listen, &run->sockets, f) < 0)
		return -1;
	if (!plan->bind.wanted)
		return 0;
	run->sockets.count = inherited;
	return fs_close_from(LISTEN_FDS_START + (int)inherited, f);
}

static void describe_own(const struct plan *plan, struct text *out)
{
	own_describe(&plan->own, out);
}

static int run_own(const struct plan *plan, struct run *run, struct fault *f)
{
	(void)run;
	return own_run(&plan->own, f);
}

static void describe_own_stdio(const struct plan *plan, struct text *out)
{
	if (plan->own_stdio)
		text_add(out,
			 "pipes and terminals among descriptors 0-2 to uid %u",
			 plan->target.uid);
}

static int run_own_stdio(const struct plan *plan, struct run *run,
			 struct fault *f)
{
	(void)run;
	(void)f;
	if (plan->own_stdio)
		own_stdio_run(plan->target.uid);
	return 0;
}

static void describe_secret(const struct plan *plan, struct text *out)
{
	secret_describe(&plan->secrets,
			LISTEN_FDS_START + listen_count(&plan->listen), out);
}

static int check_secret(const struct plan *plan, struct fault *f)
{
	return secret_run(&plan->secrets, 0, 0, NULL, f);
}

static int run_secret(const struct plan *plan, struct run *run, struct fault *f)
{
	return secret_run(&plan->secrets, plan->target.uid, plan->target.gid,
			  &run->sockets, f);
}

static void describe_account(const struct plan *plan, struct text *out)
{
	account_describe(&plan->account, out);
}

static int run_account(const struct plan *plan, struct run *run,
		       struct fault *f)
{
	(void)run;
	return account_run(&plan->account, &plan->target, f);
}

static void describe_limits(const struct plan *plan, struct text *out)
{
	limits_describe(&plan->limits, out);
}

static int run_limits(const struct plan *plan, struct run *run,
		      struct fault *f)
{
	(void)run;
	return limits_run(&plan->limits, f);
}

static void describe_drop(const struct plan *plan, struct text *out)
{
	drop_describe(&plan->drop, &plan->target, &plan->start, out);
}

/*
 * The ids of a user namespace are looked up before what has side effects
 * outside of this process; a look into /proc costs more than all other checks.
 */
static int check_drop(const struct plan *plan, struct fault *f)
{
	if ((plan->listen.count || plan->secrets.count || plan->own.ntrees ||
	     plan->own_stdio || plan->account.value ||
	     plan->action != ACTION_RUN) &&
	    start_check_maps(&plan->target, &plan->start, f) < 0)
		return -1;
	return drop_check(&plan->drop, plan->target.uid, plan->exec.command[0],
			  plan_path(plan), f);
}

static int run_drop(const struct plan *plan, struct run *run, struct fault *f)
{
	if (verify_look(&run->seen, f) < 0)
		return -1;
	return drop_run(&plan->drop, &plan->target, &plan->start,
			plan->bind.caps, f);
}

static void describe_confine(const struct plan *plan, struct text *out)
{
	confine_describe(&plan->confine, out);
}

static int check_domain(const struct plan *plan, struct fault *f)
{
	return confine_check(&plan->confine, f);
}

/* Under --init it is the child that enters the domain, see run/init.c. */
static int run_confine(const struct plan *plan, struct run *run,
		       struct fault *f)
{
	return plan->init.wanted
		       ? 0 : exec_enter_domain(&plan->confine, &run->seen, f);
}

static void describe_verify(const struct plan *plan, struct text *out)
{
	text_add(out, "read all of it back%s",
		 plan->target.uid ? "; try to become root again" : "");
}

static int run_verify(const struct plan *plan, struct run *run,
		      struct fault *f)
{
	const struct verify_spec spec = plan_verify_spec(plan);

	return secret_verify(&run->sockets, spec.uid, spec.gid, f) < 0
		       ? -1 : verify_run(&spec, &run->seen, f);
}

/* The last row is run by main, after every other step. */
static void describe_exec(const struct plan *plan, struct text *out)
{
	init_describe(&plan->init, out);
	exec_describe(&plan->exec, out);
	listen_describe_handoff(&plan->listen, out);
}

/* sd_listen_fds(3) takes nothing in a process that LISTEN_PID does not name. */
static int check_exec(const struct plan *plan, struct fault *f)
{
	char *const *word = plan->exec.command;

	if (plan->listen.handoff == HANDOFF_SYSTEMD && plan->listen.count &&
	    !plan->listen.no_listen_pid && word[1] && word[2] &&
	    strcmp(word[1], "-c") == 0 && !strstr(word[2], "exec "))
		report_note("%s -c: the sockets are for this process alone; "
			    "write exec before the server, or --handoff=bind",
			    word[0]);
	return plan->init.wanted ? 0 : exec_check_session(&plan->exec, f);
}

/*
 * Ports and files need privilege, so they come first; then the limits, which
 * must not hinder what opens and writes files; drop gives all of it away;
 * verify proves it. Nothing may come between drop and verify that could give
 * something back, and nothing after verify but the start of the application.
 */
const struct step steps[] = {
	{ "listen", describe_listen, check_listen, run_listen },
	{ "own", describe_own, NULL, run_own },
	{ "own-stdio", describe_own_stdio, NULL, run_own_stdio },
	{ "secret", describe_secret, check_secret, run_secret },
	{ "account", describe_account, NULL, run_account },
	{ "limits", describe_limits, NULL, run_limits },
	{ "drop", describe_drop, check_drop, run_drop },
	{ "confine", describe_confine, check_domain, run_confine },
	{ "verify", describe_verify, NULL, run_verify },
	{ "exec", describe_exec, check_exec, NULL },
};

const size_t steps_count = ARRAY_LEN(steps);

/*
 * Say each line of a description, with its number for --dry-run, or 0. Returns
 * false for a step that was not asked for.
 */
static bool print_step(const struct step *step, size_t number,
		       const struct plan *plan)
{
	char buffer[131072];	/* fits a line for each of the sockets */
	char *rest = buffer;
	char *line;
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	step->describe(plan, &out);
	while (out.length && (line = strsep(&rest, "\n")))
		if (number)
			report_line("%2zu. %-10s %s", number, step->name, line);
		else
			report_note("%s: %s", step->name, line);
	return out.length;
}

int steps_check(const struct plan *plan, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i].check && steps[i].check(plan, f) < 0)
			return -1;
	return 0;
}

int steps_run(const struct plan *plan, struct run *run, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (!steps[i].run)
			continue;
		if (plan->verbose)
			print_step(&steps[i], 0, plan);
		if (steps[i].run(plan, run, f) < 0)
			return -1;
	}
	return 0;
}

void steps_describe(const struct plan *plan)
{
	size_t number = 1;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		number += print_step(&steps[i], number, plan);
}
