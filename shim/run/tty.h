/*
 * tty: which of parent and child has the controlling terminal. It is found by
 * /dev/tty, or where that is missing as descriptor 0.
 *
 * All signals must be blocked in both processes: a blocked SIGTTOU does not
 * stop a background process that gives the terminal away (tcsetpgrp(3)).
 */
#ifndef STEPDOWN_RUN_TTY_H
#define STEPDOWN_RUN_TTY_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The foreground group, or -1 without a terminal. It, and the group of this
 * process, is 0 if it was made outside of this pid namespace.
 */
pid_t tty_foreground(void);

/* Make a process group the foreground group. */
void tty_give(pid_t group);

/*
 * Give up the terminal that this process controls as the leader of a session,
 * so that another session can take it with tty_take(). Returns a descriptor of
 * it, or -1 if this process has none to give up.
 */
int tty_leave(void);
void tty_take(int fd);

/*
 * Is there a shell that would notice if this process stopped, and could wake
 * it? POSIX calls a process group without one orphaned.
 */
bool tty_has_shell(void);

#endif
