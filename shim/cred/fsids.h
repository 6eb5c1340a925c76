/*
 * fsids: to act on files and to make sockets as somebody else, for a while.
 * Whoever makes one is its owner from the first moment on; a chown afterwards
 * leaves a moment in which the wrong user may open it. The filesystem ids are
 * those of one thread (setfsuid(2)).
 */
#ifndef STEPDOWN_CRED_FSIDS_H
#define STEPDOWN_CRED_FSIDS_H

#include <stdint.h>
#include <sys/types.h>

/* What fsids_leave() goes back to. */
struct fsids {
	uid_t uid;
	gid_t gid;
	uint64_t effective;	/* capabilities */
};

/*
 * Set the filesystem ids of this thread; its effective capabilities stay.
 *
 * Returns 0, or -1 with errno, and the ids are then as they were: EPERM
 * without CAP_SETUID or CAP_SETGID.
 */
int fsids_enter(uid_t uid, gid_t gid, struct fsids *before);

/* Go back. Returns 0, or -1 with errno: the thread must not go on then. */
int fsids_leave(const struct fsids *before);

#endif
