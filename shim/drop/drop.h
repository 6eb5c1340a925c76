/*
 * drop: give every privilege away, for good.
 */
#ifndef STEPDOWN_DROP_DROP_H
#define STEPDOWN_DROP_DROP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What container engines give an image that sets no PATH. */
#define DROP_DEFAULT_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct fault;
struct start;
struct target;
struct text;

/* What the options say about the drop. A set's bit n is capability n. */
struct drop_spec {
	uint64_t keep_caps;	/* left in all five sets */
	uint64_t bounding;	/* in the bounding set; see drop_bounding() */
	bool bounding_given;
	bool allow_new_privs;	/* do not set no_new_privs */
	bool keep_keyring;	/* leave the session keyring as it is */
};

/* Read a list of capabilities, or "keep", into a struct drop_spec. */
bool drop_read_bounding(const char *value, void *spec);

/*
 * Returns what may stay in the bounding set for a target of this uid;
 * UINT64_MAX leaves it as the runtime gave it. Setuid programs need it, if they
 * are to work, but uid 0 would regain all of it by any execve.
 */
uint64_t drop_bounding(const struct drop_spec *spec, uid_t uid);

/*
 * Find the file that execve(2) will be given, as this process sees it: the
 * first that it may execute, or else the first. path: as PATH, or NULL for the
 * default. Returns false if there is none, or if name is relative to the
 * application's working directory.
 */
bool drop_find_command(const char *name, const char *path, char file[PATH_MAX]);

/*
 * Check that the bounding set has the file capabilities of COMMAND, or
 * execve(2) fails; warn of --allow-new-privs. Returns 0, or -1 with a fault.
 */
int drop_check(const struct drop_spec *spec, uid_t uid, const char *command,
	       const char *path, struct fault *f);

/* Append what drop_run() would do. */
void drop_describe(const struct drop_spec *spec, const struct target *t,
		   const struct start *s, struct text *out);

/*
 * Become the target. s: how this process was started. held: capabilities that
 * stay permitted and effective until the next execve, for a supervisor.
 *
 * Returns 0, or -1 with a fault. On failure the process is somewhere between
 * what it was and the target, and must end without running anything.
 */
int drop_run(const struct drop_spec *spec, const struct target *t,
	     const struct start *s, uint64_t held, struct fault *f);

/*
 * The part of drop_run() that sets groups, gid and uid. Returns 0, or -1 with a
 * fault that names the missing capability.
 */
int drop_ids(const struct target *t, const struct start *s, struct fault *f);

#endif
