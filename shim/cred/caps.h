/*
 * caps: capabilities(7), the only file that uses libcap-ng; verify, the
 * witness, reads the same with raw calls. Bit n of a set is capability n.
 */
#ifndef STEPDOWN_CRED_CAPS_H
#define STEPDOWN_CRED_CAPS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))

struct fault;
struct text;

/*
 * Parse LIST into a uint64_t: names (with or without "cap_", in any case) or
 * numbers 0 to 63, joined by commas; "none" is the empty set.
 */
bool caps_read(const char *list, void *set);

/* The names of capabilities without "cap_", for str_nearest(). */
struct slice caps_word(const void *list, size_t i);

enum { CAPS_NAME_MAX = 32 };

/* Write the name as engines spell it ("CHOWN"), or a number if unknown. */
void caps_name(int cap, char name[CAPS_NAME_MAX]);

/* Append the names of a set, joined by commas; "none" when it is empty. */
void caps_describe(uint64_t set, struct text *out);

/* Read the sets of this thread. Returns 0, or -1 with errno. */
int caps_held(uint64_t *permitted, uint64_t *effective);

/* Set the effective set of this thread, nothing more. 0, or -1 with errno. */
int caps_set_effective(uint64_t effective);

/* The bounding set. known: these are in it, and are not read. */
uint64_t caps_bounding(uint64_t known);

/*
 * Reduce this process to the capabilities in keep, in all sets. With
 * CAP_SETPCAP the bounding set is reduced too, to keep and bounding
 * (UINT64_MAX: it stays as it is), and unless new_privs SECBIT_NOROOT is set
 * and locked, so that uid 0 regains none by itself. Without CAP_SETPCAP the
 * kernel changes neither.
 *
 * held: these stay permitted and effective too, until the next execve.
 *
 * The permitted set must have survived the change of uid (PR_SET_KEEPCAPS).
 * Returns 0, or -1 with a fault; the process must not go on then.
 */
int caps_reduce(uint64_t keep, uint64_t held, uint64_t bounding,
		bool new_privs, struct fault *f);

/* Set all three sets of this thread to keep. Returns 0, or -1 with a fault. */
int caps_leave(uint64_t keep, struct fault *f);

/*
 * Add the hint and the docker and kubernetes lines that say how to get a set,
 * not empty, which this process lacks. Returns -1.
 */
int caps_missing(struct fault *f, uint64_t set);

/*
 * After a call that needs cap (CAP_CHOWN and so on, or -1 for none) failed:
 * does as caps_missing() unless this process has it. Returns -1.
 */
int caps_hint(struct fault *f, int cap);

/* Add the two lines that let any process bind ports from first. Returns -1. */
int caps_open_ports(struct fault *f, unsigned int first);

/*
 * Act on files and create sockets as another user, for a while. A file belongs
 * to its creator from the first moment; before a chown the wrong user might
 * open it. The filesystem ids are those of one thread (setfsuid(2)).
 */
struct fsids {
	uid_t uid;
	gid_t gid;
	uint64_t effective;	/* capabilities */
};

/*
 * Set the filesystem ids of this thread; its effective capabilities stay.
 * Returns 0, or -1 with errno and the ids as they were: EPERM without
 * CAP_SETUID or CAP_SETGID.
 */
int fsids_enter(uid_t uid, gid_t gid, struct fsids *before);

/* Restore both. Returns 0, or -1 with errno: the thread must not go on then. */
int fsids_leave(const struct fsids *before);

#endif
