#include "steps.h"

#include <string.h>

#include "base/report.h"
#include "base/text.h"
#include "cred/account.h"
#include "drop/drop.h"
#include "drop/limits.h"
#include "drop/verify.h"
#include "listen/socket.h"
#include "own/own.h"
#include "own/stdio.h"
#include "plan.h"
#include "run/exec.h"
#include "run/init.h"

struct step {
	const char *name;
	void (*describe)(const struct plan *plan, struct text *out);
	int (*run)(const struct plan *plan, struct run *run, struct fault *f);
};

/*
 * Ports and files need privilege, so they come first; then the limits, which
 * must not hinder what opens and writes files; drop gives all of it
 * away; verify proves it. Nothing may come between drop and verify that could
 * give something back, and nothing after verify but launch.
 */
static const struct step steps[] = {
	{ "listen", listen_describe, listen_run },
	{ "own", own_describe, own_run },
	{ "own-stdio", own_stdio_describe, own_stdio_run },
	{ "account", account_describe, account_run },
	{ "limit", limit_describe, limit_run },
	{ "drop", drop_describe, drop_run },
	{ "verify", verify_describe, verify_run },
};

/* A line for each of the sockets, with its name, fits. */
enum { DESCRIPTION_SIZE = 131072 };

/*
 * Say each line of a description, with its number for --dry-run, or 0; an empty
 * description is one line too.
 */
static void describe(const struct step *step, size_t number,
		     const struct plan *plan)
{
	char buffer[DESCRIPTION_SIZE];
	struct text out;
	const char *line = buffer;

	text_start(&out, buffer, sizeof(buffer));
	step->describe(plan, &out);
	if (!out.length)
		text_add(&out, "nothing asked for");
	if (out.cut)
		memcpy(buffer + sizeof(buffer) - 4, "...", 4);
	while (line) {
		int length = (int)strcspn(line, "\n");

		if (number)
			report_line("%2zu. %-10s %.*s", number, step->name, length,
				 line);
		else
			report_note("%s: %.*s", step->name, length, line);
		line = line[length] ? line + length + 1 : NULL;
	}
}

int steps_run(const struct plan *plan, struct run *run, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (plan->verbose)
			describe(&steps[i], 0, plan);
		if (steps[i].run(plan, run, f) < 0)
			return -1;
	}
	return 0;
}

void steps_describe(const struct plan *plan)
{
	static const struct step launch = { "launch", launch_describe, NULL };
	static const struct step init = { "init", init_describe, NULL };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		describe(&steps[i], i + 1, plan);
	describe(plan->init.wanted ? &init : &launch, ARRAY_LEN(steps) + 1,
		 plan);
}
