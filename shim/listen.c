#include "listen.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "caps.h"
#include "fault.h"
#include "plan.h"
#include "text.h"

/*
 * nginx never calls listen(2) with its own number on an inherited socket, so
 * its default is given; others may raise it. The kernel caps either at
 * net.core.somaxconn.
 */
enum { BACKLOG_NGINX = 511, BACKLOG = 4096 };

void listen_describe(const struct plan *plan, struct text *out)
{
	for (size_t i = 0; i < plan->nlisteners; i++) {
		const struct listener *l = &plan->listeners[i];

		text_add(out, "%s%s as descriptor %zu", i ? "\n" : "", l->url,
			 i + 3);
		if (l->name)
			text_add(out, ", name %.*s", (int)l->name_length,
				 l->name);
		if (l->dual && plan->handoff == HANDOFF_NGINX)
			text_add(out,
				 " (nginx takes it for `listen [::]:PORT ipv6only=off` alone; for its stock configuration give tcp://0.0.0.0:PORT and tcp://[::]:PORT)");
	}
}

static int refused(const struct listener *l, struct fault *f)
{
	switch (f->err) {
	case EACCES:
	case EPERM:
		return caps_hint(f, CAP_NET_BIND_SERVICE);
	case EADDRINUSE:
		return fault_hint(f,
				  "another process of this network namespace holds the port; with hostNetwork or --network=host that may be one of the host's");
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		if (l->address.any.sa_family == AF_INET6)
			return fault_hint(f,
					  "no such address here, or IPv6 is off (net.ipv6.conf.all.disable_ipv6); tcp://*:PORT takes both families or falls back to IPv4");
		return fault_hint(f,
				  "no interface of this network namespace has that address; tcp://0.0.0.0:PORT takes all of them");
	default:
		return -1;
	}
}

/*
 * Returns the descriptor, or -1 with errno. SO_REUSEADDR lets a restarted
 * container bind while old connections are in TIME_WAIT. IPV6_V6ONLY is set by
 * us and not left to net.ipv6.bindv6only; nginx's `listen [::]:80` wants it on.
 */
static int open_tcp(const struct sockaddr *address, socklen_t size, bool dual,
		    enum handoff handoff)
{
	const int on = 1;
	const int v6only = !dual;
	/* nginx does not make inherited sockets non-blocking; others do. */
	int type = SOCK_STREAM | SOCK_CLOEXEC |
		   (handoff == HANDOFF_NGINX ? SOCK_NONBLOCK : 0);
	int backlog = handoff == HANDOFF_NGINX ? BACKLOG_NGINX : BACKLOG;
	int fd = socket(address->sa_family, type, 0);
	int err;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (address->sa_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
			sizeof(v6only)) == 0) &&
	    bind(fd, address, size) == 0 && listen(fd, backlog) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/*
 * IPv6 may be compiled out or off at boot (EAFNOSUPPORT), or off by sysctl, as
 * Docker does in containers (EADDRNOTAVAIL).
 */
static bool without_ipv6(int err)
{
	return err == EAFNOSUPPORT || err == EADDRNOTAVAIL;
}

static int open_listener(const struct listener *l, enum handoff handoff)
{
	int fd = open_tcp(&l->address.any, l->address_size, l->dual, handoff);
	struct sockaddr_in any = { .sin_family = AF_INET };

	if (fd >= 0 || !l->dual || !without_ipv6(errno))
		return fd;
	any.sin_port = l->address.in6.sin6_port;
	return open_tcp((struct sockaddr *)&any, sizeof(any), false, handoff);
}

int listen_run(const struct plan *plan, struct run *run, struct fault *f)
{
	for (size_t i = 0; i < plan->nlisteners; i++) {
		const struct listener *l = &plan->listeners[i];
		int fd = open_listener(l, plan->handoff);

		if (fd < 0) {
			fault_set(f, EXIT_STEP, errno, "listen %s", l->url);
			return refused(l, f);
		}
		run->sockets[run->nsockets++] = fd;
	}
	return 0;
}
