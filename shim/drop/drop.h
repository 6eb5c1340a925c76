/*
 * drop: give every privilege away, for good.
 */
#ifndef STEPDOWN_DROP_DROP_H
#define STEPDOWN_DROP_DROP_H

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct start;
struct target;
struct text;

/* What the options say about the drop. A set's bit n is capability n. */
struct drop_spec {
	uint64_t keep_caps;	/* left in all five sets */
	bool allow_new_privs;	/* do not set no_new_privs */
	bool keep_keyring;	/* leave the session keyring as it is */
};

/* Append what drop_run() would do. */
void drop_describe(const struct drop_spec *spec, const struct target *t,
		   const struct start *s, struct text *out);

/*
 * Become the target: session keyring, groups, gid, uid, capabilities,
 * securebits, no_new_privs.
 *
 * s: how the process was started. held: capabilities that stay permitted and
 * effective until the next execve, for a supervisor.
 *
 * Returns 0, or -1 with a fault. On failure the process is somewhere between
 * what it was and the target, and must end without running anything.
 */
int drop_run(const struct drop_spec *spec, const struct target *t,
	     const struct start *s, uint64_t held, struct fault *f);

#endif
