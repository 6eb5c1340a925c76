/*
 * start: how stepdown was started, and what can be done from there.
 *
 * As root, everything can be done. As another user, the ids stay what the
 * operator chose. With file capabilities or setuid, whoever executed the file
 * chose command line and environment, and the privileges are for --user alone.
 */
#ifndef STEPDOWN_CRED_START_H
#define STEPDOWN_CRED_START_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cred/caps.h"
#include "cred/ids.h"

struct fault;

/* What to do when started as a user other than root. */
enum unprivileged {
	UNPRIVILEGED_ADAPT,	/* keep the ids we have, do what can be done */
	UNPRIVILEGED_FAIL
};

/* What the kernel reported before anything was changed. */
struct start {
	bool secure;		/* AT_SECURE: file capabilities or setuid */
	bool adapted;		/* the target differs from --user */
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
	uint64_t permitted;	/* capabilities */
	uint64_t effective;
	uint64_t bounding;	/* read only without CAP_SETPCAP */
	unsigned int securebits;
	size_t ngroups;
	gid_t *groups;		/* sorted; valid until the next start_read() */
};

/* The options that depend on the start. */
struct start_spec {
	const char *user;		/* --user as typed, for messages */
	enum unprivileged unprivileged;
	bool allow_root;
};

/* Ask the kernel. Returns 0, or -1 with a fault. */
int start_read(struct start *s, struct fault *f);

/* Was there this capability (CAP_CHOWN and so on) at the start? */
static inline bool start_has(const struct start *s, int cap)
{
	return s->permitted & CAPS_BIT(cap);
}

/*
 * Settle who the application will be. Started as root, *t stays as resolve
 * filled it. Otherwise *t gets our own ids and groups, unless the uid is
 * already --user's and CAP_SETGID can set the rest; net_bind_service is removed
 * from *keep_caps where no port needs it.
 *
 * If another user than --user starts a file with capabilities or setuid, those
 * privileges are given up first, and the run is as any unprivileged one. All
 * permitted capabilities become effective.
 *
 * Returns 0, or -1 with a fault.
 */
int start_settle(const struct start_spec *spec, struct start *s,
		 struct target *t, uint64_t *keep_caps, struct fault *f);

/* Report on stderr where the run differs from what was asked for. */
void start_tell(const struct start_spec *spec, const struct start *s);

/* The lowest port that any process may bind, or -1 without /proc. */
long start_first_port(void);

/*
 * Does this user namespace deny setgroups(2), even to CAP_SETGID? One that was
 * made without privilege does (user_namespaces(7)).
 */
bool start_setgroups_denied(void);

/*
 * Check that this user namespace maps the ids that will be set, and lets groups
 * be set. Without /proc it passes. Called before the first side effect, and
 * again to find the reason when a call was refused.
 *
 * Returns 0, or -1 with a fault that names the file in /proc.
 */
int start_check_maps(const struct target *t, const struct start *s,
		     struct fault *f);

#endif
