/*
 * exec: the application's place among processes, and becoming it.
 */
#ifndef STEPDOWN_RUN_EXEC_H
#define STEPDOWN_RUN_EXEC_H

#include <stdbool.h>
#include <sys/types.h>

struct fault;
struct text;

struct exec_spec {
	char *const *command;	/* the application and its arguments */
	const char *argv0;	/* its name for itself, NULL: as COMMAND */
	bool setsid;
	int pdeathsig;		/* a signal, or 0 */
};

/* Append what exec_command() would do. */
void exec_describe(const struct exec_spec *s, struct text *out);

/*
 * Can this process start a session? The leader of a process group that does not
 * lead its session cannot leave it (setsid(2)); a child of it can.
 *
 * Returns 0, or -1 with a fault.
 */
int exec_check_session(const struct exec_spec *s, struct fault *f);

/*
 * --setsid, after all that a signal of the terminal may have to end. A process
 * that leads a session already, as the first one of a container does, stays in
 * it. Returns 0, or -1 with a fault.
 */
int exec_start_session(const struct exec_spec *s, struct fault *f);

/*
 * --pdeathsig, after the drop, since a change of uid undoes it, and in each
 * process that shall have it, since fork(2) does too.
 *
 * parent: the process whose end matters. If it has ended already, the signal
 * is sent now. Returns 0, or -1 with a fault.
 */
int exec_tie_to_parent(const struct exec_spec *s, pid_t parent,
		       struct fault *f);

/*
 * Call execve(2). A command without a slash is looked for in path, NULL for
 * what container engines use, with the ids of this process: after the drop
 * root's rights play no part in what is found.
 *
 * env: as environ(7). Returns only on failure: -1 with a fault, status 126 or
 * 127.
 */
int exec_command(const struct exec_spec *s, const char *path,
		 char *const env[], struct fault *f);

#endif
