#include "listen/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/sys.h"
#include "listen/hint.h"
#include "own/links.h"
#include "plan.h"

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

/* The folder, by a descriptor: what was looked at is what is changed. */
static int open_folder(const struct listener *l, struct fault *f)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS
	};
	char folder[sizeof(l->address.un.sun_path)];
	size_t length = (size_t)(name_of(l) - l->address.un.sun_path);
	int fd;

	memcpy(folder, l->address.un.sun_path, length);
	folder[length] = '\0';
	fd = sys_openat2(AT_FDCWD, folder, &how);
	return fd < 0 ? listen_failed(l, "open its folder", f) : fd;
}

/*
 * Does somebody accept on it? Stream and seqpacket sockets that do not listen,
 * and those that are closed, refuse with ECONNREFUSED; a datagram socket in
 * use does not match the type (EPROTOTYPE). Not blocking: a full backlog is
 * EAGAIN, and somebody too.
 */
static bool is_stale(const struct listener *l)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
						    SOCK_CLOEXEC, 0);
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
 * himself: unlinkat(2) removes an entry of this one folder, no link is
 * followed.
 */
static int clear_place(int folder, const struct listener *l, struct fault *f)
{
	struct stat st;

	if (fstatat(folder, name_of(l), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : listen_failed(l, "examine its path", f);
	if (!S_ISSOCK(st.st_mode) || !is_stale(l)) {
		errno = S_ISSOCK(st.st_mode) ? EADDRINUSE : EEXIST;
		return listen_failed(l, NULL, f);
	}
	if (unlinkat(folder, name_of(l), 0) < 0 && errno != ENOENT)
		return listen_failed(l, "remove the stale socket", f);
	return 0;
}

/*
 * The mode comes from the umask, so that it is right from the first moment,
 * and needs no chmod(2), which would follow a link. bind(2) itself takes a
 * path only, and servers compare it with their configuration; whether the file
 * came to lie in the folder that was looked at is seen by give().
 */
static int bind_with_mode(int fd, const struct listener *l, struct fault *f)
{
	mode_t old = umask(~mode_of(l) & 0777);
	int result = bind(fd, &l->address.any, l->address_size);

	umask(old);
	return result == 0 ? 0 : listen_failed(l, NULL, f);
}

/* A second name would be somebody's trick to have another file changed. */
static bool is_ours(const struct stat *st, const struct listener *l)
{
	return S_ISSOCK(st->st_mode) && st->st_nlink == 1 &&
	       (st->st_mode & 07777) == mode_of(l);
}

/* And so would be one that comes and goes. Returns 1, 0, or -1 with errno. */
static int is_only_link(int file, const struct stat *st, int folder,
			const struct listener *l)
{
	struct links links;
	int only;

	links_start(&links);
	only = links_is_only(&links, file, st, folder, name_of(l));
	if (links_end(&links) < 0)
		return -1;
	return only;
}

/*
 * Until here it is root's, and nobody can connect to a socket before listen(2).
 * A default ACL of the folder, and some file systems, make another mode.
 */
static int give(int file, int folder, const struct listener *l, struct fault *f)
{
	struct stat st;
	int only = 0;

	if (file < 0 || fstat(file, &st) < 0)
		return listen_failed(l, "find what was bound", f);
	if (is_ours(&st, l)) {
		if (st.st_uid == l->uid && st.st_gid == l->gid)
			return 0;
		only = is_only_link(file, &st, folder, l);
	}
	if (only == 0)
		return fault_set(f, EXIT_STEP, 0,
				 "listen %s: lost, or of another mode (a default ACL?)",
				 l->url);
	if (only < 0)
		return listen_failed(l, "see its links (fs.protected_hardlinks is not 1)", f);
	if (fchownat(file, "", l->uid, l->gid, AT_EMPTY_PATH) < 0)
		return listen_failed(l, "give it to its owner", f);
	return 0;
}

static int find_and_give(int folder, const struct listener *l, struct fault *f)
{
	int file = openat(folder, name_of(l), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int result = give(file, folder, l, f);

	if (file >= 0)
		close(file);
	return result;
}

int sockfile_bind(int fd, const struct listener *l, struct fault *f)
{
	int folder = open_folder(l, f);
	int result;

	if (folder < 0)
		return -1;
	result = clear_place(folder, l, f);
	if (result == 0)
		result = bind_with_mode(fd, l, f);
	if (result == 0)
		result = find_and_give(folder, l, f);
	close(folder);
	return result;
}
