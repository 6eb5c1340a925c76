/*
 * steps: the ordered table of privileged acts. The order is the security
 * argument of the program; --dry-run walks the same table.
 */
#ifndef STEPDOWN_STEPS_H
#define STEPDOWN_STEPS_H

struct fault;
struct plan;
struct run;

/*
 * Run every step in order and stop at the first that fails.
 *
 * Returns 0, or -1 with a fault; the application must then not be started.
 */
int steps_run(const struct plan *plan, struct run *run, struct fault *f);

/* Print the numbered steps and the command on stdout; changes nothing. */
void steps_describe(const struct plan *plan);

#endif
