/*
 * passwd: /etc/passwd and /etc/group, read without NSS, whose modules would be
 * code loaded into a root process. A line may be of any length; a file of 4 MiB
 * or more is an error (EFBIG).
 *
 * A line is skipped if a field is missing or too long, if it has a NUL or an
 * invalid number, or if it begins with '#', '+' or '-': a commented-out line
 * must not lend its gid to its uid, and glibc skips the lines of NIS too. The
 * first match counts, as in getpwnam(3).
 */
#ifndef STEPDOWN_CRED_PASSWD_H
#define STEPDOWN_CRED_PASSWD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PASSWD_USERS "/etc/passwd"
#define PASSWD_GROUPS "/etc/group"

enum {
	USER_NAME_MAX = 255,
	USER_PATH_MAX = 1024	/* of a home or shell; NSS_BUFLEN_PASSWD */
};

enum passwd_kind { PASSWD_USER, PASSWD_GROUP };

/* A group has a name and its gid, which is the uid here too. */
struct passwd_entry {
	char name[USER_NAME_MAX + 1];
	uid_t uid;
	gid_t gid;
	char home[USER_PATH_MAX];
	char shell[USER_PATH_MAX];
};

/*
 * Find an entry of a file by name, or by id where name is NULL. A file that may
 * not be read (EACCES) counts as missing by id, and for a caller that is not
 * root.
 *
 * Returns 1 and fills *entry; 0 without such an entry or file; -1 with errno.
 */
int passwd_find(const char *file, enum passwd_kind kind, const char *name,
		uint32_t id, struct passwd_entry *entry);

/*
 * Collect the groups that list user as a member, at most size of them. Returns
 * how many there are, perhaps more than size, or -1 with errno.
 */
ssize_t passwd_groups_of(const char *group, const char *user, gid_t *groups,
			 size_t size);

#endif
