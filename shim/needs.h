/*
 * needs: the capabilities that a plan takes, before any of them is used, so
 * that all that are missing are named at once instead of one at each start.
 */
#ifndef STEPDOWN_NEEDS_H
#define STEPDOWN_NEEDS_H

struct fault;
struct plan;

/*
 * Find the capabilities that this process lacks and that the plan certainly
 * takes: for low ports, for an owner of an --own path that is another, for ids
 * and groups, for --keep-caps and --strict. What only a walk can tell is found
 * by the walk. Changes nothing.
 *
 * Returns 0, or -1 with a fault that names all of them, with what they are for.
 */
int needs_check(const struct plan *plan, struct fault *f);

#endif
