#include "own/links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"

/* Somebody may work in the folder who does no harm. */
enum { TRIES = 5 };

/* The value of fs.protected_hardlinks; what cannot be read protects nothing. */
static bool are_protected(void)
{
	char value[2];

	return fs_read(AT_FDCWD, "/proc/sys/fs/protected_hardlinks", value,
			   sizeof(value)) &&
	       value[0] == '1';
}

void links_start(struct links *l)
{
	l->away = false;
	l->protected = are_protected();
	if (l->protected)
		return;
	errno = 0;
	l->home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	l->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	l->err = errno;
}

int links_end(struct links *l)
{
	int result;

	if (l->protected)
		return 0;
	result = l->away ? fchdir(l->home) : 0;
	if (l->events >= 0)
		close(l->events);
	if (l->home >= 0)
		close(l->home);
	return result;
}

/* As many as fit. Returns what read(2) does: -1 with EAGAIN for none. */
static ssize_t take_events(int events)
{
	/* Less than the longest one is not read at all. */
	uint64_t buffer[(sizeof(struct inotify_event) + PATH_MAX) / 8];

	return read(events, buffer, sizeof(buffer));
}

/* What others do to the folder's names is over; nothing is read. */
static bool settle(int folder)
{
	return sys_getdents(folder, NULL, 0) == 0 || errno == EINVAL;
}

static bool leads_to(int folder, const char *name, const struct stat *st)
{
	struct stat now;

	return fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_dev == st->st_dev && now.st_ino == st->st_ino &&
	       now.st_nlink == 1;
}

static bool stays(int events, int folder, const char *name,
		  const struct stat *st)
{
	return settle(folder) && leads_to(folder, name, st) &&
	       settle(folder) && take_events(events) < 0 && errno == EAGAIN;
}

/* folder must be open for reading. */
static int watch(struct links *l, int folder, const char *name,
		 const struct stat *st)
{
	int only = 0;

	/* The way back must be open. */
	if (!l->away && fchdir(l->home) < 0)
		return -1;
	l->away = true;
	if (fchdir(folder) < 0)
		return -1;
	for (int i = 0; i < TRIES && !only; i++) {
		int added = inotify_add_watch(l->events, ".",
					      IN_DELETE | IN_MOVE);

		if (added < 0)
			return -1;
		only = stays(l->events, folder, name, st);
		inotify_rm_watch(l->events, added);
		while (take_events(l->events) > 0)
			;	/* those until now, and that it was removed */
	}
	return only;
}

int links_is_only(struct links *l, int fd, const struct stat *st,
		  int folder, const char *name)
{
	int only;
	int dir;

	if (l->protected || S_ISDIR(st->st_mode))
		return 1;
	errno = l->err;
	if (errno)
		return -1;
	dir = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	only = fs_same_mount(fd, dir);
	if (only > 0)
		only = watch(l, dir, name, st);
	close(dir);
	return only;
}
