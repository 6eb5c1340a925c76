/*
 * broker: the supervisor's answers to bind(2), for --handoff=bind.
 *
 * The application carries a seccomp filter (filter.h) that asks about bind(2).
 * For an address that the plan declares, the broker binds the application's own
 * socket by a copy of its descriptor. Where pidfd_getfd(2) is refused, or where
 * more than the address matters, it creates a socket like the application's,
 * binds it, and puts it in place of the application's descriptor. Every other
 * call is left to the kernel.
 *
 * The broker is a thread, because signals must be forwarded and children reaped
 * while it waits for the application's memory. It is not a process, because
 * Yama lets a process examine only its descendants, and orphans of the
 * application become the supervisor's.
 *
 * The security argument; SECURITY.md names a test for each line. The
 * application is hostile and has the same uid.
 *
 *  1. The broker binds a socket that it holds by a descriptor, at an address
 *     that it has read once into its own memory: it compares both with the
 *     plan, then uses them. The application can change nothing that was
 *     compared of its own socket, neither protocol nor namespace; IPV6_V6ONLY
 *     was not, as both values are declared. Any other socket is the broker's.
 *  2. The answer to all else is "continue". Arguments can change after the
 *     check, so this denies nothing; but the broker only grants, and the kernel
 *     decides by the application's own rights, which are none.
 *  3. A wrong descriptor harms only its owner: the broker copies it from the
 *     table of the calling thread, or replaces it there, during the call.
 *  4. A thread id may have passed to another thread: after its last check,
 *     before it acts, the broker asks whether the notification is still valid.
 *  5. If a declared port needs it, this thread has CAP_NET_BIND_SERVICE,
 *     permitted and effective, and otherwise no capability that the application
 *     lacks; every other thread and process never has one. The process has
 *     no_new_privs and is not dumpable, so nobody can trace it, read its memory
 *     or take its descriptors.
 *  6. An application that asks without end, or lets the broker wait, delays and
 *     denies its own later binds. The process can end meanwhile.
 *  7. All signals are blocked in this thread. Nothing inside can kill process
 *     1; elsewhere the same uid can, and then every bind(2) is ENOSYS.
 *  8. No message waits for a reader, and none is repeated.
 */
#ifndef STEPDOWN_BIND_BROKER_H
#define STEPDOWN_BIND_BROKER_H

struct fault;
struct listen_spec;
struct verify_seen;
struct verify_spec;

/*
 * Start the broker's thread, which verifies what it holds; give up in the
 * calling thread what only the broker needs, and verify that; install the
 * filter in it, so that every child has the filter. Called by the supervisor
 * before it forks: not dumpable, with no_new_privs, all signals blocked.
 *
 * proof: what both threads must be; proof->held is the broker's alone.
 *
 * Returns 0, or -1 with a fault: the process must end.
 */
int broker_start(const struct listen_spec *spec,
		 const struct verify_spec *proof,
		 struct verify_seen *seen, struct fault *f);

#endif
