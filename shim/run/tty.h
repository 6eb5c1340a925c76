/*
 * terminal: who of parent and child has the terminal on standard input.
 *
 * All signals must be held in both: SIGTTOU, if it is blocked, does not stop a
 * background process that gives the terminal away (tcsetpgrp(3)), so nobody
 * has to ignore it and then forget to undo that.
 */
#ifndef STEPDOWN_RUN_TTY_H
#define STEPDOWN_RUN_TTY_H

#include <stdbool.h>

/* Is our process group the foreground group of the terminal on descriptor 0? */
bool terminal_is_ours(void);

/* Make a process group, 0 for our own, its foreground group. */
void terminal_give(int group);

/*
 * Give up the terminal that this process controls as a session leader, so
 * that the child's session can take it with terminal_take(). Returns false if
 * there is none or it is not ours to give.
 */
bool terminal_leave(void);
void terminal_take(void);

/*
 * Is there a shell that would notice if this process stopped, and could wake
 * it? POSIX calls a process group without one orphaned.
 */
bool terminal_has_shell(void);

#endif
