/*
 * broker: the supervisor's answers to bind(2), for --handoff=bind and bind-own.
 *
 * The application carries a seccomp filter (filter.h) that asks about bind(2).
 * For an address that the plan declares, the broker puts a socket that was
 * bound before the drop over the application's own descriptor (bind), or binds
 * the application's own socket (bind-own). Every other call is left to the
 * kernel.
 *
 * Two ways, because neither is the other's better. `bind` needs no capability
 * and nothing that an engine's seccomp profile denies, but has a bounded
 * number of sockets, made before the application could set an option on them.
 * `bind-own` has no bounds and keeps every option, but keeps
 * CAP_NET_BIND_SERVICE in one thread, and pidfd_getfd(2) is denied by Docker's
 * default profile.
 *
 * It is a thread of the process that waits for the application, not a part of
 * its loop: to read the application's memory may block for as long as whoever
 * provides that memory likes (userfaultfd, FUSE, a dead NFS server), and
 * signals must be forwarded and children reaped meanwhile. It is no process of
 * its own, because Yama (ptrace_scope 1, the default of many distributions)
 * lets a process look at its descendants alone, and those that the application
 * leaves behind become ours.
 *
 * The security argument. The application is hostile, and is of the same uid.
 *
 *  1. Nothing is given that the plan does not declare. `bind` gives sockets
 *     that were bound before the application existed, and to nobody but the
 *     caller. `bind-own` binds an address that was compared in, and is bound
 *     from, the broker's own memory: what another thread writes over the
 *     original meanwhile is never read (the address is read once).
 *  2. Everything else is answered with "continue", which the kernel documents
 *     as unfit for denying, since the arguments can change after the look. It
 *     is fit here: the broker only grants, and the kernel decides by the
 *     application's own rights, which are none.
 *  3. A wrong descriptor harms its owner alone: the kernel replaces it in the
 *     table of the thread that called, while it waits in that call. A
 *     descriptor that is exchanged between our look and the replacement is one
 *     that the application could have closed itself. bind-own compares the
 *     inode of what it got.
 *  4. A thread id may be another one's when we look at it. Whether the
 *     notification is still valid is asked after the last look, before acting.
 *  5. The process holds no capability (bind-own: the broker's thread one), has
 *     no_new_privs, and is not dumpable: ptrace(2), /proc/PID/mem, /proc/PID/fd,
 *     process_vm_writev(2) and pidfd_getfd(2) on it are denied. If it were
 *     taken over nevertheless, it would have the sockets that the application
 *     may have for the asking.
 *  6. Exhausting the sockets, or asking without end, delays and denies later
 *     binds of the same application; forwarding and reaping go on.
 *  7. Signals: all are blocked in this thread. As process 1 nothing inside can
 *     kill it; elsewhere a process of the same uid can, and then every later
 *     bind(2) fails with ENOSYS, and nothing is granted.
 */
#ifndef STEPDOWN_BIND_BROKER_H
#define STEPDOWN_BIND_BROKER_H

#include <sys/types.h>

struct fault;
struct plan;
struct run;

/*
 * All three do nothing for another handoff.
 *
 * Before the fork: the channel between supervisor and child, run->channel.
 * Returns 0, or -1 with a fault.
 */
int broker_before(const struct plan *plan, struct run *run, struct fault *f);

/*
 * In the child, shortly before execve: give up what only the supervisor needs,
 * install the filter, send it to the supervisor, wait until that is ready.
 * Makes the process dumpable, as execve will.
 *
 * Returns 0, or -1 with a fault.
 */
int broker_child(const struct plan *plan, struct run *run, struct fault *f);

/*
 * In the supervisor, after the fork: take the filter's descriptor from the
 * child, prove that the child can be served, start the thread, give up what
 * this thread does not need, let the child go on.
 *
 * Returns 0; also when the child has ended before (it has said why, and its
 * status tells). Returns -1 with a fault when the child cannot be served; it
 * waits then, and must be killed.
 */
int broker_parent(const struct plan *plan, struct run *run, pid_t child,
		 struct fault *f);

#endif
