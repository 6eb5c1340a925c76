/*
 * holder: who holds an address that is taken, as far as /proc allows to say.
 */
#ifndef STEPDOWN_LISTEN_HOLDER_H
#define STEPDOWN_LISTEN_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

struct listener;

struct holder {
	pid_t pid;
	char name[16];	/* TASK_COMM_LEN, whatever the process calls itself */
};

/*
 * Find a process that has a socket with this port (or path, or abstract name)
 * open. It may be in another container that shares this network, and then
 * nothing is found: its /proc is not ours.
 *
 * Returns false when nothing is found, for whatever reason.
 */
bool holder_find(const struct listener *l, struct holder *found);

#endif
