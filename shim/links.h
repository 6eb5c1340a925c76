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
 * - inotify(7) tells of each name that leaves the folder, or is replaced, from
 *   the time when it began to watch;
 * - getdents64(2) takes the folder's lock. unlink(2) and rename(2) hold that
 *   from before the count goes down until the event is sent (vfs_unlink() and
 *   vfs_rename() in fs/namei.c, iterate_dir() in fs/readdir.c), so what was
 *   under way when it is called is over, and told, when it returns.
 *
 * A server's file system (NFS, FUSE) tells only of what is done by this kernel.
 */
#ifndef STEPDOWN_LINKS_H
#define STEPDOWN_LINKS_H

#include <stdbool.h>
#include <sys/stat.h>

struct links {
	bool protected;
	int events;		/* where they are not: inotify(7); or -1 */
	int home;		/* the working directory until now; or -1 */
};

/*
 * Find out whether the kernel protects links, and if not, prepare to watch.
 * That it cannot watch is no failure: links_is_only() then always says no.
 *
 * Until links_end() the working directory may be any: to go there is the way to
 * name an open folder to inotify(7) that needs no /proc.
 */
void links_start(struct links *l);
void links_end(struct links *l);

/*
 * Can the file be changed as the one that the folder's name says it is?
 *
 * st: of the descriptor that will be changed; opened by that name. Folders have
 * no other links.
 * Returns true if links are protected, or if the file had this one and no
 * other; false also when that cannot be seen. Of several threads only one may
 * ask where links are not protected.
 */
bool links_is_only(const struct links *l, int folder, const char *name,
		   const struct stat *st);

#endif
