/*
 * verify: the proof. Reads back from the kernel that nothing is left which the
 * plan does not give, then tries to get root back.
 *
 * It makes raw system calls, without libcap-ng and the C library's wrappers,
 * and takes nothing from the rooms that do the drop, not even what they saw at
 * the start. Each function returns 0, or -1 with a fault.
 */
#ifndef STEPDOWN_DROP_VERIFY_H
#define STEPDOWN_DROP_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fault;

enum { VERIFY_MAX_GROUPS = 65536 };	/* NGROUPS_MAX of the kernel */

/* What verify itself sees. */
struct verify_seen {
	bool setpcap;		/* before the drop: CAP_SETPCAP was permitted */
	unsigned int securebits;	/* before the drop */
	bool trying;		/* a bind(2) that must be refused */
};

/* What must be so after the drop. */
struct verify_spec {
	uid_t uid;		/* real, effective, saved and filesystem */
	gid_t gid;
	size_t ngroups;
	const gid_t *groups;	/* sorted, each once */
	uint64_t keep_caps;	/* in all five sets */
	uint64_t bounding;	/* in the bounding set alone, if it was there */
	uint64_t held;		/* also permitted and effective, until execve */
	bool allow_new_privs;
	bool strict;		/* the bounding set may not stay as it was */
};

/* Before the drop: look at what decides how much can be given away. */
int verify_look(struct verify_seen *seen, struct fault *f);

/* After it: compare, then try to become root. */
int verify_run(const struct verify_spec *spec, struct verify_seen *seen,
	       struct fault *f);

/* The part of the comparison that is about ids and groups. */
int verify_who(const struct verify_spec *spec, struct fault *f);

/*
 * Before a Landlock domain: start a process that stays outside, ended but not
 * reaped. In the domain of this ABI: try to rename a device, to bind a TCP port
 * and to signal that process, which is reaped then.
 */
pid_t verify_outsider(struct fault *f);
int verify_domain(int abi, pid_t outsider, struct verify_seen *seen,
		  struct fault *f);

/* Before execve(2): of the descriptors above 2, these are open and no other. */
int verify_descriptors(size_t count, struct fault *f);

#endif
