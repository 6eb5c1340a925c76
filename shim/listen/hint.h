/*
 * listen_hint: what to look at when a socket could not be had.
 */
#ifndef STEPDOWN_LISTEN_HINT_H
#define STEPDOWN_LISTEN_HINT_H

struct fault;
struct listener;

/*
 * The fault of a socket, from errno, and the hint for it if there is one.
 *
 * act: what was tried, or NULL where "listen URL" says it all.
 * Returns -1 always.
 */
int listen_failed(const struct listener *l, const char *act, struct fault *f);

#endif
