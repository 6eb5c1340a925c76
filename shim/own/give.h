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
#include <stdint.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "cred/caps.h"

struct fault;
struct own_tree;
struct text;

/* What a tree's entries are held against; constant during a walk. */
struct own_rules {
	const struct own_tree *tree;
	struct fs_opener opener;
	uid_t uid;		/* wanted; -1: any */
	gid_t gid;		/* wanted; -1: any */
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

/*
 * One thread: what it counts, and the filesystem ids it acts with: its first
 * ones, or those of the owner of what it could not use otherwise.
 */
struct own_actor {
	unsigned long long counts[OWN_COUNTS];
	struct fsids before;	/* if changed */
	bool changed;
};

/* Go on with these ids. Returns false with errno, EPERM: not allowed. */
bool own_become(struct own_actor *a, uid_t uid, gid_t gid);

/* The same with those of a file; false also if errno is not EACCES. */
bool own_become_owner(struct own_actor *a, int fd);

/* Open for reading a directory that is open with O_PATH. -1 with errno. */
int own_open_dir(struct own_actor *a, int fd);

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
 * first change of each actor is read back: errno 0 says that the filesystem has
 * ignored it.
 */
const char *own_change(const struct own_rules *rules, struct own_actor *a,
		       int fd, struct stat *st);
#define OWN_ACT_MODE "change the mode of"

/*
 * Walk what is below a directory, but leave the directory itself. Takes fd,
 * which must be open for reading.
 *
 * Returns 0, or -1 with a fault: something failed, or a signal asked to end,
 * then with status 128 + its number. A tree that may fail ends with 0,
 * OWN_FAILED counted and the fault of the first failure.
 */
int own_walk(const struct own_rules *rules, struct own_actor *a, int fd,
	     struct fault *f);

/*
 * The fault for errno (0: ignored): "own PATH: ACT FILE". FILE is the kernel's
 * path of dir, and name (or the tree's path where name is NULL). fd: the file
 * itself where it was opened, or -1.
 */
void own_fault(const struct own_tree *t, const char *act, int dir,
	       const char *name, int fd, struct fault *f);

/* May the run go on after this errno? ,try never passes over an I/O error. */
bool own_may_fail(const struct own_tree *t, int err);

/* Append the kernel's path of a descriptor; nothing without /proc. */
void own_add_path(struct text *out, int fd);

/*
 * What came of it: with verbose all counts, otherwise what was passed over,
 * lost bits or failed (f: the first failure) because of us.
 */
void own_report(const struct own_tree *t,
		const unsigned long long counts[OWN_COUNTS], bool verbose,
		const struct fault *f);

/* A line for each writable directory mounted below that stays another's. */
void own_report_mounts(const struct own_tree *t);

#endif
