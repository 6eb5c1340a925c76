/*
 * drop: give every privilege away, for good. Step 3 of the story.
 */
#ifndef STEPDOWN_DROP_DROP_H
#define STEPDOWN_DROP_DROP_H

struct fault;
struct plan;
struct run;
struct text;

/* Append what drop_run() would do. */
void drop_describe(const struct plan *plan, struct text *out);

/*
 * Become the target: groups, gid, uid, capabilities, securebits, no_new_privs.
 *
 * Returns 0, or -1 with a fault. On failure the process is somewhere between
 * what it was and the target, and must end without running anything.
 */
int drop_run(const struct plan *plan, struct run *run, struct fault *f);

#endif
