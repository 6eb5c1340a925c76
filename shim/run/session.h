/*
 * session: the application's place among other processes: a session of its
 * own, and what happens to it when the process that started it ends.
 */
#ifndef STEPDOWN_RUN_SESSION_H
#define STEPDOWN_RUN_SESSION_H

#include <sys/types.h>

struct fault;
struct plan;

/*
 * Can --setsid work? The leader of a process group that is not the leader of its
 * session cannot leave it (setsid(2)), unless a child does it for him.
 *
 * Returns 0, or -1 with a fault.
 */
int session_check(const struct plan *plan, struct fault *f);

/*
 * --setsid, after all that a signal of the terminal may have to end. Nothing to
 * do for a process that leads a session already, as the first process of a
 * container does.
 *
 * Returns 0, or -1 with a fault.
 */
int session_start(const struct plan *plan, struct fault *f);

/*
 * --pdeathsig. To be called after the drop, since a change of uid undoes it,
 * and in each process that shall have it, since fork(2) does too.
 *
 * parent: the process whose end matters. If it has ended already, the signal
 * is sent now. Returns 0, or -1 with a fault.
 */
int session_tie(const struct plan *plan, pid_t parent, struct fault *f);

#endif
