/*
 * plan: everything that was asked for, and what exists so far.
 *
 * options fills the wishes, plan_resolve() turns names into ids, plan_check()
 * refuses contradictions; from there on the plan travels as const.
 */
#ifndef STEPDOWN_PLAN_H
#define STEPDOWN_PLAN_H

#include <limits.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "environ.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Fixed sizes; to overflow one is a usage error that names it. */
enum {
	PLAN_MAX_LISTENERS = 128,
	PLAN_MAX_SOCKETS = 256,		/* with inherited ones and reuseport=N */
	PLAN_MAX_SPARES = 2048,		/* of --handoff=bind, all forms */
	PLAN_NAMES_SIZE = 32768,	/* bytes of LISTEN_FDNAMES */
	PLAN_MAX_TREES = 128,
	TREE_MAX_CLAUSES = 16,
	TREE_MAX_THREADS = 8,
	PLAN_MAX_VARIABLES = 256,
	PLAN_MAX_GROUPS = 65536,	/* NGROUPS_MAX of the kernel */
	PLAN_TEXT_SIZE = 65536,		/* bytes of expanded option values */
	PLAN_CONFIG_SIZE = 65536,	/* bytes of a config file */
	LISTENER_NAME_MAX = 255,	/* sd_listen_fds_with_names(3) */
	USER_NAME_MAX = 255,
	USER_PATH_MAX = 1024,		/* of a home or shell; NSS_BUFLEN_PASSWD */
	INIT_MAX_EXITS = 32,
	SIGNAL_LAST = 64,
	SIGNAL_DROP = -1		/* a signal that is forwarded to nobody */
};

struct fault;

enum action {
	ACTION_RUN,
	ACTION_DRY_RUN,
	ACTION_HELP,
	ACTION_VERSION
};

/* How a bound socket reaches the application. */
enum handoff {
	HANDOFF_SYSTEMD,	/* LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES */
	HANDOFF_NGINX,		/* NGINX=3;4; */
	HANDOFF_BIND,		/* as the answer to its bind(2), see broker.h */
	HANDOFF_BIND_OWN	/* so too, by binding its own socket */
};

enum listener_kind {
	LISTENER_TCP,
	LISTENER_UDP,
	LISTENER_UNIX,
	LISTENER_UNIX_DGRAM,
	LISTENER_UNIX_SEQPACKET,
	LISTENER_KINDS
};

/* What may follow the '?' of a listener's URL; url.c has the words. */
enum listener_option {
	LISTENER_BACKLOG,
	LISTENER_REUSEPORT,
	LISTENER_V6ONLY,
	LISTENER_FREEBIND,
	LISTENER_TRANSPARENT,
	LISTENER_NODELAY,
	LISTENER_KEEPALIVE,
	LISTENER_DEFER_ACCEPT,
	LISTENER_FASTOPEN,
	LISTENER_RCVBUF,
	LISTENER_SNDBUF,
	LISTENER_MARK,
	LISTENER_DEVICE,
	LISTENER_MODE,
	LISTENER_USER,
	LISTENER_GROUP,
	LISTENER_NONBLOCK,
	LISTENER_NOLISTEN,
	LISTENER_SPARES,
	LISTENER_OPTIONS
};

/* A part of the command line, not ended by NUL. */
struct word {
	const char *at;
	size_t length;
};

/* What one --listen asks for: a socket, or with reuseport=N several. */
struct listener {
	const char *url;	/* as typed, without its name */
	const char *name;	/* for LISTEN_FDNAMES, not ended by NUL, or NULL */
	size_t name_length;
	enum listener_kind kind;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address;
	socklen_t address_size;
	bool dual;		/* address given as "*": IPv4 too, in one socket */
	bool shared;		/* bound beside others with the same port */
	uint32_t given;		/* bit n: enum listener_option n was given */
	uint32_t number[LISTENER_OPTIONS];	/* its value; 1 for a flag */
	struct word zone;	/* of an IPv6 address, name or number */
	struct word device;
	struct word user, group;

	/* Filled by plan_resolve(), for a socket with a path. */
	uid_t uid;
	gid_t gid;
};

/* The sockets that we were started with, descriptors 3, 4, ... */
struct inherited {
	bool wanted;
	size_t count;
	const char *pid;	/* LISTEN_PID, or NULL */
	const char *names;	/* LISTEN_FDNAMES, or NULL */
};

/* One change of a mode, as chmod(1) writes it: "g+rw", "o=", "a+X". */
struct mode_clause {
	char op;		/* '+', '-' or '=' */
	bool if_any;		/* X: x, for folders and what has an x already */
	bool copy;		/* bits: whose r, w and x are copied (g=u) */
	mode_t who;		/* the bits that may change; 0: all but umask's */
	mode_t bits;		/* for everybody; who chooses */
};

/* One folder or file that the target shall own, with all that is below it. */
struct tree {
	const char *path;
	const char *user;	/* as typed, or NULL: the target's */
	const char *group;
	const char *from;	/* UID[:GID] as typed, or NULL: anybody's */
	const char *mode;	/* as typed, or NULL: as it is */
	struct mode_clause clauses[TREE_MAX_CLAUSES];
	size_t nclauses;
	mode_t create_mode;
	unsigned int threads;	/* 0: one for each CPU */
	bool create;		/* make what is missing of the path */
	bool shallow;		/* nothing below it */
	bool if_root_differs;	/* nothing, if the path itself is right */
	bool fsgroup;		/* what the kubelet does */
	bool may_fail;		/* try: a failure is a warning */
	bool cross_mounts;
	bool force;		/* also a folder of the system */

	/* Filled by plan_resolve(). */
	uid_t uid;		/* -1: leave it */
	gid_t gid;
	uid_t from_uid;		/* -1: anybody's */
	gid_t from_gid;
};

/* What to do when started as somebody else than root. */
enum unprivileged {
	UNPRIVILEGED_ADAPT,	/* keep the ids we have, do what can be done */
	UNPRIVILEGED_FAIL
};

/*
 * How stepdown was started: what the kernel said before anything was done.
 * drop decides by it and verify expects by it.
 */
struct start {
	bool secure;		/* AT_SECURE: file capabilities or setuid */
	bool no_new_privs;
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
	uint64_t permitted;	/* capabilities */
	uint64_t effective;
	uint64_t bounding;	/* read only where it cannot be changed */
	unsigned int securebits;
	bool adapted;		/* the target is not all that --user says */
	size_t ngroups;
	gid_t groups[PLAN_MAX_GROUPS];	/* sorted */
	gid_t roots[PLAN_MAX_GROUPS];	/* those of root in /etc/group */
};

/* What else the application finds changed: as typed and checked, or NULL. */
struct limits {
	const char *rlimits[RLIM_NLIMITS];	/* NAME=SOFT[:HARD] */
	const char *umask;
	const char *nice;
	const char *oom_score_adj;
	const char *cpus;
	const char *chdir;
};

/* What happens to the environment besides --env. */
struct surroundings {
	const char *home;		/* DIR, "keep", or NULL for the rule */
	bool clear;
	size_t nunset;
	const char *unset[PLAN_MAX_VARIABLES];
};

/* An entry for a uid that has none. */
struct account {
	const char *value;		/* as typed, or NULL */
	bool add_user, add_group;	/* filled by plan_resolve() */
};

/* Who the application is. */
struct target {
	uid_t uid;
	gid_t gid;
	size_t ngroups;
	char name[USER_NAME_MAX + 1];	/* of the passwd entry, or empty */
	char home[USER_PATH_MAX];	/* of the passwd entry, or "/" */
	char shell[USER_PATH_MAX];	/* of the passwd entry, or empty */
	gid_t groups[PLAN_MAX_GROUPS];	/* supplementary groups, sorted */
};

/* What --init, to stay as the application's parent, was asked for. */
struct init {
	bool wanted;
	bool signal_group;		/* forward to the child's group */
	bool no_subreaper;
	uint8_t nexits;
	uint32_t stop_timeout;		/* milliseconds; 0: never kill */
	uint32_t drain;			/* milliseconds; 0: do not wait */
	int8_t rewrite[SIGNAL_LAST + 1];	/* 0: as it is; SIGNAL_DROP */
	struct {
		uint8_t from;
		uint8_t to;
	} exits[INIT_MAX_EXITS];
};

/*
 * What is always in use comes first, and what may be large is behind it: a page
 * that is not touched costs nothing, at the start and while a parent waits.
 */
struct plan {
	enum action action;
	bool verbose;
	bool allow_root;
	bool own_stdio;
	bool allow_new_privs;
	bool strict;
	enum unprivileged unprivileged;
	const char *user;		/* USER[:GROUP] as typed, or NULL */
	bool named;			/* USER is a name, not a number */
	const char *groups;		/* LIST as typed, or NULL */
	enum handoff handoff;
	bool no_listen_pid;
	struct inherited inherited;
	uint64_t keep_caps;		/* bit n is capability n */
	struct init init;
	bool setsid;
	int pdeathsig;			/* a signal, or 0 */
	size_t nlisteners;
	size_t ntrees;
	size_t nvariables;
	char *const *command;		/* the application and its arguments */

	struct limits limits;
	struct account account;
	struct surroundings surroundings;
	size_t text_length;

	struct start start;		/* filled by start_read() */
	/* Filled by plan_resolve(). */
	char root_home[USER_PATH_MAX];	/* the home of uid 0 in this image */
	struct target target;

	struct listener listeners[PLAN_MAX_LISTENERS];
	struct tree trees[PLAN_MAX_TREES];
	const char *variables[PLAN_MAX_VARIABLES];	/* NAME=VALUE */
	char text[PLAN_TEXT_SIZE];	/* where expanded values live */
	char config[PLAN_CONFIG_SIZE];	/* the config file, cut into values */
};

/* A file, in whatever way it is reached. */
struct identity {
	dev_t device;
	ino_t inode;
};

/* A socket that waits for the application to bind, see pool.h. */
struct spare {
	int fd;			/* -1 when it has been given away */
	ino_t inode;
	unsigned short listener;	/* index in plan->listeners */
	unsigned char form;	/* enum form */
	struct identity path;	/* of a Unix socket */
};

struct pool {
	struct spare spares[PLAN_MAX_SPARES];
	size_t count;
};

/* What exists so far. Nothing else is mutable once the plan is checked. */
struct run {
	uint64_t signals;	/* blocked when we were started; see signals.h */
	pid_t parent;		/* whose end --pdeathsig is about */
	int channel[2];		/* between supervisor and child, see broker.h */
	pid_t proof;		/* set by the child to its own number */
	bool shed;		/* what only the supervisor needs is gone */
	bool terminal_left;	/* for the session of --setsid to take */
	size_t nsockets;
	/* The inherited ones, then those of --listen, in order. */
	int sockets[PLAN_MAX_SOCKETS];
	struct environment environment;	/* the application's */
	struct pool pool;	/* of --handoff=bind */
	gid_t groups[PLAN_MAX_GROUPS];	/* for verify: no such stack */
};

/* Was this option of its URL given? */
static inline bool listener_has(const struct listener *l,
				enum listener_option option)
{
	return l->given & (UINT32_C(1) << option);
}

/* Does the application bind by itself, and ask the supervisor? */
static inline bool plan_brokers(const struct plan *plan)
{
	return plan->handoff == HANDOFF_BIND ||
	       plan->handoff == HANDOFF_BIND_OWN;
}

/* What the supervisor has and the application has not; bit n is capability n. */
static inline uint64_t plan_supervisor_caps(const struct plan *plan)
{
	return plan->handoff == HANDOFF_BIND_OWN
		       ? UINT64_C(1) << CAP_NET_BIND_SERVICE
		       : 0;
}

/* How many sockets it is. */
static inline size_t listener_count(const struct listener *l)
{
	return listener_has(l, LISTENER_REUSEPORT)
		       ? l->number[LISTENER_REUSEPORT]
		       : 1;
}

/* How many sockets are handed over. */
static inline size_t plan_count_sockets(const struct plan *plan)
{
	size_t count = plan->inherited.count;

	for (size_t i = 0; i < plan->nlisteners; i++)
		count += listener_count(&plan->listeners[i]);
	return count;
}

/*
 * Turn the names of the plan into ids: user, group, supplementary groups, home.
 *
 * passwd, group: the files to read, PLAN_PASSWD and PLAN_GROUP outside tests.
 * A missing file is one without entries.
 * Returns 0, or -1 with a fault; the target is then not usable.
 */
int plan_resolve(struct plan *plan, const char *passwd, const char *group,
		 struct fault *f);

/*
 * Whose the trees and the sockets with a path shall be. The default is the
 * target, so this comes when it is settled. Returns as plan_resolve().
 */
int plan_resolve_owners(struct plan *plan, const char *passwd,
			const char *group, struct fault *f);

#define PLAN_PASSWD "/etc/passwd"
#define PLAN_GROUP "/etc/group"

/*
 * Refuse what contradicts itself. Every usage error is found here or earlier,
 * before anything in the container has changed.
 *
 * Returns 0, or -1 with a usage fault.
 */
int plan_check(const struct plan *plan, struct fault *f);

#endif
