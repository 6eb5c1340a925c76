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

#endif
