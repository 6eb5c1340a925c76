#include "drop/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"
#include "listen/listen.h"

static int ask(int operation, unsigned long argument, unsigned long cap)
{
	return (int)syscall(SYS_prctl, operation, argument, cap, 0L, 0L);
}

static int wrong(struct fault *f, const char *what, uint64_t is,
		 uint64_t wanted)
{
	return fault_set(f, EXIT_STEP, 0,
			 "verify the %s: 0x%llx, wanted 0x%llx", what,
			 (unsigned long long)is, (unsigned long long)wanted);
}

static int unread(struct fault *f, const char *what)
{
	return fault_set(f, EXIT_STEP, errno, "verify: read the %s", what);
}

/* setfsuid(2) reports the old id and never an error; -1 changes nothing. */
static int verify_ids(const struct verify_spec *spec, struct fault *f)
{
	uid_t uid[4];
	gid_t gid[4];

	if (syscall(KERNEL_NUMBER(getresuid), &uid[0], &uid[1], &uid[2]) < 0 ||
	    syscall(KERNEL_NUMBER(getresgid), &gid[0], &gid[1], &gid[2]) < 0)
		return unread(f, "ids");
	uid[3] = (uid_t)syscall(KERNEL_NUMBER(setfsuid), (uid_t)-1);
	gid[3] = (gid_t)syscall(KERNEL_NUMBER(setfsgid), (gid_t)-1);
	for (size_t i = 0; i < ARRAY_LEN(uid); i++) {
		if (uid[i] != spec->uid)
			return wrong(f, "uid", uid[i], spec->uid);
		if (gid[i] != spec->gid)
			return wrong(f, "gid", gid[i], spec->gid);
	}
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	gid_t one = *(const gid_t *)a, other = *(const gid_t *)b;

	return (one > other) - (one < other);
}

/* The kernel sorts by its own numbers, which a user namespace may reorder. */
static int verify_groups(const struct verify_spec *spec, struct fault *f)
{
	static gid_t groups[VERIFY_MAX_GROUPS] SYS_LARGE;
	long count = syscall(KERNEL_NUMBER(getgroups), VERIFY_MAX_GROUPS,
			     groups);

	if (count < 0)
		return unread(f, "groups");
	if ((size_t)count != spec->ngroups)
		return wrong(f, "number of groups", (uint64_t)count,
			     spec->ngroups);
	qsort(groups, (size_t)count, sizeof(*groups), compare_ids);
	for (size_t i = 0; i < spec->ngroups; i++)
		if (groups[i] != spec->groups[i])
			return wrong(f, "groups", groups[i], spec->groups[i]);
	return 0;
}

/*
 * The bounding set, or the ambient set, in which can only be what is possible.
 * EINVAL past the kernel's last capability; for the first it is an error.
 */
static int read_set(bool ambient, uint64_t possible, uint64_t *set)
{
	*set = 0;
	for (unsigned long cap = 0; cap < 64; cap++) {
		const uint64_t bit = UINT64_C(1) << cap;
		int in_set = 0;

		if (possible & bit)
			in_set = ambient ? ask(PR_CAP_AMBIENT,
					       PR_CAP_AMBIENT_IS_SET, cap)
					 : ask(PR_CAPBSET_READ, cap, 0);
		if (in_set < 0)
			return errno == EINVAL && cap > 0 ? 0 : -1;
		if (in_set)
			*set |= bit;
	}
	return 0;
}

/* The permitted, effective and inheritable set of this thread. */
static int read_process(uint64_t sets[3])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	sets[0] = data[0].permitted | (uint64_t)data[1].permitted << 32;
	sets[1] = data[0].effective | (uint64_t)data[1].effective << 32;
	sets[2] = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

int verify_look(struct verify_seen *seen, struct fault *f)
{
	uint64_t sets[3];
	int bits = ask(PR_GET_SECUREBITS, 0, 0);

	if (bits < 0 || read_process(sets) < 0)
		return unread(f, "securebits and capabilities");
	seen->setpcap = sets[0] & 1u << CAP_SETPCAP;
	seen->securebits = (unsigned int)bits;
	return 0;
}

/*
 * Without CAP_SETPCAP the bounding set stays, harmless under no_new_privs.
 * NOROOT is locked on, unless the runtime locked it off; KEEP_CAPS is off.
 */
static int verify_privileges(const struct verify_spec *spec,
			     const struct verify_seen *seen, struct fault *f)
{
	const uint64_t keep = spec->keep_caps, held = keep | spec->held;
	const bool may_stay = !seen->setpcap && !spec->strict &&
			      !spec->allow_new_privs;
	const bool locks = seen->setpcap && !spec->allow_new_privs &&
			   !(seen->securebits & SECBIT_NOROOT_LOCKED);
	const uint64_t bits = (seen->securebits & ~SECBIT_KEEP_CAPS) |
		(locks ? SECBIT_NOROOT | SECBIT_NOROOT_LOCKED : 0);
	const int has_bits = ask(PR_GET_SECUREBITS, 0, 0);
	const int no_new_privs = ask(PR_GET_NO_NEW_PRIVS, 0, 0);
	uint64_t sets[3], bounding, ambient;

	if (has_bits < 0 || no_new_privs < 0 || read_process(sets) < 0 ||
	    read_set(false, UINT64_MAX, &bounding) < 0 ||
	    read_set(true, sets[0] & sets[2], &ambient) < 0)
		return unread(f, "capabilities, securebits or no_new_privs");

	const struct {
		const char *what;
		uint64_t is, wanted;
	} rows[] = {
		{ "permitted capabilities", sets[0], held },
		{ "effective capabilities", sets[1], held },
		{ "inheritable capabilities", sets[2], keep },
		{ "bounding capabilities", bounding, keep |
		  (bounding & (may_stay ? UINT64_MAX : spec->bounding)) },
		{ "ambient capabilities", ambient, keep },
		{ "securebits", (uint64_t)has_bits, bits },
		{ "no_new_privs", (uint64_t)no_new_privs,
		  spec->allow_new_privs ? (uint64_t)no_new_privs : 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].is != rows[i].wanted)
			return wrong(f, rows[i].what, rows[i].is,
				     rows[i].wanted);
	return 0;
}

static int worked(const char *what, struct fault *f)
{
	return fault_set(f, EXIT_STEP, 0,
			 "verify: %s succeeded after the drop", what);
}

/* As OpenSSH's permanently_set_uid(); skips what a kept capability allows. */
static int try_to_regain(const struct verify_spec *spec, struct fault *f)
{
	const uint64_t keep = spec->keep_caps;
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	const struct __user_cap_data_struct all = { ~0u, ~0u, 0 };
	const struct __user_cap_data_struct data[] = { all, all };
	const uint32_t same = (uint32_t)-1;
	const gid_t root_group = 0;

	if (spec->uid != 0 && !(keep & 1u << CAP_SETUID) &&
	    (syscall(KERNEL_NUMBER(setresuid), 0, 0, 0) == 0 ||
	     syscall(KERNEL_NUMBER(setresuid), same, 0, same) == 0))
		return worked("setuid(0)", f);
	if (!(keep & 1u << CAP_SETGID) &&
	    ((spec->gid != 0 &&
	      (syscall(KERNEL_NUMBER(setresgid), 0, 0, 0) == 0 ||
	       syscall(KERNEL_NUMBER(setresgid), same, 0, same) == 0)) ||
	     syscall(KERNEL_NUMBER(setgroups), 1, &root_group) == 0))
		return worked("setgid(0) or setgroups(0)", f);
	if (!(keep & 1u << CAP_SYS_ADMIN) &&
	    syscall(SYS_capset, &header, data) == 0)
		return worked("raising capabilities", f);
	return 0;
}

int verify_who(const struct verify_spec *spec, struct fault *f)
{
	return verify_ids(spec, f) < 0 ? -1 : verify_groups(spec, f);
}

int verify_run(const struct verify_spec *spec, struct verify_seen *seen,
	       struct fault *f)
{
	if (verify_who(spec, f) < 0 || verify_privileges(spec, seen, f) < 0)
		return -1;
	return try_to_regain(spec, f);
}

static int end_at_once(void *nothing)
{
	(void)nothing;
	_exit(0);
}

/* kill(2) finds it until it is reaped. As with vfork(2), it uses our memory. */
pid_t verify_outsider(struct fault *f)
{
	_Alignas(16) char stack[4096];
	pid_t pid = clone(end_at_once, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK, NULL);

	return pid < 0 ? fault_set(f, EXIT_STEP, errno,
				   "verify: start a process") : pid;
}

/* No rule allows port 0, and the kernel asks Landlock first. */
static bool can_bind(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused = fd < 0 ||	/* no IPv4 here */
		       (bind(fd, (const struct sockaddr *)&any, sizeof(any)) <
				0 && (errno == EACCES || errno == EPERM));

	if (fd >= 0)
		close(fd);
	return !refused;
}

/*
 * rename(2) of a file to its own name changes nothing, and only Landlock can
 * refuse it: no rule allows the creation of a device.
 */
int verify_domain(int abi, pid_t outsider, struct verify_seen *seen,
		  struct fault *f)
{
	static const char device[] = "/dev/pts/ptmx";
	bool binds;

	if (rename(device, device) == 0)
		return worked("renaming a device", f);
	seen->trying = true;
	binds = abi >= 4 && can_bind();
	seen->trying = false;
	if (binds)
		return worked("bind(2) of an undeclared port", f);
	if (abi >= 6 && (kill(outsider, 0) == 0 || errno != EPERM))
		return worked("a signal to a process outside", f);
	waitpid(outsider, NULL, __WCLONE);
	return 0;
}

/*
 * poll(2) reports POLLNVAL for each descriptor that is not open, so one call
 * checks many without /proc, but no more than RLIMIT_NOFILE. The result of
 * close_range(2) covers those above.
 */
enum { CLOSED_ONES = 64 };

int verify_descriptors(size_t count, struct fault *f)
{
	struct pollfd look[SOCKETS_MAX + SECRETS_MAX + CLOSED_ONES];
	unsigned int number = (unsigned int)count + CLOSED_ONES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < number)
		number = (unsigned int)limit.rlim_cur;
	for (unsigned int i = 0; i < number; i++)
		look[i] = (struct pollfd){ .fd = 3 + (int)i };
	if (poll(look, number, 0) < 0)
		return unread(f, "descriptors");
	for (size_t i = 0; i < number; i++) {
		bool is_ours = i < count;

		if (!(look[i].revents & POLLNVAL) != is_ours ||
		    (is_ours && fcntl(look[i].fd, F_GETFD) != 0))
			return fault_set(f, EXIT_STEP, 0,
					 "verify: descriptor %d is %s",
					 look[i].fd,
					 is_ours ? "closed" : "open");
	}
	return 0;
}
