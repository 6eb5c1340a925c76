/*
 * start: how stepdown was started, and what can be done from there.
 *
 * As root, everything can. As somebody else, the ids stay what the operator
 * chose. With file capabilities or setuid the command line and the environment
 * are those of whoever ran it, and the privileges are for --user alone.
 */
#ifndef STEPDOWN_CRED_START_H
#define STEPDOWN_CRED_START_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cred/ids.h"

struct fault;
struct plan;
struct start;

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
	gid_t groups[IDS_MAX_GROUPS];	/* sorted */
	gid_t roots[IDS_MAX_GROUPS];	/* those of root in /etc/group */
};

/* Ask the kernel. Returns 0, or -1 with a fault. */
int start_read(struct start *s, struct fault *f);

/* Was there this capability (CAP_CHOWN and so on) at the start? */
bool start_has(const struct start *s, int cap);

/*
 * Who the application will really be. Started as root: the target of the plan.
 * Otherwise the ids and groups that we have, unless they can be changed to
 * those of --user; what is so already is taken out of the plan.
 *
 * Started with file capabilities or setuid by somebody who is not --user: those
 * privileges are given up first, and the run is as any unprivileged one.
 *
 * passwd: to look up who we are. Call it after resolve_target().
 * Returns 0, or -1 with a fault.
 */
int start_settle(struct plan *plan, const char *passwd, struct fault *f);

/*
 * Find what will not work, before the first side effect: ids that a user
 * namespace does not know, capabilities that are missing.
 *
 * Returns 0, or -1 with a fault.
 */
int start_check(const struct plan *plan, struct fault *f);

/* Tell the user, on stderr, where the run differs from what was asked for. */
void start_tell(const struct plan *plan);

/*
 * Raise what file capabilities have put into the permitted set only; drop takes
 * all of it away again. Returns 0, or -1 with a fault.
 */
int start_raise(const struct plan *plan, struct fault *f);

#endif
