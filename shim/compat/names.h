/*
 * names: being called by the name of a peer, so that an image's scripts run
 * unchanged. gosu and su-exec change ids, groups and HOME, the inits nothing.
 * The man page lists the differences.
 */
#ifndef STEPDOWN_COMPAT_NAMES_H
#define STEPDOWN_COMPAT_NAMES_H

struct fault;
struct peer;
struct plan;

/*
 * Find the peer that the last part of argv[0], or "--as=NAME" after it, names.
 * Returns the peer, with *argv moved to the word after it, or NULL.
 */
const struct peer *names_find(char ***argv);

/*
 * Become the user of gosu or su-exec, or turn an init's options into the plan,
 * of which only start and strict are set so far. If it is strict, an init sets
 * no_new_privs, and the others set --user instead. Refused with setuid or file
 * capabilities: whoever executes the file would choose the user.
 *
 * Returns 0, -1 with a fault, or if all is done 1 + the exit status.
 */
int names_run(const struct peer *peer, struct plan *plan, char **argv,
	      struct fault *f);

#endif
