/*
 * listen_hint: what to look at when a socket could not be had.
 */
#ifndef STEPDOWN_LISTEN_HINT_H
#define STEPDOWN_LISTEN_HINT_H

struct fault;
struct listener;

/* Add the hint for f->err, if there is one. Returns -1 always. */
int listen_hint(const struct listener *l, struct fault *f);

#endif
