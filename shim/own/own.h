/*
 * own: the step that gives files to the target. It needs CAP_CHOWN, and
 * CAP_SETUID and CAP_SETGID for what is closed to root without CAP_DAC_OVERRIDE.
 *
 * What is in a volume was written by whoever ran there before, and may be
 * written while we walk. So: no path is used twice, a symbolic link is changed
 * and never followed, nothing is followed into another mount, and each entry
 * is examined and changed through one descriptor.
 */
#ifndef STEPDOWN_OWN_OWN_H
#define STEPDOWN_OWN_OWN_H

struct fault;
struct own_spec;
struct text;

/* Append what own_run() would do, a line per path. */
void own_describe(const struct own_spec *spec, struct text *out);

/*
 * Give every path to its new owner, in order.
 *
 * Returns 0, or -1 with a fault; what was changed before stays changed, and a
 * second run goes on from there.
 */
int own_run(const struct own_spec *spec, struct fault *f);

#endif
