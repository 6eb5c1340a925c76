/*
 * handoff: how the application learns of its sockets.
 */
#ifndef STEPDOWN_LISTEN_HANDOFF_H
#define STEPDOWN_LISTEN_HANDOFF_H

#include <sys/types.h>

struct environment;
struct fault;
struct plan;
struct run;
struct text;

/* How a bound socket reaches the application. */
enum handoff {
	HANDOFF_SYSTEMD,	/* LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES */
	HANDOFF_NGINX,		/* NGINX=3;4; */
	HANDOFF_BIND,		/* as the answer to its bind(2), see broker.h */
	HANDOFF_BIND_OWN	/* so too, by binding its own socket */
};

/* Append how the sockets are handed over; nothing when there is none. */
void handoff_describe(const struct plan *plan, struct text *out);

/*
 * Set the variables that tell of the sockets, which are descriptors 3, 4, ...
 *
 * pid: the process that will call execve, for LISTEN_PID (sd_listen_fds(3)).
 * Returns 0, or -1 with a fault.
 */
int handoff_announce(const struct plan *plan, const struct run *run, pid_t pid,
		     struct environment *e, struct fault *f);

/*
 * Move the sockets to descriptors 3, 4, ... in their order, where they survive
 * execve, and close every other descriptor above 2.
 *
 * Returns 0, or -1 with a fault; descriptors are then in no certain state.
 */
int handoff_arrange(struct run *run, struct fault *f);

/*
 * Close first and every descriptor above it.
 *
 * Returns 0, or -1 with a fault; some may be open then.
 */
int handoff_close_from(int first, struct fault *f);

#endif
