/*
 * signals: their names, the signal mask, and waiting for them.
 *
 * A set is a uint64_t whose bit n - 1 is signal n, as in the kernel: the C
 * library hides its own real-time signals, and a mask must be restored exactly.
 */
#ifndef STEPDOWN_RUN_SIGNALS_H
#define STEPDOWN_RUN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/sys.h"

enum { SIGNAL_LAST = 64 };

/* Block every signal that can be blocked. Returns the old mask. */
uint64_t signals_block(void);

/* Set the mask; pending signals may arrive now. Returns the old mask. */
uint64_t signals_restore(uint64_t mask);

/*
 * Take one pending signal of a set of blocked ones, or wait for one: at most
 * that many milliseconds, or with -1 without limit. Needs no descriptor.
 *
 * Returns its number with *info filled, or 0 if none came.
 */
int signals_wait(uint64_t set, siginfo_t *info, int64_t milliseconds);

/*
 * Parse length bytes: a name (with or without "SIG", in any case), RTMIN+n,
 * RTMAX-n, or a number from 1 to 64. RTMIN is 34, as in glibc and in Docker,
 * whatever this program was linked with. Returns the number, or 0.
 */
int signals_parse(const char *text, size_t length);

/* Parse signals joined by commas; false if one is unknown or uncatchable. */
bool signals_parse_set(const char *text, void *set);

/* Name i without "SIG", for str_nearest(). list is ignored. */
struct slice signals_word(const void *list, size_t i);

#endif
