/*
 * pool: the sockets of --handoff=bind. They are bound before the drop, do not
 * listen, and wait in the supervisor until the application binds.
 *
 * Each is given once: a copy that the supervisor kept would hold the port open
 * after the application has closed its own. For the next bind(2) there are
 * spares. Several TCP sockets with SO_REUSEADDR bind one address while none of
 * them listens; that one listens does not disturb those that do not, and a
 * second one's listen(2) fails with EADDRINUSE, as it must. A UDP or Unix
 * socket has no spares: an unread one would take the datagrams, a second one
 * cannot have the path.
 */
#ifndef STEPDOWN_BIND_POOL_H
#define STEPDOWN_BIND_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fs.h"
#include "listen/url.h"

struct plan;
struct fault;
struct text;

enum { PLAN_MAX_SPARES = 2048 };	/* of --handoff=bind, all forms */

/* A socket that waits for the application to bind, see pool.h. */
struct spare {
	int fd;			/* -1 when it has been given away */
	ino_t inode;
	unsigned short listener;	/* index in plan->listen.listeners */
	unsigned char form;	/* enum form */
	struct identity path;	/* of a Unix socket */
};

struct pool {
	struct spare spares[PLAN_MAX_SPARES];
	size_t count;
};

enum { POOL_SPARES = 4 };	/* if ?spares=N does not say otherwise */

/*
 * How a socket is bound. A socket's family cannot be changed, nor can
 * IPV6_V6ONLY once it is bound, so one address may need several.
 */
enum form {
	FORM_V4,
	FORM_V6_ONLY,
	FORM_V6_DUAL,
	FORM_UNIX,
	FORM_NONE
};

/* What the application wants to bind. */
struct wish {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address;
	socklen_t size;
	bool v6only;
	enum listener_kind kind;
	bool any_type;
};

/*
 * Refuse what contradicts --handoff=bind or bind-own, and ?spares without it.
 * Pure. Returns 0, or -1 with a usage fault.
 */
int pool_check(const struct plan *plan, struct fault *f);

/* Append what pool_fill() would do, a line per --listen. */
void pool_describe(const struct plan *plan, struct text *out);

/*
 * Close all descriptors above 2, since the supervisor keeps those that it has,
 * then open and bind all sockets; for --handoff=bind-own to close them again,
 * so that what the kernel refuses is found before the drop.
 *
 * Returns 0, or -1 with a fault; those opened so far stay open.
 */
int pool_fill(const struct plan *plan, struct pool *pool, struct fault *f);

/* Does any listener have this address, whatever the type of the socket? */
bool pool_knows(const struct plan *plan, const struct wish *w);

/* The form in which this listener serves the wish, or FORM_NONE. */
enum form pool_form(const struct listener *l, const struct wish *w);

/* A socket for the wish, or NULL. It stays in the pool until pool_gave(). */
struct spare *pool_find(const struct plan *plan, struct pool *pool,
			const struct wish *w);

/* It has been given: close our copy, and what would compete with it. */
void pool_gave(const struct plan *plan, struct pool *pool, struct spare *s);

/* Was that socket one of ours, and has been given? */
bool pool_is_given(const struct pool *pool, ino_t inode);

#endif
