/*
 * ids: changing who this process is, by raw system calls.
 *
 * The C library's functions change every thread, with a kilobyte of signals and
 * semaphores. When ids are changed here there is one thread: those of own have
 * been joined, and that of the broker starts later.
 */
#ifndef STEPDOWN_CRED_IDS_H
#define STEPDOWN_CRED_IDS_H

#include <grp.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "cred/passwd.h"

enum { PLAN_MAX_GROUPS = 65536 };	/* NGROUPS_MAX of the kernel */

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

/* Each returns 0, or -1 with errno, as the call of setgroups(2) and so on. */
int setgroups(size_t count, const gid_t *groups);
int setresgid(gid_t real, gid_t effective, gid_t saved);
int setresuid(uid_t real, uid_t effective, uid_t saved);

#endif
