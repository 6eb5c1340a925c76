/*
 * signals: their names, and holding them back while there is nobody to take
 * them.
 *
 * A set of signals travels as a uint64_t whose bit n - 1 is signal n, as the
 * kernel has it. The C library's sigset_t is not used: sigprocmask(3) of musl
 * and of glibc hides the two or three real-time signals that they keep for
 * themselves, and an inherited mask must come back exactly.
 */
#ifndef STEPDOWN_RUN_SIGNALS_H
#define STEPDOWN_RUN_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	SIGNAL_LAST = 64,
	SIGNAL_DROP = -1	/* a signal that is forwarded to nobody */
};

/* Block every signal that can be blocked; returns the mask until then. */
uint64_t signals_hold(void);

/* Set the mask to what signals_hold() returned; what was held arrives now. */
void signals_release(uint64_t mask);

/*
 * Give a signal its default action; returns whether it was ignored until then.
 * signals_ignore() makes it ignored again.
 */
bool signals_default(int number);
void signals_ignore(int number);

/* Of a held signal, drop one that has come; returns whether there was one. */
bool signals_forget(int number);

/*
 * A descriptor from which held signals are read, as struct signalfd_siginfo;
 * close-on-exec and non-blocking. Returns it, or -1 with errno.
 */
int signals_descriptor(void);

/*
 * Read length bytes: a name (with or without "SIG", in any case), RTMIN+n,
 * RTMAX-n, or a number from 1 to 64. RTMIN is 34, as in glibc and in Docker,
 * whatever this program was linked with.
 *
 * Returns the number, or 0 when it is no signal.
 */
int signals_parse(const char *text, size_t length);

/* The names without "SIG", for near_find(). */
struct slice signals_word(const void *list, size_t i);

/* The name without "SIG", or NULL for a real-time signal. */
const char *signals_name(int number);

#endif
