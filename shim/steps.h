/*
 * steps: the privileged acts, in the order that is the security argument of the
 * program. A run checks all of them, then does each; --dry-run and --check walk
 * the same steps.
 */
#ifndef STEPDOWN_STEPS_H
#define STEPDOWN_STEPS_H

struct fault;
struct plan;
struct run;
struct text;

/*
 * Ports and files need privilege, so they come first; then the limits, which
 * must not hinder those steps; drop gives all privilege away; verify proves it.
 * Nothing may come between drop and verify that could give something back, and
 * nothing after verify but the start of the application.
 */
enum step {
	STEP_LISTEN,
	STEP_OWN,
	STEP_OWN_STDIO,
	STEP_SECRET,
	STEP_ACCOUNT,
	STEP_LIMITS,
	STEP_DROP,
	STEP_CONFINE,
	STEP_VERIFY,
	STEP_EXEC,	/* which is main's to do */
	STEPS
};

extern const char *const steps_names[STEPS];

/* Append what a step would do; nothing if it was not asked for. */
void steps_describe(enum step step, const struct plan *plan, struct text *out);

/*
 * Check that a step, or all, can be done, before anything outside of this
 * process changes. Returns 0, or -1 with the fault of the first that cannot.
 */
int steps_look(enum step step, const struct plan *plan, struct fault *f);
int steps_check(const struct plan *plan, struct fault *f);

/*
 * Run every step in order and stop at the first that fails.
 *
 * Returns 0, or -1 with a fault; the application must then not be started.
 */
int steps_run(const struct plan *plan, struct run *run, struct fault *f);

/* Print the numbered steps and the command on stdout; changes nothing. */
void steps_print(const struct plan *plan);

/* ---- needs.c, before the first side effect ---- */

/*
 * Find the capabilities that the plan needs and this process lacks: for low
 * ports and socket options, for an --own path that has another owner, for a
 * higher limit, for ids and groups, for --keep-caps and --strict. The walk
 * reports what only the walk can find.
 *
 * Returns 0, or -1 with a fault that names all of them, with what they are for,
 * and the lines that grant them.
 */
int needs_check(const struct plan *plan, struct fault *f);

/* ---- check.c: what a run would meet in the container as it is ---- */

/*
 * Print on stdout how stepdown was started and, for each thing that was asked
 * for, whether it will work, with the reason and what to change; as JSON if the
 * plan says so (examples/check/schema.json). Changes nothing, but binds sockets
 * for a moment. For --dry-run: print only what will fail, on stderr, and check
 * neither sockets nor COMMAND.
 *
 * Returns 0, or EXIT_STEP if anything will fail; for --dry-run the exit status
 * that the run would have.
 */
int check_run(const struct plan *plan);

#endif
