/*
 * own: the steps that give something to the target. own gives files: it needs
 * CAP_CHOWN, and CAP_SETUID and CAP_SETGID for what root cannot access without
 * CAP_DAC_OVERRIDE. own-stdio gives pipes and terminals.
 *
 * Earlier runs wrote what is in a volume, and others may write to it during the
 * walk. So: no path is used twice, a symbolic link is changed and never
 * followed, no other mount is entered, and each entry is examined and changed
 * through one descriptor.
 */
#ifndef STEPDOWN_OWN_OWN_H
#define STEPDOWN_OWN_OWN_H

#include <stdbool.h>
#include <stddef.h>
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
	bool create;		/* create what is missing of the path */
	bool shallow;		/* leave what is below it */
	bool if_exists;		/* skip a path that is missing */
	bool if_root_differs;	/* skip if the path itself is right */
	bool fsgroup;		/* as the kubelet does it */
	bool may_fail;		/* try: a failure is a warning */
	bool cross_mounts;
	bool force;		/* even a system directory */

	/* Filled by resolve_owners(). */
	uid_t uid;		/* -1: leave it */
	gid_t gid;		/* -1: leave it */
	uid_t from_uid;		/* -1: anybody's */
	gid_t from_gid;		/* -1: anybody's */
};

/* The step: the trees, in the order of the options. */
struct own_spec {
	size_t ntrees;
	const gid_t *groups;	/* our supplementary ones at the start */
	size_t ngroups;
	bool verbose;
	struct own_tree *trees;	/* room for OWN_MAX_TREES */
};

/*
 * Parse the value of one --own into an empty tree. A comma in a path is written
 * "\,", a backslash "\\".
 *
 * value: as typed. words: a copy of it, which is cut in place. Both must live
 * as long as the tree. Returns 0, or -1 with a usage fault; the tree is then
 * not usable.
 */
int own_parse(struct own_tree *t, const char *value, char *words,
	      struct fault *f);

/*
 * Is this absolute path a system directory ("//usr/./local/"), or could it be,
 * because it contains ".."? It is refused without `force`: in an image where
 * the application owns /etc or /usr, it can become root again. Symbolic links
 * do not matter: --own follows none.
 */
bool own_is_system(const char *path);

/*
 * Does exclude= cover an entry? A NAME matches at any depth, a RELATIVE/PATH
 * from the tree's top.
 *
 * rest: what remains of each exclude for the entry's directory, at the top all
 * of it; gets the same for the entry, NULL where that cannot match.
 */
bool own_excludes(const struct own_tree *t, const char *name,
		  const char *rest[OWN_MAX_EXCLUDES]);

/* Append what own_run() would do, a line per path. */
void own_describe(const struct own_spec *spec, struct text *out);

/*
 * Give every path to its new owner, in order.
 *
 * Returns 0, or -1 with a fault; earlier changes stay, and a second run goes on
 * from there.
 */
int own_run(const struct own_spec *spec, struct fault *f);

/* Unless it has one, add the hint for a fault's errno. */
void own_hint(const struct own_tree *t, struct fault *f);

/*
 * Give the pipes and pseudo-terminals among descriptors 0 to 2 to this uid: to
 * open /dev/stdout is to open the pipe again, which belongs to root with mode
 * 0600 (moby issue 31243; runc gives it only when the image says USER).
 *
 * Never a regular file or a named FIFO, which would be the host's, nor a device
 * that others share: /dev/null, /dev/tty, /dev/ptmx, a console. A refusal by
 * the kernel is a warning: the application may not need it.
 */
void own_stdio_run(uid_t uid);

#endif
