#include "listen/url.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cred/passwd.h"

/* Properties of a listener, of which an option needs one or, ANY, none. */
enum trait {
	ANY = 0,
	INET = 1 << 0,
	TCP = 1 << 1,
	IP6 = 1 << 2,		/* one address in brackets, not "*" */
	PATH = 1 << 3,
	LISTENS = 1 << 4	/* not a datagram socket */
};

/* The kernel doubles the size of a buffer, so half of an int is the limit. */
const struct listener_row listener_rows[LISTENER_OPTIONS] = {
	[LISTENER_BACKLOG] = { .form = "backlog=N", LISTENS, 10, 1, INT_MAX },
	[LISTENER_REUSEPORT] = { .form = "reuseport[=N]", INET, 10, 1,
				 SOCKETS_MAX, SOL_SOCKET, SO_REUSEPORT },
	[LISTENER_V6ONLY] = { .form = "v6only=0|1", IP6, 10, 0, 1,
			      IPPROTO_IPV6, IPV6_V6ONLY },
	/* IPv6 sockets take these two at the level of IPv4 as well. */
	[LISTENER_FREEBIND] = { .form = "freebind", INET, 0, 0, 0,
				IPPROTO_IP, IP_FREEBIND },
	[LISTENER_TRANSPARENT] = { .form = "transparent", INET, 0, 0, 0,
				   IPPROTO_IP, IP_TRANSPARENT, CAP_NET_ADMIN },
	[LISTENER_NODELAY] = { .form = "nodelay", TCP, 0, 0, 0,
			       IPPROTO_TCP, TCP_NODELAY },
	[LISTENER_KEEPALIVE] = { .form = "keepalive", TCP, 0, 0, 0,
				 SOL_SOCKET, SO_KEEPALIVE },
	[LISTENER_DEFER_ACCEPT] = { .form = "defer-accept=SECONDS", TCP, 10, 1,
				    65535, IPPROTO_TCP, TCP_DEFER_ACCEPT },
	[LISTENER_FASTOPEN] = { .form = "fastopen=N", TCP, 10, 1, 65535,
				IPPROTO_TCP, TCP_FASTOPEN },
	/* The weaker key is capped at net.core.rmem_max and wmem_max. */
	[LISTENER_RCVBUF] = { .form = "rcvbuf=BYTES", ANY, 10, 1, INT_MAX / 2,
			      SOL_SOCKET, SO_RCVBUFFORCE, 0, SO_RCVBUF },
	[LISTENER_SNDBUF] = { .form = "sndbuf=BYTES", ANY, 10, 1, INT_MAX / 2,
			      SOL_SOCKET, SO_SNDBUFFORCE, 0, SO_SNDBUF },
	[LISTENER_MARK] = { .form = "mark=N", INET, 10, 0, UINT32_MAX,
			    SOL_SOCKET, SO_MARK, CAP_NET_ADMIN },
	[LISTENER_DEVICE] = { .form = "device=NAME", INET, 0, 1, IFNAMSIZ - 1,
			      SOL_SOCKET, SO_BINDTODEVICE, CAP_NET_RAW },
	[LISTENER_MODE] = { .form = "mode=OCTAL", PATH, 8, 0, 0777 },
	[LISTENER_USER] = { .form = "user=USER", PATH, 0, 1, USER_NAME_MAX },
	[LISTENER_GROUP] = { .form = "group=GROUP", PATH, 0, 1,
			     USER_NAME_MAX },
	[LISTENER_NONBLOCK] = { .form = "nonblock", ANY },
	[LISTENER_NOLISTEN] = { .form = "nolisten", LISTENS },
	[LISTENER_TRY] = { .form = "try", ANY },
	[LISTENER_FD] = { .form = "fd=0", ANY, 10, 0, 0 },
};

static const struct {
	const char *scheme;
	int type;
	unsigned int traits;	/* the address adds IP6 or PATH */
} kinds[LISTENER_KINDS] = {
	[LISTENER_TCP] = { "tcp://", SOCK_STREAM, INET | TCP | LISTENS },
	[LISTENER_UDP] = { "udp://", SOCK_DGRAM, INET },
	[LISTENER_UNIX] = { "unix:", SOCK_STREAM, LISTENS },
	[LISTENER_UNIX_DGRAM] = { "unix-dgram:", SOCK_DGRAM, ANY },
	[LISTENER_UNIX_SEQPACKET] = { "unix-seqpacket:", SOCK_SEQPACKET,
				      LISTENS },
};

struct slice url_word(const void *list, size_t i)
{
	(void)list;
	if (i >= LISTENER_OPTIONS)
		return (struct slice){ NULL, 0 };
	return (struct slice){ listener_rows[i].form,
			       strcspn(listener_rows[i].form, "=[") };
}

/* Set an option. value.at is NULL where there is no '='. */
static bool set_value(struct listener *l, enum listener_option o,
		      struct slice value)
{
	const struct listener_row *row = &listener_rows[o];
	unsigned long long number = value.length;
	char text[24] = "", *end = text;

	l->given |= UINT32_C(1) << o;
	l->number[o] = 1;
	if (row->form[url_word(NULL, o).length] == (value.at ? '\0' : '='))
		return false;
	if (!value.at)
		return true;
	if (row->base == 0) {
		l->word[o] = value;
	} else {
		if (!str_copy(value, text, sizeof(text)) ||
		    !str_is_number(text))
			return false;
		number = strtoull(text, &end, row->base);
		l->number[o] = (uint32_t)number;
	}
	return !*end && number >= row->lowest && number <= row->highest;
}

/*
 * Parse what is between the brackets: ADDRESS or ADDRESS%DEVICE. A socket that
 * is bound to a device needs no scope.
 */
static bool set_ip6(struct listener *l, struct slice inside, struct text *wrong)
{
	struct in6_addr *a = &l->address.in6.sin6_addr;
	struct slice digits = str_cut(&inside, '%');
	char host[INET6_ADDRSTRLEN];

	if (!str_copy(digits, host, sizeof(host)) ||
	    inet_pton(AF_INET6, host, a) != 1)
		return str_no(wrong, "expected an IPv6 address in [ ]");
	if (inside.at && !set_value(l, LISTENER_DEVICE, inside))
		return str_no(wrong, "expected an interface after '%%'");
	if (IN6_IS_ADDR_V4MAPPED(a))
		return str_no(wrong, "write an IPv4 address as a.b.c.d");
	l->traits |= IP6;
	return true;
}

/* ADDRESS:PORT; sin_port and sin6_port are at the same place. */
static bool set_inet(struct listener *l, struct slice where, struct text *wrong)
{
	const char *colon = memrchr(where.at, ':', where.length);
	struct slice host = { where.at,
			      colon ? (size_t)(colon - where.at) : 0 };
	char text[INET_ADDRSTRLEN];
	uint64_t port;

	where.at += host.length + 1;
	where.length -= host.length + 1;
	if (!colon || !str_copy(where, text, sizeof(text)) ||
	    !str_number(text, 1, 65535, &port))
		return str_no(wrong, "expected :PORT from 1 to 65535");
	l->address.in.sin_port = htons((uint16_t)port);
	l->dual = str_is(host, "*");
	l->number[LISTENER_V6ONLY] = !l->dual;
	if (l->dual || (host.length >= 2 && host.at[0] == '[' &&
			host.at[host.length - 1] == ']')) {
		l->address.in6.sin6_family = AF_INET6;
		l->address_size = sizeof(l->address.in6);
		host.at++;
		host.length -= 2;
		return l->dual || set_ip6(l, host, wrong);
	}
	l->address.in.sin_family = AF_INET;
	l->address_size = sizeof(l->address.in);
	if (str_copy(host, text, sizeof(text)) &&
	    inet_pton(AF_INET, text, &l->address.in.sin_addr) == 1)
		return true;
	return str_no(wrong,
		      "expected a numeric address (a.b.c.d or [v6]) or *");
}

/* An abstract name begins with NUL and is as long as address_size says. */
static bool set_unix(struct listener *l, struct slice where, struct text *wrong)
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
	else
		l->traits |= PATH;
	l->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				      where.length + !abstract);
	return true;
}

static bool set_option(struct listener *l, struct slice part,
		       struct text *wrong)
{
	struct slice name = str_cut(&part, '=');
	enum listener_option o = 0;

	while (o < LISTENER_OPTIONS &&
	       (url_word(NULL, o).length != name.length ||
		memcmp(listener_rows[o].form, name.at, name.length) != 0))
		o++;
	if (o == LISTENER_OPTIONS || listener_rows[o].needs & ~l->traits)
		return str_no(wrong, "'%.*s' is no option of such a socket",
			      (int)name.length, name.at);
	if (listener_has(l, o))
		return str_no(wrong, "%.*s is given twice", (int)name.length,
			      name.at);
	if (!set_value(l, o, part))
		return str_no(wrong, "expected %s", listener_rows[o].form);
	if (listener_has(l, LISTENER_NOLISTEN) &&
	    listener_has(l, LISTENER_BACKLOG))
		return str_no(wrong, "backlog and nolisten exclude each other");
	if (listener_has(l, LISTENER_FD) && listener_count(l) > 1)
		return str_no(wrong, "descriptor 0 is one socket, not several");
	return true;
}

/* Is it 1 to 255 bytes of printable ASCII without ':'? */
static bool is_name(struct slice w)
{
	for (size_t i = 0; i < w.length; i++)
		if (w.at[i] <= ' ' || w.at[i] > '~' || w.at[i] == ':')
			return false;
	return w.length > 0 && w.length <= LISTENER_NAME_MAX;
}

static bool set_scheme(struct listener *l)
{
	for (size_t i = 0; i < LISTENER_KINDS; i++)
		if (strncmp(l->url, kinds[i].scheme,
			    strlen(kinds[i].scheme)) == 0) {
			l->kind = (enum listener_kind)i;
			l->type = kinds[i].type;
			l->traits = kinds[i].traits;
			return true;
		}
	return false;
}

/*
 * A text that begins with a scheme has no name: a path may contain '='. Names
 * are those of sd_listen_fds_with_names(3), where ':' separates them.
 */
static bool set_name(struct listener *l, struct text *wrong)
{
	const char *equals = strchr(l->url, '=');

	if (set_scheme(l))
		return true;
	if (equals) {
		l->name = (struct slice){ l->url, (size_t)(equals - l->url) };
		l->url = equals + 1;
	}
	if (!set_scheme(l))
		return str_no(wrong,
			      "expected [NAME=]tcp://ADDRESS:PORT, udp://..., unix:/PATH, unix-dgram:... or unix-seqpacket:...");
	return is_name(l->name) ||
	       str_no(wrong,
		      "the name is 1 to 255 printable characters without ':'");
}

bool url_parse(const char *text, struct listener *listener, struct text *wrong)
{
	struct listener l = { .url = text,
			      .number = { [LISTENER_REUSEPORT] = 1,
					  [LISTENER_MODE] = 0660 } };
	struct slice rest, where;

	if (!set_name(&l, wrong))
		return false;
	rest = str_word(l.url + strlen(kinds[l.kind].scheme));
	where = str_cut(&rest, '?');
	if (l.traits & INET ? !set_inet(&l, where, wrong)
			    : !set_unix(&l, where, wrong))
		return false;
	while (rest.at)
		if (!set_option(&l, str_cut(&rest, '&'), wrong))
			return false;
	*listener = l;
	return true;
}
