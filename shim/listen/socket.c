#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "cred/caps.h"
#include "listen/listen.h"

/* --- faults and hints ---------------------------------------------------- */

static const struct {
	int err;
	bool is_unix;
	const char *hint;
} hints[] = {
	{ EADDRINUSE, false,
	  "a socket of this run or another process has the port (ss -lntup); with hostNetwork or --network=host maybe one of the host's"},
	{ EADDRNOTAVAIL, false,
	  "no interface has it, or IPv6 is off (net.ipv6.conf.all.disable_ipv6); 0.0.0.0 and [::] take all, ?freebind one to come, ?try passes over it"},
	{ EAFNOSUPPORT, false,
	  "the kernel has no IPv6; ?try passes over it" },
	{ EINVAL, false,
	  "a link-local address needs its interface: [fe80::1%eth0]" },
	{ ENODEV, false, "no interface here has that name" },
	{ EADDRINUSE, true, "another process accepts on it" },
	{ ENOENT, true,
	  "its directory is not created; do so in the image, or mount a volume"},
	{ ELOOP, true,
	  "a symbolic link is not followed; give the real path (/run, not /var/run)"},
	{ EEXIST, true,
	  "it is not a socket; remove it or choose another path" },
	{ EACCES, true,
	  "its owner may not write to the directory: chown it in the image; root's CAP_DAC_OVERRIDE counts only where root alone may write to each directory of the path"},
};

/* Fault from errno. act: what was tried, or NULL if "listen URL" says it. */
static int socket_failed(const struct listener *l, const char *act,
			 struct fault *f)
{
	const bool is_unix = l->address.any.sa_family == AF_UNIX;

	fault_set(f, EXIT_STEP, errno, "listen %s%s%s", l->url, act ? ": " : "",
		  act ? act : "");
	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (hints[i].err == f->err && hints[i].is_unix == is_unix)
			return fault_hint(f, "%s", hints[i].hint);
	if (act || is_unix || (f->err != EACCES && f->err != EPERM))
		return -1;
	caps_hint(f, CAP_NET_BIND_SERVICE);
	/* Another user namespace may own the network: it has no effect then. */
	if (!f->docker[0])
		caps_open_ports(f, listener_port(l));
	return -1;
}

/* --- options ------------------------------------------------------------- */

/*
 * SO_REUSEADDR lets a restarted container bind while old connections are in
 * TIME_WAIT; on UDP it would let another process take the port as well.
 * IPV6_V6ONLY is always set, not left to net.ipv6.bindv6only; nginx's `listen
 * [::]:80` expects it on.
 */
static int set_options(int fd, const struct listener *l, struct fault *f)
{
	char act[32] = "set ";
	const int on = 1;

	if (l->kind == LISTENER_TCP &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return socket_failed(l, "set SO_REUSEADDR", f);
	for (enum listener_option o = 0; o < LISTENER_OPTIONS; o++) {
		const struct listener_row *row = &listener_rows[o];
		const struct slice word = l->word[o];
		const void *value = word.at ? word.at
					    : (const void *)&l->number[o];
		socklen_t size = word.at ? (socklen_t)word.length
					 : sizeof(l->number[o]);
		bool wanted = o == LISTENER_V6ONLY
				      ? l->address.any.sa_family == AF_INET6
				      : listener_has(l, o);

		if (!row->key || !wanted ||
		    setsockopt(fd, row->level, row->key, value, size) == 0 ||
		    (row->weaker && setsockopt(fd, row->level, row->weaker,
					       value, size) == 0))
			continue;
		str_copy(url_word(NULL, o), act + 4, sizeof(act) - 4);
		socket_failed(l, act, f);
		return f->err == EPERM && row->cap ? caps_hint(f, row->cap)
						   : -1;
	}
	return 0;
}

/* --- the file of a unix socket ------------------------------------------- */

/*
 * Remove a socket that nobody accepts on. connect(2) fails with ECONNREFUSED
 * for a stream or seqpacket socket that is closed or does not listen, with
 * EPROTOTYPE for a datagram socket in use. It does not block: EAGAIN means a
 * full backlog, so somebody listens.
 */
static int clear_place(int dir, const char *name, const struct listener *l)
{
	struct stat st;
	int fd, result, err;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	errno = EEXIST;
	if (!S_ISSOCK(st.st_mode))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	result = connect(fd, &l->address.any, l->address_size);
	err = errno;
	close(fd);
	errno = EADDRINUSE;
	if (result == 0 || (err != ECONNREFUSED && err != ENOENT))
		return -1;
	return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? -1 : 0;
}

/*
 * Is the new file in the directory that was examined, with its owner and mode?
 * A default ACL changes the mode. A set-group-ID directory changes the group,
 * and so does a start without root: the owner may set the group to one of its
 * own.
 */
static int check_file(int dir, const char *name, const struct listener *l,
		      struct fault *f)
{
	int file = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st = { 0 };
	int result = 0;

	if (file < 0 || fstat(file, &st) < 0)
		return socket_failed(l, "find what was bound", f);
	if (!S_ISSOCK(st.st_mode) || st.st_uid != l->uid ||
	    (st.st_mode & 07777) != l->number[LISTENER_MODE])
		result = fault_set(f, EXIT_STEP, 0,
				   "listen %s: lost, or of another owner or mode (a default ACL?)",
				   l->url);
	else if (st.st_gid != l->gid &&
		 (caps_set_effective(0) < 0 ||
		  fchownat(file, "", (uid_t)-1, l->gid, AT_EMPTY_PATH) < 0))
		result = socket_failed(l, "set its group", f);
	close(file);
	return result;
}

/*
 * The owner creates the file and no chown follows, so there is no moment at
 * which another file could be given away instead. The umask makes the mode.
 *
 * bind(2) takes a path, which servers compare with their configuration, and
 * others may exchange a part of it before bind(2) looks it up. So root's rights
 * over files count only where only root can do that; elsewhere we act without
 * capabilities, by the owner's rights, and it gains nothing by an exchange.
 */
static int bind_path(int fd, const struct listener *l, struct fault *f)
{
	char path[sizeof(l->address.un.sun_path)];
	const char *name = strrchr(l->address.un.sun_path, '/') + 1;
	size_t length = (size_t)(name - l->address.un.sun_path);
	int dir, result = -1;
	mode_t old;

	memcpy(path, l->address.un.sun_path, length);
	path[length] = '\0';
	dir = fs_open_path(path, FS_NO_LINKS);
	if (dir < 0)
		return socket_failed(l, "open its directory", f);
	old = umask(~l->number[LISTENER_MODE] & 0777);
	if ((fs_check_way(path) == 0 || caps_set_effective(0) == 0) &&
	    clear_place(dir, name, l) == 0)
		result = bind(fd, &l->address.any, l->address_size);
	umask(old);
	result = result < 0 ? socket_failed(l, NULL, f)
			    : check_file(dir, name, l, f);
	close(dir);
	return result;
}

/* --- one socket ---------------------------------------------------------- */

static int bind_socket(int fd, const struct listener *l, struct fault *f)
{
	if (listener_has_path(l))
		return bind_path(fd, l, f);
	return bind(fd, &l->address.any, l->address_size) < 0
		       ? socket_failed(l, NULL, f) : 0;
}

static int open_socket(const struct listener *l, struct fault *f)
{
	int nonblock = l->number[LISTENER_NONBLOCK] ? SOCK_NONBLOCK : 0;
	int backlog = (int)l->number[LISTENER_BACKLOG];
	int fd = socket(l->address.any.sa_family,
			l->type | SOCK_CLOEXEC | nonblock, 0);

	if (fd < 0)
		return socket_failed(l, NULL, f);
	if (set_options(fd, l, f) == 0 && bind_socket(fd, l, f) == 0) {
		if (!backlog || listen(fd, backlog) == 0)
			return fd;
		socket_failed(l, NULL, f);
	}
	close(fd);
	return -1;
}

/* Without root the gid may be refused; check_file() sets that of a file. */
int listen_open(const struct listener *l, struct fault *f)
{
	struct listener v4 = *l;
	struct fsids before;
	int fd;

	if (fsids_enter(l->uid, l->gid, &before) < 0 &&
	    (errno != EPERM || geteuid() != l->uid)) {
		socket_failed(l, "become its owner", f);
		return caps_hint(f, CAP_SETUID);
	}
	fd = open_socket(l, f);
	if (fd < 0 && l->dual && listen_without_address(f->err)) {
		v4.address.any.sa_family = AF_INET;
		v4.address_size = sizeof(v4.address.in);
		fd = open_socket(&v4, f);
	}
	if (fsids_leave(&before) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return socket_failed(l, "go back from its owner's ids", f);
}
