/*
 * init: stay as the parent of the application, with no more rights than it
 * has: forward signals, reap every orphan, return its exit status.
 *
 * The parent sleeps in poll(2) on one descriptor, for signals. With
 * --handoff=bind it has a second thread, the broker: broker_before() is called
 * before the fork, broker_child() in the child, with signals still held, right
 * before launch() closes what it does not hand over, broker_parent() in the
 * parent. The parent then keeps the plan and the descriptors above 2, which are
 * the broker's, and forgets them otherwise.
 */
#ifndef STEPDOWN_RUN_INIT_H
#define STEPDOWN_RUN_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "run/signals.h"

struct fault;
struct plan;
struct run;
struct text;

enum { INIT_MAX_EXITS = 32 };

/* What --init, to stay as the application's parent, was asked for. */
struct init {
	bool wanted;
	bool signal_group;		/* forward to the child's group */
	bool no_subreaper;
	uint8_t nexits;
	uint32_t stop_timeout;		/* milliseconds; 0: never kill */
	uint32_t drain;			/* milliseconds; 0: do not wait */
	int8_t rewrite[SIGNAL_LAST + 1];	/* 0: as it is; SIGNAL_DROP */
	struct {
		uint8_t from;
		uint8_t to;
	} exits[INIT_MAX_EXITS];
};

/* Append what init_run() would do. */
void init_describe(const struct plan *plan, struct text *out);

/*
 * Fork; the child becomes the application as with launch(), the parent stays
 * until it has ended. Signals must have been held since the start of the
 * program (run->signals).
 *
 * Returns in the parent the exit status: the application's own, or 128+n, as
 * --map-exit says. Returns -1 with a fault when the application could not be
 * started: in the child, whose status the parent will return, or in the parent
 * when there is no child. The parent's stack below the caller and, without a
 * broker, plan and run are zeroes by then.
 */
int init_run(struct plan *plan, struct run *run, char *const given[],
	     struct fault *f);

#endif
