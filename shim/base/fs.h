/*
 * fs: opening what is in a hostile volume, and reading small files.
 *
 * Each call takes an open directory and one name in it, so there is no path
 * whose components could be exchanged between two looks at it. openat2(2)
 * (Linux 5.6) refuses symbolic links and other mounts inside the kernel. Where
 * there is no openat2, or a seccomp profile denies it, O_NOFOLLOW does for the
 * one name, and the mount is compared after opening, by its id in
 * /proc/self/fdinfo: opening with O_PATH or a directory has no side effect.
 *
 * Every descriptor is close-on-exec. Each function returns one, or -1 with
 * errno: EXDEV for another mount, ELOOP for a symbolic link.
 */
#ifndef STEPDOWN_BASE_FS_H
#define STEPDOWN_BASE_FS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct text;

/* The flags to open a directory with to read it. */
#define FS_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK)

/*
 * The name by which the kernel tells what fd is ("fdinfo"), or leads to it and
 * nothing else ("fd").
 */
enum { FS_LINK = 40 };
void fs_link(char path[FS_LINK], const char *dir, int fd);

/*
 * Take the next component off a path, "." and ".." too. Returns false at the
 * end. One that is too long for the kernel stays so.
 */
bool fs_next_part(const char **path, char name[NAME_MAX + 2]);

/* Which symbolic links of a path are followed, as if they were typed. */
enum fs_links {
	FS_NO_LINKS,		/* ELOOP for one */
	FS_ROOTS_LINKS,		/* EPERM unless root alone can have put it */
	FS_ROOTS_ALONE,		/* and EPERM for any part that may be others' */
	FS_ALL_LINKS		/* as open(2) does */
};

/* Open an absolute path with O_PATH. */
int fs_open_path(const char *path, enum fs_links follow);

/*
 * Open a name in a directory with flags; a symbolic link is never followed, and
 * unless cross_mounts the mount of the directory is not left.
 */
int fs_open(int dir, const char *name, int flags, bool cross_mounts);

/*
 * Can nobody but root have laid out this absolute path, symbolic links included
 * (Kubernetes' volumes are made of them)? Returns 0, or -1 with errno: EPERM if
 * others may write to a directory of it.
 */
int fs_check_way(const char *path);

/*
 * chmod(2) through any descriptor, O_PATH included. Returns 0, or -1 with
 * errno: EPERM also where the kernel has left S_ISGID out, and said nothing, as
 * it does without CAP_FSETID for a file of a group that is not the caller's.
 */
int fs_chmod(int fd, mode_t mode);

/*
 * Read as much of a file as there is room for, ended by NUL. fs_read_all()
 * returns how much, or -1 with errno; fs_read() false for nothing.
 */
ssize_t fs_read_all(int fd, char *out, size_t size);
bool fs_read(int dir, const char *path, char *out, size_t size);

/* Is the point the path, or a directory above it? By the words alone. */
bool fs_holds(const char *point, const char *path);

/*
 * The mount that a path is on, by some 1,000 lines of /proc/self/mounts; of
 * unknown type without /proc. The points of those below the path are appended
 * to below, unless that is NULL. For one thread, until it asks again.
 */
struct fs_mount {
	const char *point;
	const char *type;
};
struct fs_mount fs_mount_of(const char *path, struct text *below);

/* Close first and every descriptor above it. */
void fs_close_from(int first);

#endif
