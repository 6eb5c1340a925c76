/*
 * init: stay as the parent of the application, with no more rights than it
 * has: forward signals, reap every orphan, return its exit status.
 */
#ifndef STEPDOWN_RUN_INIT_H
#define STEPDOWN_RUN_INIT_H

#include "run/supervise.h"

struct fault;
struct launch;
struct text;

/* Append what the parent would do; nothing without --init. */
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
 * that of the fault that it has reported. Returns -1 with a fault when there is
 * no child.
 */
int init_run(const struct init_spec *s, const struct launch *l,
	     struct fault *f);

#endif
