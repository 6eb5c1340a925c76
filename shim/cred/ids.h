/* ids: the values of --user, --groups and similar options to uids and gids. */
#ifndef STEPDOWN_CRED_IDS_H
#define STEPDOWN_CRED_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "cred/passwd.h"

struct fault;

enum { IDS_MAX_GROUPS = 65536 };	/* NGROUPS_MAX of the kernel */

/* The identity of the application. */
struct target {
	uid_t uid;
	gid_t gid;
	size_t ngroups;
	char name[USER_NAME_MAX + 1];	/* of the passwd entry, or empty */
	char home[USER_PATH_MAX];	/* of the passwd entry, or "/" */
	char shell[USER_PATH_MAX];	/* of the passwd entry, or empty */
	gid_t *groups;			/* supplementary groups, sorted */
};

/*
 * What was typed, for the message "--user a:b: no group 'b' in /etc/group",
 * and the files to read: PASSWD_USERS and PASSWD_GROUPS outside of tests.
 */
struct ids_word {
	const char *option;
	const char *value;
	const char *passwd;
	const char *group;
};

/* The gid of a user given by a number that has no entry. */
#define IDS_NO_GID ((gid_t)-1)

/* Is the word "of:PATH", the owner of a file such as a bind mount? */
bool ids_is_owner(struct slice word);

/*
 * Look up a name, a number, or "of:PATH", a file's owner but for gid 0 (only
 * root's symbolic links are followed). A uid without an entry has an empty
 * name.
 *
 * Returns 0, or -1 with a fault: invalid id, unknown name, unreadable file.
 */
int ids_user(const struct ids_word *w, struct slice name,
	     struct passwd_entry *user, struct fault *f);
int ids_group(const struct ids_word *w, struct slice name, gid_t *gid,
	      struct fault *f);

/* Give the target the name, home and shell of a user. */
void ids_describe(const struct passwd_entry *user, struct target *t);

/* The fault for a file that passwd could not read, from errno. Returns -1. */
int ids_unreadable(const char *path, struct fault *f);

void ids_sort(gid_t *list, size_t count);

/* Are two sorted lists equal? */
bool ids_same(const gid_t *a, size_t na, const gid_t *b, size_t nb);

struct ids_groups_spec {
	const char *list;	/* as typed, or NULL for "auto" */
	bool named;		/* the user was given by name */
	const char *root;	/* the name of uid 0 */
	const char *file;	/* PASSWD_GROUPS outside of tests */
	const gid_t *runtime;	/* what we were started with */
	size_t nruntime;
};

/*
 * Turn a list of --groups into t->groups: sorted, without duplicates and
 * without the primary gid. The words: "init" (what /etc/group gives the user),
 * "runtime" (what we were started with, minus the groups that /etc/group gives
 * root), "auto" (runtime, and with a named user init too), "none", "of:PATH"
 * (the group of a file), names, numbers. gid 0 comes only from a word that is 0
 * or its name.
 *
 * Returns 0, or -1 with a fault. t->groups is valid until the next call.
 */
int ids_resolve_groups(const struct ids_groups_spec *spec, struct target *t,
		       struct fault *f);

#endif
