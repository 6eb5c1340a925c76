/*
 * init: stay as the parent of the application, with no more rights than it has:
 * forward signals, reap every orphan, return its exit status.
 *
 * The parent's loop needs no descriptor, which the application could deny to
 * it. Each round takes every signal at most once, reaps a bounded number of
 * children, and checks the clock: nobody can keep the parent from a deadline.
 */
#ifndef STEPDOWN_RUN_INIT_H
#define STEPDOWN_RUN_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fault;
struct init_spec;
struct plan;
struct run;
struct text;

/* Append what the parent would do; nothing without --init. */
void init_describe(const struct init_spec *s, struct text *out);

/*
 * Add FROM[,FROM...]:TO, statuses from 0 to 255, to a struct init_spec. Pure.
 * Returns false if it is malformed, or a FROM was given before.
 */
bool init_map_exits(const char *value, void *spec);

/* The same for FROM:TO, two signals; TO may be 0 for none. */
bool init_rewrite(const char *value, void *spec);

/*
 * Fork; the child becomes the application, the parent stays until it has ended.
 * All signals must have been blocked since the start of the program.
 *
 * Returns, in the parent alone, the exit status as --map-exit says: that of the
 * application, 128+n, or that of the fault that the child has reported. Returns
 * -1 with a fault when there is no child.
 */
int init_run(struct plan *plan, struct run *run, struct fault *f);

/* ---- for init.c alone: supervise.c ---- */

struct supervisor {
	const struct init_spec *spec;
	enum phase {
		RUNNING,
		STOPPING,	/* it was asked to stop, the clock runs */
		DRAINING,	/* ended; the rest was asked to stop */
		KILLING		/* all were killed */
	} phase;
	int64_t deadline;	/* milliseconds, or 0 */
	pid_t child;		/* 0 once it was reaped */
	int status;		/* its exit status then */
	bool childless, verbose;
	bool first;		/* the first process of its pid namespace */
	bool shared;		/* the child has our session and terminal */
	bool lends;		/* in the foreground, give it to the child */
	bool lent;		/* the child's group is the foreground group */
	bool reclaimed;		/* another process of our group used it */
	bool stopped;		/* with the child; no SIGCONT came since */
	bool stop_sent;		/* a stop signal was forwarded, not typed */
	bool warned;		/* that a signal could not be forwarded */
};

/*
 * Returns when the application has ended, and with --drain, or once it was
 * killed, the rest too, or when killed processes do not end; s->status then is
 * the exit status. No event makes it return earlier.
 */
void supervise(struct supervisor *s);

/*
 * Returns the foreground group of the controlling terminal, or -1 without one.
 * A group that was made outside of this pid namespace is 0, in getpgrp(2) too.
 */
pid_t tty_foreground(void);

/*
 * Make a process group the foreground group. With all signals blocked SIGTTOU
 * does not stop a background process that does so (tcsetpgrp(3)).
 */
void tty_give(pid_t group);

/*
 * Give up the terminal of the session that this process leads, so that another
 * can take it. Returns a descriptor of it, or -1 if there is none.
 */
int tty_leave(void);

#endif
