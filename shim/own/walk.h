/*
 * own_walk: all that is below a folder.
 *
 * An entry is opened by the one name that was read, in the folder that is open
 * (fs_open), and examined and changed through its descriptor (own_entry). A
 * folder is changed before what is in it. A file whose name already says that
 * it is right costs one call and is not opened.
 */
#ifndef STEPDOWN_OWN_WALK_H
#define STEPDOWN_OWN_WALK_H

struct fault;
struct own_counts;
struct fs_opener;
struct own_rules;

/*
 * Walk what is below a folder, but leave the folder itself. Takes fd, which
 * must be open for reading.
 *
 * Returns 0, or -1 with a fault: something failed, or a signal (SIGTERM, INT,
 * HUP or QUIT) asked to end, then with status 128 + its number. counts is added
 * to in any case. A tree that may fail ends with 0, counts->failed and the
 * fault of the first failure.
 */
int own_walk(const struct own_rules *rules, const struct fs_opener *opener,
	     int fd, struct own_counts *counts, struct fault *f);

#endif
