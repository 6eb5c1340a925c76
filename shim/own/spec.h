/*
 * spec: the value of --own, PATH[,OPTION...]. Pure.
 *
 * Here is also which paths are refused without `force`: an image in which the
 * application owns /etc or /usr is one in which it can become root again.
 */
#ifndef STEPDOWN_OWN_SPEC_H
#define STEPDOWN_OWN_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fault;
struct text;

enum {
	OWN_MAX_TREES = 128,
	OWN_MAX_CLAUSES = 16,
	OWN_MAX_EXCLUDES = 8,
	OWN_MAX_THREADS = 8
};

/* One change of a mode, as chmod(1) writes it: "g+rw", "o=", "a+X". */
struct mode_clause {
	char op;		/* '+', '-' or '=' */
	bool if_any;		/* X: x, for directories and what has an x */
	bool copy;		/* bits name whose r, w and x are copied */
	bool exact;		/* also the set-id bits of directories */
	mode_t who;		/* bits that may change; 0: all but umask's */
	mode_t bits;		/* as for everybody; who selects */
};

/* One directory or file to be given, with all that is below it. */
struct own_tree {
	const char *path;	/* may be empty with if_exists */
	const char *options;	/* as typed, or NULL */
	const char *user;	/* as typed, or NULL: the target's */
	const char *group;	/* as typed, or NULL: the target's */
	const char *from;	/* UID[:GID] as typed, or NULL: anybody's */
	const char *mode;	/* as typed, or NULL: as it is */
	struct mode_clause clauses[OWN_MAX_CLAUSES];
	size_t nclauses;
	const char *excludes[OWN_MAX_EXCLUDES];	/* NAME or RELATIVE/PATH */
	size_t nexcludes;
	mode_t create_mode;
	unsigned int threads;	/* 0: one for each CPU */
	bool create;		/* make what is missing of the path */
	bool shallow;		/* nothing below it */
	bool if_exists;		/* nothing, if there is no such path */
	bool if_root_differs;	/* nothing, if the path itself is right */
	bool fsgroup;		/* what the kubelet does */
	bool may_fail;		/* try: a failure is a warning */
	bool cross_mounts;
	bool force;		/* also a directory of the system */

	/* Filled by resolve_owners(). */
	uid_t uid;		/* -1: leave it */
	gid_t gid;		/* -1: leave it */
	uid_t from_uid;		/* -1: anybody's */
	gid_t from_gid;		/* -1: anybody's */
};

/* The step: what shall be owned, in the order of the options. */
struct own_spec {
	size_t ntrees;
	const gid_t *groups;	/* the supplementary ones of our start */
	size_t ngroups;
	bool verbose;
	struct own_tree *trees;	/* room for OWN_MAX_TREES */
};

/*
 * Read the value of one --own into an empty tree. A comma in a path is written
 * "\,", a backslash "\\".
 *
 * value: as typed, for messages. words: a copy of it, which is cut in place and
 * must live as long as the tree; or NULL, if value is a path without any.
 * Returns 0, or -1 with a usage fault; the tree is then not usable.
 */
int own_parse(struct own_tree *t, const char *value, char *words,
	      struct fault *f);

/*
 * Is this absolute path one of the system's directories, however it is written
 * ("//usr/./local/..")? Symbolic links do not matter: --own follows none.
 */
bool own_is_system(const char *path);

/*
 * Is the entry left alone because of exclude=? A NAME matches at any depth; of
 * a RELATIVE/PATH, component n matches a name at depth n.
 *
 * depth: how many directories are between the tree's top and the entry.
 * paths: bit n is set while all components above it matched the n-th exclude
 * (at depth 0, all bits). *below is what it is for the entries of this one.
 */
bool own_excludes(const struct own_tree *t, const char *name,
		  unsigned int depth, uint32_t paths, uint32_t *below);

/* Does this word begin like a clause ("go=", "+x")? No option's name does. */
bool own_mode_is_clause(const char *word);

/*
 * Read an octal mode of at most four digits, of five with a leading 0 (then a
 * directory does not keep its set-id bits), or clauses joined by commas:
 * [ugoa...][-+=][rwxXst... | u | g | o], where the last two parts may repeat.
 *
 * Returns how many of the size clauses are filled; 0 when it is no mode, or
 * one with more clauses.
 */
size_t own_mode_parse(const char *text, struct mode_clause *clauses,
		      size_t size);

/*
 * What chmod(1) of GNU makes of a mode (its lower 12 bits). Where a clause
 * names nobody, the bits in mask (umask(2)) are left out; a directory keeps its
 * set-id bits unless the clause names them.
 */
mode_t own_mode_apply(const struct mode_clause *clauses, size_t count,
		      mode_t mode, bool dir, mode_t mask);

/* Append what own_run() would do, a line per path. */
void own_describe(const struct own_spec *spec, struct text *out);

#endif
