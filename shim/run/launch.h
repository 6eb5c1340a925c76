/*
 * launch: the last step. This process becomes the application, or with --init
 * the parent of it.
 */
#ifndef STEPDOWN_RUN_LAUNCH_H
#define STEPDOWN_RUN_LAUNCH_H

struct fault;
struct plan;
struct run;

/*
 * given: the environment that this program was given.
 * Returns the exit status of the parent, or -1 with a fault.
 */
int launch_run(const struct plan *plan, struct run *run, char *const given[],
	       struct fault *f);

#endif
