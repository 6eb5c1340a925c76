#include "steps.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
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
#include "run/exec.h"
#include "run/init.h"
#include "run/plan.h"

const char *const steps_names[STEPS] = {
	"listen", "own", "own-stdio", "secret", "account", "limits", "drop",
	"confine", "verify", "exec"
};

/* ---- what each would do ---- */

void steps_describe(enum step step, const struct plan *plan, struct text *out)
{
	switch (step) {
	case STEP_LISTEN:
		listen_describe(&plan->listen, out);
		break;
	case STEP_OWN:
		own_describe(&plan->own, out);
		break;
	case STEP_OWN_STDIO:
		if (plan->own_stdio)
			text_add(out,
				 "pipes and terminals among descriptors 0-2 to uid %u",
				 plan->target.uid);
		break;
	case STEP_SECRET:
		secret_describe(&plan->secrets, LISTEN_FDS_START +
				listen_count(&plan->listen), out);
		break;
	case STEP_ACCOUNT:
		account_describe(&plan->account, out);
		break;
	case STEP_LIMITS:
		limits_describe(&plan->limits, out);
		break;
	case STEP_DROP:
		drop_describe(&plan->drop, &plan->target, &plan->start, out);
		break;
	case STEP_CONFINE:
		confine_describe(&plan->confine, out);
		break;
	case STEP_VERIFY:
		text_add(out, "read all of it back%s",
			 plan->target.uid ? "; try to become root again" : "");
		break;
	default:
		init_describe(&plan->init, out);
		exec_describe(&plan->exec, out);
		listen_describe_handoff(&plan->listen, out);
	}
}

/* ---- whether it can ---- */

static int check_listen(const struct plan *plan, struct fault *f)
{
	if (plan->listen.handoff != HANDOFF_BIND)
		return 0;
	if (plan->strict && plan->listen.low_port) {
		fault_set(f, EXIT_STEP, 0,
			  "--strict: --handoff=bind must keep CAP_NET_BIND_SERVICE in one thread, since port %u is below %u",
			  plan->listen.low_port, plan->listen.port_start);
		fault_hint(f, "open the port, or declare a higher one");
		return caps_open_ports(f, plan->listen.low_port);
	}
	return filter_check(f);
}

/*
 * The maps of the user namespace are checked only before side effects outside
 * of this process: reading /proc costs more than all other checks.
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

/* Do the words start a shell that stays the parent of the server? */
static bool is_behind_shell(char *const *word)
{
	const size_t length = strlen(word[0]);
	const char *name = length < 2 ? "" : word[0] + length - 2;

	return strcmp(name, "sh") == 0 && word[1] && word[1][0] == '-' &&
	       word[1][1] != '-' && word[1][strlen(word[1]) - 1] == 'c' &&
	       word[2] && !strstr(word[2], "exec ");
}

/* sd_listen_fds(3) returns no sockets if LISTEN_PID names another process. */
static void warn_of_shell(const struct plan *plan)
{
	char *const *word = plan->exec.command;

	if (plan->listen.handoff == HANDOFF_SYSTEMD && plan->listen.count &&
	    !plan->listen.no_listen_pid && is_behind_shell(word))
		report_note("%s %s: the sockets are for this process alone; "
			    "write exec before the server, or --handoff=bind",
			    word[0], word[1]);
}

int steps_look(enum step step, const struct plan *plan, struct fault *f)
{
	switch (step) {
	case STEP_LISTEN:
		return check_listen(plan, f);
	case STEP_SECRET:
		return secret_run(&plan->secrets, &plan->target, NULL, f);
	case STEP_DROP:
		return check_drop(plan, f);
	case STEP_CONFINE:
		return confine_check(&plan->confine, f);
	case STEP_EXEC:
		warn_of_shell(plan);
		return 0;
	default:
		return 0;
	}
}

int steps_check(const struct plan *plan, struct fault *f)
{
	for (enum step step = 0; step < STEPS; step++)
		if (steps_look(step, plan, f) < 0)
			return -1;
	return 0;
}

/* ---- doing it ---- */

/* The last step is main's. Under --init the child enters the domain. */
static int run_step(enum step step, const struct plan *plan, struct run *run,
		    struct fault *f)
{
	const struct target *t = &plan->target;
	const struct verify_spec proof = plan_verify_spec(plan);

	switch (step) {
	case STEP_LISTEN:
		return listen_run(&plan->listen, &run->sockets, f);
	case STEP_OWN:
		return own_run(&plan->own, f);
	case STEP_OWN_STDIO:
		if (plan->own_stdio)
			own_stdio_run(t->uid);
		return 0;
	case STEP_SECRET:
		return secret_run(&plan->secrets, t, &run->sockets, f);
	case STEP_ACCOUNT:
		return account_run(&plan->account, t, f);
	case STEP_LIMITS:
		return limits_run(&plan->limits, f);
	case STEP_DROP:
		if (verify_look(&run->seen, f) < 0)
			return -1;
		return drop_run(&plan->drop, t, &plan->start,
				plan->listen.bind_caps, f);
	case STEP_CONFINE:
		return plan->init.wanted ? 0 :
		       confine_run(&plan->confine, &run->seen, f);
	case STEP_VERIFY:
		if (secret_verify(&run->sockets, t, f) < 0)
			return -1;
		return verify_run(&proof, &run->seen, f);
	default:
		return 0;
	}
}

/*
 * Print each line of a description, with its number for --dry-run, or 0.
 * Returns false for a step that was not asked for.
 */
static bool print_step(enum step step, size_t number, const struct plan *plan)
{
	/* It fits a line for each of the sockets. */
	static char buffer[131072] SYS_LARGE;
	char *rest = buffer;
	char *line;
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	steps_describe(step, plan, &out);
	while (out.length && (line = strsep(&rest, "\n")))
		if (number)
			report_line("%2zu. %-10s %s", number,
				    steps_names[step], line);
		else
			report_note("%s: %s", steps_names[step], line);
	return out.length;
}

int steps_run(const struct plan *plan, struct run *run, struct fault *f)
{
	for (enum step step = 0; step < STEP_EXEC; step++) {
		if (plan->verbose)
			print_step(step, 0, plan);
		if (run_step(step, plan, run, f) < 0)
			return -1;
	}
	return 0;
}

void steps_print(const struct plan *plan)
{
	size_t number = 1;

	for (enum step step = 0; step < STEPS; step++)
		number += print_step(step, number, plan);
}
