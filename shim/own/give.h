/*
 * give: what the files of own share: entry.c changes one file, walk.c all that
 * is below a directory, report.c reports the result.
 *
 * - A file with several links may be somebody else's. It is skipped unless
 *   fs.protected_hardlinks is 1, with which the kernel lets users link only
 *   what they may write. So is a device node: its owner can use the device.
 * - When the owner or group of a regular file changes, its set-id bits are
 *   removed unless mode= names them, even those that the kernel keeps because
 *   they have no effect. The kernel clears file capabilities. Both are counted.
 * - Between two calls nobody can open an entry who could open it neither before
 *   nor after.
 */
#ifndef STEPDOWN_OWN_GIVE_H
#define STEPDOWN_OWN_GIVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

struct fault;
struct own_spec;
struct own_tree;

enum own_verdict {
	OWN_RIGHT,		/* nothing to change */
	OWN_WRONG,		/* to be changed */
	OWN_FOREIGN,		/* not of the ids in from= */
	OWN_DEVICE,
	OWN_LINKED,		/* has other links; not protected */

	/* What else is counted. */
	OWN_EXCLUDED,
	OWN_MOUNTS,		/* on other mounts, skipped */
	OWN_READ_ONLY,		/* on read-only ones, with cross-mounts */
	OWN_SET_IDS,		/* files that lost set-id bits */
	OWN_CAPABILITIES,	/* files that lost capabilities(7) */
	OWN_FAILED,
	OWN_COUNTS		/* how many there are */
};

/* A tree: what its entries are compared with, and what came of them. */
struct own_job {
	const struct own_spec *spec;
	const struct own_tree *tree;
	gid_t gid;		/* wanted; -1: any; the tree's or fsGroup */
	bool links_protected;
	mode_t mask;		/* umask(2), for modes */

	pthread_mutex_t lock;	/* for the rest, which a walk's threads share */
	unsigned long long counts[OWN_COUNTS];
	struct fault *fault;	/* the one that ends, or the first failure */
	atomic_bool ends;	/* the run, with that fault */
	atomic_bool became;	/* another, see own_become_owner() */
};

/*
 * If errno is denied, set this thread's filesystem ids to those of fd's owner,
 * who can use the file where root cannot; the capabilities stay. Otherwise, or
 * if that is not allowed, returns false, and errno is as before.
 */
bool own_become_owner(struct own_job *job, int fd, int denied);

/* fs_open(), and as the owner of dir if the first try fails with EACCES. */
int own_open(struct own_job *job, int dir, const char *name, int flags,
	     bool cross_mounts);

/* fs_chmod(), as the file's owner if need be. Returns 0, or -1 with errno. */
int own_set_mode(struct own_job *job, int fd, mode_t mode);

/* What is to be done with a file, by its status. Pure. */
enum own_verdict own_judge(const struct own_job *job, const struct stat *st);

/*
 * Change the file of fd if need be, and count the verdict in counts.
 *
 * fd: any descriptor, O_PATH included. st: gets its status before the change.
 * Returns NULL, or the act that failed ("examine" and so on) with errno. The
 * first change in counts and that of each directory is read back: errno is 0 if
 * the filesystem has ignored it.
 */
const char *own_change(struct own_job *job, int fd, struct stat *st,
		       unsigned long long counts[]);
#define OWN_ACT_MODE "change the mode of"

/*
 * Change all that is below a directory, the tree's top, but not the directory.
 * A signal that asks to end is a fault with status 128 + its number.
 */
void own_walk(struct own_job *job, int top);

/*
 * Count a failure by errno (0: a change was ignored), and keep the fault "own
 * PATH: ACT FILE" if it is the first, or the first that ,try does not cover. An
 * entry that is gone, another mount, or on a read-only one is no failure; a
 * note tells of a writable directory that is mounted there and not changed.
 *
 * act: NULL if the path itself could not be opened. name: in dir, or NULL for
 * the tree's top. fd: the file itself if it was opened, or -1.
 */
void own_failed(struct own_job *job, const char *act, int dir,
		const char *name, int fd);

/*
 * Report the results: with verbose all counts, otherwise failures, lost set-id
 * bits and capabilities, and files skipped for their other links.
 */
void own_report(const struct own_job *job);

#endif
