/*
 * target: what the kernel says of a thread that waits in a system call, and of
 * the descriptor that it names. No privilege is needed, only the right that a
 * process has to look at its own descendants of the same ids; so it works
 * under every engine's seccomp profile, and under Yama.
 *
 * The thread is named by its id, which may be another thread's by the time of
 * the next call: ask whether the notification is still valid before acting.
 */
#ifndef STEPDOWN_BIND_TARGET_H
#define STEPDOWN_BIND_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct target_socket {
	ino_t inode;		/* which socket it is */
	int family, type, protocol;	/* as for socket(2) */
	bool cloexec;
	int copy;		/* a descriptor of it, or -1 */
};

/*
 * Copy size bytes at an address of its memory. This may wait for as long as
 * whoever provides that memory likes, but not longer than this process lives.
 *
 * Returns 0, or -1 with errno: EFAULT for no such memory, EACCES or EPERM when
 * its program is one that the user may not read, and so may not look into.
 */
int target_read(pid_t tid, uint64_t address, void *out, size_t size);

/* Its network namespace; 0 where that is not known. */
ino_t target_network(pid_t tid);

/*
 * What its descriptor is. s->copy is had by pidfd_getfd(2), where the engine's
 * seccomp profile allows that, and must be closed.
 *
 * Returns false, and there is no copy, if it is no socket, one of a kind that
 * is not served, or cannot be examined.
 */
bool target_socket(pid_t tid, int fd, struct target_socket *s);

/*
 * Give ours, which is new, the options of the application's socket. What needs
 * a capability to be set, or cannot be read back (multicast groups, filters),
 * stays as it is.
 */
void target_copy_options(int theirs, int ours);

#endif
