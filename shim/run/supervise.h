/*
 * watch: what the parent of the application does until there is no more to do:
 * forward signals, reap, keep to the limits of time.
 */
#ifndef STEPDOWN_RUN_SUPERVISE_H
#define STEPDOWN_RUN_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "plan.h"

/* Where watch() reads signals; the parent has no other use for it. */
enum { WATCH_SIGNALS = STDOUT_FILENO };

enum phase {
	RUNNING,
	STOPPING,	/* a signal to stop was forwarded, the clock runs */
	DRAINING,	/* the application has ended, the rest was told to */
	KILLING		/* all were killed */
};

/* All that the parent keeps. It is small, and lives on the stack. */
struct watch {
	struct init want;
	struct plan *plan;	/* no more needed; NULL: already given back */
	struct run *run;
	enum phase phase;
	pid_t child;		/* 0 once it was reaped */
	int status;		/* its exit status then */
	bool first;		/* the first process of its pid namespace */
	bool terminal;		/* the child has the one on standard input */
	bool childless;
	bool stop_sent;		/* a stop signal was forwarded, not typed */
	bool awake;		/* there was work since memory was given back */
	bool said;		/* that a signal could not be forwarded */
	int64_t deadline;	/* milliseconds, or 0 */
};

/*
 * Returns when the application has ended, and what --drain and --stop-timeout
 * are about with it, or when what was killed does not go away; w->status then
 * is the exit status. Nothing that happens ends it earlier.
 */
void watch(struct watch *w);

#endif
