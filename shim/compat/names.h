/*
 * names: being called by the name of a peer, so that an image's scripts run
 * unchanged. gosu and su-exec change ids, groups and HOME, the inits nothing.
 * What differs is in the man page.
 */
#ifndef STEPDOWN_COMPAT_NAMES_H
#define STEPDOWN_COMPAT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct plan;
struct start;

struct names {
	char **argv;		/* names_run() leaves the command here */
	const struct peer *peer;	/* filled by names_find() */
	const struct start *start;
	bool strict;		/* the image's config file says so */
	struct plan *plan;	/* takes options of ours by options_set() */
	int (*set)(struct plan *plan, const char *name, const char *value,
		   char *const env[], uint64_t *seen, struct fault *f);
};

/*
 * Is the last part of argv[0], or "--as=NAME" behind it, a peer's name? Then
 * not with setuid or file capabilities: whoever executes it chose the user.
 *
 * Returns 0, or -1 with a fault.
 */
int names_find(struct names *n, struct fault *f);

/*
 * Become who the command of gosu or su-exec will be, or turn an init's options
 * into ours. If strict, an init sets no_new_privs, the others turn to --user.
 *
 * Returns 0, -1 with a fault, or if all is done 1 + the exit status.
 */
int names_run(struct names *n, struct fault *f);

#endif
