/*
 * who: a word of an option, a name or a number, to a uid or gid.
 *
 * In each function option and value are what was typed, for the message:
 * "--user web:adm: no group 'adm' in /etc/group".
 */
#ifndef STEPDOWN_WHO_H
#define STEPDOWN_WHO_H

#include <sys/types.h>

struct fault;
struct names_user;
struct target;

/*
 * passwd, group: the file to read. A word of digits is a number and is not
 * looked up.
 * Returns 0, or -1 with a fault: not an id, no such name, an unreadable file.
 */
int who_user(const char *option, const char *value, const char *word,
	     const char *passwd, uid_t *uid, struct fault *f);
int who_group(const char *option, const char *value, const char *word,
	      const char *group, gid_t *gid, struct fault *f);

/* Give the target name, home and shell of an entry, or of none (NULL). */
void who_describe(const struct names_user *entry, struct target *t);

/* The fault for a file that names could not read, from errno. Returns -1. */
int who_unreadable(const char *path, struct fault *f);

#endif
