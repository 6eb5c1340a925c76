/*
 * target: what the kernel says of a thread that waits in a system call, and of
 * the descriptor that it names. It takes no privilege but the right to look at
 * one's own descendants of the same ids, also under every engine's seccomp
 * profile and under Yama. The thread is named by its id, which may be another
 * thread's by the time of the next call.
 */
#ifndef STEPDOWN_BIND_TARGET_H
#define STEPDOWN_BIND_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Copy size bytes at an address of its memory. This may wait for as long as
 * whoever provides that memory likes, but not longer than this process lives.
 * Returns 0, or -1 with errno: EACCES or EPERM if this uid may not look.
 */
int target_read(pid_t tid, uint64_t address, void *out, size_t size);

/* Its network namespace; 0 if that cannot be seen. */
ino_t target_network(pid_t tid);

/* The number of the socket that its descriptor is; 0 if it is none. */
ino_t target_inode(pid_t tid, int fd);

/* O_NONBLOCK and O_CLOEXEC, as its descriptor has them. */
int target_flags(pid_t tid, int fd);

struct target_socket {
	ino_t inode;		/* which socket it is */
	int family, type, protocol;	/* as for socket(2) */
	int copy;		/* a descriptor of it, or -1 */
};

/*
 * What its descriptor is. s->copy is had by pidfd_getfd(2), where the engine's
 * seccomp profile allows that, and must be closed. Returns false, and there is
 * no copy, if it is no TCP or UDP socket, or cannot be examined.
 */
bool target_socket(pid_t tid, int fd, struct target_socket *s);

#endif
