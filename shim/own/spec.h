/*
 * own_option: the value of --own, PATH[,OPTION...]. Pure.
 *
 * Here is also which paths are refused without `force`: an image in which the
 * application owns /etc or /usr is one in which it can become root again.
 */
#ifndef STEPDOWN_OWN_SPEC_H
#define STEPDOWN_OWN_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "own/mode.h"

struct fault;
struct plan;
struct text;
struct tree;

enum {
	TREE_MAX_CLAUSES = 16,
	TREE_MAX_THREADS = 8
};

/* One folder or file that the target shall own, with all that is below it. */
struct tree {
	const char *path;
	const char *user;	/* as typed, or NULL: the target's */
	const char *group;
	const char *from;	/* UID[:GID] as typed, or NULL: anybody's */
	const char *mode;	/* as typed, or NULL: as it is */
	struct mode_clause clauses[TREE_MAX_CLAUSES];
	size_t nclauses;
	mode_t create_mode;
	unsigned int threads;	/* 0: one for each CPU */
	bool create;		/* make what is missing of the path */
	bool shallow;		/* nothing below it */
	bool if_root_differs;	/* nothing, if the path itself is right */
	bool fsgroup;		/* what the kubelet does */
	bool may_fail;		/* try: a failure is a warning */
	bool cross_mounts;
	bool force;		/* also a folder of the system */

	/* Filled by resolve_target(). */
	uid_t uid;		/* -1: leave it */
	gid_t gid;
	uid_t from_uid;		/* -1: anybody's */
	gid_t from_gid;
};

/*
 * Add a tree to the plan; words are copied to the plan's text. A comma in a
 * path is written "\,", a backslash "\\".
 *
 * Returns 0, or -1 with a usage fault; the plan is then not usable.
 */
int own_option_parse(struct plan *plan, const char *value, struct fault *f);

/* Append what will be done to a tree, one line without its end. */
void own_option_describe(const struct tree *t, struct text *out);

/*
 * Is this absolute path one of the system's folders, however it is written
 * ("//usr/./local/..")? Symbolic links do not matter: --own follows none.
 */
bool own_option_is_system(const char *path);

#endif
