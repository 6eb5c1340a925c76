#include "listen/socket.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "cred/caps.h"
#include "cred/fsids.h"
#include "cred/start.h"
#include "listen/unix_path.h"

/*
 * nginx never calls listen(2) with its own number on an inherited socket, so
 * its default is given; others may raise it. The kernel caps either at
 * net.core.somaxconn.
 */
enum { BACKLOG_NGINX = 511, BACKLOG = 4096 };

static const int types[LISTENER_KINDS] = {
	[LISTENER_TCP] = SOCK_STREAM,
	[LISTENER_UDP] = SOCK_DGRAM,
	[LISTENER_UNIX] = SOCK_STREAM,
	[LISTENER_UNIX_DGRAM] = SOCK_DGRAM,
	[LISTENER_UNIX_SEQPACKET] = SOCK_SEQPACKET,
};

/* Options that take one int; cap is what the kernel may want for it, or -1. */
static const struct {
	enum listener_option option;
	int level, key, cap;
} settings[] = {
	{ LISTENER_REUSEPORT, SOL_SOCKET, SO_REUSEPORT, -1 },
	/* IPv6 sockets take these two at the level of IPv4 as well. */
	{ LISTENER_FREEBIND, IPPROTO_IP, IP_FREEBIND, -1 },
	{ LISTENER_TRANSPARENT, IPPROTO_IP, IP_TRANSPARENT, CAP_NET_ADMIN },
	{ LISTENER_NODELAY, IPPROTO_TCP, TCP_NODELAY, -1 },
	{ LISTENER_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE, -1 },
	{ LISTENER_DEFER_ACCEPT, IPPROTO_TCP, TCP_DEFER_ACCEPT, -1 },
	{ LISTENER_FASTOPEN, IPPROTO_TCP, TCP_FASTOPEN, -1 },
	{ LISTENER_MARK, SOL_SOCKET, SO_MARK, CAP_NET_ADMIN },
};

static const struct buffer {
	enum listener_option option;
	int force, key;
	const char *limit;
} buffers[] = {
	{ LISTENER_RCVBUF, SO_RCVBUFFORCE, SO_RCVBUF, "net.core.rmem_max" },
	{ LISTENER_SNDBUF, SO_SNDBUFFORCE, SO_SNDBUF, "net.core.wmem_max" },
};

/* --- what is said of a failure ------------------------------------------- */

/*
 * There are two ways to a low port. The capability may be there and still not
 * count, where the network namespace is of another user namespace.
 */
static int hint_low_port(const struct listener *l, struct fault *f)
{
	char first[sizeof(f->hint)];
	unsigned int port = ntohs(l->address.in.sin_port);
	long start = start_first_port();

	caps_hint(f, CAP_NET_BIND_SERVICE);
	if (start <= (long)port)
		return -1;
	strcpy(first, f->hint);
	return fault_hint(f,
			  "%s%sset net.ipv4.ip_unprivileged_port_start (now "
			  "%ld) to %u or less (--sysctl, "
			  "securityContext.sysctls)",
			  first, first[0] ? "; or " : "", start, port);
}

static const char *hint_inet(const struct listener *l, int err)
{
	switch (err) {
	case EADDRINUSE:
		return "a socket of this run or another process has the port "
		       "(ss -lntup); with hostNetwork or --network=host maybe "
		       "one of the host's";
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return l->address.any.sa_family == AF_INET6
			       ? "no such address, or IPv6 is off "
				 "(net.ipv6.conf.all.disable_ipv6); ?try "
				 "passes over it"
			       : "no interface has it; 0.0.0.0 takes all, "
				 "?freebind one to come";
	default:
		return NULL;
	}
}

static const char *hint_unix(int err)
{
	switch (err) {
	case EADDRINUSE:
		return "another process accepts on it";
	case ENOENT:
		return "its directory is not created; do so in the image, or "
		       "mount a volume";
	case ELOOP:
		return "a symbolic link is not followed; give the real path "
		       "(/run, not /var/run)";
	case EEXIST:
		return "it is not a socket; remove it or choose another path";
	case EROFS:
		return "the directory is read-only; mount a volume "
		       "(--tmpfs=/run)";
	default:
		return NULL;
	}
}

/*
 * The fault of a socket, from errno, and the hint for it if there is one.
 * act: what was tried, or NULL where "listen URL" says it all. Returns -1.
 */
static int socket_failed(const struct listener *l, const char *act,
			 struct fault *f)
{
	const bool is_unix = l->address.any.sa_family == AF_UNIX;
	const char *hint;

	fault_set(f, EXIT_STEP, errno, "listen %s%s%s", l->url, act ? ": " : "",
		  act ? act : "");
	if (f->err == EMFILE)
		hint = "raise the limit on open files (--ulimit=nofile=1024)";
	else if (f->err == ENODEV)
		hint = "no interface here has that name";
	else
		hint = is_unix ? hint_unix(f->err) : hint_inet(l, f->err);
	if (hint)
		return fault_hint(f, "%s", hint);
	if (f->err != EACCES && f->err != EPERM)
		return -1;
	if (!is_unix)
		return hint_low_port(l, f);
	return caps_hint(f, f->err == EACCES ? CAP_DAC_OVERRIDE : CAP_SETUID);
}

static int option_failed(const struct listener *l, enum listener_option o,
			 int cap, struct fault *f)
{
	struct slice name = url_option_name(o);

	fault_set(f, EXIT_STEP, errno, "listen %s: set %.*s", l->url,
		  (int)name.length, name.at);
	if (f->err == ENODEV)
		return fault_hint(f, "no interface here has that name");
	return f->err == EPERM && cap >= 0 ? caps_hint(f, cap) : -1;
}

/* --- options ------------------------------------------------------------- */

/*
 * SO_REUSEADDR lets a restarted container bind while old connections are in
 * TIME_WAIT; on UDP it would let another process take the port as well.
 * IPV6_V6ONLY is set by us and not left to net.ipv6.bindv6only; nginx's
 * `listen [::]:80` wants it on.
 */
static int set_ours(int fd, const struct listener *l, int family,
		    struct fault *f)
{
	const int on = 1;
	const int v6only = listener_has(l, LISTENER_V6ONLY)
				   ? (int)l->number[LISTENER_V6ONLY]
				   : !l->dual;

	if ((l->kind == LISTENER_TCP || l->shared) &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return socket_failed(l, "set SO_REUSEADDR", f);
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
					     &v6only, sizeof(v6only)) < 0)
		return option_failed(l, LISTENER_V6ONLY, -1, f);
	return 0;
}

/*
 * With CAP_NET_ADMIN the buffer is as asked for. Without it the kernel takes
 * no more than the sysctl and says nothing, so we do. It counts double, for
 * its own use (socket(7)).
 */
static int set_buffer(int fd, const struct listener *l, const struct buffer *b,
		      struct fault *f)
{
	int wanted = (int)l->number[b->option];
	int got;
	socklen_t size = sizeof(got);
	struct slice name = url_option_name(b->option);
	struct fault cut;

	if (!listener_has(l, b->option) ||
	    setsockopt(fd, SOL_SOCKET, b->force, &wanted, sizeof(wanted)) == 0)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, b->key, &wanted, sizeof(wanted)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, b->key, &got, &size) < 0)
		return option_failed(l, b->option, -1, f);
	if (got / 2 >= wanted)
		return 0;
	fault_set(&cut, EXIT_STEP, 0, "listen %s: %.*s is %d", l->url,
		  (int)name.length, name.at, got / 2);
	fault_hint(&cut, "raise %s, or add CAP_NET_ADMIN", b->limit);
	report_warning(&cut);
	return 0;
}

static int set_options(int fd, const struct listener *l, int family,
		       struct fault *f)
{
	if (set_ours(fd, l, family, f) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		enum listener_option o = settings[i].option;
		/* Of reuseport the number says how many sockets. */
		uint32_t value = o == LISTENER_REUSEPORT ? 1 : l->number[o];

		if (listener_has(l, o) &&
		    setsockopt(fd, settings[i].level, settings[i].key, &value,
			       sizeof(value)) < 0)
			return option_failed(l, o, settings[i].cap, f);
	}
	if (l->device.length &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, l->device.at,
		       (socklen_t)l->device.length) < 0)
		return option_failed(l, LISTENER_DEVICE, CAP_NET_RAW, f);
	for (size_t i = 0; i < ARRAY_LEN(buffers); i++)
		if (set_buffer(fd, l, &buffers[i], f) < 0)
			return -1;
	return 0;
}

/* --- one socket ---------------------------------------------------------- */

/* 0 and a fault when there is no such interface. fd: any socket. */
static uint32_t find_zone(int fd, const struct listener *l, struct fault *f)
{
	struct ifreq ask = { 0 };
	uint64_t number;

	str_copy(l->zone, ask.ifr_name, sizeof(ask.ifr_name));
	if (str_number(ask.ifr_name, 1, UINT32_MAX, &number))
		return (uint32_t)number;
	if (ioctl(fd, SIOCGIFINDEX, &ask) == 0)
		return (uint32_t)ask.ifr_ifindex;
	socket_failed(l, "find its interface", f);
	return 0;
}

static int bind_socket(int fd, const struct listener *l,
		       const struct sockaddr *address, socklen_t size,
		       struct fault *f)
{
	struct sockaddr_in6 zoned;
	struct unix_path_failure failure;

	if (listener_has_path(l)) {
		if (unix_path_bind(fd, l, &failure) == 0)
			return 0;
		socket_failed(l, failure.act, f);
		return failure.hint ? fault_hint(f, "%s", failure.hint) : -1;
	}
	if (l->zone.length) {
		zoned = l->address.in6;
		zoned.sin6_scope_id = find_zone(fd, l, f);
		if (zoned.sin6_scope_id == 0)
			return -1;
		address = (const struct sockaddr *)&zoned;
	}
	return bind(fd, address, size) == 0 ? 0 : socket_failed(l, NULL, f);
}

int listen_backlog(const struct listener *l, enum handoff handoff)
{
	if (types[l->kind] == SOCK_DGRAM || handoff == HANDOFF_BIND ||
	    listener_has(l, LISTENER_NOLISTEN))
		return 0;
	if (listener_has(l, LISTENER_BACKLOG))
		return (int)l->number[LISTENER_BACKLOG];
	return handoff == HANDOFF_NGINX ? BACKLOG_NGINX : BACKLOG;
}

static int open_socket(const struct listener *l, enum handoff handoff,
		       const struct sockaddr *address, socklen_t size,
		       struct fault *f)
{
	/* nginx does not make inherited sockets non-blocking; others do. */
	bool nonblock = handoff == HANDOFF_NGINX ||
			listener_has(l, LISTENER_NONBLOCK);
	int backlog = listen_backlog(l, handoff);
	int fd = socket(address->sa_family, types[l->kind] | SOCK_CLOEXEC |
					   (nonblock ? SOCK_NONBLOCK : 0), 0);

	if (fd < 0)
		return socket_failed(l, NULL, f);
	if (set_options(fd, l, address->sa_family, f) == 0 &&
	    bind_socket(fd, l, address, size, f) == 0 &&
	    (!backlog || listen(fd, backlog) == 0 ||
	     socket_failed(l, NULL, f) == 0))
		return fd;
	close(fd);
	return -1;
}

/*
 * EPERM: without CAP_SETUID and CAP_SETGID the ids stay what they are. A target
 * of other ids is then refused by the check of drop, and a unix socket's file
 * of another owner when it has been bound.
 */
int listen_open(const struct listener *l, enum handoff handoff,
		const struct sockaddr *address, socklen_t size,
		struct fault *f)
{
	struct fsids before;
	int fd;

	if (fsids_enter(l->uid, l->gid, &before) < 0 && errno != EPERM)
		return socket_failed(l, "become its owner", f);
	fd = open_socket(l, handoff, address, size, f);
	if (fsids_leave(&before) == 0)
		return fd;
	socket_failed(l, "go back from its owner's ids", f);
	if (fd >= 0)
		close(fd);
	return -1;
}
