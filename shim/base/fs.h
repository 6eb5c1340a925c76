/*
 * fs: opening what is in a hostile volume, and reading small files.
 *
 * Each call takes an open directory and one name in it, so no component of a
 * path can be exchanged between two checks. openat2(2) (Linux 5.6) refuses
 * symbolic links and other mounts inside the kernel. Where openat2 is missing,
 * or a seccomp profile denies it, O_NOFOLLOW refuses the link, and the mount is
 * compared after opening, by its id in /proc/self/fdinfo: opening a directory
 * or with O_PATH has no side effect.
 *
 * Functions that open return a close-on-exec descriptor, or -1 with errno:
 * EXDEV for another mount, ELOOP for a symbolic link.
 */
#ifndef STEPDOWN_BASE_FS_H
#define STEPDOWN_BASE_FS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct text;

/* Flags to open a directory for reading. */
#define FS_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK)

/*
 * Write "/proc/self/DIR/FD" to path. dir: "fd" (a link to the open file itself,
 * whatever its names are) or "fdinfo".
 */
enum { FS_LINK = 40 };
void fs_link(char path[FS_LINK], const char *dir, int fd);

/*
 * Take the next component off a path, "." and ".." too. Returns false at the
 * end. One that is too long is cut, and stays too long for the kernel.
 */
bool fs_next_part(const char **path, char name[NAME_MAX + 2]);

/* Which symbolic links of a path to follow; targets are treated alike. */
enum fs_links {
	FS_NO_LINKS,		/* ELOOP for any */
	FS_ROOTS_LINKS,		/* EPERM if others can have made it */
	FS_ROOTS_ALONE,		/* EPERM for such a directory too */
	FS_ALL_LINKS		/* as open(2) does */
};

/* Open an absolute path with O_PATH. EPERM and ELOOP: see enum fs_links. */
int fs_open_path(const char *path, enum fs_links follow);

/*
 * Open a name in a directory with flags. A symbolic link is never followed;
 * unless cross_mounts, neither is a mount point.
 */
int fs_open(int dir, const char *name, int flags, bool cross_mounts);

/*
 * Check that only root can have made each part of this absolute path, symbolic
 * links included (Kubernetes builds its volumes of them). Returns 0, or -1 with
 * errno: EPERM if another user can have made one.
 */
int fs_check_way(const char *path);

/*
 * chmod(2) through any descriptor, O_PATH included. Returns 0, or -1 with
 * errno: ENOSYS without /proc; EPERM also when the kernel has silently cleared
 * S_ISGID, as it does without CAP_FSETID if the file's group is none of the
 * caller's.
 */
int fs_chmod(int fd, mode_t mode);

/*
 * Read what fits of a file, and end it with NUL. fs_read_all() returns the
 * length, or -1 with errno; fs_read() returns whether it read anything.
 */
ssize_t fs_read_all(int fd, char *out, size_t size);
bool fs_read(int dir, const char *path, char *out, size_t size);

/*
 * Find the interpreter in the start of a script, which is changed. NULL: the
 * file has no #! line.
 */
char *fs_interpreter(char *head);

/* Is point the path or a directory above it? Compares the strings alone. */
bool fs_holds(const char *point, const char *path);

/*
 * Find the mount of a path in the first 1,000 lines or so of /proc/self/mounts;
 * "unknown" is its type without /proc. below: NULL, or gets " POINT" for each
 * mount below the path. For one thread; the result lasts until the next call.
 */
struct fs_mount {
	const char *point;
	const char *type;
};
struct fs_mount fs_mount_of(const char *path, struct text *below);

/* Close the descriptor first and all above it. */
void fs_close_from(int first);

#endif
