/*
 * needs: the capabilities that a plan certainly takes, all of them at once and
 * before the first side effect.
 */
#ifndef STEPDOWN_NEEDS_H
#define STEPDOWN_NEEDS_H

struct fault;
struct plan;

/*
 * Find the capabilities that this process lacks and that the plan takes: for
 * low ports and options of sockets, for an owner of an --own path that is
 * another, for a higher limit, for ids and groups, for --keep-caps and
 * --strict. What only a walk can tell is found by the walk.
 *
 * Returns 0, or -1 with a fault that names all of them, with what they are for,
 * and the lines that give them.
 */
int needs_check(const struct plan *plan, struct fault *f);

#endif
