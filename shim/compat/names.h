/*
 * names: being called by the name of a peer, gosu or su-exec.
 *
 * An image's scripts then run unchanged: the same forms of the user, the same
 * exit statuses, HOME and groups, and nothing else of the process is changed:
 * no_new_privs, the bounding set, the descriptors and the rest of the
 * environment stay, as the peer leaves them. What the peers do differently from
 * --user is a table in the man page.
 */
#ifndef STEPDOWN_COMPAT_NAMES_H
#define STEPDOWN_COMPAT_NAMES_H

struct fault;
struct init_spec;
struct launch;

/*
 * Become the command if the last part of argv[0], or "--as=NAME" behind it, is
 * a peer's name. Never with file capabilities or setuid: whoever may execute
 * the file chose the user.
 *
 * Returns -1 if the name is no peer's, or the exit status of a failure.
 */
int names_run(char *const argv[]);

/*
 * --init without --user: nothing of who we are changes. l->target is NULL.
 * Returns as init_run().
 */
int names_keep(const struct init_spec *s, const struct launch *l,
	       struct fault *f);

#endif
