/*
 * inherit: the sockets that stepdown itself was started with, by the protocol
 * of sd_listen_fds(3): systemd's socket units, podman in one.
 */
#ifndef STEPDOWN_LISTEN_LISTEN_FDS_H
#define STEPDOWN_LISTEN_LISTEN_FDS_H

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct inherited;
struct plan;
struct run;
struct text;

enum {
	PLAN_MAX_SOCKETS = 256,		/* with inherited ones and reuseport=N */
	PLAN_NAMES_SIZE = 32768		/* bytes of LISTEN_FDNAMES */
};

/* The sockets that we were started with, descriptors 3, 4, ... */
struct inherited {
	bool wanted;
	size_t count;
	const char *pid;	/* LISTEN_PID, or NULL */
	const char *names;	/* LISTEN_FDNAMES, or NULL */
};

/*
 * Take LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES from an environment (as
 * environ(7)); without LISTEN_FDS there are no sockets. Pure.
 *
 * Returns 0, or -1 with a usage fault.
 */
int inherit_read(struct inherited *i, char *const env[], struct fault *f);

/*
 * Are the sockets meant for this process, named as often as they are, and
 * there? Changes nothing. Returns 0, or -1 with a usage fault.
 */
int inherit_check(const struct inherited *i, struct fault *f);

/* The names joined by ':', one for each socket. The list may be empty. */
void inherit_add_names(const struct inherited *i, struct text *out);

/*
 * Put them into run->sockets, close-on-exec like our own. Returns 0, or -1 with
 * a fault.
 */
int inherit_run(const struct plan *plan, struct run *run, struct fault *f);

#endif
