#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "compat.h"
#include "descriptor.h"

/* The value of fs.protected_hardlinks; what cannot be read protects nothing. */
static bool are_protected(void)
{
	char value = '0';
	int fd = open("/proc/sys/fs/protected_hardlinks", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value == '1';
}

void links_start(struct links *l)
{
	l->protected = are_protected();
	l->events = l->home = -1;
	if (l->protected)
		return;
	l->home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Only where the way back is open. */
	if (descriptor_chdir(l->home) == 0)
		l->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

void links_end(struct links *l)
{
	if (l->protected)
		return;
	descriptor_chdir(l->home);
	close(l->events);
	close(l->home);
}

/* Returns whether there were any. */
static bool take_events(int events)
{
	/* Less than the longest event is not read at all. */
	uint64_t buffer[(sizeof(struct inotify_event) + NAME_MAX + 8) / 8];
	bool any = false;

	while (read(events, buffer, sizeof(buffer)) > 0)
		any = true;
	return any || errno != EAGAIN;
}

/* What others do to the folder's names is over; nothing is read. */
static bool settle(int folder)
{
	return compat_getdents(folder, NULL, 0) == 0 || errno == EINVAL;
}

static bool leads_to(int folder, const char *name, const struct stat *st)
{
	struct stat now;

	return fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_dev == st->st_dev && now.st_ino == st->st_ino &&
	       now.st_nlink == 1;
}

/* folder must be open for reading. */
static bool stays(int events, int folder, const char *name,
		  const struct stat *st)
{
	int watch;
	bool only;

	take_events(events);	/* of the folder before */
	watch = inotify_add_watch(events, ".", IN_DELETE | IN_MOVE);
	only = watch >= 0 && settle(folder) && leads_to(folder, name, st) &&
	       settle(folder) && !take_events(events);
	inotify_rm_watch(events, watch);
	return only;
}

bool links_is_only(const struct links *l, int folder, const char *name,
		   const struct stat *st)
{
	bool only;
	int fd;

	if (l->protected || S_ISDIR(st->st_mode))
		return true;
	fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	only = l->events >= 0 && descriptor_chdir(fd) == 0 &&
	       stays(l->events, fd, name, st);
	close(fd);
	return only;
}
