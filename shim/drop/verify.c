#include "drop/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/text.h"
#include "drop/confine.h"
#include "listen/listen_fds.h"

static int set_uid(uid_t real, uid_t effective, uid_t saved)
{
	return (int)syscall(KERNEL_SETRESUID, real, effective, saved);
}

static int set_gid(gid_t real, gid_t effective, gid_t saved)
{
	return (int)syscall(KERNEL_SETRESGID, real, effective, saved);
}

static int ask(int operation, unsigned long argument, unsigned long cap)
{
	return (int)syscall(SYS_prctl, operation, argument, cap, 0L, 0L);
}

void verify_describe(uid_t uid, struct text *out)
{
	text_add(out, "read all of it back%s",
		 uid ? "; try to become root again" : "");
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

static int unread(struct fault *f, const char *what)
{
	return fault_set(f, EXIT_STEP, errno, "verify: read the %s", what);
}

/* setfsuid(2) reports the old id and never an error; -1 changes nothing. */
static int verify_ids(const struct verify_spec *spec, struct fault *f)
{
	uid_t uid[4];
	gid_t gid[4];

	if (syscall(KERNEL_GETRESUID, &uid[0], &uid[1], &uid[2]) < 0 ||
	    syscall(KERNEL_GETRESGID, &gid[0], &gid[1], &gid[2]) < 0)
		return unread(f, "ids");
	uid[3] = (uid_t)syscall(KERNEL_SETFSUID, (uid_t)-1);
	gid[3] = (gid_t)syscall(KERNEL_SETFSGID, (gid_t)-1);
	for (size_t i = 0; i < ARRAY_LEN(uid); i++) {
		if (uid[i] != spec->uid)
			return wrong(f, "the uid", uid[i], spec->uid);
		if (gid[i] != spec->gid)
			return wrong(f, "the gid", gid[i], spec->gid);
	}
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	gid_t one = *(const gid_t *)a, other = *(const gid_t *)b;

	return (one > other) - (one < other);
}

/*
 * The kernel's list is sorted by its own numbers, which a user namespace may map
 * in another order.
 */
static int verify_groups(const struct verify_spec *spec, gid_t *groups,
			 struct fault *f)
{
	long count = syscall(KERNEL_GETGROUPS, VERIFY_MAX_GROUPS, groups);

	if (count < 0)
		return unread(f, "groups");
	if ((size_t)count != spec->ngroups)
		return wrong(f, "the number of groups",
			     (unsigned long long)count, spec->ngroups);
	qsort(groups, (size_t)count, sizeof(*groups), compare_ids);
	for (size_t i = 0; i < spec->ngroups; i++)
		if (groups[i] != spec->groups[i])
			return wrong(f, "the groups", groups[i],
				     spec->groups[i]);
	return 0;
}

/*
 * The set that prctl(2) tells one by one. With an operation that has an
 * argument of its own the capability is the second one. EINVAL is the answer
 * behind the kernel's last capability; there is at least one.
 */
static int read_set(int operation, uint64_t *set)
{
	*set = 0;
	for (unsigned long cap = 0; cap < 64; cap++) {
		int in_set = operation == PR_CAPBSET_READ
				     ? ask(operation, cap, 0)
				     : ask(operation, PR_CAP_AMBIENT_IS_SET,
					   cap);

		if (in_set < 0)
			return errno == EINVAL && cap > 0 ? 0 : -1;
		if (in_set)
			*set |= UINT64_C(1) << cap;
	}
	return 0;
}

static uint64_t join(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

static int read_process(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	return (int)syscall(SYS_capget, &header, data);
}

int verify_look(struct verify_seen *seen, struct fault *f)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int bits = ask(PR_GET_SECUREBITS, 0, 0);

	if (bits < 0)
		return unread(f, "securebits");
	if (read_process(data) < 0)
		return unread(f, "capabilities");
	seen->setpcap = data[0].permitted & 1u << CAP_SETPCAP;
	seen->securebits = (unsigned int)bits;
	return 0;
}

/* own: permitted and effective, of this process (or thread) itself. */
static int verify_process(uint64_t own, uint64_t inheritable, struct fault *f)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint64_t set;

	if (read_process(data) < 0)
		return unread(f, "capabilities");
	set = join(data[0].permitted, data[1].permitted);
	if (set != own)
		return wrong_set(f, "permitted capabilities", set, own);
	set = join(data[0].effective, data[1].effective);
	if (set != own)
		return wrong_set(f, "effective capabilities", set, own);
	set = join(data[0].inheritable, data[1].inheritable);
	if (set != inheritable)
		return wrong_set(f, "inheritable capabilities", set,
				 inheritable);
	return 0;
}

/*
 * Without CAP_SETPCAP nobody can have changed the bounding set, and under
 * no_new_privs it gives nothing.
 */
static int verify_caps(const struct verify_spec *spec, bool setpcap,
		       struct fault *f)
{
	const uint64_t keep = spec->keep_caps;
	bool may_stay = !setpcap && !spec->strict && !spec->allow_new_privs;
	uint64_t set;

	if (verify_process(keep | spec->held, keep, f) < 0)
		return -1;
	if (read_set(PR_CAPBSET_READ, &set) < 0)
		return unread(f, "bounding set");
	if ((keep & ~set) || ((set & ~(keep | spec->bounding)) && !may_stay))
		return wrong_set(f, "bounding capabilities", set,
				 keep | spec->bounding);
	if (read_set(PR_CAP_AMBIENT, &set) < 0)
		return unread(f, "ambient set");
	if (set != keep)
		return wrong_set(f, "ambient capabilities", set, keep);
	return 0;
}

/*
 * NOROOT must be on and locked, unless it could not be set or setuid programs
 * shall work, or the runtime had locked it off; KEEP_CAPS must be off, and the
 * others as they were.
 */
static int verify_bits(const struct verify_spec *spec,
		       const struct verify_seen *seen, struct fault *f)
{
	int bits = ask(PR_GET_SECUREBITS, 0, 0);
	int no_new_privs = ask(PR_GET_NO_NEW_PRIVS, 0, 0);
	unsigned int wanted = seen->securebits & ~(1u << SECURE_KEEP_CAPS);

	if (seen->setpcap && !spec->allow_new_privs &&
	    !(wanted & SECBIT_NOROOT_LOCKED))
		wanted |= SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;
	if (bits < 0 || (unsigned int)bits != wanted)
		return wrong_set(f, "securebits", (unsigned int)bits, wanted);
	if (spec->allow_new_privs ? no_new_privs < 0 : no_new_privs != 1)
		return wrong(f, "no_new_privs",
			     (unsigned long long)no_new_privs, 1);
	return 0;
}

static bool kept(const struct verify_spec *spec, unsigned int cap)
{
	return spec->keep_caps & (UINT64_C(1) << cap);
}

/* Is every capability kept that this kernel has? */
static bool keeps_all(const struct verify_spec *spec)
{
	unsigned int first_dropped = 0;

	while (first_dropped < 64 && kept(spec, first_dropped))
		first_dropped++;
	return first_dropped == 64 ||
	       ask(PR_CAPBSET_READ, first_dropped, 0) < 0;
}

static int regained(const char *what, struct fault *f)
{
	return fault_set(f, EXIT_STEP, 0,
			 "verify: %s succeeded after the drop", what);
}

/*
 * As OpenSSH's permanently_set_uid() does for ids: try to get them back. A kept
 * capability may allow it, and then it was asked for.
 */
static int try_to_regain(const struct verify_spec *spec, struct fault *f)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3] = {
		{ .permitted = ~0u, .effective = ~0u },
		{ .permitted = ~0u, .effective = ~0u }
	};
	const uint32_t same = (uint32_t)-1;
	const gid_t root_group = 0;

	if (spec->uid != 0 && !kept(spec, CAP_SETUID) &&
	    (set_uid(0, 0, 0) == 0 || set_uid(same, 0, same) == 0))
		return regained("setuid(0)", f);
	if (!kept(spec, CAP_SETGID) &&
	    ((spec->gid != 0 &&
	      (set_gid(0, 0, 0) == 0 || set_gid(same, 0, same) == 0)) ||
	     syscall(KERNEL_SETGROUPS, 1, &root_group) == 0))
		return regained("setgid(0) or setgroups(0)", f);
	if (!keeps_all(spec) && syscall(SYS_capset, &header, all) == 0)
		return regained("raising capabilities", f);
	return 0;
}

int verify_run(const struct verify_spec *spec, struct verify_seen *seen,
	       struct fault *f)
{
	if (verify_ids(spec, f) < 0 ||
	    verify_groups(spec, seen->groups, f) < 0 ||
	    verify_caps(spec, seen->setpcap, f) < 0 ||
	    verify_bits(spec, seen, f) < 0)
		return -1;
	return try_to_regain(spec, f);
}

/* The kernel asks Landlock first, so any other error is a port it let through. */
static bool can_bind(uint16_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)	/* no IPv4 here */
		return false;
	refused = bind(fd, (const struct sockaddr *)&address,
		       sizeof(address)) < 0 &&
		  (errno == EACCES || errno == EPERM);
	close(fd);
	return !refused;
}

/* The parent is outside, unless it is that of a pid namespace's first process. */
int verify_domain(const struct confine_domain *domain, struct fault *f)
{
	pid_t parent = getppid();

	if (domain->abi >= 1 && !domain->root_is_writable &&
	    open("/", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0) >= 0)
		return regained("writing below /", f);
	if (domain->abi >= 4 && domain->forbidden_port &&
	    can_bind(domain->forbidden_port))
		return regained("bind(2) of an undeclared port", f);
	if (domain->abi >= 6 && parent > 0 && kill(parent, 0) == 0)
		return regained("a signal to the parent", f);
	return 0;
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
	struct pollfd look[SOCKETS_MAX + CLOSED_ONES];
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
