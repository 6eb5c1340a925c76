/*
 * init: stay as the parent of the application, with no more rights than it
 * has: forward signals, reap every orphan, return its exit status.
 *
 * The parent sleeps in poll(2) on two descriptors at most: one for signals, and
 * run->notify_fd, which is -1 unless the bind broker is at work. Where the
 * broker comes in:
 *
 *   - broker_before(), before the fork: what parent and child both need;
 *   - broker_child(), in the child, with signals still held, right before
 *     launch() closes all descriptors that it does not hand over;
 *   - broker_parent(), in the parent right after the fork. It sets
 *     run->notify_fd, and closes what it does not need: where notify_fd is not
 *     -1, the parent leaves all descriptors above 2 but its own as they are,
 *     and keeps the plan; else it closes them all and forgets the plan;
 *   - broker_serve(), whenever run->notify_fd can be read or was hung up. It
 *     must not block. To be called no more it sets run->notify_fd to -1.
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
 * broker, the plan are zeroes by then.
 */
int init_run(struct plan *plan, struct run *run, char *const given[],
	     struct fault *f);

#endif
