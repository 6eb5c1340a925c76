/*
 * filter: the seccomp program that the application of --handoff=bind carries.
 *
 * It asks the supervisor about bind(2), and about setsockopt(2) for the few
 * options that decide the result of a bind or that a server needs. It denies
 * nothing: the kernel decides every other call, and those by another entry
 * point (i386, x32, 32-bit ARM, io_uring), for which it denies what the plan
 * would have granted.
 */
#ifndef STEPDOWN_BIND_FILTER_H
#define STEPDOWN_BIND_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>

struct fault;

enum {
	FILTER_LENGTH = 20,
	/* A newer kernel's may be longer than ours: see filter_check(). */
	FILTER_NOTIFICATION_SIZE = 512
};
extern const struct sock_filter filter_program[FILTER_LENGTH];

/*
 * Check that this kernel and the engine's seccomp profile allow the filter.
 * Changes nothing. Returns 0, or -1 with a fault.
 */
int filter_check(struct fault *f);

/*
 * Install the filter, for good, in this thread and in every process that it
 * will start. Needs no_new_privs. *killable: whether a call that is being
 * answered can be interrupted by a fatal signal only.
 *
 * Returns the descriptor of the notifications, close-on-exec, or -1 with a
 * fault; the process must end then.
 */
int filter_install(bool *killable, struct fault *f);

#endif
