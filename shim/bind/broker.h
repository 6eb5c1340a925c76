/*
 * broker: the supervisor's answers to bind(2), for --handoff=bind.
 *
 * The application carries a seccomp filter (filter.h) that asks about bind(2).
 * For an address that the plan declares, the broker makes a socket as the
 * application's own one is, binds it, and puts it over the application's
 * descriptor. Every other call is left to the kernel.
 *
 * The broker is a thread, since to read the application's memory may take as
 * long as whoever provides that memory likes, and signals must be forwarded and
 * children reaped meanwhile. It is no process of its own, because Yama lets a
 * process look at its descendants only, and those that the application leaves
 * behind become the supervisor's.
 *
 * The security argument; SECURITY.md names a test for each line. The
 * application is hostile, and is of the same uid.
 *
 *  1. Nothing is given that the plan does not declare. What is bound is a
 *     socket of ours, at an address in our own memory, read once: both are
 *     compared with the plan, then used, and nobody else can change them.
 *  2. Everything else is answered with "continue", which the kernel documents
 *     as unfit for denying, since the arguments can change after the look. It
 *     is fit here: the broker only grants, and the kernel decides by the
 *     application's own rights, which are none.
 *  3. A wrong descriptor harms its owner alone: the kernel replaces it in the
 *     table of the thread that called, while it waits in that call.
 *  4. A thread id may belong to another thread when we look at it. Whether the
 *     notification is still valid is asked after the last look, before acting.
 *  5. If a declared port is below ip_unprivileged_port_start, the broker's
 *     thread has CAP_NET_BIND_SERVICE, permitted and effective. It has no other
 *     capability that the application lacks, and every other thread and process
 *     has none, always. The process has no_new_privs, and is not dumpable:
 *     ptrace(2), /proc/PID/mem and fd, process_vm_writev(2) and pidfd_getfd(2)
 *     on it are denied.
 *  6. To ask without end, or to let the broker wait for memory, delays and
 *     denies later binds of the same application; forwarding and reaping go on,
 *     and the process can end, since SIGKILL interrupts that wait.
 *  7. Signals: all are blocked in this thread. As process 1 nothing inside can
 *     kill it; elsewhere a process of the same uid can, and then every later
 *     bind(2) fails with ENOSYS, and nothing is granted.
 *  8. A message never waits for a reader, and each is written once; of
 *     addresses that are not declared, sixteen.
 */
#ifndef STEPDOWN_BIND_BROKER_H
#define STEPDOWN_BIND_BROKER_H

struct bind_spec;
struct fault;
struct verify_seen;
struct verify_spec;

/*
 * In the supervisor, not dumpable, before it forks: start the thread, which
 * proves what it holds; give up in the calling thread what only the broker
 * needs, and prove that; put the filter in front of the calling thread, so
 * that every child has it. Needs no_new_privs and all signals blocked.
 *
 * proof: what both threads must be; proof->held is the broker's alone.
 *
 * Returns 0, or -1 with a fault: the process must end.
 */
int broker_start(const struct bind_spec *spec, const struct verify_spec *proof,
		 struct verify_seen *seen, struct fault *f);

#endif
