/* url: parse the value of --listen. Pure: no system call, no global state. */
#ifndef STEPDOWN_LISTEN_URL_H
#define STEPDOWN_LISTEN_URL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/str.h"

struct text;

enum {
	LISTENER_NAME_MAX = 255,	/* sd_listen_fds_with_names(3) */
	SOCKETS_MAX = 256	/* inherited ones and all of reuseport=N */
};

/* How a bound socket reaches the application. */
enum handoff {
	HANDOFF_SYSTEMD,	/* LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES */
	HANDOFF_NGINX,		/* NGINX=3;4; */
	HANDOFF_BIND		/* in place of its bind(2), see broker.h */
};

enum listener_kind {
	LISTENER_TCP,
	LISTENER_UDP,
	LISTENER_UNIX,
	LISTENER_UNIX_DGRAM,
	LISTENER_UNIX_SEQPACKET,
	LISTENER_KINDS
};

/* What may follow the '?' of a listener's URL; url.c has the words. */
enum listener_option {
	LISTENER_BACKLOG,
	LISTENER_REUSEPORT,
	LISTENER_V6ONLY,
	LISTENER_FREEBIND,
	LISTENER_TRANSPARENT,
	LISTENER_NODELAY,
	LISTENER_KEEPALIVE,
	LISTENER_DEFER_ACCEPT,
	LISTENER_FASTOPEN,
	LISTENER_RCVBUF,
	LISTENER_SNDBUF,
	LISTENER_MARK,
	LISTENER_DEVICE,
	LISTENER_MODE,
	LISTENER_USER,
	LISTENER_GROUP,
	LISTENER_NONBLOCK,
	LISTENER_NOLISTEN,
	LISTENER_TRY,
	LISTENER_FD,
	LISTENER_OPTIONS
};

/*
 * How an option is written, and the socket option that it sets. What follows
 * the name in form: nothing for a flag, '[' if the value may be left out.
 */
struct listener_row {
	const char *form;
	unsigned int needs;	/* one of the listener's traits */
	int base;		/* of its number; 0 for a word or a flag */
	uint32_t lowest;	/* of the number, or of the word's length */
	uint32_t highest;
	int level, key;		/* for setsockopt(2); key 0: not that */
	int cap;		/* that the kernel may require for it, or 0 */
	int weaker;		/* the key to set when key is refused, or 0 */
};
extern const struct listener_row listener_rows[LISTENER_OPTIONS];

/* What one --listen asks for: a socket, or with reuseport=N several. */
struct listener {
	const char *url;	/* as typed, without its name */
	struct slice name;	/* for LISTEN_FDNAMES, or .at is NULL */
	enum listener_kind kind;
	int type;		/* SOCK_STREAM and so on */
	unsigned int traits;	/* that options need, see url.c */
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address;
	socklen_t address_size;
	bool dual;		/* "*": IPv4 too, in one socket */
	uint32_t given;		/* bit n: enum listener_option n was given */
	uint32_t number[LISTENER_OPTIONS];	/* its value; 1 for a flag */
	struct slice word[LISTENER_OPTIONS];	/* its value, if that is one */

	/* The owner, for every kind of socket. resolve_owners() fills it. */
	uid_t uid;
	gid_t gid;
};

/* Was this option given in the URL? */
static inline bool listener_has(const struct listener *l,
				enum listener_option option)
{
	return l->given & (UINT32_C(1) << option);
}

/* How many sockets to open for the listener. */
static inline size_t listener_count(const struct listener *l)
{
	return l->number[LISTENER_REUSEPORT];
}

/* Its port in host order; sin_port and sin6_port are at the same place. */
static inline uint16_t listener_port(const struct listener *l)
{
	return ntohs(l->address.in.sin_port);
}

/* Is its address a path, and not a name in the abstract namespace? */
static inline bool listener_has_path(const struct listener *l)
{
	return l->address.any.sa_family == AF_UNIX && l->address.un.sun_path[0];
}

/*
 * Parse [NAME=]URL, where URL is one of
 *
 * 	tcp://ADDRESS:PORT[?OPTIONS]	ADDRESS: a.b.c.d, [v6], [v6%DEVICE] or *
 * 	udp://ADDRESS:PORT[?OPTIONS]
 * 	unix:/PATH[?OPTIONS]		stream; unix-dgram:, unix-seqpacket:
 * 	unix:@NAME[?OPTIONS]		an abstract name, the same three
 *
 * and OPTIONS are NAME or NAME=VALUE, joined by '&'. The result points into the
 * text. An option that was not given has the value 0, except for mode (0660),
 * reuseport (1) and, of one IP address, v6only (1).
 *
 * Returns true, or false with what is wrong appended to *wrong; the listener is
 * then as it was.
 */
bool url_parse(const char *text, struct listener *listener,
	       struct text *wrong);

/* The name of option i, for str_nearest(). list is ignored. */
struct slice url_word(const void *list, size_t i);

#endif
