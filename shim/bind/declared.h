/*
 * declared: what --handoff=bind lets the application bind. No side effects.
 */
#ifndef STEPDOWN_BIND_DECLARED_H
#define STEPDOWN_BIND_DECLARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "listen/url.h"

struct fault;
struct listen_spec;

/* What the application wants to bind. */
struct bind_address {
	union {
		struct sockaddr_storage storage;
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at;
	socklen_t size;
	enum listener_kind kind;	/* of the socket: TCP or UDP */
	bool v6only;			/* of the socket */
};

/* The port, or 0 if it is neither an IPv4 nor an IPv6 address, or has none. */
unsigned int declared_port(const struct bind_address *a);

/* Does the port concern us, declared or privileged? Is the address declared? */
bool declared_concerns(const struct listen_spec *spec,
		       const struct bind_address *a);
bool declared_covers(const struct listen_spec *spec,
		     const struct bind_address *a);

/* Set the fault that the address is not declared, and the --listen to use. */
void declared_missing(const struct listen_spec *spec,
		      const struct bind_address *a, struct fault *f);

#endif
