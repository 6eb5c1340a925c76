/*
 * fault: why something failed.
 *
 * One error idiom for the whole program: a function returns 0, or returns -1
 * and has filled a struct fault. Nothing here prints; main does.
 */
#ifndef STEPDOWN_BASE_FAULT_H
#define STEPDOWN_BASE_FAULT_H

/* The exit statuses of stepdown itself, as in execline(7) and s6. */
enum {
	EXIT_USAGE = 100,	/* wrong words or a contradiction */
	EXIT_STEP = 111,	/* a step, that is a system call, failed */
	EXIT_NOEXEC = 126,	/* the application cannot be executed */
	EXIT_NOTFOUND = 127	/* there is no such application */
};

struct fault {
	int status;		/* exit status */
	int err;		/* errno, or 0 when the words say it all */
	char what[512];		/* object, act, value as typed */
	char hint[512];		/* what to change, or empty */
};

/*
 * Say what failed. Words too long for the buffer end in "...".
 *
 * status: exit status, one of the above; err: errno or 0.
 * Returns -1 always, so that a failure is one `return` line. Clears the hint.
 */
int fault_set(struct fault *f, int status, int err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Add the hint: what outside must change, naming the flag or manifest line.
 * Call it after fault_set(). Returns -1 always.
 */
int fault_hint(struct fault *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
