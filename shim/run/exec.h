/*
 * launch: becoming the application.
 */
#ifndef STEPDOWN_RUN_EXEC_H
#define STEPDOWN_RUN_EXEC_H

struct fault;
struct plan;
struct run;
struct text;

/* Append what launch() would do. */
void launch_describe(const struct plan *plan, struct text *out);

/*
 * Arrange descriptors and environment and call execve(2). The command is
 * looked up in the application's PATH with the target's ids, so root's rights
 * play no part in what is found.
 *
 * given: the environment that stepdown itself was given.
 * Returns only on failure: -1 with a fault, status 126, 127 or 111. All
 * descriptors but 0-2 and the sockets are closed by then.
 */
int launch(const struct plan *plan, struct run *run, char *const given[],
	   struct fault *f);

#endif
