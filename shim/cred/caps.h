/*
 * caps: capabilities(7), through libcap-ng. The only room that includes
 * <cap-ng.h>; verify, the witness, reads the same things with raw calls.
 *
 * A set of capabilities travels as a uint64_t whose bit n is capability n.
 */
#ifndef STEPDOWN_CRED_CAPS_H
#define STEPDOWN_CRED_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))

/* The hint where a process that is not root lacks a privilege. */
#define CAPS_START_AS_ROOT "start as root (no --user, runAsUser or USER)"

struct fault;
struct text;

/*
 * Read LIST: names (with or without "cap_", in any case) or numbers 0 to 63,
 * joined by commas; "none" is the empty set. option: its name, for the fault.
 *
 * Returns 0 and sets *set, or -1 with a usage fault.
 */
int caps_parse(const char *option, const char *list, uint64_t *set,
	       struct fault *f);

/* The names of capabilities without "cap_", for near_find(). */
struct slice caps_word(const void *list, size_t i);

/* Append the names of a set, joined by commas; "none" when it is empty. */
void caps_describe(uint64_t set, struct text *out);

/* What this process may use, and what it uses. Returns 0, or -1 with errno. */
int caps_held(uint64_t *permitted, uint64_t *effective);

/*
 * Set the effective set of this thread, and nothing else. Raw calls, since
 * libcap-ng remembers the thread that it began with. Returns 0, or -1 with
 * errno: EPERM for a capability that is not permitted.
 */
int caps_set_effective(uint64_t effective);

/* The bounding set. */
uint64_t caps_bounding(void);

/* Set these three sets, nothing more. Returns 0, or -1 with errno. */
int caps_set(uint64_t permitted, uint64_t effective, uint64_t inheritable);

/*
 * Reduce this process to exactly the capabilities in keep: permitted,
 * effective, inheritable and ambient set; and, if CAP_SETPCAP is permitted, the
 * bounding set to these and those in bounding, and lock SECBIT_NOROOT, so that
 * uid 0 gets none back by itself. Without CAP_SETPCAP the kernel changes
 * neither, and they stay as they are.
 *
 * held: what stays permitted and effective besides, and goes with the next
 * execve.
 *
 * bounding: UINT64_MAX leaves the bounding set as it is.
 * new_privs: setuid programs shall work as usual, within the bounding set.
 *
 * Needs the permitted set to have survived the change of uid
 * (PR_SET_KEEPCAPS). Returns 0, or -1 with a fault; the process then holds some
 * part of what it had and must not go on.
 */
int caps_reduce(uint64_t keep, uint64_t held, uint64_t bounding,
		bool new_privs, struct fault *f);

/*
 * Leave only these in the permitted, effective and inheritable sets of this
 * thread. Returns 0, or -1 with a fault.
 */
int caps_leave(uint64_t keep, struct fault *f);

/*
 * After a call failed for want of a capability: add the hint that says where
 * to get it, or leave the fault as it is if this process has it (the reason
 * is another one then). cap: CAP_CHOWN and so on.
 *
 * Returns -1 always.
 */
int caps_hint(struct fault *f, int cap);

#endif
