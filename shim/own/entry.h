/*
 * own_entry: is one file right, and making it so.
 *
 * The security argument: what is changed is an open descriptor, and it is
 * examined through that very descriptor first. What a name said before (to see
 * cheaply that a file is right) changes nothing.
 *
 * - A file with other links may be somebody else's, linked into the volume
 *   by whoever can write there, and one with a single link may be what is left
 *   of such a trick. Unless links are protected (links), the first is passed
 *   over, and so is the second if its one link is not seen to be this one.
 * - A device node is passed over: its owner can use the device.
 * - The kernel clears set-id bits and file capabilities when the owner of a
 *   file changes; it is counted, and nothing brings them back but a mode= that
 *   asks for it.
 */
#ifndef STEPDOWN_OWN_ENTRY_H
#define STEPDOWN_OWN_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct links;
struct tree;

/* What a tree's entries are held against; constant during a walk. */
struct own_rules {
	const struct tree *tree;
	struct links *links;
	mode_t mask;		/* umask(2), for modes */
};

enum own_verdict {
	OWN_RIGHT,		/* nothing to change */
	OWN_WRONG,		/* to be changed */
	OWN_FOREIGN,		/* not of the id in from= */
	OWN_DEVICE,
	OWN_LINKED,		/* has other links, or may; not protected */

	/* What else is counted. */
	OWN_MOUNTS,		/* of other filesystems, passed over */
	OWN_SET_IDS,		/* files that lost set-id bits */
	OWN_CAPABILITIES,	/* files that lost capabilities(7) */
	OWN_FAILED,
	OWN_COUNTS		/* how many there are */
};

/* Of one walker; added up at the end. */
struct own_counts {
	uint64_t of[OWN_COUNTS];
};

/* As own_change() says it; it needs another capability than the owner. */
#define OWN_ACT_MODE "change the mode of"

/* And this another hint. */
#define OWN_ACT_LINKS "see the links of"

/* Pure. */
enum own_verdict own_judge(const struct own_rules *rules,
			   const struct stat *st);

/*
 * Make the file behind fd right, and count what was done or why not.
 *
 * fd: a folder open for reading, or anything with O_PATH.
 * folder, name: where it was opened; of a folder they are not looked at.
 * type: filled with what it is (S_IFDIR ...).
 * Returns NULL, or with errno what could not be done: "examine" and so on.
 */
const char *own_change(const struct own_rules *rules, int fd, int folder,
		       const char *name, mode_t *type,
		       struct own_counts *counts);

#endif
