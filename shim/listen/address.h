/*
 * address: where a socket listens, from the words of its URL. Pure.
 */
#ifndef STEPDOWN_LISTEN_ADDRESS_H
#define STEPDOWN_LISTEN_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "plan.h"

struct listener;
struct text;

/*
 * ADDRESS:PORT, or /PATH or @NAME: fill address, address_size, dual and zone
 * of an empty listener.
 *
 * Each returns true, or false with what is wrong appended to *wrong; the
 * listener is then not usable.
 */
bool address_set_inet(struct listener *l, struct slice where,
		      struct text *wrong);
bool address_set_unix(struct listener *l, struct slice where,
		      struct text *wrong);

/* Could this be the name of a network interface? */
bool address_is_device(struct slice w);

/* Is this an address that the kernel binds to one interface only? */
bool address_needs_zone(const struct in6_addr *a);

#endif
