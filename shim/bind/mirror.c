#include "bind/mirror.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/str.h"
#include "base/sys.h"

/* Each is an int, read and written in the same words. */
static const struct {
	unsigned char level;
	unsigned char name;
} options[] = {
	{ SOL_SOCKET, SO_REUSEADDR },
	{ SOL_SOCKET, SO_REUSEPORT },
	{ SOL_SOCKET, SO_BROADCAST },
	{ SOL_SOCKET, SO_DONTROUTE },
	{ SOL_SOCKET, SO_INCOMING_CPU },
	{ SOL_SOCKET, SO_KEEPALIVE },
	{ SOL_SOCKET, SO_OOBINLINE },
	{ SOL_SOCKET, SO_PRIORITY },
	{ SOL_SOCKET, SO_RCVLOWAT },
	{ SOL_SOCKET, SO_RXQ_OVFL },
	{ SOL_SOCKET, SO_TIMESTAMP },
	{ SOL_SOCKET, SO_TIMESTAMPNS },
	{ SOL_SOCKET, SO_PASSCRED },
	{ SOL_SOCKET, SO_ZEROCOPY },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT },
	{ IPPROTO_IP, IP_FREEBIND },
	{ IPPROTO_IP, IP_MTU_DISCOVER },
	{ IPPROTO_IP, IP_MULTICAST_ALL },
	{ IPPROTO_IP, IP_MULTICAST_LOOP },
	{ IPPROTO_IP, IP_MULTICAST_TTL },
	{ IPPROTO_IP, IP_PKTINFO },
	{ IPPROTO_IP, IP_RECVERR },
	{ IPPROTO_IP, IP_RECVTOS },
	{ IPPROTO_IP, IP_RECVTTL },
	{ IPPROTO_IP, IP_TOS },
	{ IPPROTO_IP, IP_TTL },
	{ IPPROTO_IPV6, IPV6_V6ONLY },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER },
	{ IPPROTO_IPV6, IPV6_MULTICAST_HOPS },
	{ IPPROTO_IPV6, IPV6_MULTICAST_LOOP },
	{ IPPROTO_IPV6, IPV6_RECVERR },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS },
	{ IPPROTO_IPV6, IPV6_TCLASS },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT },
	{ IPPROTO_TCP, TCP_FASTOPEN },
	{ IPPROTO_TCP, TCP_KEEPCNT },
	{ IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, TCP_NODELAY },
	{ IPPROTO_TCP, TCP_SYNCNT },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT },
};

_Static_assert(ARRAY_LEN(options) <= MIRROR_OPTIONS, "a larger struct mirror");

static bool get(int fd, int level, int name, void *value, socklen_t size)
{
	socklen_t got = size;

	memset(value, 0, size);
	return getsockopt(fd, level, name, value, &got) == 0;
}

/* Only what differs, so that a socket like any other costs no write. */
static void copy_option(int from, int to, int level, int name, socklen_t size)
{
	unsigned char wanted[16], now[16];

	if (get(from, level, name, wanted, size) &&
	    get(to, level, name, now, size) &&
	    memcmp(wanted, now, size) != 0)
		setsockopt(to, level, name, wanted, size);
}

/*
 * A size of a buffer is read back doubled (socket(7)), and what was never set
 * is left to the kernel's own tuning.
 */
static void copy_buffer(int from, int to, int name)
{
	int wanted, now;

	if (!get(from, SOL_SOCKET, name, &wanted, sizeof(wanted)) ||
	    !get(to, SOL_SOCKET, name, &now, sizeof(now)) || wanted == now)
		return;
	wanted /= 2;
	setsockopt(to, SOL_SOCKET, name, &wanted, sizeof(wanted));
}

static void read_fresh(struct mirror *m, int fresh)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		m->has[i] = get(fresh, options[i].level, options[i].name,
				&m->value[i], sizeof(int));
	m->filled = true;
}

void mirror_copy(struct mirror *m, int application, int ours)
{
	int value;

	if (!m->filled)
		read_fresh(m, ours);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (m->has[i] &&
		    get(application, options[i].level, options[i].name, &value,
			sizeof(value)) &&
		    value != m->value[i])
			setsockopt(ours, options[i].level, options[i].name,
				   &value, sizeof(value));
	copy_option(application, ours, SOL_SOCKET, SO_LINGER, sizeof(struct linger));
	copy_option(application, ours, SOL_SOCKET, SO_RCVTIMEO,
	     sizeof(struct timeval));
	copy_option(application, ours, SOL_SOCKET, SO_SNDTIMEO,
	     sizeof(struct timeval));
	copy_option(application, ours, IPPROTO_TCP, TCP_CONGESTION, 16);
	copy_option(application, ours, SOL_SOCKET, SO_BINDTODEVICE, 16);
	copy_buffer(application, ours, SO_RCVBUF);
	copy_buffer(application, ours, SO_SNDBUF);
}

/* The port is at the same place for both families. */
bool mirror_is_bound(int socket)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
	socklen_t size = sizeof(address);

	return getsockname(socket, &address.any, &size) < 0 ||
	       address.in.sin_port != 0;
}

uint64_t mirror_network(int socket)
{
	uint64_t cookie = 0;

	get(socket, SOL_SOCKET, KERNEL_SO_NETNS_COOKIE, &cookie,
	    sizeof(cookie));
	return cookie;
}

bool mirror_is_v6only(int socket)
{
	int v6only;

	return get(socket, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
		   sizeof(v6only)) && v6only;
}
