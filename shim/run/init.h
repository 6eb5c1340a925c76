/*
 * init: stay as the parent of the application, with no more rights than it
 * has: forward signals, reap every orphan, return its exit status.
 *
 * The parent needs no descriptor, which the application could deny to it. In
 * each round it takes every signal at most once and a bounded number of dead
 * children, and looks at the clock: nobody can keep it from a deadline.
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
 * Returns false if it is not that, or a FROM was given before.
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
		DRAINING,	/* it has ended, the rest was asked to stop */
		KILLING		/* all were killed */
	} phase;
	int64_t deadline;	/* milliseconds, or 0 */
	pid_t child;		/* 0 once it was reaped */
	int status;		/* its exit status then */
	bool childless, verbose;
	bool first;		/* the first process of its pid namespace */
	bool terminal;		/* this session has one */
	bool shared;		/* and the child is in this session */
	bool lends;		/* in the foreground, give it to the child */
	bool lent;		/* the child's group is the foreground group */
	bool stop_sent;		/* a stop signal was forwarded, not typed */
	bool warned;		/* that a signal could not be forwarded */
};

/*
 * Returns when the application has ended, and what --drain and --stop-timeout
 * are about with it, or when what was killed does not go away; s->status then
 * is the exit status. Nothing that happens ends it earlier.
 */
void supervise(struct supervisor *s);

/*
 * The foreground group of the controlling terminal, or -1 without one. It, and
 * the group of this process, is 0 if it was made outside of this pid namespace.
 */
pid_t tty_foreground(void);

/*
 * Make a process group the foreground group. With all signals blocked SIGTTOU
 * does not stop a background process that does so (tcsetpgrp(3)).
 */
void tty_give(pid_t group);

/*
 * Give up the terminal of the session that this process leads, for another one
 * to take. Returns a descriptor of it, or -1 if there is none to give up.
 */
int tty_leave(void);

#endif
