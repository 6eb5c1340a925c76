/*
 * caller: what the kernel says of a thread that waits in a system call, and of
 * the descriptor that it names. All of it comes from /proc, with no privilege,
 * by the right that a process has to look at its own descendants of the same
 * ids; so it works under every engine's seccomp profile, and under Yama.
 *
 * The thread is named by its id, which may be another one's by the time of the
 * next call: ask whether the notification is still valid before acting.
 */
#ifndef STEPDOWN_BIND_TARGET_H
#define STEPDOWN_BIND_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan.h"

struct caller_socket {
	ino_t inode;		/* which socket it is */
	enum listener_kind kind;
	bool any_type;		/* the kind of a Unix socket is not known */
	sa_family_t family;
	bool cloexec;
	bool nonblock;
};

/*
 * Copy size bytes at an address of its memory. Returns 0, or -1 with errno:
 * EACCES when its program is one that the user may not read, and so may not
 * look into.
 */
int caller_read(pid_t tid, uint64_t address, void *out, size_t size);

/* Its network namespace; tid 0 is this process. Returns 0, or -1 with errno. */
int caller_network(pid_t tid, struct identity *network);

/*
 * What its descriptor is. Returns false if it is no socket, one of a kind that
 * the plan cannot declare, or cannot be examined.
 */
bool caller_socket(pid_t tid, int fd, struct caller_socket *s);

/*
 * A copy of its descriptor, close-on-exec, by pidfd_getfd(2): where engines
 * allow that. Returns -1 with errno otherwise, also when it is not the socket
 * of that inode any more.
 */
int caller_borrow(pid_t tid, int fd, ino_t inode);

#endif
