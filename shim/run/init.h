/*
 * init: stay as the parent of the application, with no more rights than it
 * has: forward signals, reap every orphan, return its exit status.
 */
#ifndef STEPDOWN_RUN_INIT_H
#define STEPDOWN_RUN_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "run/supervise.h"

struct exec_spec;
struct fault;
struct text;

/* What init_run() needs besides, and does not keep in the plan. */
struct init_start {
	const struct exec_spec *exec;	/* its session and --pdeathsig */
	pid_t parent;		/* whose end --pdeathsig is about */
	char *const *env;	/* what this program was given: wiped */
	bool guarded;		/* the application may not look at the parent */
	bool verbose;

	/*
	 * Before the fork, when it is settled who may look at this process.
	 * Returns 0, or -1 with a fault.
	 */
	int (*before)(void *argument, struct fault *f);
	/*
	 * In the child, with all signals blocked: become the application.
	 * Returns only on failure: -1 with a fault.
	 */
	int (*child)(void *argument, struct fault *f);
	/*
	 * In the parent, after the fork: close what only the application shall
	 * have, as a socket that would stay open after it has closed it.
	 */
	void (*after)(void *argument);
	void *argument;
};

/* Append what the parent would do. */
void init_describe(const struct init_spec *s, struct text *out);

/*
 * Add FROM[,FROM...]:TO, statuses from 0 to 255, to s->exits. Pure. Returns
 * false if it is not that; *again is set if a FROM was given before.
 */
bool init_map_exits(struct init_spec *s, const char *value, bool *again);

/*
 * Fork; the child becomes the application, the parent stays until it has ended.
 * All signals must have been blocked since the start of the program.
 *
 * Returns, in the parent alone, the exit status: the application's own, or
 * 128+n, as --map-exit says; where the child could not become the application,
 * that is the status of its fault, which it has reported. Returns -1 with a
 * fault when there is no child.
 */
int init_run(const struct init_spec *s, const struct init_start *start,
	     struct fault *f);

#endif
