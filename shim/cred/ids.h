/*
 * ids: the words of --user, --groups and their like to uids and gids.
 */
#ifndef STEPDOWN_CRED_IDS_H
#define STEPDOWN_CRED_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "cred/passwd.h"

struct fault;
struct plan;
struct start;

enum { IDS_MAX_GROUPS = 65536 };	/* NGROUPS_MAX of the kernel */

/* Who the application is. */
struct target {
	uid_t uid;
	gid_t gid;
	size_t ngroups;
	char name[USER_NAME_MAX + 1];	/* of the passwd entry, or empty */
	char home[USER_PATH_MAX];	/* of the passwd entry, or "/" */
	char shell[USER_PATH_MAX];	/* of the passwd entry, or empty */
	gid_t groups[IDS_MAX_GROUPS];	/* supplementary groups, sorted */
};

/* What was typed, for the message: "--user a:b: no group 'b' in /etc/group". */
struct ids_word {
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
int ids_read(const struct ids_word *w, const char *kind, struct slice name,
	     char word[USER_NAME_MAX + 1], uint32_t *id, struct fault *f);

/* Returns 0, or -1 with a fault: not an id, no such name, an unreadable file. */
int ids_user(const struct ids_word *w, struct slice name, uid_t *uid,
	     struct fault *f);
int ids_group(const struct ids_word *w, struct slice name, gid_t *gid,
	      struct fault *f);

/* Give the target name, home and shell of an entry, or of none (NULL). */
void ids_describe(const struct passwd_entry *entry, struct target *t);

/* The faults for a name that a file lacks, ... Returns -1. */
int ids_missing(const struct ids_word *w, const char *kind, const char *word,
		const char *file, struct fault *f);

/* ... and for a file that names could not read, from errno. Returns -1. */
int ids_unreadable(const char *path, struct fault *f);

void ids_sort(gid_t *list, size_t count);

/* Sort a list and remove what is there twice. Returns the new length. */
size_t ids_unique(gid_t *list, size_t count);

/* Are these, both sorted, the same? */
bool ids_same(const gid_t *a, size_t na, const gid_t *b, size_t nb);

/* Is a gid in a sorted list? */
bool ids_have(const gid_t *list, size_t count, gid_t gid);

/*
 * Turn --groups into target.groups, sorted, each once and without the primary
 * gid. The words: "auto", "none", "init" (what /etc/group gives the user),
 * "runtime" (what we were started with, but for gid 0 and the groups that
 * /etc/group gives root), names, numbers.
 *
 * root: the name of uid 0. file: /etc/group.
 * Returns 0, or -1 with a fault.
 */
int ids_resolve_groups(struct plan *plan, const char *root, const char *file,
		   struct fault *f);

/*
 * Does a map, the text of /proc/PID/uid_map, hold the id? Pure. What is not a
 * line of three numbers holds none.
 */
bool ids_map_holds(const char *map, size_t length, uint32_t id);

/*
 * Would the kernel know the target's uid, gid and groups, and let us set
 * groups? Outside of user namespaces, and without /proc, the answer is yes.
 *
 * Returns 0, or -1 with a fault.
 */
int ids_check_maps(const struct target *t, const struct start *s,
		   struct fault *f);

#endif
