#include "listen/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "plan.h"

/* dev_valid_name() of the kernel: no '/', ':' or white space. */
bool address_is_device(struct slice w)
{
	if (w.length == 0 || w.length >= IFNAMSIZ)
		return false;
	for (size_t i = 0; i < w.length; i++)
		if (w.at[i] <= ' ' || w.at[i] > '~' || w.at[i] == '/' ||
		    w.at[i] == ':')
			return false;
	return true;
}

/* The kernel binds these only to one interface, which the zone names. */
bool address_needs_zone(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a) ||
	       IN6_IS_ADDR_MC_NODELOCAL(a);
}

static bool set_ip6(struct listener *l, struct slice inside, struct text *wrong)
{
	struct in6_addr *a = &l->address.in6.sin6_addr;
	char host[INET6_ADDRSTRLEN];
	bool zoned = memchr(inside.at, '%', inside.length) != NULL;
	struct slice digits = str_cut(&inside, '%');

	if (!str_copy(digits, host, sizeof(host)) ||
	    inet_pton(AF_INET6, host, a) != 1)
		return str_no(wrong, "expected an IPv6 address in [ ]");
	if (zoned && !address_is_device(inside))
		return str_no(wrong, "expected an interface after '%%'");
	if (zoned && !address_needs_zone(a))
		return str_no(wrong, "only a link-local address has a zone");
	if (IN6_IS_ADDR_V4MAPPED(a))
		return str_no(wrong, "write an IPv4 address as a.b.c.d");
	l->zone = inside;
	return true;
}

/* The port has been cut off. */
static bool set_address(struct listener *l, struct slice host, uint16_t port,
			struct text *wrong)
{
	char text[INET_ADDRSTRLEN];

	l->dual = host.length == 1 && host.at[0] == '*';
	if (l->dual || (host.length >= 2 && host.at[0] == '[' &&
			host.at[host.length - 1] == ']')) {
		l->address.in6.sin6_family = AF_INET6;
		l->address.in6.sin6_port = htons(port);
		l->address_size = sizeof(l->address.in6);
		if (l->dual)
			return true;
		return set_ip6(l, (struct slice){ host.at + 1, host.length - 2 },
			       wrong);
	}
	l->address.in.sin_family = AF_INET;
	l->address.in.sin_port = htons(port);
	l->address_size = sizeof(l->address.in);
	if (str_copy(host, text, sizeof(text)) &&
	    inet_pton(AF_INET, text, &l->address.in.sin_addr) == 1)
		return true;
	return str_no(wrong,
		  "expected a numeric address (a.b.c.d or [v6]) or *");
}

bool address_set_inet(struct listener *l, struct slice where,
		      struct text *wrong)
{
	const char *colon = memrchr(where.at, ':', where.length);
	char text[16];
	uint64_t port;

	if (colon) {
		struct slice digits = { colon + 1, where.length -
				       (size_t)(colon + 1 - where.at) };

		if (str_copy(digits, text, sizeof(text)) &&
		    str_number(text, 1, 65535, &port))
			return set_address(
				l,
				(struct slice){ where.at,
					       (size_t)(colon - where.at) },
				(uint16_t)port, wrong);
	}
	return str_no(wrong,
		  "expected :PORT from 1 to 65535");
}

/* An abstract name begins with NUL and is as long as address_size says. */
bool address_set_unix(struct listener *l, struct slice where,
		      struct text *wrong)
{
	struct sockaddr_un *un = &l->address.un;
	bool abstract = where.length && where.at[0] == '@';

	if (where.length < 2 || (!abstract && where.at[0] != '/'))
		return str_no(wrong, "expected /PATH or @NAME");
	if (!abstract && where.at[where.length - 1] == '/')
		return str_no(wrong, "the path ends in '/'");
	if (where.length >= sizeof(un->sun_path))
		return str_no(wrong, "longer than %zu bytes",
			  sizeof(un->sun_path) - 1);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, where.at, where.length);
	if (abstract)
		un->sun_path[0] = '\0';
	l->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				      where.length + !abstract);
	return true;
}
