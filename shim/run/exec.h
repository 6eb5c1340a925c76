/*
 * exec: place the application among processes, build its environment (env.c),
 * and become it.
 */
#ifndef STEPDOWN_RUN_EXEC_H
#define STEPDOWN_RUN_EXEC_H

#include <stdbool.h>
#include <stddef.h>

struct env_spec;
struct environment;
struct exec_spec;
struct fault;
struct plan;
struct run;
struct target;
struct text;

/* Append what exec_application() would do. */
void exec_describe(const struct exec_spec *s, struct text *out);

/*
 * Start the session (exec_take_place() alone) and set --pdeathsig, which a
 * change of ids undoes. Each returns 0, or -1 with a fault.
 */
int exec_take_place(const struct plan *plan, const struct run *run,
		    struct fault *f);
int exec_tie_to_parent(const struct plan *plan, const struct run *run,
		       struct fault *f);

/*
 * Set the fault for execve(2) of a command that failed with err. path: the
 * file, or NULL if none was found. ENOENT for a file that exists is about the
 * interpreter that its first line or its ELF header names.
 *
 * Returns -1 with a fault, status 126 or 127.
 */
int exec_refused(const char *command, const char *path, int err,
		 struct fault *f);

/*
 * Become the application: arrange directory, descriptors and environment, and
 * call execve(2). COMMAND is searched for in the application's PATH with the
 * application's ids, so root's rights play no part.
 *
 * Returns only on failure: -1 with a fault, status 126, 127 or 111.
 */
int exec_application(const struct plan *plan, struct run *run,
		     struct fault *f);

/*
 * Is a HOME root's, and not chosen for the application? Docker sets "/" for an
 * id without an entry, and /root for root; root_home is that of root's entry.
 */
bool env_is_roots_home(const char *home, const char *root_home);

/*
 * Build the application's environment from our own:
 *  - --clear-env leaves PATH and TERM;
 *  - sockets meant for this program (LISTEN_*, NGINX) are removed;
 *  - where HOME is unset or still root's, HOME, USER, LOGNAME and SHELL become
 *    the target's, or are removed if it has none; --home sets HOME, keeps it,
 *    or takes it from the entry in any case;
 *  - --unset-env, then --env, which wins.
 *
 * t: NULL leaves the variables of sockets and of the user as they are, but for
 * the options. root_home: the home of uid 0 in this image. Returns 0, or -1
 * with a fault. The list points into given and the spec.
 */
int env_build(struct environment *e, char *const given[],
	      const struct env_spec *s, const struct target *t,
	      const char *root_home, struct fault *f);

/*
 * env_start() begins an entry in the store, of at most that many bytes;
 * env_put() puts it in place of every entry of its name. env_put() returns 0,
 * or -1 with a fault if there is no room or the entry has a NUL byte.
 */
void env_start(struct environment *e, struct text *entry, size_t most);
int env_put(struct environment *e, const struct text *entry, struct fault *f);

#endif
