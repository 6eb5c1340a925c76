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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Fixed sizes; to overflow one is a usage error that names it. */
enum {
	PLAN_MAX_LISTENERS = 128,
	PLAN_MAX_TREES = 128,
	PLAN_MAX_VARIABLES = 256,
	PLAN_MAX_GROUPS = 65536,	/* NGROUPS_MAX of the kernel */
	PLAN_TEXT_SIZE = 65536,		/* bytes of expanded option values */
	PLAN_CONFIG_SIZE = 65536,	/* bytes of a config file */
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

/* One folder or file that the target shall own, with all that is below it. */
struct tree {
	const char *path;
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
	gid_t groups[PLAN_MAX_GROUPS];	/* sorted */
	size_t ngroups;
	bool adapted;		/* the target is not all that --user says */
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
	gid_t groups[PLAN_MAX_GROUPS];	/* supplementary groups, sorted */
	size_t ngroups;
	char name[USER_NAME_MAX + 1];	/* of the passwd entry, or empty */
	char home[PATH_MAX];		/* of the passwd entry, or "/" */
	char shell[PATH_MAX];		/* of the passwd entry, or empty */
};

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
	uint64_t keep_caps;		/* bit n is capability n */
	size_t nlisteners;
	size_t ntrees;
	size_t nvariables;
	char *const *command;		/* the application and its arguments */

	struct start start;		/* filled by start_read() */
	struct limits limits;
	struct surroundings surroundings;
	struct account account;

	/* Filled by plan_resolve(). */
	char root_home[PATH_MAX];	/* the home of uid 0 in this image */
	struct target target;

	struct listener listeners[PLAN_MAX_LISTENERS];
	struct tree trees[PLAN_MAX_TREES];
	const char *variables[PLAN_MAX_VARIABLES];	/* NAME=VALUE */
	char text[PLAN_TEXT_SIZE];	/* where expanded values live */
	size_t text_length;
	char config[PLAN_CONFIG_SIZE];	/* the config file, cut into values */
};

/* What exists so far. Nothing else is mutable once the plan is checked. */
struct run {
	int sockets[PLAN_MAX_LISTENERS];	/* in the order of --listen */
	size_t nsockets;
	rlim_t descriptors;	/* RLIMIT_NOFILE before --rlimit, or 0 */
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
