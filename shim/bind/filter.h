/*
 * filter: the seccomp program that the application of --handoff=bind carries.
 *
 * It asks the supervisor about bind(2), and about setsockopt(2) of the few
 * options that decide how a bind ends or that a server cannot do without; every
 * other call goes to the kernel at once. It is no sandbox: it denies nothing.
 *
 * A call that comes by another entry point (int 0x80 of i386, x32, 32-bit ARM
 * on a 64-bit kernel, io_uring) goes to the kernel too, and the kernel denies
 * what the plan would have granted.
 */
#ifndef STEPDOWN_BIND_FILTER_H
#define STEPDOWN_BIND_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>

struct fault;

enum {
	FILTER_LENGTH = 20,
	/*
	 * The kernel writes a notification as it knows it, which may be longer
	 * than ours. filter_check() refuses what would not fit.
	 */
	FILTER_NOTIFICATION_SIZE = 512
};
extern const struct sock_filter filter_program[FILTER_LENGTH];

/*
 * Can this kernel, and the engine's seccomp profile, do it? Changes nothing.
 * Returns 0, or -1 with a fault.
 */
int filter_check(struct fault *f);

/*
 * Put the program in front of this thread and of every process that it will
 * start, for good. Needs no_new_privs. *killable tells whether only a signal
 * that kills can interrupt a call that is being answered.
 *
 * Returns the descriptor by which the supervisor is asked, close-on-exec, or
 * -1 with a fault; the process must end then.
 */
int filter_install(bool *killable, struct fault *f);

#endif
