#include "listen/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "cred/caps.h"
#include "listen/url.h"

enum { DEFAULT_MODE = 0660 };

static mode_t mode_of(const struct listener *l)
{
	return listener_has(l, LISTENER_MODE) ? l->number[LISTENER_MODE]
					      : DEFAULT_MODE;
}

static const char *name_of(const struct listener *l)
{
	return strrchr(l->address.un.sun_path, '/') + 1;
}

/* Go on with no more rights over files than the filesystem ids have. */
static int lower_rights(void)
{
	const uint64_t over_files = UINT64_C(1) << CAP_CHOWN |
				    UINT64_C(1) << CAP_DAC_OVERRIDE |
				    UINT64_C(1) << CAP_DAC_READ_SEARCH |
				    UINT64_C(1) << CAP_FOWNER |
				    UINT64_C(1) << CAP_FSETID;
	uint64_t permitted, effective;

	if (caps_held(&permitted, &effective) < 0)
		return -1;
	return caps_set_effective(effective & ~over_files);
}

/*
 * Does nobody accept on it? Stream and seqpacket sockets that do not listen,
 * and those that are closed, refuse with ECONNREFUSED; a datagram socket in
 * use does not match the type (EPROTOTYPE). Not blocking: a full backlog is
 * EAGAIN, and somebody too.
 */
static bool is_stale(const struct listener *l)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, &l->address.any, l->address_size) < 0 &&
		(errno == ECONNREFUSED || errno == ENOENT);
	close(fd);
	return stale;
}

/*
 * Whoever can swap the entry between the look and the removal can remove it
 * too: unlinkat(2) removes an entry of this one directory, no link is followed.
 */
static int clear_place(int dir, const struct listener *l, const char **act)
{
	struct stat st;

	*act = "examine its path";
	if (fstatat(dir, name_of(l), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode) || !is_stale(l)) {
		*act = NULL;
		errno = S_ISSOCK(st.st_mode) ? EADDRINUSE : EEXIST;
		return -1;
	}
	*act = "remove the stale socket";
	return unlinkat(dir, name_of(l), 0) < 0 && errno != ENOENT ? -1 : 0;
}

/*
 * The mode comes from the umask, so that it is right from the first moment on
 * and needs no chmod(2), which would follow a link.
 */
static int bind_with_mode(int fd, const struct listener *l, const char **act)
{
	mode_t old = umask(~mode_of(l) & 0777);
	int result = bind(fd, &l->address.any, l->address_size);

	umask(old);
	*act = NULL;
	return result;
}

/*
 * Did the file come to lie in the directory that was looked at, and is it as it
 * shall be? A default ACL of the directory, and some file systems, make another
 * mode. A set-group-ID directory makes another group, and so does a start by
 * somebody who is not root: its owner can set it to a group of its own.
 */
static int check_file(int file, const struct listener *l, const char **act)
{
	struct stat st;

	*act = "find what was bound";
	if (file < 0 || fstat(file, &st) < 0)
		return -1;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != l->uid ||
	    (st.st_mode & 07777) != mode_of(l)) {
		*act = "lost, or of another owner or mode (a default ACL?)";
		errno = 0;
		return -1;
	}
	*act = "set its group";
	if (st.st_gid == l->gid)
		return 0;
	if (lower_rights() < 0)
		return -1;
	return fchownat(file, "", (uid_t)-1, l->gid, AT_EMPTY_PATH);
}

static int bind_in(int dir, int fd, const struct listener *l, const char **act)
{
	int file, result, err;

	if (clear_place(dir, l, act) < 0 || bind_with_mode(fd, l, act) < 0)
		return -1;
	file = openat(dir, name_of(l), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	result = check_file(file, l, act);
	err = errno;
	if (file >= 0)
		close(file);
	errno = err;
	return result;
}

int unix_path_bind(int fd, const struct listener *l,
		   struct unix_path_failure *failure)
{
	bool fixed;
	int dir = fs_open_directory_of(l->address.un.sun_path, &fixed);
	int result, err;

	*failure = (struct unix_path_failure){ "open its directory", NULL };
	if (dir < 0)
		return -1;
	result = fixed ? 0 : lower_rights();
	if (result == 0)
		result = bind_in(dir, fd, l, &failure->act);
	err = errno;
	if (result < 0 && !fixed && (err == EACCES || err == EPERM))
		failure->hint = "others than root can exchange its directory, "
		                "so its owner must be able to write there: "
		                "chown it in the image, or take one that is "
		                "only root's (/run)";
	close(dir);
	errno = err;
	return result;
}
