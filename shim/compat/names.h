/*
 * names: being called by the name of a peer, so that an image's scripts run
 * unchanged. gosu and su-exec change ids, groups and HOME, the inits nothing;
 * all else stays, as the peers leave it. What differs is in the man page.
 */
#ifndef STEPDOWN_COMPAT_NAMES_H
#define STEPDOWN_COMPAT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct exec_spec;
struct fault;
struct init_spec;
struct launch;

struct names {
	uint64_t signals;		/* to restore for gosu and su-exec */
	struct init_spec *init;		/* filled for an init */
	struct exec_spec *exec;
	bool *verbose;
};

/*
 * If the last part of argv[0], or "--as=NAME" behind it, is a peer's name:
 * become the command, or fill *n for an init. Never with file capabilities or
 * setuid: whoever may execute the file chose the user.
 *
 * Returns -1 if there is more to do, or the exit status.
 */
int names_run(char *const argv[], const struct names *n);

/* init_run() without --user: nothing of who we are changes. */
int names_keep(const struct init_spec *s, const struct launch *l,
	       struct fault *f);

#endif
