/*
 * check: what a run would meet in the container as it is. Changes nothing, but
 * that sockets are bound for a moment.
 */
#ifndef STEPDOWN_CHECK_H
#define STEPDOWN_CHECK_H

struct plan;

/*
 * Print how stepdown was started and, for each thing that was asked for,
 * whether it will work, with the reason and what to change, on stdout; as JSON
 * if the plan says so (examples/check/schema.json).
 *
 * Returns 0, or EXIT_STEP if anything will fail.
 */
int check_run(const struct plan *plan);

#endif
