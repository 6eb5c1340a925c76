/*
 * verify: the proof. It reads back from the kernel that nothing is left but
 * what the plan gives, then tries to become root again.
 *
 * It reads ids and privileges by raw system calls, without libcap-ng, and uses
 * nothing of the files that do the drop, not even what they read at the start.
 * Each function returns 0 (verify_outsider() a pid), or -1 with a fault.
 */
#ifndef STEPDOWN_DROP_VERIFY_H
#define STEPDOWN_DROP_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fault;

enum { VERIFY_MAX_GROUPS = 65536 };	/* NGROUPS_MAX of the kernel */

/* What verify itself has read. */
struct verify_seen {
	bool setpcap;		/* before the drop: CAP_SETPCAP was permitted */
	unsigned int securebits;	/* before the drop */
	bool trying;		/* a bind(2) that must fail is tried */
};

/* What must be true after the drop. */
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

/* Before the drop: read what decides how much can be dropped. */
int verify_look(struct verify_seen *seen, struct fault *f);

/* After it: compare, then try to become root. */
int verify_run(const struct verify_spec *spec, struct verify_seen *seen,
	       struct fault *f);

/* The part of verify_run() that compares ids and groups. */
int verify_who(const struct verify_spec *spec, struct fault *f);

/*
 * verify_outsider(): start a process that stays outside of the Landlock domain
 * to come; it ends at once. verify_domain(): in the domain of this ABI, try to
 * rename a device, to bind a TCP port and to signal the outsider, then reap it.
 */
pid_t verify_outsider(struct fault *f);
int verify_domain(int abi, pid_t outsider, struct verify_seen *seen,
		  struct fault *f);

/* Before execve(2): above descriptor 2, the first count are open, no others. */
int verify_descriptors(size_t count, struct fault *f);

#endif
