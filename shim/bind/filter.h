/*
 * filter: the seccomp program that the application of --handoff=bind carries.
 *
 * It asks the supervisor about bind(2), and about setsockopt(2) of the few
 * options that decide how a bind ends or that a server cannot do without. It
 * denies nothing: every other call goes to the kernel, and so do those that
 * come by another entry point (i386, x32, 32-bit ARM, io_uring), where the
 * kernel denies what the plan would have granted.
 */
#ifndef STEPDOWN_BIND_FILTER_H
#define STEPDOWN_BIND_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>

struct fault;

enum {
	FILTER_LENGTH = 20,
	/* A newer kernel's may be longer than ours; see filter_check(). */
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
