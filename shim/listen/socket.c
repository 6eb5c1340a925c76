#include "listen/socket.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/text.h"
#include "bind/pool.h"
#include "listen/hint.h"
#include "listen/listen_fds.h"
#include "listen/sockopt.h"
#include "listen/unix_path.h"
#include "plan.h"

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

static bool has_path(const struct listener *l)
{
	return l->address.any.sa_family == AF_UNIX && l->address.un.sun_path[0];
}

static void describe(const struct plan *plan, const struct listener *l,
		     size_t first, struct text *out)
{
	size_t count = listener_count(l);

	if (count == 1)
		text_add(out, "%s as descriptor %zu", l->url, first);
	else
		text_add(out, "%s as descriptors %zu to %zu", l->url, first,
			 first + count - 1);
	if (l->name)
		text_add(out, ", name %.*s", (int)l->name_length, l->name);
	if (has_path(l))
		text_add(out, ", owned by %u:%u", l->uid, l->gid);
	if (l->dual && plan->handoff == HANDOFF_NGINX)
		text_add(out,
			 " (nginx's `listen [::]:PORT ipv6only=off`; its default needs 0.0.0.0 and [::])");
}

void listen_describe(const struct plan *plan, struct text *out)
{
	size_t next = 3 + plan->inherited.count;

	if (plan_brokers(plan)) {
		pool_describe(plan, out);
		return;
	}
	if (plan->inherited.count)
		text_add(out, "keep %zu inherited from descriptor 3 on",
			 plan->inherited.count);
	for (size_t i = 0; i < plan->nlisteners; i++) {
		const struct listener *l = &plan->listeners[i];

		text_add(out, "%s", out->length ? "\n" : "");
		describe(plan, l, next, out);
		next += listener_count(l);
	}
}

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
	listen_failed(l, "find its interface", f);
	return 0;
}

static int bind_inet(int fd, const struct listener *l,
		     const struct sockaddr *address, socklen_t size,
		     struct fault *f)
{
	struct sockaddr_in6 zoned;

	if (l->zone.length) {
		zoned = l->address.in6;
		zoned.sin6_scope_id = find_zone(fd, l, f);
		if (zoned.sin6_scope_id == 0)
			return -1;
		address = (const struct sockaddr *)&zoned;
	}
	return bind(fd, address, size) == 0 ? 0 : listen_failed(l, NULL, f);
}

static int start(int fd, const struct plan *plan, const struct listener *l,
		 struct fault *f)
{
	int backlog = plan->handoff == HANDOFF_NGINX ? BACKLOG_NGINX : BACKLOG;

	if (types[l->kind] == SOCK_DGRAM || listener_has(l, LISTENER_NOLISTEN))
		return 0;
	if (listener_has(l, LISTENER_BACKLOG))
		backlog = (int)l->number[LISTENER_BACKLOG];
	return listen(fd, backlog) == 0 ? 0 : listen_failed(l, NULL, f);
}

int listen_open(const struct plan *plan, const struct listener *l,
		const struct sockaddr *address, socklen_t size,
		struct fault *f)
{
	/* nginx does not make inherited sockets non-blocking; others do. */
	bool nonblock = plan->handoff == HANDOFF_NGINX ||
			listener_has(l, LISTENER_NONBLOCK);
	int fd = socket(address->sa_family, types[l->kind] | SOCK_CLOEXEC |
					   (nonblock ? SOCK_NONBLOCK : 0), 0);

	if (fd < 0)
		return listen_failed(l, NULL, f);
	if (sockopt_set(fd, l, address->sa_family, f) == 0 &&
	    (has_path(l) ? sockfile_bind(fd, l, f)
			 : bind_inet(fd, l, address, size, f)) == 0 &&
	    start(fd, plan, l, f) == 0)
		return fd;
	close(fd);
	return -1;
}

/*
 * IPv6 may be compiled out or off at boot (EAFNOSUPPORT), or off by sysctl, as
 * Docker does in containers (EADDRNOTAVAIL).
 */
bool listen_without_ipv6(int err)
{
	return err == EAFNOSUPPORT || err == EADDRNOTAVAIL;
}

static int open_listener(const struct plan *plan, const struct listener *l,
			 struct fault *f)
{
	int fd = listen_open(plan, l, &l->address.any, l->address_size, f);
	struct sockaddr_in any = { .sin_family = AF_INET };

	if (fd >= 0 || !l->dual || !listen_without_ipv6(f->err))
		return fd;
	any.sin_port = l->address.in6.sin6_port;
	return listen_open(plan, l, (struct sockaddr *)&any, sizeof(any), f);
}

int listen_run(const struct plan *plan, struct run *run, struct fault *f)
{
	if (plan_brokers(plan))
		return pool_fill(plan, &run->pool, f);
	if (inherit_run(plan, run, f) < 0)
		return -1;
	for (size_t i = 0; i < plan->nlisteners; i++)
		for (size_t n = listener_count(&plan->listeners[i]); n > 0;
		     n--) {
			int fd = open_listener(plan, &plan->listeners[i], f);

			if (fd < 0)
				return -1;
			run->sockets[run->nsockets++] = fd;
		}
	return 0;
}
