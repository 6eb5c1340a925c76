/*
 * filter: the seccomp program that the application of --handoff=bind carries.
 *
 * It asks the supervisor about bind(2), and about setsockopt(2) of the few
 * options that decide how a bind ends or that a server cannot set again; every
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
#include <stddef.h>

struct fault;

/*
 * The kernel writes as much as it has: more than it was compiled with may come
 * from a newer one. filter_check() refuses what would not fit.
 */
enum { FILTER_NOTIFICATION_SIZE = 512 };

/* The options of setsockopt(2) that are asked about; each is on or off. */
enum { FILTER_OPTIONS = 6 };
struct filter_option {
	int level;
	int name;
};
extern const struct filter_option filter_options[FILTER_OPTIONS];

/* The program, for the tests; *length gets its number of instructions. */
const struct sock_filter *filter_program(size_t *length);

/*
 * Can this kernel, and the seccomp profile of the engine, do it? Changes
 * nothing. Returns 0, or -1 with a fault.
 */
int filter_check(struct fault *f);

/*
 * Put the program in front of this thread and of every process that it will
 * start, for good. Needs no_new_privs. *killable tells whether only a signal
 * that kills can interrupt a call that is being answered.
 *
 * Returns the descriptor by which the supervisor is asked, close-on-exec, or
 * -1 with a fault; there is no filter then.
 */
int filter_install(bool *killable, struct fault *f);

/* Add the hint that names what can be used instead. Returns -1 always. */
int filter_hint(struct fault *f);

#endif
