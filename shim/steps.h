/*
 * steps: the ordered table of privileged acts. The order is the security
 * argument of the program. A run does every check of the table, then every
 * step; --dry-run walks the same table.
 */
#ifndef STEPDOWN_STEPS_H
#define STEPDOWN_STEPS_H

#include <stddef.h>

struct fault;
struct plan;
struct run;
struct text;

/*
 * describe appends what the step would do, nothing if it was not asked for.
 * check looks whether it can and changes nothing (NULL: there is nothing to
 * look at), run does it.
 */
struct step {
	const char *name;
	void (*describe)(const struct plan *plan, struct text *out);
	int (*check)(const struct plan *plan, struct fault *f);
	int (*run)(const struct plan *plan, struct run *run, struct fault *f);
};

extern const struct step steps[];
extern const size_t steps_count;

/*
 * Find what will not work before anything outside of this process changes.
 *
 * Returns 0, or -1 with the fault of the first step that would fail.
 */
int steps_check(const struct plan *plan, struct fault *f);

/*
 * Run every step in order and stop at the first that fails.
 *
 * Returns 0, or -1 with a fault; the application must then not be started.
 */
int steps_run(const struct plan *plan, struct run *run, struct fault *f);

/* Print the numbered steps and the command on stdout; changes nothing. */
void steps_describe(const struct plan *plan);

/* ---- needs.c, before the first side effect ---- */

/*
 * Find the capabilities that this process lacks and that the plan takes: for
 * low ports and options of sockets, for an owner of an --own path that is
 * another, for a higher limit, for ids and groups, for --keep-caps and
 * --strict. What only a walk can tell is found by the walk.
 *
 * Returns 0, or -1 with a fault that names all of them, with what they are for,
 * and the lines that give them.
 */
int needs_check(const struct plan *plan, struct fault *f);

/* ---- check.c: what a run would meet in the container as it is ---- */

/*
 * Print how stepdown was started and, for each thing that was asked for,
 * whether it will work, with the reason and what to change, on stdout; as JSON
 * if the plan says so (examples/check/schema.json). Changes nothing, but that
 * sockets are bound for a moment.
 *
 * Returns 0, or EXIT_STEP if anything will fail.
 */
int check_run(const struct plan *plan);

#endif
