#include "listen/sockopt.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/report.h"
#include "cred/caps.h"
#include "listen/hint.h"
#include "listen/url.h"
#include "plan.h"

/* Those that take one int. cap is what the kernel may want for it, or -1. */
static const struct {
	uint16_t level;
	uint8_t option;		/* enum listener_option */
	uint8_t key;
	int8_t cap;
} settings[] = {
	{ SOL_SOCKET, LISTENER_REUSEPORT, SO_REUSEPORT, -1 },
	/* IPv6 sockets take these two at the level of IPv4 as well. */
	{ IPPROTO_IP, LISTENER_FREEBIND, IP_FREEBIND, -1 },
	{ IPPROTO_IP, LISTENER_TRANSPARENT, IP_TRANSPARENT, CAP_NET_ADMIN },
	{ IPPROTO_TCP, LISTENER_NODELAY, TCP_NODELAY, -1 },
	{ SOL_SOCKET, LISTENER_KEEPALIVE, SO_KEEPALIVE, -1 },
	{ IPPROTO_TCP, LISTENER_DEFER_ACCEPT, TCP_DEFER_ACCEPT, -1 },
	{ IPPROTO_TCP, LISTENER_FASTOPEN, TCP_FASTOPEN, -1 },
	{ SOL_SOCKET, LISTENER_MARK, SO_MARK, CAP_NET_ADMIN },
};

static int failed(const struct listener *l, enum listener_option o, int cap,
		  struct fault *f)
{
	struct slice name = url_option_name(o);

	fault_set(f, EXIT_STEP, errno, "listen %s: set %.*s", l->url,
		  (int)name.length, name.at);
	if (f->err == ENODEV)
		return fault_hint(f,
				  "no interface here has that name");
	return f->err == EPERM && cap >= 0 ? caps_hint(f, cap) : -1;
}

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
		return listen_failed(l, "set SO_REUSEADDR", f);
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
					     &v6only, sizeof(v6only)) < 0)
		return failed(l, LISTENER_V6ONLY, -1, f);
	return 0;
}

/*
 * With CAP_NET_ADMIN the buffer is as asked for. Without it the kernel takes
 * no more than the sysctl and says nothing, so we do. It counts double, for
 * its own use (socket(7)).
 */
static int set_buffer(int fd, const struct listener *l, enum listener_option o,
		      struct fault *f)
{
	bool receive = o == LISTENER_RCVBUF;
	int wanted = (int)l->number[o];
	int key = receive ? SO_RCVBUF : SO_SNDBUF;
	int got;
	socklen_t size = sizeof(got);
	struct fault cut;

	if (!listener_has(l, o) ||
	    setsockopt(fd, SOL_SOCKET,
		       receive ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &wanted,
		       sizeof(wanted)) == 0)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, key, &wanted, sizeof(wanted)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, key, &got, &size) < 0)
		return failed(l, o, -1, f);
	if (got / 2 >= wanted)
		return 0;
	fault_set(&cut, EXIT_STEP, 0, "listen %s: %s is %d", l->url,
		  receive ? "rcvbuf" : "sndbuf", got / 2);
	fault_hint(&cut, "raise net.core.%cmem_max, or add CAP_NET_ADMIN",
		   receive ? 'r' : 'w');
	report_warning(&cut);
	return 0;
}

int sockopt_set(int fd, const struct listener *l, int family, struct fault *f)
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
			return failed(l, o, settings[i].cap, f);
	}
	if (l->device.length &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, l->device.at,
		       (socklen_t)l->device.length) < 0)
		return failed(l, LISTENER_DEVICE, CAP_NET_RAW, f);
	if (set_buffer(fd, l, LISTENER_RCVBUF, f) < 0)
		return -1;
	return set_buffer(fd, l, LISTENER_SNDBUF, f);
}
