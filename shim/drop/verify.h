/*
 * verify: the proof. Reads back from the kernel that nothing is left which the
 * plan does not give, then tries to get root back, and fails the run if that
 * works.
 *
 * The witness is independent: it makes raw system calls, without libcap-ng and
 * the C library's wrappers, and takes nothing from the rooms that do the drop,
 * not even what they saw at the start.
 */
#ifndef STEPDOWN_DROP_VERIFY_H
#define STEPDOWN_DROP_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct confine_domain;
struct fault;
struct text;

enum { VERIFY_MAX_GROUPS = 65536 };	/* NGROUPS_MAX of the kernel */

/* What verify itself sees. It is large: keep it off the stack. */
struct verify_seen {
	bool setpcap;		/* before the drop: CAP_SETPCAP was permitted */
	unsigned int securebits;	/* before the drop */
	gid_t groups[VERIFY_MAX_GROUPS];	/* after the drop */
};

/* What must be so after the drop. */
struct verify_spec {
	uid_t uid;
	gid_t gid;
	size_t ngroups;
	const gid_t *groups;	/* sorted, each once */
	uint64_t keep_caps;	/* in all five sets */
	uint64_t bounding;	/* in the bounding set alone, if it was there */
	uint64_t held;		/* permitted and effective besides, until execve */
	bool allow_new_privs;
	bool strict;		/* the bounding set may not stay as it was */
};

/* Append what verify_run() would do for this uid. */
void verify_describe(uid_t uid, struct text *out);

/*
 * Look at what decides how much can be given away. To be called before the
 * drop. Returns 0, or -1 with a fault.
 */
int verify_look(struct verify_seen *seen, struct fault *f);

/*
 * Compare real, effective, saved and filesystem ids, groups, the five
 * capability sets, securebits and no_new_privs with what must be; then try to
 * become root.
 *
 * Returns 0, or -1 with a fault that names the first thing that is not as it
 * must be.
 */
int verify_run(const struct verify_spec *spec, struct verify_seen *seen,
	       struct fault *f);

/*
 * In a domain of confine: try what it forbids, a file in /, a TCP port, a signal
 * to a process outside. Returns 0, or -1 with a fault if any of it works.
 */
int verify_domain(const struct confine_domain *domain, struct fault *f);

/*
 * The last look before execve(2): sockets 3 to 3+count-1 are open and stay so,
 * and no other descriptor above 2 is open.
 *
 * Returns 0, or -1 with a fault.
 */
int verify_descriptors(size_t count, struct fault *f);

#endif
