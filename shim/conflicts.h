/*
 * conflicts: what the options of a plan say against each other. Pure.
 */
#ifndef STEPDOWN_CONFLICTS_H
#define STEPDOWN_CONFLICTS_H

struct fault;
struct plan;

/*
 * Refuse what contradicts itself, what --handoff cannot hand over, and more
 * sockets than there is room for. After this no usage error is left to find,
 * and nothing in the container has changed.
 *
 * Returns 0, or -1 with a usage fault.
 */
int conflicts_check(const struct plan *plan, struct fault *f);

#endif
