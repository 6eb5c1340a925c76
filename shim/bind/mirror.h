/*
 * mirror: what an application has set on its socket before it is given
 * another one.
 */
#ifndef STEPDOWN_BIND_MIRROR_H
#define STEPDOWN_BIND_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

struct caller_socket;

/*
 * The number of its network namespace (SO_NETNS_COOKIE, Linux 5.14), or 0
 * where the kernel does not tell.
 */
uint64_t mirror_network(int socket);

/* Has it an address already? */
bool mirror_is_bound(int socket);

/* Is it for IPv6 alone, by what the kernel says of it? */
bool mirror_is_v6only(int socket);


/*
 * Is the socket what was said of it, and of that network? What /proc said may be of another one, which had the descriptor just before.
 */
bool mirror_fits(int application, const struct caller_socket *s,
		 uint64_t network);

/*
 * Give ours the options of the application's socket. What needs a capability
 * to be set, or cannot be read back, stays as it is.
 */
void mirror_copy(int application, int ours);

#endif
