/*
 * broker: the supervisor's answers to bind(2), for --handoff=bind.
 *
 * The application carries a seccomp filter (filter.h) that asks about bind(2).
 * For an address that the plan declares, the broker binds the application's own
 * socket by a copy of its descriptor. Where pidfd_getfd(2) is refused, or where
 * more than the address decides, it makes a socket as that one is, binds it,
 * and puts it over the application's descriptor. Every other call is left to
 * the kernel.
 *
 * The broker is a thread, since signals must be forwarded and children reaped
 * while it waits for the application's memory; and no process of its own,
 * because Yama lets a process look at its descendants only, and those that the
 * application leaves behind become the supervisor's.
 *
 * The security argument; SECURITY.md names a test for each line. The
 * application is hostile, and is of the same uid.
 *
 *  1. What is bound is what a descriptor of ours holds, at an address in our
 *     own memory, read once: both are compared with the plan, then used. Of its
 *     own socket the application can change nothing that was compared: neither
 *     protocol nor namespace; and IPV6_V6ONLY was not, since both its values
 *     are declared. Any other socket is of ours, out of its reach.
 *  2. All else is answered with "continue". Arguments can change after the
 *     look, so this denies nothing; but the broker only grants, and the kernel
 *     decides by the application's own rights, which are none.
 *  3. A wrong descriptor harms its owner alone: it is copied from the table of
 *     the thread that called, or replaced there, while that waits in the call.
 *  4. A thread id may belong to another thread by now: whether the notification
 *     is still valid is asked after the last look, before acting.
 *  5. If a declared port needs it, this thread has CAP_NET_BIND_SERVICE,
 *     permitted and effective, and otherwise no capability that the application
 *     lacks; every other thread and process never has one. The process has
 *     no_new_privs and is not dumpable, so nobody can trace it, look into its
 *     memory or take its descriptors.
 *  6. To ask without end, or to let the broker wait, delays and denies later
 *     binds of the same application. The process can end meanwhile.
 *  7. All signals are blocked in this thread. As process 1 nothing inside can
 *     kill it; elsewhere the same uid can, and then every bind(2) is ENOSYS.
 *  8. No message waits for a reader, and none is repeated.
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
