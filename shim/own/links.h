/*
 * links: is this name of a file its only one?
 *
 * Whoever may write a folder can link somebody else's file into it and, once
 * that was opened, remove the link again. The file then has one link as the
 * folder's own files have, but it is its owner's. fs.protected_hardlinks = 1
 * forbids the first half for files that one could not write anyway.
 *
 * Where it does not, or cannot be read, the proof is that the name led to the
 * file for as long as it took to count its links:
 *
 * - The file was opened in the folder's own mount: what is mounted on a name is
 *   a file of some other folder.
 * - inotify(7) tells of each name that leaves the folder, or is replaced, from
 *   the time when it began to watch.
 * - getdents64(2) takes the folder's lock. unlink(2) and rename(2) hold that
 *   until the name has gone, the count has sunk and the event is sent, in
 *   whatever order (vfs_unlink() and vfs_rename() in fs/namei.c, iterate_dir()
 *   in fs/readdir.c). So what was under way when it is called is over when it
 *   returns: once before the name is looked up, as a removal that began before
 *   the watch is not told, and once before the events are asked for.
 *
 * Events are of one mounted file system: what is done to it from behind, in the
 * upper layer of an overlay, on a server (NFS, FUSE), is not told. And before
 * Linux 5.3 an event could be lost to the watch of another process that ended.
 */
#ifndef STEPDOWN_OWN_LINKS_H
#define STEPDOWN_OWN_LINKS_H

#include <stdbool.h>
#include <sys/stat.h>

struct links {
	bool protected;
	int events;		/* where they are not: inotify(7); or -1 */
	int home;		/* the working directory; or -1 */
	bool away;		/* it is another one now */
	int err;		/* why one of them is -1 */
};

/*
 * Find out whether the kernel protects links, and if not, prepare to watch.
 *
 * What fails here is told by links_is_only(), when it is needed. Its working
 * directory is the folder in question: to name an open folder to inotify(7) in
 * another way needs /proc.
 */
void links_start(struct links *l);

/* Returns 0, or -1 with errno: the working directory is not what it was. */
int links_end(struct links *l);

/*
 * Can the file be changed as the one that the folder's name says it is?
 *
 * fd, st: the file, which was opened by that name. Folders have no other links.
 * Returns 1 if links are protected, or if the file had this one and no other; 0
 * if not, or if names in the folder change all the time; -1 with errno if that
 * cannot be seen. Of several threads only one may ask where links are not
 * protected.
 */
int links_is_only(struct links *l, int fd, const struct stat *st,
		  int folder, const char *name);

#endif
