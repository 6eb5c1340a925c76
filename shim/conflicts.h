/*
 * overlap: what two --listen, or a --listen and a --handoff, say against each
 * other. Pure.
 */
#ifndef STEPDOWN_CONFLICTS_H
#define STEPDOWN_CONFLICTS_H

struct fault;
struct plan;

/*
 * Refuse sockets that the kernel would refuse because of one another (the
 * message of bind(2) could not tell that), more of them than there is room
 * for, and what the handoff cannot take.
 *
 * Returns 0, or -1 with a usage fault.
 */
int overlap_check(const struct plan *plan, struct fault *f);

/*
 * Refuse what contradicts itself. Every usage error is found here or earlier,
 * before anything in the container has changed.
 *
 * Returns 0, or -1 with a usage fault.
 */
int conflicts_check(const struct plan *plan, struct fault *f);

#endif
