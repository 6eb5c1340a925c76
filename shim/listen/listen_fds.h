/*
 * listen_fds: sockets as descriptors 3, 4, ... and the variables that announce
 * them: the protocol of sd_listen_fds(3), from whoever started stepdown and to
 * the application, and nginx's own.
 */
#ifndef STEPDOWN_LISTEN_LISTEN_FDS_H
#define STEPDOWN_LISTEN_LISTEN_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "listen/url.h"

struct fault;
struct text;

/* How a bound socket reaches the application. */
enum handoff {
	HANDOFF_SYSTEMD,	/* LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES */
	HANDOFF_NGINX,		/* NGINX=3;4; */
	HANDOFF_BIND		/* as the answer to its bind(2), see broker.h */
};

enum {
	LISTEN_FDS_START = 3,	/* SD_LISTEN_FDS_START */
	SOCKETS_NAMES_SIZE = 32768	/* bytes of LISTEN_FDNAMES */
};

/* The sockets that stepdown was started with, descriptors 3, 4, ... */
struct inherited {
	bool wanted;
	size_t count;
	const char *pid;	/* LISTEN_PID, or NULL */
	const char *names;	/* LISTEN_FDNAMES, or NULL */
};

/* An open socket that the application will get. */
struct handed {
	int fd;
	int backlog;		/* of a unix socket that listens, else 0 */
	struct slice name;	/* .at is NULL without one */
};

/* In the order of their descriptors, the inherited ones first. */
struct sockets {
	size_t count;
	struct handed all[SOCKETS_MAX];
	bool has_input;
	struct handed input;	/* goes to descriptor 0, and is not announced */
};

/*
 * Take LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES from an environment (as
 * environ(7)); without LISTEN_FDS there are no sockets. Pure.
 *
 * Returns 0, or -1 with a usage fault.
 */
int inherited_read(struct inherited *i, char *const env[], struct fault *f);

/*
 * Are the sockets meant for this process, named as often as they are, and
 * there? Without LISTEN_PID they are taken: --inherit-sockets says that they
 * are ours, and whatever could not know our pid (--no-listen-pid, a shell) left
 * it out. Changes nothing. Returns 0, or -1 with a usage fault.
 */
int inherited_check(const struct inherited *i, struct fault *f);

/*
 * Append the inherited sockets, close-on-exec as our own are; not blocking for
 * nginx, which does not set that by itself. There is room for them, see
 * conflicts_check(). Returns 0, or -1 with a fault.
 */
int inherited_add(const struct inherited *i, enum handoff handoff,
		  struct sockets *sockets, struct fault *f);

/*
 * The variables that tell the application of its sockets: call it with n = 0,
 * 1, ... until it returns NULL.
 *
 * pid: the process that will call execve, for LISTEN_PID (sd_listen_fds(3));
 * 0 leaves that variable out.
 * Returns the name, and appends the value, of at most SOCKETS_NAMES_SIZE bytes.
 */
const char *sockets_variable(const struct sockets *sockets,
			     enum handoff handoff, pid_t pid, unsigned int n,
			     struct text *value);

/*
 * Move the sockets to descriptors 3, 4, ... in their order, and that of ?fd=0 to
 * descriptor 0, where they survive execve, and close every other descriptor above 2. To be called by the process
 * that will call execve, after the drop: who listened last on a unix socket is
 * whom its clients see as SO_PEERCRED, so those sockets listen once more.
 *
 * Returns 0, or -1 with a fault; the descriptors are then in no certain state.
 */
int sockets_arrange(struct sockets *sockets, struct fault *f);

#endif
