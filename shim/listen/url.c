#include "listen/url.h"

#include <limits.h>
#include <net/if.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "listen/address.h"
#include "plan.h"

/*
 * What an option can depend on, a bit each. ANY_IP is an IPv4 address or "*",
 * whose both families are not up for choice.
 */
enum {
	TCP_ANY_IP = 1 << 0,
	TCP_IP6 = 1 << 1,
	UDP_ANY_IP = 1 << 2,
	UDP_IP6 = 1 << 3,
	STREAM_PATH = 1 << 4,
	DGRAM_PATH = 1 << 5,
	SEQPACKET_PATH = 1 << 6,
	STREAM_ABSTRACT = 1 << 7,
	DGRAM_ABSTRACT = 1 << 8,
	SEQPACKET_ABSTRACT = 1 << 9,

	TCP = TCP_ANY_IP | TCP_IP6,
	INET = TCP | UDP_ANY_IP | UDP_IP6,
	PATH = STREAM_PATH | DGRAM_PATH | SEQPACKET_PATH,
	ALL = INET | PATH | STREAM_ABSTRACT | DGRAM_ABSTRACT |
	      SEQPACKET_ABSTRACT,
	LISTENING = TCP | STREAM_PATH | SEQPACKET_PATH | STREAM_ABSTRACT |
		    SEQPACKET_ABSTRACT
};

enum value { FLAG, NUMBER, NUMBER_OR_FLAG, OCTAL, WORD };

/* The kernel takes half of an int for a buffer, which it doubles. */
static const struct {
	const char *form;	/* name, and how its value is written */
	uint32_t highest;	/* for a word: of its length, as lowest */
	uint16_t fits;
	uint8_t lowest;
	uint8_t value;		/* enum value */
} options[LISTENER_OPTIONS] = {
	[LISTENER_BACKLOG] = { "backlog=N", INT_MAX, LISTENING, 1, NUMBER },
	[LISTENER_REUSEPORT] = { "reuseport[=N]", PLAN_MAX_SOCKETS,
				  INET, 1, NUMBER_OR_FLAG },
	[LISTENER_V6ONLY] = { "v6only=0|1", 1, TCP_IP6 | UDP_IP6, 0, NUMBER },
	[LISTENER_FREEBIND] = { "freebind", 0, INET, 0, FLAG },
	[LISTENER_TRANSPARENT] = { "transparent", 0, INET, 0, FLAG },
	[LISTENER_NODELAY] = { "nodelay", 0, TCP, 0, FLAG },
	[LISTENER_KEEPALIVE] = { "keepalive", 0, TCP, 0, FLAG },
	[LISTENER_DEFER_ACCEPT] = { "defer-accept=SECONDS", 65535,
				  TCP, 1, NUMBER },
	[LISTENER_FASTOPEN] = { "fastopen=N", 65535, TCP, 1, NUMBER },
	[LISTENER_RCVBUF] = { "rcvbuf=BYTES", INT_MAX / 2, ALL, 1, NUMBER },
	[LISTENER_SNDBUF] = { "sndbuf=BYTES", INT_MAX / 2, ALL, 1, NUMBER },
	[LISTENER_MARK] = { "mark=N", UINT32_MAX, INET, 0, NUMBER },
	[LISTENER_DEVICE] = { "device=NAME", IFNAMSIZ - 1, INET, 1, WORD },
	[LISTENER_MODE] = { "mode=OCTAL", 0777, PATH, 0, OCTAL },
	[LISTENER_USER] = { "user=USER", USER_NAME_MAX, PATH, 1, WORD },
	[LISTENER_GROUP] = { "group=GROUP", USER_NAME_MAX, PATH, 1, WORD },
	[LISTENER_NONBLOCK] = { "nonblock", 0, ALL, 0, FLAG },
	[LISTENER_NOLISTEN] = { "nolisten", 0, LISTENING, 0, FLAG },
	[LISTENER_SPARES] = { "spares=N", 255, TCP, 0, NUMBER },
};

static const struct {
	const char *text;
	uint16_t any, other;	/* other: IPv6 in brackets, abstract */
} schemes[LISTENER_KINDS] = {
	[LISTENER_TCP] = { "tcp://", TCP_ANY_IP, TCP_IP6 },
	[LISTENER_UDP] = { "udp://", UDP_ANY_IP, UDP_IP6 },
	[LISTENER_UNIX] = { "unix:", STREAM_PATH, STREAM_ABSTRACT },
	[LISTENER_UNIX_DGRAM] = { "unix-dgram:", DGRAM_PATH, DGRAM_ABSTRACT },
	[LISTENER_UNIX_SEQPACKET] = { "unix-seqpacket:", SEQPACKET_PATH,
				      SEQPACKET_ABSTRACT },
};

/* --- options -------------------------------------------------------------- */

static uint16_t place_of(const struct listener *l)
{
	bool other = l->address.any.sa_family == AF_UNIX
			     ? l->address.un.sun_path[0] == '\0'
			     : l->address.any.sa_family == AF_INET6 && !l->dual;

	return other ? schemes[l->kind].other : schemes[l->kind].any;
}

static bool is_octal(struct slice w, uint32_t highest, uint32_t *value)
{
	uint32_t sum = 0;

	if (w.length == 0 || w.length > 4)
		return false;
	for (size_t i = 0; i < w.length; i++) {
		if (w.at[i] < '0' || w.at[i] > '7')
			return false;
		sum = sum * 8 + (uint32_t)(w.at[i] - '0');
	}
	*value = sum;
	return sum <= highest;
}

struct slice url_option_name(enum listener_option o)
{
	return (struct slice){ options[o].form,
			      strcspn(options[o].form, "=[") };
}

struct slice url_word(const void *list, size_t i)
{
	(void)list;
	return i < LISTENER_OPTIONS ? url_option_name((enum listener_option)i)
				    : (struct slice){ NULL, 0 };
}

static bool is_option(size_t o, struct slice name)
{
	struct slice known = url_option_name((enum listener_option)o);

	return known.length == name.length &&
	       memcmp(known.at, name.at, name.length) == 0;
}

/* The value may be without text (at is NULL) where there is none. */
static bool read_value(enum listener_option o, struct slice value,
		       uint32_t *number)
{
	char text[24];
	uint64_t wide;

	*number = 1;
	switch ((enum value)options[o].value) {
	case NUMBER:
	case NUMBER_OR_FLAG:
		if (!value.at)
			return options[o].value == NUMBER_OR_FLAG;
		if (!str_copy(value, text, sizeof(text)) ||
		    !str_number(text, options[o].lowest, options[o].highest,
				  &wide))
			return false;
		*number = (uint32_t)wide;
		return true;
	case OCTAL:
		return is_octal(value, options[o].highest, number);
	case WORD:
		return value.length >= options[o].lowest &&
		       value.length <= options[o].highest &&
		       (o != LISTENER_DEVICE || address_is_device(value));
	default:
		return !value.at;
	}
}

static bool wrong_value(enum listener_option o, struct text *wrong)
{
	text_add(wrong, "expected %s", options[o].form);
	if (options[o].value == NUMBER || options[o].value == NUMBER_OR_FLAG)
		text_add(wrong, " from %u to %u", options[o].lowest,
			 options[o].highest);
	return false;
}

static bool unfit(struct slice name, uint16_t place, struct text *wrong)
{
	const char *between = "";

	text_add(wrong, "'%.*s' is no option of such a socket; there are ",
		 (int)name.length, name.at);
	for (size_t i = 0; i < LISTENER_OPTIONS; i++)
		if (options[i].fits & place) {
			text_add(wrong, "%s%s", between, options[i].form);
			between = ", ";
		}
	return false;
}

static bool set_option(struct listener *l, struct slice part, struct text *wrong)
{
	bool valued = memchr(part.at, '=', part.length) != NULL;
	struct slice name = str_cut(&part, '=');
	size_t o = 0;

	while (o < LISTENER_OPTIONS && !is_option(o, name))
		o++;
	if (o == LISTENER_OPTIONS || !(options[o].fits & place_of(l)))
		return unfit(name, place_of(l), wrong);
	if (listener_has(l, (enum listener_option)o))
		return str_no(wrong, "%.*s is given twice", (int)name.length,
				name.at);
	if (!valued)
		part.at = NULL;
	if (o == LISTENER_DEVICE)
		l->device = part;
	else if (o == LISTENER_USER)
		l->user = part;
	else if (o == LISTENER_GROUP)
		l->group = part;
	l->given |= UINT32_C(1) << o;
	return read_value((enum listener_option)o, part, &l->number[o]) ||
	       wrong_value((enum listener_option)o, wrong);
}

/* What one option says of another, or of the address. */
static bool fits_together(const struct listener *l, struct text *wrong)
{
	if (listener_has(l, LISTENER_NOLISTEN) &&
	    listener_has(l, LISTENER_BACKLOG))
		return str_no(wrong, "backlog and nolisten exclude each other");
	if (l->address.any.sa_family == AF_INET6 && !l->zone.length &&
	    !listener_has(l, LISTENER_DEVICE) &&
	    address_needs_zone(&l->address.in6.sin6_addr))
		return str_no(wrong,
			  "a link-local address needs its interface: [fe80::1%%eth0]");
	return true;
}

/* --- all of it ------------------------------------------------------------ */

/*
 * LISTEN_FDNAMES joins names with ':' and sd_listen_fds_with_names(3) allows
 * printable ASCII only, at most 255 bytes.
 */
static bool is_socket_name(const char *text, size_t length)
{
	if (length == 0 || length > LISTENER_NAME_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == ':')
			return false;
	return true;
}

static bool set_scheme(struct listener *l)
{
	for (size_t i = 0; i < LISTENER_KINDS; i++)
		if (strncmp(l->url, schemes[i].text,
			    strlen(schemes[i].text)) == 0) {
			l->kind = (enum listener_kind)i;
			return true;
		}
	return false;
}

/* A text that begins with a scheme has no name: a path may contain '='. */
static bool set_name(struct listener *l, struct text *wrong)
{
	const char *equals = strchr(l->url, '=');

	if (set_scheme(l))
		return true;
	if (equals && strchr(equals, ':')) {
		l->name = l->url;
		l->name_length = (size_t)(equals - l->name);
		l->url = equals + 1;
		if (!is_socket_name(l->name, l->name_length))
			return str_no(wrong,
				  "the name is 1 to 255 printable characters without ':'");
		if (set_scheme(l))
			return true;
	}
	return str_no(wrong,
		  "expected [NAME=]tcp://ADDRESS:PORT, udp://..., unix:/PATH, unix-dgram:... or unix-seqpacket:...");
}

bool url_parse(const char *text, struct listener *listener, struct text *wrong)
{
	struct listener l = { .url = text };
	struct slice rest, where;
	bool more;

	if (!set_name(&l, wrong))
		return false;
	rest.at = l.url + strlen(schemes[l.kind].text);
	rest.length = strlen(rest.at);
	more = strchr(rest.at, '?') != NULL;
	where = str_cut(&rest, '?');
	if (l.kind == LISTENER_TCP || l.kind == LISTENER_UDP
		    ? !address_set_inet(&l, where, wrong)
		    : !address_set_unix(&l, where, wrong))
		return false;
	while (more) {
		more = memchr(rest.at, '&', rest.length) != NULL;
		if (!set_option(&l, str_cut(&rest, '&'), wrong))
			return false;
	}
	if (!fits_together(&l, wrong))
		return false;
	*listener = l;
	return true;
}
