/*
 * plan: everything that was asked for, and what exists so far.
 *
 * options fills the wishes, plan_resolve() turns names into ids, plan_check()
 * refuses contradictions; from there on the plan travels as const.
 */
#ifndef STEPDOWN_PLAN_H
#define STEPDOWN_PLAN_H

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Fixed sizes; to overflow one is a usage error that names it. */
enum {
	PLAN_MAX_LISTENERS = 128,
	PLAN_MAX_TREES = 128,
	TREE_MAX_CLAUSES = 16,
	TREE_MAX_THREADS = 8,
	PLAN_MAX_VARIABLES = 256,
	PLAN_MAX_GROUPS = 65536,	/* NGROUPS_MAX of the kernel */
	PLAN_TEXT_SIZE = 65536,		/* bytes of expanded option values */
	LISTENER_NAME_MAX = 255,	/* sd_listen_fds_with_names(3) */
	USER_NAME_MAX = 255
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
	HANDOFF_NGINX		/* NGINX=3;4; */
};

/* One socket that is wanted. */
struct listener {
	const char *url;	/* as typed, without its name */
	const char *name;	/* for LISTEN_FDNAMES, not ended by NUL, or NULL */
	size_t name_length;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
	socklen_t address_size;
	bool dual;		/* address given as "*": IPv4 too, in one socket */
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

/* Who the application is. */
struct target {
	uid_t uid;
	gid_t gid;
	gid_t groups[PLAN_MAX_GROUPS];	/* supplementary groups */
	size_t ngroups;
	char name[USER_NAME_MAX + 1];	/* of the passwd entry, or empty */
	char home[PATH_MAX];		/* of the passwd entry, or "/" */
};

struct plan {
	enum action action;
	bool verbose;
	bool allow_root;
	bool own_stdio;
	const char *user;		/* USER[:GROUP] as typed, or NULL */
	const char *groups;		/* LIST as typed, or NULL */
	enum handoff handoff;
	uint64_t keep_caps;		/* bit n is capability n */
	size_t nlisteners;
	size_t ntrees;
	size_t nvariables;
	char *const *command;		/* the application and its arguments */

	/* Filled by plan_resolve(). */
	char root_home[PATH_MAX];	/* the home of uid 0 in this image */
	struct target target;

	struct listener listeners[PLAN_MAX_LISTENERS];
	struct tree trees[PLAN_MAX_TREES];
	const char *variables[PLAN_MAX_VARIABLES];	/* NAME=VALUE */
	char text[PLAN_TEXT_SIZE];	/* where expanded values live */
	size_t text_length;
};

/* What exists so far. Nothing else is mutable once the plan is checked. */
struct run {
	int sockets[PLAN_MAX_LISTENERS];	/* in the order of --listen */
	size_t nsockets;
};

/*
 * Turn the names of the plan into ids: user, group, supplementary groups, home.
 *
 * passwd, group: the files to read, PLAN_PASSWD and PLAN_GROUP outside tests.
 * A missing file is one without entries.
 * Returns 0, or -1 with a fault; the target is then not usable.
 */
int plan_resolve(struct plan *plan, const char *passwd, const char *group,
		 struct fault *f);

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
