/*
 * names: being called by the name of a peer, so that an image's scripts run
 * unchanged. gosu and su-exec change ids, groups and HOME, the inits nothing.
 * What differs is in the man page.
 */
#ifndef STEPDOWN_COMPAT_NAMES_H
#define STEPDOWN_COMPAT_NAMES_H

#include <stdbool.h>

struct fault;
struct plan;
struct start;

struct names {
	char **argv;		/* names_run() leaves the command here */
	const struct peer *peer;	/* filled by names_find() */
	const struct start *start;
	bool strict;		/* the image's config file says so */
	int status;
	struct plan *plan;	/* which takes an option of ours: */
	int (*set)(struct plan *plan, const char *name, const char *value,
		   struct fault *f);
};

/* Is the last part of argv[0], or "--as=NAME" behind it, a peer's name? */
bool names_find(struct names *n);

/*
 * Become who the command of gosu or su-exec will be, or turn an init's options
 * into ours. If strict, an init sets no_new_privs, the others turn to --user.
 * Not with setuid or file capabilities: whoever executes it chose the user.
 *
 * Returns 0; 1 if all is done and n->status the exit status; -1 with a fault.
 */
int names_run(struct names *n, struct fault *f);

#endif
