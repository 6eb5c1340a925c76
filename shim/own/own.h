/*
 * own: give files to the target. Step 2: needs CAP_CHOWN.
 *
 * What is in a volume was written by whoever ran there before, and may be
 * written while we walk. So: no path is used twice, a symbolic link is changed
 * and never followed, nothing is followed into another mount, and each entry
 * is examined and changed through one descriptor.
 */
#ifndef STEPDOWN_OWN_OWN_H
#define STEPDOWN_OWN_OWN_H

struct fault;
struct plan;
struct run;
struct text;

/* Append what own_run() would do, a line per path. */
void own_describe(const struct plan *plan, struct text *out);

/*
 * Give every path of the plan to the target's uid and gid.
 *
 * Returns 0, or -1 with a fault; what was changed before stays changed, and a
 * second run goes on from there.
 */
int own_run(const struct plan *plan, struct run *run, struct fault *f);

#endif
