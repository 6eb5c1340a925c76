/*
 * exec: the application's place among processes, and becoming it.
 */
#ifndef STEPDOWN_RUN_EXEC_H
#define STEPDOWN_RUN_EXEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "drop/confine.h"
#include "drop/verify.h"
#include "listen/listen.h"
#include "run/env.h"

struct bind_spec;
struct fault;
struct limits_spec;
struct target;
struct text;

struct exec_spec {
	char *const *command;	/* the application and its arguments */
	const char *argv0;	/* its name for itself, NULL: as COMMAND */
	bool setsid;
	int pdeathsig;		/* a signal, or 0 */
};

/* What exists so far. Nothing else is mutable once the plan is checked. */
struct run {
	uint64_t signals;	/* blocked when we were started; signals.h */
	pid_t parent;		/* whose end --pdeathsig is about */
	int domain;		/* Landlock's ABI; 0: there is no domain */
	struct verify_seen seen;
	struct environment environment;	/* the application's */
	struct sockets sockets;	/* of the steps listen and secret */
};

/* What starting the application takes from everything before. */
struct launch {
	const struct exec_spec *exec;
	const struct env_spec *env;
	const struct limits_spec *limits;
	const struct listen_spec *listen;
	const struct bind_spec *bind;
	const struct target *target;	/* NULL: all stays as it is */
	const char *root_home;
	struct run *run;
	bool verbose;

	/* For --init alone. */
	void *plan;		/* whole pages that the parent may forget */
	size_t plan_size;
	bool secure;		/* started by file capabilities or setuid */
	struct confine_plan confine;
	struct verify_spec proof;
};

/* Append what exec_run() would do. */
void exec_describe(const struct exec_spec *s, struct text *out);

/*
 * Can this process start a session? The leader of a process group that does not
 * lead its session cannot leave it (setsid(2)); a child of it can.
 *
 * Returns 0, or -1 with a fault.
 */
int exec_check_session(const struct exec_spec *s, struct fault *f);

/*
 * Become the application: start the session, tie this process to its parent's
 * end (both undone by what comes before), arrange directory, descriptors and
 * environment, and call execve(2). The command is looked for in the
 * application's PATH with its ids, so root's rights play no part in what is
 * found.
 *
 * Returns only on failure: -1 with a fault, status 126, 127 or 111.
 */
int exec_run(const struct launch *l, struct fault *f);

/* Its parts, for a child of --init. Each returns 0, or -1 with a fault. */
int exec_start_session(const struct exec_spec *s, struct fault *f);
int exec_tie_to_parent(const struct exec_spec *s, pid_t parent,
		       struct fault *f);
int exec_application(const struct launch *l, struct fault *f);

#endif
