/*
 * listen: open, bind and listen. Step 1: ports below
 * net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE.
 */
#ifndef STEPDOWN_LISTEN_SOCKET_H
#define STEPDOWN_LISTEN_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

struct fault;
struct listener;
struct plan;
struct run;
struct text;

/* Append what listen_run() would do, a line per --listen. */
void listen_describe(const struct plan *plan, struct text *out);

/*
 * Take the inherited sockets, then open every socket of the plan, into
 * run->sockets, in this order, each close-on-exec; launch hands them over.
 *
 * Returns 0, or -1 with a fault; sockets opened so far stay open in run, and
 * the files of unix sockets stay.
 */
int listen_run(const struct plan *plan, struct run *run, struct fault *f);

/*
 * Open one socket of a listener at an address that is its own or another one
 * for it, with all its options; listening, unless LISTENER_NOLISTEN is given.
 * Returns the descriptor, or -1 with a fault.
 */
int listen_open(const struct plan *plan, const struct listener *l,
		const struct sockaddr *address, socklen_t size,
		struct fault *f);

/* Is that what the kernel says of an IPv6 socket where IPv6 is off? */
bool listen_without_ipv6(int err);

#endif
