/*
 * environ: the environment of the application.
 */
#ifndef STEPDOWN_RUN_ENV_H
#define STEPDOWN_RUN_ENV_H

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct plan;

enum { PLAN_MAX_VARIABLES = 256 };

/* What happens to the environment besides --env. */
struct surroundings {
	const char *home;		/* DIR, "keep", or NULL for the rule */
	bool clear;
	size_t nunset;
	const char *unset[PLAN_MAX_VARIABLES];
};

enum { ENVIRON_MAX = 65536, ENVIRON_STORE_SIZE = 49152 };

/* Large, and mostly untouched: keep it static. */
struct environment {
	size_t count;
	size_t stored;
	char store[ENVIRON_STORE_SIZE];	/* strings made by environ_set() */
	char *list[ENVIRON_MAX];	/* ended by NULL, as environ(7) */
};

/*
 * Build it from what was given to us:
 *  - --clear-env leaves PATH and TERM;
 *  - sockets meant for us (LISTEN_*, NGINX) are removed;
 *  - where HOME is unset or still root's, HOME, USER, LOGNAME and SHELL become
 *    the target's, and those it has not are removed; --home sets HOME, or keeps
 *    it;
 *  - --unset-env, then --env, which wins.
 *
 * Returns 0, or -1 with a fault. The list points into given and the plan.
 */
int environ_build(struct environment *e, char *const given[],
		  const struct plan *plan, struct fault *f);

/*
 * Set NAME to what the format says (see text_add()). Returns 0, or -1 with a
 * fault when the fixed store is full.
 */
int environ_set(struct environment *e, struct fault *f, const char *name,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Remove every entry of that name. */
void environ_unset(struct environment *e, const char *name);

/* The value of a name, or NULL. */
const char *environ_get(const struct environment *e, const char *name);

#endif
