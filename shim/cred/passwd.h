/*
 * passwd: /etc/passwd and /etc/group, read without NSS, whose modules would be
 * code loaded into a root process. A line may be of any length; a file of
 * 4 MiB or more is an error (EFBIG).
 *
 * A line with a missing or overlong field, a NUL, or a number that is not one
 * matches nothing, nor does one that begins with '#', '+' or '-': what was
 * commented out must not lend its gid to the uid in it, and glibc passes over
 * NIS' lines too. The first match counts, as in getpwnam(3).
 */
#ifndef STEPDOWN_CRED_PASSWD_H
#define STEPDOWN_CRED_PASSWD_H

#include <stddef.h>
#include <sys/types.h>

#define PASSWD_USERS "/etc/passwd"
#define PASSWD_GROUPS "/etc/group"

enum {
	USER_NAME_MAX = 255,
	USER_PATH_MAX = 1024	/* of a home or shell; NSS_BUFLEN_PASSWD */
};

struct passwd_entry {
	char name[USER_NAME_MAX + 1];
	uid_t uid;
	gid_t gid;
	char home[USER_PATH_MAX];
	char shell[USER_PATH_MAX];
};

/*
 * Find a user by name, or by uid where name is NULL.
 *
 * Returns 1 and fills *user; 0 when there is none (no such file included); -1
 * with errno when the file cannot be read.
 */
int passwd_find_user(const char *passwd, const char *name, uid_t uid,
		     struct passwd_entry *user);

/*
 * Find a group's gid by its name, or whether there is a group with *gid where
 * name is NULL. Returns as passwd_find_user().
 */
int passwd_find_group(const char *group, const char *name, gid_t *gid);

/*
 * Collect the groups that list user as a member, at most size of them. Returns
 * how many there are, perhaps more than size, or -1 with errno.
 */
ssize_t passwd_groups_of(const char *group, const char *user, gid_t *groups,
			 size_t size);

#endif
