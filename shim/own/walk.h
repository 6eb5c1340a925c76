/*
 * walk: all that is below a directory, shared among threads.
 *
 * An entry is opened by the one name that was read, in the directory that is
 * open (fs_open), and examined and changed through its descriptor (own_change).
 * A directory is changed before what is in it. A file whose name already says
 * that it is right costs one call and is not opened.
 *
 * A thread walks all that is below one directory, a descriptor for each level.
 * Threads are started only once a walk has proved to be long, and all of them
 * are joined before it returns: the drop that follows must find one thread.
 */
#ifndef STEPDOWN_OWN_WALK_H
#define STEPDOWN_OWN_WALK_H

struct fault;
struct fs_opener;
struct own_counts;
struct own_ids;
struct own_rules;

/*
 * Walk what is below a directory, but leave the directory itself. Takes fd,
 * which must be open for reading.
 *
 * Returns 0, or -1 with a fault: something failed, or a signal (SIGTERM, INT,
 * HUP or QUIT) asked to end, then with status 128 + its number. counts is added
 * to in any case, and ids are those of this thread afterwards. A tree that may
 * fail ends with 0, OWN_FAILED counted and the fault of the first failure.
 */
int own_walk(const struct own_rules *rules, const struct fs_opener *opener,
	     int fd, struct own_ids *ids, struct own_counts *counts,
	     struct fault *f);

#endif
