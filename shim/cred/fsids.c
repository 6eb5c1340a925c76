#include "cred/fsids.h"

#include <errno.h>
#include <sys/fsuid.h>

#include "cred/caps.h"

/*
 * setfsuid(2) returns what was before and reports no failure; (uid_t)-1 changes
 * nothing. CAP_SETUID and CAP_SETGID are none of the capabilities that leaving
 * fsuid 0 clears.
 */
static int set_both(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	if ((uid_t)setfsuid((uid_t)-1) == uid &&
	    (gid_t)setfsgid((gid_t)-1) == gid)
		return 0;
	errno = EPERM;
	return -1;
}

int fsids_enter(uid_t uid, gid_t gid, struct fsids *before)
{
	uint64_t permitted;
	int err;

	before->uid = (uid_t)setfsuid((uid_t)-1);
	before->gid = (gid_t)setfsgid((gid_t)-1);
	if (caps_held(&permitted, &before->effective) < 0)
		return -1;
	if (set_both(uid, gid) == 0 &&
	    caps_set_effective(before->effective) == 0)
		return 0;
	err = errno;
	fsids_leave(before);
	errno = err;
	return -1;
}

int fsids_leave(const struct fsids *before)
{
	uint64_t permitted, effective;

	if (set_both(before->uid, before->gid) < 0 ||
	    caps_held(&permitted, &effective) < 0)
		return -1;
	/* On the way back to fsuid 0 the kernel raises them itself. */
	return effective == before->effective
		       ? 0
		       : caps_set_effective(before->effective);
}
