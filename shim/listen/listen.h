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
	const char *names;	/* LISTEN_FDNAMES, or NULL */
};

/* What the command line and the environment ask for. */
struct listen_spec {
	enum handoff handoff;
	bool no_listen_pid;
	struct inherited inherited;
	size_t count;
	struct listener *listeners;	/* room for LISTENERS_MAX */
	/* For --handoff=bind; filled by listen_settle(). */
	unsigned int port_start;	/* the first unprivileged one */
	unsigned int low_port;		/* the first declared below it, or 0 */
	uint64_t bind_caps;		/* the broker's alone */
};

/* An open socket, or the copy of a secret, that the application will get. */
struct handed {
	int fd;
	int backlog;		/* of a unix socket that listens, else 0 */
	struct slice name;	/* a socket's or variable's; or .at is NULL */
	bool content;		/* the variable has the secret itself */
};

/* The inherited sockets, ours, and the secrets, in the order of descriptors. */
struct sockets {
	struct handed all[SOCKETS_MAX + SECRETS_MAX];
	size_t count, nsecrets;	/* of all; the secrets are the last */
	struct handed input;	/* ?fd=0: not announced; without, .fd is 0 */
};

/*
 * Take LISTEN_FDS and LISTEN_FDNAMES from an environment (as environ(7));
 * without LISTEN_FDS there are no sockets. LISTEN_PID must be ours. A missing
 * one is accepted: --inherit-sockets says that the sockets are ours, and a
 * caller that cannot know our pid (--no-listen-pid, a shell) leaves it out.
 *
 * Returns 0, or -1 with a usage fault.
 */
int inherited_read(struct inherited *i, char *const env[], struct fault *f);

/*
 * Set what depends on the handoff: backlogs that were not given, 0 where the
 * application listens itself; nonblock for nginx; the ports for bind, by
 * net.ipv4.ip_unprivileged_port_start.
 */
void listen_settle(struct listen_spec *spec);

/* How many sockets will get numbers from 3 on, with the inherited ones. */
size_t listen_count(const struct listen_spec *spec);

/* Append what listen_run() would do, a line per --listen. */
void listen_describe(const struct listen_spec *spec, struct text *out);

/* Append how the sockets are announced; nothing when there is none. */
void listen_describe_handoff(const struct listen_spec *spec, struct text *out);

/*
 * Take the inherited sockets, then open every socket of the spec, in order,
 * each close-on-exec. One with ?try whose address the host lacks is skipped
 * with a warning, and takes no number. For bind the addresses are bound once,
 * so that what the kernel refuses is reported before the drop; then all
 * descriptors but the inherited ones are closed: the supervisor keeps its own.
 *
 * Returns 0, or -1 with a fault; sockets opened so far stay open, and the files
 * of unix sockets stay.
 */
int listen_run(const struct listen_spec *spec, struct sockets *sockets,
	       struct fault *f);

/*
 * Open the socket of a listener with all its options; "*" falls back to IPv4.
 * It is created with the filesystem ids of its owner, so that it is the
 * application's and not root's: for the owner match of iptables and nftables,
 * in /proc/net, and as the file of a unix socket.
 *
 * Returns the descriptor, close-on-exec, or -1 with a fault.
 */
int listen_open(const struct listener *l, struct fault *f);

/*
 * Does errno say that the host lacks the address? IPv6 may be compiled out or
 * off at boot (EAFNOSUPPORT), or off by sysctl, as Docker does in containers.
 */
static inline bool listen_without_address(int err)
{
	return err == EAFNOSUPPORT || err == EADDRNOTAVAIL;
}

/*
 * Append NAME=VALUE of the n-th variable that announces sockets or secrets to
 * the application, or nothing if it is not needed. pid: the process that will
 * call execve, for LISTEN_PID; 0 leaves it out.
 *
 * Returns false past the last one.
 */
bool sockets_variable(const struct sockets *sockets, enum handoff handoff,
		      pid_t pid, size_t n, struct text *out);

/*
 * Move each socket and secret to its descriptor, without close-on-exec, and
 * close all others above 2. The process that will call execve must call it
 * after the drop: SO_PEERCRED shows the clients of a unix socket who called
 * listen(2) last, so those sockets listen once more.
 *
 * Returns 0, or -1 with a fault and the descriptors in an undefined state.
 */
int sockets_arrange(const struct sockets *sockets, struct fault *f);

/*
 * NAME=PATH[?OPTIONS] of --secret. Before the drop the file is copied into a
 * sealed memfd that the application owns: it can read /proc/self/fd/N as often
 * as it likes, nobody can change the copy, and the copy is on no disk. The
 * application needs no right to the original. No message has the content.
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

/* Append a value to *at, a spec; false if it is malformed or one too many. */
bool secret_read(const char *value, void *at);

/* Append what secret_run() would do. fd: the first descriptor of a copy. */
void secret_describe(const struct secret_spec *spec, size_t fd, struct text *t);

/*
 * Copy the files for the target; with sockets NULL, only check that each can be
 * opened. Returns 0, or -1 with a fault.
 */
int secret_run(const struct secret_spec *spec, const struct target *t,
	       struct sockets *sockets, struct fault *f);

/* Check owner, mode and seals of each copy. Returns 0, or -1 with a fault. */
int secret_verify(const struct sockets *sockets, const struct target *t,
		  struct fault *f);

#endif
