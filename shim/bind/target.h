/*
 * target: what the kernel reports of a thread that waits in a system call, and
 * of the descriptor in its arguments. It needs only the right to examine one's
 * own descendants with the same ids, under every engine's seccomp profile and
 * under Yama too. The thread is named by its id, which may be another thread's
 * by the next call.
 */
#ifndef STEPDOWN_BIND_TARGET_H
#define STEPDOWN_BIND_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Copy size bytes of its memory. This waits as long as whoever provides the
 * memory likes (FUSE), but does not keep this process from being killed.
 * Returns 0, or -1 with errno: EACCES or EPERM if this uid may not read.
 */
int target_read(pid_t tid, uint64_t address, void *out, size_t size);

/* The inode of its network namespace; 0 if that cannot be read. */
ino_t target_network(pid_t tid);

/* The inode of the socket that its descriptor is; 0 if it is not a socket. */
ino_t target_inode(pid_t tid, int fd);

/* The flags of its descriptor, O_NONBLOCK and O_CLOEXEC among them. */
int target_flags(pid_t tid, int fd);

struct target_socket {
	ino_t inode;		/* which socket it is */
	int family, type, protocol;	/* as for socket(2) */
	int copy;		/* a descriptor of it, or -1 */
};

/*
 * Examine its descriptor. pidfd_getfd(2) makes s->copy, where the engine's
 * seccomp profile allows that; the caller closes it. Returns false, without a
 * copy, if it is not a TCP or UDP socket, or cannot be examined.
 */
bool target_socket(pid_t tid, int fd, struct target_socket *s);

#endif
