#include "drop/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/sys.h"
#include "base/text.h"
#include "cred/ids.h"
#include "plan.h"

/*
 * Raw calls: verify shares nothing with drop, nor with the C library, which
 * knows of threads and could keep what it once asked for.
 */
static int set_uid(uid_t real, uid_t effective, uid_t saved)
{
	return (int)syscall(KERNEL_SETRESUID, real, effective, saved);
}

static int set_gid(gid_t real, gid_t effective, gid_t saved)
{
	return (int)syscall(KERNEL_SETRESGID, real, effective, saved);
}

static int set_groups(size_t count, const gid_t *groups)
{
	return (int)syscall(KERNEL_SETGROUPS, count, groups);
}

void verify_describe(const struct plan *plan, struct text *out)
{
	text_add(out, "read all of it back");
	if (plan->target.uid != 0)
		text_add(out, "; try to become root again");
}

static int wrong(struct fault *f, const char *what, unsigned long long is,
		 unsigned long long wanted)
{
	return fault_set(f, EXIT_STEP, 0,
			 "verify %s: %llu, wanted %llu", what, is, wanted);
}

static int wrong_set(struct fault *f, const char *what, uint64_t is,
		     uint64_t wanted)
{
	return fault_set(f, EXIT_STEP, 0,
			 "verify the %s: 0x%llx, wanted 0x%llx", what,
			 (unsigned long long)is, (unsigned long long)wanted);
}

/* setfsuid(2) reports the old id and never an error; -1 changes nothing. */
static int verify_ids(const struct target *t, struct fault *f)
{
	uid_t uid[4];
	gid_t gid[4];

	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 ||
	    getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return fault_set(f, EXIT_STEP, errno, "verify: read the ids");
	uid[3] = (uid_t)setfsuid((uid_t)-1);
	gid[3] = (gid_t)setfsgid((gid_t)-1);
	for (size_t i = 0; i < ARRAY_LEN(uid); i++) {
		if (uid[i] != t->uid)
			return wrong(f, "the uid", uid[i], t->uid);
		if (gid[i] != t->gid)
			return wrong(f, "the gid", gid[i], t->gid);
	}
	return 0;
}

/*
 * The plan's list is sorted. The kernel's is too, but by its own numbers, which
 * a user namespace may map in another order. More than NGROUPS_MAX there cannot
 * be, and qemu-user refuses to be asked for more.
 */
static int verify_groups(const struct target *t, struct run *run,
			 struct fault *f)
{
	gid_t *groups = run->groups;
	int count = getgroups((int)ARRAY_LEN(run->groups), groups);

	if (count < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "verify: read the groups");
	if ((size_t)count != t->ngroups)
		return wrong(f, "the number of groups",
			     (unsigned long long)count, t->ngroups);
	ids_sort(groups, (size_t)count);
	for (int i = 0; i < count; i++)
		if (groups[i] != t->groups[i])
			return wrong(f, "the groups", groups[i], t->groups[i]);
	return 0;
}

/*
 * How prctl(2) tells whether a capability is in the bounding or ambient set.
 * EINVAL is what it says past the last one; it has at least one.
 */
static int read_set(int operation, unsigned long argument, uint64_t *set)
{
	*set = 0;
	for (unsigned long cap = 0; cap < 64; cap++) {
		int in_set = operation == PR_CAPBSET_READ
				     ? prctl(operation, cap, 0, 0, 0)
				     : prctl(operation, argument, cap, 0, 0);

		if (in_set < 0)
			return errno == EINVAL && cap > 0 ? 0 : -1;
		if (in_set)
			*set |= UINT64_C(1) << cap;
	}
	return 0;
}

static bool had_setpcap(const struct plan *plan)
{
	return plan->start.permitted & (UINT64_C(1) << CAP_SETPCAP);
}

static int unread(struct fault *f)
{
	return fault_set(f, EXIT_STEP, errno, "verify: read the capabilities");
}

/* own: permitted and effective, of this process (or thread) itself. */
static int verify_process(uint64_t own, uint64_t inheritable, struct fault *f)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint64_t set;

	if (syscall(SYS_capget, &header, data) < 0)
		return unread(f);
	set = data[0].permitted | (uint64_t)data[1].permitted << 32;
	if (set != own)
		return wrong_set(f, "permitted capabilities", set, own);
	set = data[0].effective | (uint64_t)data[1].effective << 32;
	if (set != own)
		return wrong_set(f, "effective capabilities", set, own);
	set = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	if (set != inheritable)
		return wrong_set(f, "inheritable capabilities", set, inheritable);
	return 0;
}

/* held: of the process itself, on top of what the application gets. */
static int verify_caps(const struct plan *plan, uint64_t held, struct fault *f)
{
	const uint64_t keep = plan->keep_caps;
	/* Without CAP_SETPCAP nobody can have changed it. */
	const uint64_t bounding = had_setpcap(plan) ? keep
						    : plan->start.bounding;
	uint64_t set;

	if (verify_process(keep | held, keep, f) < 0)
		return -1;
	if (read_set(PR_CAPBSET_READ, 0, &set) < 0)
		return unread(f);
	if (set != bounding)
		return wrong_set(f, "bounding capabilities", set, bounding);
	if (read_set(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, &set) < 0)
		return unread(f);
	if (set != keep)
		return wrong_set(f, "ambient capabilities", set, keep);
	return 0;
}

enum {
	LOCKS = SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
		SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED
};

/*
 * What the securebits must be: with CAP_SETPCAP all locked, each on or off as
 * drop wants it unless the runtime had locked it another way; else unchanged.
 */
static unsigned int expected_bits(const struct plan *plan)
{
	unsigned int old = plan->start.securebits;
	unsigned int frozen = (old & LOCKS) >> 1;
	unsigned int on = SECBIT_NO_CAP_AMBIENT_RAISE;

	if (!had_setpcap(plan))
		return old;
	if (!plan->allow_new_privs)
		on |= SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP;
	return LOCKS | (on & ~frozen) | (old & frozen);
}

static int verify_bits(const struct plan *plan, struct fault *f)
{
	const unsigned int known = LOCKS | LOCKS >> 1;
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	int no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	unsigned int wanted = expected_bits(plan) & known;

	if (bits < 0 || ((unsigned int)bits & known) != wanted)
		return wrong_set(f, "securebits", (unsigned int)bits,
				 wanted);
	if (plan->allow_new_privs ? no_new_privs < 0 : no_new_privs != 1)
		return wrong(f, "no_new_privs",
			     (unsigned long long)no_new_privs, 1);
	return 0;
}

static bool kept(const struct plan *plan, int cap)
{
	return plan->keep_caps & (UINT64_C(1) << cap);
}

/* Is every capability kept that this kernel has? */
static bool keeps_all(const struct plan *plan)
{
	int first_dropped = 0;

	while (first_dropped < 64 && kept(plan, first_dropped))
		first_dropped++;
	return first_dropped == 64 ||
	       prctl(PR_CAPBSET_READ, first_dropped, 0, 0, 0) < 0;
}

static int regained(const char *what, struct fault *f)
{
	return fault_set(f, EXIT_STEP, 0,
			 "verify: %s succeeded after the drop", what);
}

/*
 * What OpenSSH's permanently_set_uid() does for ids: try to get them back. A
 * kept capability may allow it, and then it was asked for.
 */
static int try_to_regain(const struct plan *plan, struct fault *f)
{
	const struct target *t = &plan->target;
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3] = {
		{ .permitted = ~0u, .effective = ~0u },
		{ .permitted = ~0u, .effective = ~0u }
	};
	const uint32_t same = (uint32_t)-1;
	const gid_t root_group = 0;

	if (t->uid != 0 && !kept(plan, CAP_SETUID) &&
	    (set_uid(0, 0, 0) == 0 || set_uid(same, 0, same) == 0))
		return regained("setuid(0)", f);
	if (!kept(plan, CAP_SETGID) &&
	    ((t->gid != 0 && (set_gid(0, 0, 0) == 0 ||
			      set_gid(same, 0, same) == 0)) ||
	     set_groups(1, &root_group) == 0))
		return regained("setgid(0) or setgroups(0)", f);
	if (!keeps_all(plan) && syscall(SYS_capset, &header, all) == 0)
		return regained("raising capabilities", f);
	return 0;
}

int verify_no_caps(struct fault *f)
{
	return verify_process(0, 0, f);
}

int verify_run(const struct plan *plan, struct run *run, struct fault *f)
{
	if (verify_ids(&plan->target, f) < 0 ||
	    verify_groups(&plan->target, run, f) < 0 ||
	    verify_caps(plan, run->shed ? 0 : plan_supervisor_caps(plan), f) <
		    0 ||
	    verify_bits(plan, f) < 0)
		return -1;
	return try_to_regain(plan, f);
}

/* Descriptors behind the sockets: that many are looked at. */
enum { CLOSED_ONES = 64 };

/*
 * poll(2) answers POLLNVAL for each descriptor that is not open, so one call
 * looks at many and needs no /proc; it takes no more of them than
 * RLIMIT_NOFILE. Those above are covered by what close_range(2) returned.
 */
int verify_descriptors(size_t count, struct fault *f)
{
	struct pollfd look[PLAN_MAX_SOCKETS + CLOSED_ONES];
	unsigned int number =
		fs_max_descriptors((unsigned int)count + CLOSED_ONES);

	for (unsigned int i = 0; i < number; i++)
		look[i] = (struct pollfd){ .fd = 3 + (int)i };
	if (poll(look, number, 0) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "verify: look at the descriptors");
	for (size_t i = 0; i < number; i++) {
		bool open = !(look[i].revents & POLLNVAL);
		int flags = 0;

		if (open && i < count)
			flags = fcntl(look[i].fd, F_GETFD);
		if (open != (i < count) || flags != 0)
			return fault_set(f, EXIT_STEP, 0,
					 "verify descriptor %d: it is %s",
					 look[i].fd,
					 !open ? "closed" :
					 i < count ? "closed by execve"
						    : "open and not ours to hand over");
	}
	return 0;
}
