#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"

enum {
	SYMLINKS_MAX = 40,	/* MAXSYMLINKS of the kernel */
	BATCH = 256,
	HIGHEST_WITHOUT_CLOSE_RANGE = 1 << 20	/* fs.nr_open's default */
};

#define UNKNOWN_MOUNT UINT64_MAX

void fs_link(char path[FS_LINK], const char *dir, int fd)
{
	snprintf(path, FS_LINK, "/proc/self/%s/%d", dir, fd);
}

bool fs_next_part(const char **path, char name[NAME_MAX + 2])
{
	const char *at = *path + strspn(*path, "/");
	size_t length = strcspn(at, "/");
	size_t kept = length <= NAME_MAX ? length : NAME_MAX + 1;

	memcpy(name, at, kept);
	name[kept] = '\0';
	*path = at + length;
	return kept > 0;
}

static int close_with(int fd, int err)
{
	close(fd);
	errno = err;
	return -1;
}

/* By id: two bind mounts of one filesystem have the same device number. */
static uint64_t mount_of(int fd)
{
	char text[512];
	const char *at;

	fs_link(text, "fdinfo", fd);
	fs_read(AT_FDCWD, text, text, sizeof(text));
	at = strstr(text, "mnt_id:");
	return at ? strtoull(at + strlen("mnt_id:"), NULL, 10) : UNKNOWN_MOUNT;
}

/* Seccomp profiles that are older than a system call deny it with EPERM. */
int fs_open(int dir, const char *name, int flags, bool cross_mounts)
{
	const struct open_how how = {
		.flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   (cross_mounts ? 0 : RESOLVE_NO_XDEV)
	};
	int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	uint64_t mount;

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	fd = openat(dir, name, (int)how.flags);
	if (fd < 0 || cross_mounts)
		return fd;
	mount = mount_of(fd);
	return mount != UNKNOWN_MOUNT && mount == mount_of(dir)
		       ? fd : close_with(fd, EXDEV);
}

/* A walk along a path. */
struct way {
	enum fs_links follow;
	bool roots;		/* only root can have made it so far */
	int dir;		/* the directory reached */
	int links;		/* followed so far */
	const char *at;		/* what remains, in rest */
	char rest[PATH_MAX];
};

/* Put the target of a link in front of what remains. Closes link. */
static int follow_link(struct way *w, int link)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(link, "", target, sizeof(target));

	close(link);
	if (length < 0 || ++w->links > SYMLINKS_MAX ||
	    (size_t)length + strlen(w->at) >= sizeof(target)) {
		errno = ELOOP;
		return -1;
	}
	strcpy(target + length, w->at);
	w->at = strcpy(w->rest, target);
	if (target[0] != '/')
		return 0;
	close(w->dir);
	w->dir = open("/", O_PATH | O_CLOEXEC);
	return w->dir < 0 ? -1 : 0;
}

/*
 * Can only root have put this entry into dir? In a sticky directory others
 * cannot move a directory of root's; Kubernetes' volumes are mounted read-only.
 */
static bool is_roots_doing(int dir, const struct stat *it)
{
	struct statvfs fs;
	struct stat st;

	if (fstat(dir, &st) < 0 || st.st_uid != 0)
		return false;
	if ((st.st_mode & S_ISVTX) && S_ISDIR(it->st_mode) && it->st_uid == 0)
		return true;
	return !(st.st_mode & 022) ||
	       (fstatvfs(dir, &fs) == 0 && (fs.f_flag & ST_RDONLY));
}

static int take_part(struct way *w, const char *name)
{
	int next = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (next < 0)
		return -1;
	if (fstat(next, &st) < 0)
		return close_with(next, errno);
	w->roots = w->roots && is_roots_doing(w->dir, &st);
	if (!w->roots && (w->follow == FS_ROOTS_ALONE || S_ISLNK(st.st_mode)))
		return close_with(next, w->follow ? EPERM : ELOOP);
	if (S_ISLNK(st.st_mode))
		return follow_link(w, next);
	close(w->dir);
	w->dir = next;
	return 0;
}

int fs_open_path(const char *path, enum fs_links follow)
{
	struct way w = { .follow = follow, .roots = follow != FS_NO_LINKS,
			 .at = w.rest };
	char name[NAME_MAX + 2];

	if (follow == FS_ALL_LINKS)
		return open(path, O_PATH | O_CLOEXEC);
	if (strlen(path) >= sizeof(w.rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(w.rest, path);
	w.dir = open("/", O_PATH | O_CLOEXEC);
	while (w.dir >= 0 && fs_next_part(&w.at, name))
		if (take_part(&w, name) < 0)
			return w.dir < 0 ? -1 : close_with(w.dir, errno);
	return w.dir;
}

int fs_check_way(const char *path)
{
	int fd = fs_open_path(path, FS_ROOTS_ALONE);

	return fd < 0 ? -1 : close(fd);
}

/*
 * fchmod(2) refuses O_PATH descriptors with EBADF. The link in /proc leads to
 * the same file, even if it has been renamed. The function of musl uses it too.
 */
int fs_chmod(int fd, mode_t mode)
{
	int result = fchmod(fd, mode);
	char path[FS_LINK];
	struct stat st;

	if (result < 0 && errno == EBADF) {
		fs_link(path, "fd", fd);
		result = chmod(path, mode);
	}
	if (result < 0 && errno == ENOENT)
		errno = ENOSYS;
	if (result < 0 || !(mode & S_ISGID))
		return result;
	errno = EPERM;
	return fstat(fd, &st) == 0 && (st.st_mode & S_ISGID) ? 0 : -1;
}

ssize_t fs_read_all(int fd, char *out, size_t size)
{
	ssize_t got = 1;
	size_t length = 0;

	/* Of a file in /proc, read(2) returns a page at most. */
	while (got > 0 && length < size - 1) {
		got = read(fd, out + length, size - 1 - length);
		length += got > 0 ? (size_t)got : 0;
	}
	out[length] = '\0';
	return got < 0 ? -1 : (ssize_t)length;
}

bool fs_read(int dir, const char *path, char *out, size_t size)
{
	/* Without O_NONBLOCK a FIFO would wait for a writer. */
	int fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : fs_read_all(fd, out, size);

	if (fd >= 0)
		close(fd);
	if (length <= 0)
		out[0] = '\0';
	return length > 0;
}

char *fs_interpreter(char *head)
{
	char *at = head + 2;

	if (strncmp(head, "#!", 2) != 0)
		return NULL;
	at += strspn(at, " \t");
	at[strcspn(at, " \t\n")] = '\0';
	return at;
}

bool fs_holds(const char *point, const char *path)
{
	size_t length = strlen(point);

	while (length > 1 && point[length - 1] == '/')
		length--;
	return strncmp(path, point, length) == 0 &&
	       (!path[length] || path[length] == '/' || length == 1);
}

struct fs_mount fs_mount_of(const char *path, struct text *below)
{
	static char mounts[131072] SYS_LARGE;
	struct fs_mount found = { "/", "unknown" };
	char *rest = mounts;
	char *line;

	/* A line is DEVICE POINT TYPE and so on, see fstab(5). */
	fs_read(AT_FDCWD, "/proc/self/mounts", mounts, sizeof(mounts));
	while ((line = strsep(&rest, "\n"))) {
		struct fs_mount m;

		strsep(&line, " ");
		m.point = strsep(&line, " ");
		m.type = strsep(&line, " ");
		if (!m.type)
			continue;
		if (below && fs_holds(path, m.point) &&
		    !fs_holds(m.point, path))
			text_add(below, " %s", m.point);
		else if (fs_holds(m.point, path) &&
			 strlen(m.point) >= strlen(found.point))
			found = m;
	}
	return found;
}

/*
 * Without close_range(2) (Linux 5.9), poll(2) finds the open descriptors: a
 * million calls of close(2) would take a tenth of a second. poll(2) fails where
 * RLIMIT_NOFILE is smaller than the batch; then all of the batch are closed.
 */
void fs_close_from(int first)
{
	struct pollfd look[BATCH];

	if (syscall(SYS_close_range, first, UINT_MAX, 0) == 0)
		return;
	for (; first < HIGHEST_WITHOUT_CLOSE_RANGE; first += BATCH) {
		for (int i = 0; i < BATCH; i++)
			look[i] = (struct pollfd){ .fd = first + i };
		poll(look, BATCH, 0);
		for (int i = 0; i < BATCH; i++)
			if (!(look[i].revents & POLLNVAL))
				close(look[i].fd);
	}
}
