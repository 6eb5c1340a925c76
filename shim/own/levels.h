/*
 * own_levels: the folders between one that is being read and the one where its
 * walker began, in bounded memory and descriptors however deep the tree is.
 *
 * The first OWN_BASE levels stay open, and so do the last OWN_RING. What lies
 * between is closed, and remembered by 16 bytes: an identity and where reading
 * goes on. To get back to one, the folder above the one just left is opened as
 * "..". An attacker may have moved that folder, so ".." may be any folder at
 * all: it is used only if it has the identity that was remembered, which is
 * made of device, inode and time of birth (so that an inode number used again
 * for another folder is not taken for the same). If not, the levels that are
 * out of reach are given up, and that is a failure.
 *
 * A folder that has nothing left to read is replaced by its last subfolder, so
 * a chain of folders needs no level at all; only one that leaves OWN_DEPTH
 * unfinished folders behind is refused.
 */
#ifndef STEPDOWN_OWN_LEVELS_H
#define STEPDOWN_OWN_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/sys.h"

enum {
	OWN_BASE = 16,
	OWN_RING = 48,
	OWN_DEPTH = 131072,
	OWN_BUFFER = 4096	/* about 120 entries */
};

/* One open folder. Its entries come twice: first the files, then the folders. */
struct own_level {
	int fd;
	bool folders;		/* it is the folders' turn */
	bool shared;		/* another walker reads on, too */
	unsigned int at;	/* bytes of the buffer that are done */
	unsigned int length;
	int64_t next;		/* where to read on, should it be closed */
	uint64_t buffer[OWN_BUFFER / 8];	/* aligned for its entries */
};

struct own_past {
	uint64_t identity;
	int64_t next;
};

struct own_levels {
	size_t depth;
	size_t lowest;		/* levels from OWN_BASE up to it are closed */
	struct own_level open[OWN_BASE + OWN_RING];
	struct own_past past[OWN_DEPTH];
};

/* Address space for one; a page counts when it is first used. NULL: errno. */
struct own_levels *own_levels_new(void);

/* Close what is open, and give the memory back. */
void own_levels_free(struct own_levels *l);

/* The level that is being read; there must be one. */
struct own_level *own_levels_top(struct own_levels *l);

/* Go into a folder. Takes fd, also when it fails with errno ELOOP: too deep. */
int own_levels_push(struct own_levels *l, int fd);

/*
 * Leave a folder. Returns 0, or -1 with errno if the one above cannot be had
 * again; the nearest one that can is then the top.
 */
int own_levels_pop(struct own_levels *l, const struct fs_opener *o);

/*
 * Put a subfolder in its folder's place if nothing is left to read there and
 * the place allows it. Takes fd if it returns 1.
 *
 * Returns 1, 0 if it was not done, or -1 with errno if reading on failed.
 */
int own_levels_replace(struct own_levels *l, int fd);

/*
 * The next entry, "." and ".." left out. It is good until the next call. One
 * whose type turns out to be a folder comes again if the caller sets its type.
 * Returns NULL with errno 0 at the end, or with another errno.
 */
struct sys_dirent *own_levels_next(struct own_level *level);

/*
 * A descriptor by which another walker can read a part of some folder of this
 * one, or -1. Both share the offset, so each entry comes to one of them.
 */
int own_levels_share(struct own_levels *l);

#endif
