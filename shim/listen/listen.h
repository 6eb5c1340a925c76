/*
 * listen: the sockets of the application. The first step, since ports below
 * net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE.
 */
#ifndef STEPDOWN_LISTEN_LISTEN_H
#define STEPDOWN_LISTEN_LISTEN_H

#include "listen/listen_fds.h"
#include "listen/url.h"

struct fault;
struct text;

enum { LISTENERS_MAX = 128 };	/* --listen options */

/* What the command line asks for. */
struct listen_spec {
	enum handoff handoff;
	bool no_listen_pid;
	struct inherited inherited;
	size_t count;
	struct listener listeners[LISTENERS_MAX];
};

/*
 * How many sockets are numbered from 3 on, the inherited ones included; one of
 * ?fd=0 is not, and with --handoff=bind those of --listen are not.
 */
size_t listen_count(const struct listen_spec *spec);

/* Append what listen_run() would do, a line per --listen. */
void listen_describe(const struct listen_spec *spec, struct text *out);

/* Append how the sockets are announced; nothing when there is none. */
void listen_describe_handoff(const struct listen_spec *spec, struct text *out);

/*
 * Take the inherited sockets, then open every socket of the spec, into
 * *sockets, in this order, each close-on-exec; sockets_arrange() hands them
 * over. One of ?try that the host cannot have is passed over with a warning,
 * and takes no number.
 *
 * Returns 0, or -1 with a fault; sockets opened so far stay open, and the files
 * of unix sockets stay.
 */
int listen_run(const struct listen_spec *spec, struct sockets *sockets,
	       struct fault *f);

#endif
