#include "bind/declared.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/text.h"
#include "listen/socket.h"

/* ---- the plan ---- */

enum { ALLOWED = 1 << LISTENER_V6ONLY | 1 << LISTENER_TRY };

static int check_listener(const struct listener *l, struct fault *f)
{
	if (l->kind != LISTENER_TCP && l->kind != LISTENER_UDP) {
		fault_set(f, EXIT_USAGE, 0,
			  "--listen %s: --handoff=bind serves tcp and udp",
			  l->url);
		return fault_hint(f,
				  "a unix socket needs no privilege in a "
				  "directory that the user owns: "
				  "--own=/run/app,create");
	}
	if (!l->zone.length && !(l->given & ~(uint32_t)ALLOWED))
		return 0;
	fault_set(f, EXIT_USAGE, 0,
		  "--listen %s: --handoff=bind takes no zone, and no option "
		  "but v6only and try",
		  l->url);
	return fault_hint(f, "the application sets its own options");
}

int declared_check(const struct bind_spec *spec, struct fault *f)
{
	if (!spec->wanted)
		return 0;
	if (spec->nlisteners == 0) {
		fault_set(f, EXIT_USAGE, 0, "--handoff bind: no --listen");
		return fault_hint(f,
				  "--listen says what may be bound: "
				  "--listen=tcp://*:80");
	}
	if (spec->keep_caps & UINT64_C(1) << CAP_NET_BIND_SERVICE)
		return fault_set(f, EXIT_USAGE, 0,
				 "--keep-caps net_bind_service: with it the "
				 "application needs no --handoff=bind");
	for (size_t i = 0; i < spec->nlisteners; i++)
		if (check_listener(&spec->listeners[i], f) < 0)
			return -1;
	return 0;
}

/* The port is at the same place for both families. */
static unsigned int port_of(const struct listener *l)
{
	return ntohs(l->address.in.sin_port);
}

/* Where the sysctl cannot be read it is taken for the kernel's default. */
void declared_settle(struct bind_spec *spec)
{
	char line[16];
	uint64_t start;

	fs_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start",
		    line, sizeof(line));
	line[strcspn(line, "\n")] = '\0';
	if (!str_number(line, 0, UINT16_MAX + 1, &start))
		start = 1024;
	spec->port_start = (unsigned int)start;
	for (size_t i = 0; i < spec->nlisteners && !spec->low_port; i++)
		if (port_of(&spec->listeners[i]) < start)
			spec->low_port = port_of(&spec->listeners[i]);
}

uint64_t declared_caps(const struct bind_spec *spec)
{
	return spec->low_port ? UINT64_C(1) << CAP_NET_BIND_SERVICE : 0;
}

void declared_describe(const struct bind_spec *spec, struct text *out)
{
	for (size_t i = 0; i < spec->nlisteners; i++)
		text_add(out, "%s for the application's bind(2)\n",
			 spec->listeners[i].url);
	if (spec->low_port)
		text_add(out,
			 "keep CAP_NET_BIND_SERVICE in one thread of the "
			 "parent: port %u is below %u",
			 spec->low_port, spec->port_start);
	else
		text_add(out,
			 "keep no capability: no port is below %u",
			 spec->port_start);
}

/* ---- before the drop ---- */

/* Returns a socket that is bound, or -1 with a fault. */
static int try_listener(const struct listener *l, struct fault *f)
{
	struct listener one = *l;
	const struct sockaddr_in any = { .sin_family = AF_INET,
					 .sin_port = l->address.in.sin_port };
	int fd;

	one.given |= UINT32_C(1) << LISTENER_NOLISTEN;
	fd = listen_open(&one, HANDOFF_BIND, &l->address.any, l->address_size,
			 f);
	if (fd >= 0 || !l->dual || !listen_without_ipv6(f->err))
		return fd;
	return listen_open(&one, HANDOFF_BIND, (const struct sockaddr *)&any,
			   sizeof(any), f);
}

int declared_try(const struct bind_spec *spec, struct fault *f)
{
	for (size_t i = 0; i < spec->nlisteners; i++) {
		int fd = try_listener(&spec->listeners[i], f);

		if (fd >= 0)
			close(fd);
		else if (!listener_has(&spec->listeners[i], LISTENER_TRY) ||
			 !listen_without_ipv6(f->err))
			return -1;
	}
	return 0;
}

/* ---- one address ---- */

/* SIN6_LEN_RFC2133 of the kernel: an address without its scope. */
enum { SHORTEST_V6 = 24 };

unsigned int declared_port(const struct bind_address *a)
{
	const sa_family_t family = a->at.any.sa_family;

	if ((family == AF_INET && a->size >= sizeof(a->at.in)) ||
	    (family == AF_INET6 && a->size >= SHORTEST_V6))
		return ntohs(a->at.in.sin_port);
	return 0;
}

bool declared_has_port(const struct bind_spec *spec, unsigned int port)
{
	for (size_t i = 0; i < spec->nlisteners; i++)
		if (port_of(&spec->listeners[i]) == port)
			return true;
	return false;
}

/*
 * An address of IPv4 as IPv6 maps it: a socket of IPv6 that binds
 * ::ffff:127.0.0.1 has exactly what one of IPv4 has that binds 127.0.0.1.
 */
static struct in6_addr mapped(const struct sockaddr *address)
{
	struct in6_addr v6 = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (address->sa_family == AF_INET6)
		return ((const struct sockaddr_in6 *)address)->sin6_addr;
	memcpy(&v6.s6_addr[12],
	       &((const struct sockaddr_in *)address)->sin_addr, 4);
	return v6;
}

/* [::] for both families is more than [::] unless v6only=0 declares it. */
static bool covers(const struct listener *l, const struct bind_address *a)
{
	struct in6_addr one, other;

	if (l->kind != a->kind || l->address.in.sin_port != a->at.in.sin_port)
		return false;
	if (l->dual)
		return true;
	one = mapped(&l->address.any);
	other = mapped(&a->at.any);
	if (!IN6_ARE_ADDR_EQUAL(&one, &other))
		return false;
	return a->v6only || !IN6_IS_ADDR_UNSPECIFIED(&one) ||
	       (listener_has(l, LISTENER_V6ONLY) &&
		!l->number[LISTENER_V6ONLY]);
}

const struct listener *declared_find(const struct bind_spec *spec,
				     const struct bind_address *a)
{
	for (size_t i = 0; i < spec->nlisteners; i++)
		if (covers(&spec->listeners[i], a))
			return &spec->listeners[i];
	return NULL;
}

int declared_missing(const struct bind_spec *spec,
		     const struct bind_address *a, struct fault *f)
{
	const bool six = a->at.any.sa_family == AF_INET6;
	const char *scheme = a->kind == LISTENER_TCP ? "tcp" : "udp";
	char address[INET6_ADDRSTRLEN] = "", list[256];
	struct text declared;

	inet_ntop(a->at.any.sa_family,
		  six ? (const void *)&a->at.in6.sin6_addr
		      : (const void *)&a->at.in.sin_addr,
		  address, sizeof(address));
	text_start(&declared, list, sizeof(list));
	for (size_t i = 0; i < spec->nlisteners; i++)
		text_add(&declared, "%s%s", i ? ", " : "",
			 spec->listeners[i].url);
	fault_set(f, EXIT_STEP, 0,
		  "bind %s://%s%s%s:%u is not declared (declared: %s%s)",
		  scheme, six ? "[" : "", address, six ? "]" : "",
		  declared_port(a), list, declared.cut ? "..." : "");
	return fault_hint(f, "use --listen=%s://*:%u", scheme,
			  declared_port(a));
}
