/*
 * listen: the sockets of the application, as descriptors 3, 4, ..., and the
 * variables that announce them: the protocol of sd_listen_fds(3), from whoever
 * started stepdown and to the application, and nginx's own.
 */
#ifndef STEPDOWN_LISTEN_LISTEN_H
#define STEPDOWN_LISTEN_LISTEN_H

#include <errno.h>

#include "listen/url.h"

struct fault;
struct target;
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
	struct listener *listeners;	/* room for LISTENERS_MAX */
};

/* An open socket, or the copy of a secret, that the application will get. */
struct handed {
	int fd;
	int backlog;		/* of a unix socket that listens, else 0 */
	struct slice name;	/* a socket's or variable's; or .at is NULL */
	bool content;		/* that has the secret itself */
};

/* The inherited sockets, then ours, then the secrets, as their descriptors. */
struct sockets {
	struct handed all[SOCKETS_MAX + SECRETS_MAX];
	size_t count, nsecrets;	/* of all; of them, the last */
	struct handed input;	/* ?fd=0: not announced; without, .fd is 0 */
};

/*
 * Take LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES from an environment (as
 * environ(7)); without LISTEN_FDS there are no sockets. Without LISTEN_PID they
 * are taken: --inherit-sockets says that they are ours, and whatever could not
 * know our pid (--no-listen-pid, a shell) left it out. Pure.
 *
 * Returns 0, or -1 with a usage fault.
 */
int inherited_read(struct inherited *i, char *const env[], struct fault *f);

/* How many sockets will be numbered from 3 on, the inherited ones included. */
size_t listen_count(const struct listen_spec *spec);

/* Append what listen_run() would do, a line per --listen. */
void listen_describe(const struct listen_spec *spec, struct text *out);

/* Append how the sockets are announced; nothing when there is none. */
void listen_describe_handoff(const struct listen_spec *spec, struct text *out);

/*
 * Take the inherited sockets, then open every socket of the spec, in their
 * order, each close-on-exec. One of ?try that the host cannot have is passed
 * over with a warning, and takes no number.
 *
 * Returns 0, or -1 with a fault; sockets opened so far stay open, and the files
 * of unix sockets stay.
 */
int listen_run(const struct listen_spec *spec, struct sockets *sockets,
	       struct fault *f);

/*
 * Open the socket of a listener with all its options; "*" falls back to IPv4.
 * It is made with the filesystem ids of its owner, so that it counts as the
 * application's and not as root's: for the owner match of iptables and of
 * nftables, in /proc/net, and as the file of a unix socket. handoff: nginx
 * wants a socket that does not block and its own backlog.
 *
 * Returns the descriptor, close-on-exec, or -1 with a fault.
 */
int listen_open(const struct listener *l, enum handoff handoff,
		struct fault *f);

/* The backlog of a listener, or 0 if it does not listen. */
int listen_backlog(const struct listener *l, enum handoff handoff);

/*
 * Does the host have no such address? IPv6 may be compiled out or off at boot
 * (EAFNOSUPPORT), or off by sysctl, as Docker does in containers.
 */
static inline bool listen_without_address(int err)
{
	return err == EAFNOSUPPORT || err == EADDRNOTAVAIL;
}

/*
 * Append NAME=VALUE of the n-th variable that tells the application of its
 * sockets and secrets, or nothing if it is not needed. pid: the process that
 * will call execve, for LISTEN_PID; 0 leaves it out.
 *
 * Returns false behind the last one.
 */
bool sockets_variable(const struct sockets *sockets, enum handoff handoff,
		      pid_t pid, size_t n, struct text *out);

/*
 * Move everything to its descriptor, where it survives execve, and close every
 * other one above 2. To be called after the drop by the process that will call
 * execve: clients of a unix socket see as SO_PEERCRED who listened last, so
 * those sockets listen once more.
 *
 * Returns 0, or -1 with a fault; the descriptors are then in no certain state.
 */
int sockets_arrange(const struct sockets *sockets, struct fault *f);

/* Close all of them, in a parent that stays. */
void sockets_close(const struct sockets *sockets);

/*
 * NAME=PATH[?OPTIONS] of --secret. The file is read before the drop, into a
 * sealed memfd of the application's: whoever reads /proc/self/fd/N reads it, as
 * often as they like, nobody can change it, and it is on no disk. The original
 * stays closed to the application. No message has the content.
 */
struct secret_spec {
	size_t count;
	struct secret {
		struct slice name;	/* of the variable */
		struct slice path;
		bool content;	/* ?env: the variable has the content, too */
		bool attempt;	/* ?try: pass over a file that is missing */
	} all[SECRETS_MAX];
};

/* Append what a value says to *at, a spec. Returns false if it is none. */
bool secret_read(const char *value, void *at);

/* Append what is handed over as the descriptors from fd on. */
void secret_describe(const struct secret_spec *spec, size_t fd,
		     struct text *out);

/*
 * Copy the files, for the target; without sockets (NULL) look whether each can
 * be read. Returns 0, or -1 with a fault.
 */
int secret_run(const struct secret_spec *spec, const struct target *t,
	       struct sockets *sockets, struct fault *f);

/* Has each copy its owner, mode and seals? Returns 0, or -1 with a fault. */
int secret_verify(const struct sockets *sockets, const struct target *t,
		  struct fault *f);

#endif
