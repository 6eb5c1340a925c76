/*
 * socket: one socket, opened and bound.
 *
 * It is made with the filesystem ids of its owner, so that it counts as the
 * application's and not as root's: for the owner match of iptables and of
 * nftables, in /proc/net, and as the file of a unix socket.
 */
#ifndef STEPDOWN_LISTEN_SOCKET_H
#define STEPDOWN_LISTEN_SOCKET_H

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "listen/url.h"

struct fault;

/* The backlog of a listener, or 0 if it does not listen. */
int listen_backlog(const struct listener *l, enum handoff handoff);

/*
 * Open one socket of a listener, at its own address or at another one that it
 * stands for, with all its options; it listens unless LISTENER_NOLISTEN is
 * given. handoff: nginx wants a socket that does not block and its own backlog.
 *
 * Returns the descriptor, close-on-exec, or -1 with a fault.
 */
int listen_open(const struct listener *l, enum handoff handoff,
		const struct sockaddr *address, socklen_t size,
		struct fault *f);

/*
 * Does the kernel say by this errno that it has no IPv6? It may be compiled out
 * or off at boot (EAFNOSUPPORT), or off by sysctl, as Docker does in containers
 * (EADDRNOTAVAIL).
 */
static inline bool listen_without_ipv6(int err)
{
	return err == EAFNOSUPPORT || err == EADDRNOTAVAIL;
}

#endif
