/*
 * listen: the sockets of the application, as descriptors 3, 4, ..., and the
 * variables that announce them: the protocol of sd_listen_fds(3), from whoever
 * started stepdown and to the application, and nginx's own.
 */
#ifndef STEPDOWN_LISTEN_LISTEN_H
#define STEPDOWN_LISTEN_LISTEN_H

#include "listen/url.h"

struct fault;
struct text;

enum {
	LISTENERS_MAX = 128,		/* --listen options */
	LISTEN_FDS_START = 3,		/* SD_LISTEN_FDS_START */
	LISTEN_VALUE_SIZE = 32768,	/* bytes of NAME=VALUE */
	SECRETS_MAX = 32
};

/* The sockets that stepdown was started with, descriptors 3, 4, ... */
struct inherited {
	bool wanted;
	size_t count;
	const char *pid;	/* LISTEN_PID, or NULL */
	const char *names;	/* LISTEN_FDNAMES, or NULL */
};

/* What the command line asks for. */
struct listen_spec {
	enum handoff handoff;
	bool no_listen_pid;
	struct inherited inherited;
	size_t count;
	struct listener listeners[LISTENERS_MAX];
};

/* An open socket, or the copy of a secret, that the application will get. */
struct handed {
	int fd;
	int backlog;		/* of a unix socket that listens, else 0 */
	struct slice name;	/* of a secret's variable; or .at is NULL */
};

/*
 * In the order of their descriptors: the inherited sockets, then ours, then the
 * secrets (see secret.h), of which those of ?env get no descriptor.
 */
struct sockets {
	size_t count;
	size_t nfiles, ncontents;	/* secrets */
	struct handed all[SOCKETS_MAX + SECRETS_MAX];
	bool has_input;
	struct handed input;	/* ?fd=0: goes there, and is not announced */
};

/* How many descriptors there are from 3 on. */
static inline size_t sockets_descriptors(const struct sockets *sockets)
{
	return sockets->count + sockets->nfiles;
}

/*
 * Take LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES from an environment (as
 * environ(7)); without LISTEN_FDS there are no sockets. Pure.
 *
 * Returns 0, or -1 with a usage fault.
 */
int inherited_read(struct inherited *i, char *const env[], struct fault *f);

/*
 * Are the inherited sockets meant for this process, and there? Without
 * LISTEN_PID they are taken: --inherit-sockets says that they are ours, and
 * whatever could not know our pid (--no-listen-pid, a shell) left it out.
 * Changes nothing. Returns 0, or -1 with a usage fault.
 */
int inherited_check(const struct inherited *i, struct fault *f);

/*
 * Append the inherited sockets, close-on-exec as our own are; not blocking for
 * nginx, which does not set that by itself. Returns 0, or -1 with a fault.
 */
int inherited_add(const struct inherited *i, enum handoff handoff,
		  struct sockets *sockets, struct fault *f);

/* How many sockets will be numbered from 3 on, the inherited ones included. */
size_t listen_count(const struct listen_spec *spec);

/* Append what listen_run() would do, a line per --listen. */
void listen_describe(const struct listen_spec *spec, struct text *out);

/* Append how the sockets are announced; nothing when there is none. */
void listen_describe_handoff(const struct listen_spec *spec, struct text *out);

/*
 * Take the inherited sockets, then open every socket of the spec, in this order,
 * each close-on-exec. One of ?try that the host cannot have is passed over with
 * a warning, and takes no number.
 *
 * Returns 0, or -1 with a fault; sockets opened so far stay open, and the files
 * of unix sockets stay.
 */
int listen_run(const struct listen_spec *spec, struct sockets *sockets,
	       struct fault *f);

/*
 * Append NAME=VALUE of the n-th variable that tells the application of its
 * sockets and secrets, or nothing if it is not needed. pid: the process that
 * will call execve, for LISTEN_PID; 0 leaves it out.
 *
 * Returns 1, 0 behind the last one, or -1 with a fault.
 */
int sockets_variable(const struct sockets *sockets, enum handoff handoff,
		     pid_t pid, size_t n, struct text *out, struct fault *f);

/*
 * Move everything to its descriptor, where it survives execve, and close every
 * other one above 2. To be called after the drop by the process that will call
 * execve: clients of a unix socket see as SO_PEERCRED who listened last, so
 * those sockets listen once more.
 *
 * Returns 0, or -1 with a fault; the descriptors are then in no certain state.
 */
int sockets_arrange(struct sockets *sockets, struct fault *f);

/* Close all of them, in a parent that stays. */
void sockets_close(const struct sockets *sockets);

#endif
