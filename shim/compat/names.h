/*
 * names: being called by the name of a peer, so that an image's scripts run
 * unchanged. gosu and su-exec change ids, groups and HOME, the inits nothing.
 * What differs is in the man page.
 */
#ifndef STEPDOWN_COMPAT_NAMES_H
#define STEPDOWN_COMPAT_NAMES_H

struct fault;
struct peer;
struct plan;

/*
 * Is the last part of argv[0], or "--as=NAME" behind it, a peer's name? Returns
 * the peer, with *argv moved to the word behind that, or NULL.
 */
const struct peer *names_find(char ***argv);

/*
 * Become who the command of gosu or su-exec will be, or turn an init's options
 * into the plan, which has no more yet than how we were started and whether it
 * is strict: then an init sets no_new_privs, the others turn to --user.
 * Not with setuid or file capabilities: whoever executes it chose the user.
 *
 * Returns 0, -1 with a fault, or if all is done 1 + the exit status.
 */
int names_run(const struct peer *peer, struct plan *plan, char **argv,
	      struct fault *f);

#endif
