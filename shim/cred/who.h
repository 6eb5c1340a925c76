/*
 * who: a word of an option, a name or a number, to a uid or gid.
 */
#ifndef STEPDOWN_CRED_WHO_H
#define STEPDOWN_CRED_WHO_H

#include <sys/types.h>

#include "base/str.h"
#include "cred/ids.h"

struct fault;
struct names_user;



/* What was typed, for the message: "--user a:b: no group 'b' in /etc/group". */
struct who {
	const char *option;
	const char *value;
	const char *passwd;	/* the files to read */
	const char *group;
};

/*
 * Copy a word, and read it if it is a number: digits only, which is not looked
 * up anywhere. kind: "user" or "group". Returns 1 and sets *id for a number, 0
 * for a name, or -1 with a fault.
 */
int who_read(const struct who *w, const char *kind, struct slice name,
	     char word[USER_NAME_MAX + 1], uint32_t *id, struct fault *f);

/* Returns 0, or -1 with a fault: not an id, no such name, an unreadable file. */
int who_user(const struct who *w, struct slice name, uid_t *uid,
	     struct fault *f);
int who_group(const struct who *w, struct slice name, gid_t *gid,
	      struct fault *f);

/* Give the target name, home and shell of an entry, or of none (NULL). */
void who_describe(const struct names_user *entry, struct target *t);

/* The faults for a name that a file lacks, ... Returns -1. */
int who_missing(const struct who *w, const char *kind, const char *word,
		const char *file, struct fault *f);

/* ... and for a file that names could not read, from errno. Returns -1. */
int who_unreadable(const char *path, struct fault *f);

#endif
