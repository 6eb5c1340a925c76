#include "bind/declared.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"
#include "listen/listen.h"

/* The kernel accepts 24 bytes as an IPv6 address without its scope. */
unsigned int declared_port(const struct bind_address *a)
{
	const sa_family_t family = a->at.any.sa_family;

	if ((family == AF_INET && a->size >= sizeof(a->at.in)) ||
	    (family == AF_INET6 && a->size >= 24))
		return ntohs(a->at.in.sin_port);
	return 0;
}

/*
 * Map an IPv4 address into IPv6: an IPv6 socket bound to ::ffff:127.0.0.1 has
 * exactly what an IPv4 socket bound to 127.0.0.1 has.
 */
static struct in6_addr mapped(const void *address)
{
	const struct sockaddr_in6 *six = address;
	const struct sockaddr_in *four = address;
	struct in6_addr v6 = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (six->sin6_family == AF_INET6)
		return six->sin6_addr;
	memcpy(&v6.s6_addr[12], &four->sin_addr, sizeof(four->sin_addr));
	return v6;
}

/*
 * [::] for both families is more than [::] unless v6only=0 declares it. A scope
 * matters for link-local addresses alone, of which none can be declared but by
 * "*": listen_run() has bound each, which fails without an interface.
 */
static bool covers(const struct listener *l, const struct bind_address *a)
{
	const struct in6_addr one = mapped(&l->address);
	const struct in6_addr other = mapped(&a->at);

	if (l->kind != a->kind || listener_port(l) != declared_port(a))
		return false;
	return l->dual ||
	       (IN6_ARE_ADDR_EQUAL(&one, &other) &&
		(a->v6only || !IN6_IS_ADDR_UNSPECIFIED(&one) ||
		 !l->number[LISTENER_V6ONLY]));
}

bool declared_concerns(const struct listen_spec *spec,
		       const struct bind_address *a)
{
	const unsigned int port = declared_port(a);

	for (size_t i = 0; port && i < spec->count; i++)
		if (listener_port(&spec->listeners[i]) == port)
			return true;
	return port && port < spec->port_start;
}

bool declared_covers(const struct listen_spec *spec,
		     const struct bind_address *a)
{
	for (size_t i = 0; i < spec->count; i++)
		if (covers(&spec->listeners[i], a))
			return true;
	return false;
}

void declared_missing(const struct listen_spec *spec,
		      const struct bind_address *a, struct fault *f)
{
	const bool six = a->at.any.sa_family == AF_INET6;
	const char *scheme = a->kind == LISTENER_TCP ? "tcp" : "udp";
	char address[INET6_ADDRSTRLEN] = "", urls[sizeof(f->what)];
	struct text out;

	inet_ntop(a->at.any.sa_family,
		  six ? (const void *)&a->at.in6.sin6_addr
		      : (const void *)&a->at.in.sin_addr,
		  address, sizeof(address));
	text_start(&out, urls, sizeof(urls));
	for (size_t i = 0; i < spec->count; i++)
		text_add(&out, "%s%s", i ? ", " : "", spec->listeners[i].url);
	fault_set(f, EXIT_STEP, 0,
		  six ? "bind %s://[%s]:%u is not declared (declared: %s)"
		      : "bind %s://%s:%u is not declared (declared: %s)",
		  scheme, address, declared_port(a), urls);
	fault_hint(f, "use --listen=%s://*:%u", scheme, declared_port(a));
}
