/*
 * mirror: the options that an application has set on a socket, on another one.
 */
#ifndef STEPDOWN_BIND_MIRROR_H
#define STEPDOWN_BIND_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

/* What a socket of one kind has when it is new; zeroed before the first use. */
enum { MIRROR_OPTIONS = 64 };
struct mirror {
	bool filled;
	bool has[MIRROR_OPTIONS];	/* its kind has such an option */
	int value[MIRROR_OPTIONS];
};

/*
 * The number of its network namespace (SO_NETNS_COOKIE, Linux 5.14), or 0
 * where the kernel does not tell.
 */
uint64_t mirror_network(int socket);

/* Has it an address already? */
bool mirror_is_bound(int socket);

/* Is it for IPv6 alone? */
bool mirror_is_v6only(int socket);

/*
 * Give ours, which is new, the options of the application's socket. What needs
 * a capability to be set, or cannot be read back (multicast groups, filters),
 * stays as it is. m belongs to sockets of this family and protocol.
 */
void mirror_copy(struct mirror *m, int application, int ours);

#endif
