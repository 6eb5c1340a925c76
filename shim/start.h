/*
 * start: how stepdown was started, and what can be done from there.
 *
 * As root, everything can. As somebody else, the ids stay what the operator
 * chose. With file capabilities or setuid the command line and the environment
 * are those of whoever ran it, and the privileges are for --user alone.
 */
#ifndef STEPDOWN_START_H
#define STEPDOWN_START_H

#include <stdbool.h>

struct fault;
struct plan;
struct start;

/* Ask the kernel. Returns 0, or -1 with a fault. */
int start_read(struct start *s, struct fault *f);

/* Was there this capability (CAP_CHOWN and so on) at the start? */
bool start_has(const struct start *s, int cap);

/*
 * Who the application will really be. Started as root: the target of the plan.
 * Otherwise the ids and groups that we have, unless they can be changed to
 * those of --user; what is so already is taken out of the plan.
 *
 * Started with file capabilities or setuid by somebody who is not --user: those
 * privileges are given up first, and the run is as any unprivileged one.
 *
 * passwd: to look up who we are. Call it after plan_resolve().
 * Returns 0, or -1 with a fault.
 */
int start_settle(struct plan *plan, const char *passwd, struct fault *f);

/*
 * Find what will not work, before the first side effect: ids that a user
 * namespace does not know, capabilities that are missing.
 *
 * Returns 0, or -1 with a fault.
 */
int start_check(const struct plan *plan, struct fault *f);

/* Tell the user, on stderr, where the run differs from what was asked for. */
void start_tell(const struct plan *plan);

/*
 * Raise what file capabilities have put into the permitted set only; drop takes
 * all of it away again. Returns 0, or -1 with a fault.
 */
int start_raise(const struct plan *plan, struct fault *f);

#endif
