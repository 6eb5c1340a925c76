/*
 * own: the steps that give something to the target: own gives files, and needs
 * CAP_CHOWN, and CAP_SETUID and CAP_SETGID for what is closed to root without
 * CAP_DAC_OVERRIDE; own-stdio gives pipes and terminals.
 *
 * What is in a volume was written by whoever ran there before, and may be
 * written while we walk. So: no path is used twice, a symbolic link is changed
 * and never followed, nothing is followed into another mount, and each entry
 * is examined and changed through one descriptor.
 */
#ifndef STEPDOWN_OWN_OWN_H
#define STEPDOWN_OWN_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

struct fault;
struct text;

enum {
	OWN_MAX_TREES = 128,
	OWN_MAX_EXCLUDES = 8,
	OWN_MAX_THREADS = 8
};

/* What may follow PATH and a comma. */
#define OWN_OPTIONS \
	"shallow create[=MODE] if-exists if-root-differs fsgroup try " \
	"cross-mounts force user=USER group=GROUP mode=MODE " \
	"from=UID[:GID] exclude=NAME threads=N"

/* One directory or file to be given, with all that is below it. */
struct own_tree {
	const char *path;	/* may be empty with if_exists */
	const char *options;	/* as typed, or NULL */
	struct slice user;	/* .at is NULL: the target's */
	struct slice group;	/* .at is NULL: the target's */
	struct slice from;	/* UID[:GID]; .at is NULL: anybody's */
	const char *mode;	/* see mode_apply(), or NULL: as it is */
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
 * must live as long as the tree.
 * Returns 0, or -1 with a usage fault; the tree is then not usable.
 */
int own_parse(struct own_tree *t, const char *value, char *words,
	      struct fault *f);

/*
 * Is this absolute path one of the system's directories ("//usr/./local/"), or
 * may it be, as ".." is in it? It is refused without `force`: an image in which
 * the application owns /etc or /usr is one in which it can become root again.
 * Symbolic links do not matter: --own follows none.
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

/* Append what own_run() would do, a line per path. */
void own_describe(const struct own_spec *spec, struct text *out);

/*
 * Give every path to its new owner, in order.
 *
 * Returns 0, or -1 with a fault; what was changed before stays changed, and a
 * second run goes on from there.
 */
int own_run(const struct own_spec *spec, struct fault *f);

/* Add the hint for the errno of a fault about this tree. Returns -1. */
int own_hint(const struct own_tree *t, struct fault *f);

/*
 * Give the pipes and pseudo-terminals among descriptors 0 to 2 to this uid: to
 * open /dev/stdout is to open the pipe anew, which belongs to root with mode
 * 0600 (moby issue 31243; runc gives it only when the image says USER).
 *
 * Never a regular file or a named FIFO, which would be the host's, nor a device
 * that others share: /dev/null, /dev/tty, /dev/ptmx, a console. What the kernel
 * refuses is a warning, for the application may well do without.
 */
void own_stdio_run(uid_t uid);

#endif
