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
#ifndef STEPDOWN_INIT_H
#define STEPDOWN_INIT_H

struct fault;
struct plan;
struct run;
struct text;

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
