/*
 * verify: the proof. Reads back from the kernel, with raw calls and without
 * libcap-ng, that nothing is left which the plan does not give; then tries to
 * get root back, and fails the run if that works.
 */
#ifndef STEPDOWN_DROP_VERIFY_H
#define STEPDOWN_DROP_VERIFY_H

#include <stddef.h>

struct fault;
struct plan;
struct run;
struct text;

/* Append what verify_run() would do. */
void verify_describe(const struct plan *plan, struct text *out);

/*
 * Compare real, effective, saved and filesystem ids, groups, the five
 * capability sets, securebits and no_new_privs with the plan.
 *
 * Returns 0, or -1 with a fault that names the first thing that is not as it
 * must be.
 */
int verify_run(const struct plan *plan, struct run *run, struct fault *f);

/*
 * The last look before execve(2): sockets 3 to 3+count-1 are open and stay so,
 * and no other descriptor above 2 is open.
 *
 * Returns 0, or -1 with a fault.
 */
int verify_descriptors(size_t count, struct fault *f);

/*
 * In the supervisor: has this thread no capability, in any of the five sets?
 * Returns 0, or -1 with a fault.
 */
int verify_no_caps(struct fault *f);

#endif
