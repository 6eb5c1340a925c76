/*
 * env: the environment of the application.
 */
#ifndef STEPDOWN_RUN_ENV_H
#define STEPDOWN_RUN_ENV_H

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct target;

enum {
	ENV_MAX_OPTIONS = 256,	/* of --env, and of --unset-env */
	ENV_MAX = 65536,	/* variables in all */
	ENV_STORE_SIZE = 49152
};

struct env_spec {
	const char *home;	/* DIR, "keep", "passwd", or NULL */
	bool clear;
	size_t nunset;
	size_t nset;
	const char *unset[ENV_MAX_OPTIONS];	/* NAME */
	const char *set[ENV_MAX_OPTIONS];	/* NAME=VALUE */
};

/* Large, and mostly untouched: keep it static. */
struct environment {
	size_t count;
	size_t stored;
	char store[ENV_STORE_SIZE];	/* strings made by env_add() */
	char *list[ENV_MAX];		/* ended by NULL, as environ(7) */
};

/*
 * Build it from what this program was given:
 *  - --clear-env leaves PATH and TERM;
 *  - sockets meant for this program (LISTEN_*, NGINX) are removed;
 *  - where HOME is unset or still root's, HOME, USER, LOGNAME and SHELL become
 *    the target's, and those it has not are removed; --home sets HOME, keeps
 *    it, or takes it from the entry in any case;
 *  - --unset-env, then --env, which wins.
 *
 * t: NULL leaves sockets and person as they are, but for the options.
 * root_home: the home of uid 0 in this image.
 * Returns 0, or -1 with a fault. The list points into given and the spec.
 */
int env_build(struct environment *e, char *const given[],
	      const struct env_spec *s, const struct target *t,
	      const char *root_home, struct fault *f);

/*
 * Add a copy of name and value, together NAME=VALUE, in place of every entry of
 * that name. Returns 0, or -1 with a fault when the fixed store is full.
 */
int env_add(struct environment *e, const char *name, const char *value,
	    struct fault *f);

#endif
