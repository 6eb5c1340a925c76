/*
 * signals: their names, the signal mask, and waiting for them.
 *
 * A set is a uint64_t whose bit n - 1 is signal n, as the kernel has it: the C
 * library's hides its own real-time signals, and a mask must come back exactly.
 */
#ifndef STEPDOWN_RUN_SIGNALS_H
#define STEPDOWN_RUN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/sys.h"

enum { SIGNAL_LAST = 64 };

/* Block every signal that can be blocked; returns the mask until then. */
uint64_t signals_block(void);

/* Set the mask; pending signals may arrive now. Returns the mask until then. */
uint64_t signals_restore(uint64_t mask);

/*
 * Take one pending signal of a set of blocked ones, or wait for it, at most
 * that many milliseconds, or with -1 for ever. Needs no descriptor.
 *
 * Returns its number with *info filled, or 0 if none came.
 */
int signals_wait(uint64_t set, siginfo_t *info, int64_t milliseconds);

/*
 * Stop this process, or its process group, by a signal whose default that is.
 * Returns when it was continued; at once if its process group is orphaned.
 */
void signals_stop(int number, bool group);

/*
 * Read length bytes: a name (with or without "SIG", in any case), RTMIN+n,
 * RTMAX-n, or a number from 1 to 64. RTMIN is 34, as in glibc and in Docker,
 * whatever this program was linked with. Returns the number, or 0.
 */
int signals_parse(const char *text, size_t length);

/* Read signals joined by commas; false if one is none, or cannot be taken. */
bool signals_parse_set(const char *text, void *set);

/* Name number i without "SIG", for str_nearest(). */
struct slice signals_word(const void *list, size_t i);

/* The name without "SIG", or NULL for a real-time signal. */
const char *signals_name(int number);

#endif
