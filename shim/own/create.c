#include "own/create.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "own/report.h"
#include "plan.h"

/* A part of the path, opened and never followed; the folder is kept. */
static int open_part(int folder, const char *name)
{
	return openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Make one folder and give it away. It is opened for reading to have a
 * descriptor that fchmod(2) takes; whoever else can write in the folder above
 * may have put another one in its place, but then it is not ours and empty of
 * our rights: only one that root owns is given.
 */
static int make_part(const struct tree *t, int folder, const char *name,
		     struct fault *f)
{
	struct stat st;
	int fd;

	if (mkdirat(folder, name, 0700) < 0 && errno != EEXIST)
		return own_report_fault(t, "make", folder, name, -1, f);
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return own_report_fault(t, "open", folder, name, -1, f);
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
	    (st.st_mode & 07777 & ~S_ISGID) != 0700)
		errno = ESTALE;
	else if (fchownat(fd, "", t->uid, t->gid, AT_EMPTY_PATH) == 0 &&
		 fchmod(fd, t->create_mode) == 0)
		return fd;
	own_report_fault(t, "make", folder, name, fd, f);
	close(fd);
	return -1;
}

/* Returns the next folder, or -1. */
static int enter(const struct tree *t, int folder, const char *name,
		 struct fault *f)
{
	int fd = open_part(folder, name);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return make_part(t, folder, name, f);
	return own_report_fault(t, "open", folder, name, -1, f);
}

/* The last part may be anything that is not missing, a file too. */
static bool is_there(const struct tree *t)
{
	struct stat st;

	return fstatat(AT_FDCWD, t->path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int own_create(const struct tree *t, struct fault *f)
{
	const char *at = t->path;
	char name[NAME_MAX + 2];
	int fd;

	if (is_there(t))
		return 0;
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && fs_next_part(&at, name)) {
		int next = enter(t, fd, name, f);

		close(fd);
		if (next < 0)
			return -1;
		fd = next;
	}
	close(fd);
	return 0;
}
