/*
 * give: what the rooms of own share: entry.c makes one file right, walk.c all
 * that is below a directory, report.c says what came of it.
 *
 * - A file with several links may be somebody else's. It is passed over unless
 *   fs.protected_hardlinks is 1, with which the kernel lets nobody link what he
 *   could not write anyway. So is a device node: its owner can use the device.
 * - Whenever owner or group of a regular file change, its set-id bits go, also
 *   those that the kernel leaves as they have no effect yet, unless mode= names
 *   them. The kernel clears file capabilities. Both are counted.
 * - Between two calls an entry is open to nobody to whom it is open neither
 *   before nor after.
 */
#ifndef STEPDOWN_OWN_GIVE_H
#define STEPDOWN_OWN_GIVE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/str.h"

struct own_spec;
struct own_tree;

/* What a tree's entries are held against; constant during a walk. */
struct own_rules {
	const struct own_spec *spec;
	const struct own_tree *tree;
	bool cross_mounts;	/* while the path itself is opened, too */
	gid_t gid;		/* wanted; -1: any; the tree's or fsGroup */
	bool links_protected;
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

/* What came of a tree. */
struct own_outcome {
	unsigned long long counts[OWN_COUNTS];
	struct fault fault;	/* the one that ends, or the first failure */
	bool ends;		/* the run, with that fault */
};

/*
 * One thread: what comes of its work, and the filesystem ids it acts with: its
 * first ones, or those of the owner of what it could not use otherwise.
 */
struct own_actor {
	struct own_rules *rules;
	struct own_outcome out;
	bool changed;		/* these ids */
};

/*
 * Go on with these filesystem ids; the capabilities stay. Returns false with
 * errno, EPERM: not allowed.
 */
bool own_become(struct own_actor *a, uid_t uid, gid_t gid);

/* The same with those of a file; false also if errno is not EACCES. */
bool own_become_owner(struct own_actor *a, int fd);

/* As fs_open(), as the owner of the directory if it is closed to us. */
int own_open(struct own_actor *a, int dir, const char *name, int flags);

/* Set a mode through any descriptor, as its owner if need be. -1 with errno. */
int own_set_mode(struct own_actor *a, int fd, mode_t mode);

/* Pure. */
enum own_verdict own_judge(const struct own_rules *rules,
			   const struct stat *st);

/*
 * Make the file behind fd right, and count what was done or why not.
 *
 * fd: any descriptor, O_PATH included. st: filled with what it was before.
 * Returns NULL, or with errno what could not be done: "examine" and so on. The
 * first change that is counted in a->out is read back: errno 0 says that the
 * filesystem has ignored it.
 */
const char *own_change(struct own_actor *a, int fd, struct stat *st);
#define OWN_ACT_MODE "change the mode of"

/*
 * Walk what is below a directory, but leave the directory itself. Takes fd,
 * which must be open for reading. A signal that asks to end is a fault with
 * status 128 + its number.
 */
void own_walk(struct own_actor *a, int fd);

/*
 * Count what failed with errno (0: ignored), and keep the fault "own PATH: ACT
 * FILE" if it is the first or one that ,try does not pass over. That an entry
 * is gone, is another mount, or is kept by a read-only one is no failure; of a
 * writable directory that is mounted there and stays another's a line tells.
 *
 * act: NULL for the path itself, which could not be opened. name: in dir, or
 * NULL for the tree's top. fd: the file itself where it was opened, or -1.
 * Returns whether the run must end.
 */
bool own_failed(struct own_actor *a, const char *act, int dir,
		const char *name, int fd);

/*
 * Say what came of it: with verbose all counts, otherwise what was passed over,
 * lost bits or failed because of us.
 */
void own_report(const struct own_actor *a);

#endif
