/*
 * own: the steps that give something to the target: own gives files, and needs
 * CAP_CHOWN, and CAP_SETUID and CAP_SETGID for what is closed to root without
 * CAP_DAC_OVERRIDE; own-stdio gives pipes and terminals.
 *
 * What is in a volume was written by whoever ran there before, and may be
 * written while we walk. So: no path is used twice, a symbolic link is changed
 * and never followed, nothing is followed into another mount, and each entry
 * is examined and changed through one descriptor.
 */
#ifndef STEPDOWN_OWN_OWN_H
#define STEPDOWN_OWN_OWN_H

#include <sys/types.h>

struct fault;
struct own_spec;
struct own_tree;
struct stat;
struct text;

/*
 * Give every path to its new owner, in order.
 *
 * Returns 0, or -1 with a fault; what was changed before stays changed, and a
 * second run goes on from there.
 */
int own_run(const struct own_spec *spec, struct fault *f);

/* Add the hint for the errno of a fault about this tree. Returns -1. */
int own_hint(const struct own_tree *t, struct fault *f);

/*
 * For --check, append what is at the path: owner and mode of its top, mount
 * point and type, and the mounts below it.
 */
void own_look(const struct own_tree *t, const struct stat *top,
	      struct text *out);

/*
 * Give the pipes and pseudo-terminals among descriptors 0 to 2 to this uid: to
 * open /dev/stdout is to open the pipe anew, which belongs to root with mode
 * 0600 (moby issue 31243; runc gives it only when the image says USER).
 *
 * Never a regular file or a named FIFO, which would be the host's, nor a device
 * that others share: /dev/null, /dev/tty, /dev/ptmx, a console. What the kernel
 * refuses is a warning, for the application may well do without.
 */
void own_stdio_run(uid_t uid);

#endif
