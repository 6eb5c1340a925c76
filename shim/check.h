/*
 * check: what a run would meet in the container as it is. Changes nothing, but
 * that sockets are bound for a moment.
 */
#ifndef STEPDOWN_CHECK_H
#define STEPDOWN_CHECK_H

struct fault;
struct plan;

/*
 * Find the capabilities that this process lacks and that the plan certainly
 * takes: for low ports, for an owner of an --own path that is another, for ids
 * and groups, for --keep-caps and --strict. What only a walk can tell is found
 * by the walk.
 *
 * Returns 0, or -1 with a fault that names all of them, with what they are for.
 */
int check_capabilities(const struct plan *plan, struct fault *f);

/*
 * Print how stepdown was started and, for each thing that was asked for,
 * whether it will work, with the reason and what to change, on stdout; as JSON
 * if the plan says so (examples/check/schema.json).
 *
 * Returns 0, or EXIT_STEP if anything will fail.
 */
int check_run(const struct plan *plan);

#endif
