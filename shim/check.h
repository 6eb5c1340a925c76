/*
 * check: --check, which says what a run would meet in the container as it is.
 */
#ifndef STEPDOWN_CHECK_H
#define STEPDOWN_CHECK_H

struct plan;

/*
 * Print how stepdown was started and, for each thing that was asked for,
 * whether it will work, with the reason and what to change, on stdout; as JSON
 * if the plan says so. Sockets are bound and closed again; nothing else
 * changes.
 *
 * Returns 0, or EXIT_STEP if anything will fail.
 */
int check_run(const struct plan *plan);

#endif
