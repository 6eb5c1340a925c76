/*
 * entry: is one file right, and making it so.
 *
 * The security argument: what is changed is an open descriptor, and it is
 * examined through that very descriptor first. What a name said before (to see
 * cheaply that a file is right) changes nothing.
 *
 * - A file with several links may be somebody else's, linked into the volume by
 *   whoever can write there. It is passed over unless fs.protected_hardlinks is
 *   1, with which the kernel lets nobody link what he could not write anyway.
 * - A device node is passed over: its owner can use the device.
 * - Whenever owner or group of a regular file change, its set-id bits go, also
 *   those that the kernel leaves because they have no effect yet, unless mode=
 *   names them. The kernel clears file capabilities. Both are counted.
 * - Between two of its calls an entry is open to nobody to whom it is open
 *   neither before nor after: bits that go are taken before the owner changes,
 *   bits that come are given afterwards.
 *
 * A thread acts with the ids it was started with, and as the owner of what it
 * cannot use otherwise: so neither CAP_DAC_OVERRIDE nor CAP_FOWNER is needed
 * where CAP_SETUID and CAP_SETGID are there.
 */
#ifndef STEPDOWN_OWN_ENTRY_H
#define STEPDOWN_OWN_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "cred/fsids.h"

struct own_tree;

/* What a tree's entries are held against; constant during a walk. */
struct own_rules {
	const struct own_tree *tree;
	uid_t uid;		/* wanted; -1: any */
	gid_t gid;		/* wanted; -1: any */
	bool links_protected;
	bool late_mode;		/* may change the mode of what is another's */
	mode_t mask;		/* umask(2), for modes */
};

enum own_verdict {
	OWN_RIGHT,		/* nothing to change */
	OWN_WRONG,		/* to be changed */
	OWN_FOREIGN,		/* not of the id in from= */
	OWN_DEVICE,
	OWN_LINKED,		/* has other links; not protected */

	/* What else is counted. */
	OWN_EXCLUDED,
	OWN_MOUNTS,		/* of other filesystems, passed over */
	OWN_READ_ONLY,		/* of read-only ones, with cross-mounts */
	OWN_SET_IDS,		/* files that lost set-id bits */
	OWN_CAPABILITIES,	/* files that lost capabilities(7) */
	OWN_FAILED,
	OWN_COUNTS		/* how many there are */
};

/* Of one thread; added up at the end. */
struct own_counts {
	uint64_t of[OWN_COUNTS];
};

/* The filesystem ids of a thread; all zero at first. */
struct own_ids {
	struct fsids before;	/* if changed */
	bool changed;
};

/* Go on with these ids. Returns false with errno, EPERM: not allowed. */
bool own_ids_become(struct own_ids *ids, uid_t uid, gid_t gid);

/*
 * Go on as the owner and group of the file behind fd, for which EACCES was the
 * answer until now. Returns false, errno as it was, if that changes nothing or
 * is not allowed.
 */
bool own_ids_become_owner(struct own_ids *ids, int fd);

/*
 * Open a directory again, to read it, that is open with O_PATH. Returns a
 * descriptor, or -1 with errno.
 */
int own_open_dir(struct own_ids *ids, int fd);

/* Back to the first ids. Returns 0, or -1 with errno: end the run then. */
int own_ids_end(struct own_ids *ids);

/* As own_change() says it; it needs another capability than the owner. */
#define OWN_ACT_MODE "change the mode of"

/* Pure. */
enum own_verdict own_judge(const struct own_rules *rules,
			   const struct stat *st);

/*
 * Set a mode through any descriptor, O_PATH included, as its owner if that is
 * needed. Returns 0, or -1 with errno.
 */
int own_set_mode(struct own_ids *ids, int fd, mode_t mode);

/*
 * Make the file behind fd right, and count what was done or why not.
 *
 * fd: any descriptor, O_PATH included. st: filled with what it was before.
 * Returns NULL, or with errno what could not be done: "examine" and so on. The
 * first change of each counts is read back: errno 0 says that the filesystem has
 * ignored it.
 */
const char *own_change(const struct own_rules *rules, struct own_ids *ids,
		       int fd, struct stat *st, struct own_counts *counts);

#endif
