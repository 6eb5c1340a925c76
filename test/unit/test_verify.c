#include "unit.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "drop/verify.h"

/*
 * A kernel that answers what it is told to, so that each answer can be wrong
 * for once. It never changes anything.
 */
int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved);
int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved);
int __wrap_setfsuid(uid_t uid);
int __wrap_setfsgid(gid_t gid);
int __wrap_getgroups(int size, gid_t *groups);
int __wrap_ids_set_uid(uid_t real, uid_t effective, uid_t saved);
int __wrap_ids_set_gid(gid_t real, gid_t effective, gid_t saved);
int __wrap_ids_set_groups(size_t count, const gid_t *groups);
int __wrap_prctl(int operation, ...);
long __wrap_syscall(long number, ...);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_descriptor_control(int fd, int operation, int argument);
unsigned int __wrap_descriptor_limit(unsigned int most);

enum { LAST_CAP = 40, DESCRIPTORS = 300 };

/* What can fail, or, with "try", succeed. */
enum call {
	NO_CALL,
	GETRESUID, GETRESGID, GETGROUPS, CAPGET, CAPBSET_READ, AMBIENT_IS_SET,
	GET_SECUREBITS, GET_NO_NEW_PRIVS,
	TRY_SETRESUID, TRY_SETEUID, TRY_SETRESGID, TRY_SETEGID,
	TRY_SETGROUPS, TRY_CAPSET
};

static struct {
	uid_t uid[4];
	gid_t gid[4];
	gid_t groups[128];
	int ngroups;
	uint64_t permitted, effective, inheritable, bounding, ambient;
	int securebits;
	int no_new_privs;
	enum call odd;		/* this one fails, or succeeds */
	int error;
	unsigned int tried;	/* bit n: call n */
	char open[DESCRIPTORS];
	char cloexec[DESCRIPTORS];
	unsigned int limit;
	bool poll_fails;
} kernel;

/* All securebits but KEEP_CAPS, and their four locks. */
enum { drop_leaves = 0xef };

static struct plan plan;
static struct run run;
static struct fault f;

#define BIT(cap) (UINT64_C(1) << (cap))

static int with_kernel(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.target.uid = 4242;
	plan.target.gid = 4243;
	plan.target.groups[0] = 7;
	plan.target.groups[1] = 9;
	plan.target.ngroups = 2;
	plan.start.permitted = BIT(CAP_SETPCAP);
	memset(&f, 0, sizeof(f));
	memset(&kernel, 0, sizeof(kernel));
	for (int i = 0; i < 4; i++) {
		kernel.uid[i] = plan.target.uid;
		kernel.gid[i] = plan.target.gid;
	}
	kernel.groups[0] = 9;	/* in the order of another namespace */
	kernel.groups[1] = 7;
	kernel.ngroups = 2;
	kernel.securebits = drop_leaves;
	kernel.no_new_privs = 1;
	kernel.error = EPERM;
	kernel.limit = 1024;
	memset(kernel.open, 1, 3);
	return 0;
}

/* The same, with these capabilities kept. */
static void keep(uint64_t set)
{
	with_kernel(NULL);
	plan.keep_caps = kernel.permitted = kernel.effective =
		kernel.inheritable = kernel.bounding = kernel.ambient = set;
}

static bool fails(enum call call)
{
	kernel.tried |= 1u << call;
	if (kernel.odd == call)
		errno = kernel.error;
	return kernel.odd == call;
}

static int attempt(enum call call)
{
	kernel.tried |= 1u << call;
	if (kernel.odd == call)
		return 0;
	errno = EPERM;
	return -1;
}

int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
	*real = kernel.uid[0];
	*effective = kernel.uid[1];
	*saved = kernel.uid[2];
	return fails(GETRESUID) ? -1 : 0;
}

int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
	*real = kernel.gid[0];
	*effective = kernel.gid[1];
	*saved = kernel.gid[2];
	return fails(GETRESGID) ? -1 : 0;
}

int __wrap_setfsuid(uid_t uid)
{
	assert_int_equal(uid, (uid_t)-1);
	return (int)kernel.uid[3];
}

int __wrap_setfsgid(gid_t gid)
{
	assert_int_equal(gid, (gid_t)-1);
	return (int)kernel.gid[3];
}

int __wrap_getgroups(int size, gid_t *groups)
{
	if (fails(GETGROUPS))
		return -1;
	if (size > 0 && size < kernel.ngroups) {
		errno = EINVAL;
		return -1;
	}
	if (size > 0)
		memcpy(groups, kernel.groups,
		       (size_t)kernel.ngroups * sizeof(gid_t));
	return kernel.ngroups;
}

int __wrap_ids_set_uid(uid_t real, uid_t effective, uid_t saved)
{
	assert_int_equal(effective, 0);
	assert_int_equal(real, saved);
	return attempt(real ? TRY_SETEUID : TRY_SETRESUID);
}

int __wrap_ids_set_gid(gid_t real, gid_t effective, gid_t saved)
{
	assert_int_equal(effective, 0);
	assert_int_equal(real, saved);
	return attempt(real ? TRY_SETEGID : TRY_SETRESGID);
}

int __wrap_ids_set_groups(size_t count, const gid_t *groups)
{
	assert_int_equal(count, 1);
	assert_int_equal(groups[0], 0);
	return attempt(TRY_SETGROUPS);
}

static int in_set(uint64_t set, unsigned long cap, enum call call)
{
	if (fails(call))
		return -1;
	if (cap > LAST_CAP) {
		errno = EINVAL;
		return -1;
	}
	return !!(set & BIT(cap));
}

int __wrap_prctl(int operation, ...)
{
	unsigned long first, second;
	va_list words;

	va_start(words, operation);
	first = va_arg(words, unsigned long);
	second = va_arg(words, unsigned long);
	va_end(words);
	switch (operation) {
	case PR_CAPBSET_READ:
		return in_set(kernel.bounding, first, CAPBSET_READ);
	case PR_CAP_AMBIENT:
		assert_int_equal(first, PR_CAP_AMBIENT_IS_SET);
		return in_set(kernel.ambient, second, AMBIENT_IS_SET);
	case PR_GET_SECUREBITS:
		return fails(GET_SECUREBITS) ? -1 : kernel.securebits;
	case PR_GET_NO_NEW_PRIVS:
		return fails(GET_NO_NEW_PRIVS) ? -1 : kernel.no_new_privs;
	default:
		fail_msg("prctl(%d) is not expected", operation);
		return -1;
	}
}

long __wrap_syscall(long number, ...)
{
	struct __user_cap_data_struct *data;
	va_list words;

	va_start(words, number);
	(void)va_arg(words, void *);
	data = va_arg(words, struct __user_cap_data_struct *);
	va_end(words);
	if (number == SYS_capset) {
		assert_int_equal(data[0].permitted & data[1].permitted, ~0u);
		return attempt(TRY_CAPSET);
	}
	assert_int_equal(number, SYS_capget);
	for (int i = 0; i < 2; i++) {
		data[i].permitted = (uint32_t)(kernel.permitted >> 32 * i);
		data[i].effective = (uint32_t)(kernel.effective >> 32 * i);
		data[i].inheritable = (uint32_t)(kernel.inheritable >> 32 * i);
	}
	return fails(CAPGET) ? -1 : 0;
}

static void what_is_as_planned_is_verified(void **state)
{
	(void)state;
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	keep(BIT(0) | BIT(10) | BIT(LAST_CAP));
	assert_int_equal(verify_run(&plan, &run, &f), 0);
}

/* One lie: a number that the kernel has wrong, and how verify calls it. */
static void lie(const char *words)
{
	if (verify_run(&plan, &run, &f) != -1)
		fail_msg("nobody saw that %s is wrong", words);
	assert_fault(&f, EXIT_STEP, words);
	assert_has(f.what, "verify");
	/* What is wrong already is not tried again. */
	assert_int_equal(kernel.tried >> TRY_SETRESUID, 0);
}

static void each_wrong_id_is_seen(void **state)
{
	static const uint32_t wrong[] = { 0, 4241, 4244, 4294967295u };

	(void)state;
	for (int i = 0; i < 4; i++)
		for (size_t j = 0; j < ARRAY_LEN(wrong); j++) {
			with_kernel(NULL);
			kernel.uid[i] = wrong[j];
			lie("the uid");
			with_kernel(NULL);
			kernel.gid[i] = wrong[j];
			lie("the gid");
		}
}

static void each_wrong_group_is_seen(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		with_kernel(NULL);
		kernel.groups[i] = 0;
		lie("the groups: 0, wanted");
	}
	with_kernel(NULL);
	kernel.groups[kernel.ngroups++] = 0;
	lie("the number of groups");
	with_kernel(NULL);
	kernel.ngroups = 1;
	lie("the number of groups");
	with_kernel(NULL);
	plan.target.ngroups = 0;
	lie("the number of groups");
}

static void a_wrong_group_among_many_is_seen(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_LEN(kernel.groups); i++)
		kernel.groups[i] = plan.target.groups[i] = 100 + i;
	kernel.ngroups = (int)ARRAY_LEN(kernel.groups);
	plan.target.ngroups = ARRAY_LEN(kernel.groups);
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	kernel.tried = 0;
	kernel.groups[77] = 0;
	lie("the groups: 0, wanted");
}

/* Each capability too many and too few, in each of the five sets. */
static void each_wrong_capability_is_seen(void **state)
{
	static const struct {
		uint64_t *set;
		const char *words;
	} sets[] = {
		{ &kernel.permitted, "the permitted capabilities" },
		{ &kernel.effective, "the effective capabilities" },
		{ &kernel.inheritable, "the inheritable capabilities" },
		{ &kernel.bounding, "the bounding capabilities" },
		{ &kernel.ambient, "the ambient capabilities" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		for (int cap = 0; cap <= LAST_CAP; cap++) {
			with_kernel(NULL);
			*sets[i].set ^= BIT(cap);
			lie(sets[i].words);
			keep(BIT(10));
			*sets[i].set ^= BIT(cap);
			lie(sets[i].words);
		}
}

static void each_wrong_securebit_is_seen(void **state)
{
	(void)state;
	for (int bit = 0; bit < 8; bit++) {
		with_kernel(NULL);
		kernel.securebits ^= 1 << bit;
		lie("the securebits");
	}
	/* Bits that are newer than we are do not matter. */
	with_kernel(NULL);
	kernel.securebits |= 0x300;
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	/* What the runtime had locked must be as it was. */
	with_kernel(NULL);
	plan.start.securebits = SECBIT_NOROOT_LOCKED;
	kernel.tried = 0;
	lie("the securebits");
	kernel.securebits &= ~SECBIT_NOROOT;
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	with_kernel(NULL);
	kernel.securebits = 0;
	lie("the securebits");
}

/* Without CAP_SETPCAP nothing can have changed the two. */
static void what_nobody_could_change_must_be_as_it_was(void **state)
{
	(void)state;
	plan.start.permitted = ~BIT(CAP_SETPCAP);
	plan.start.bounding = kernel.bounding = 0xa80425fb;
	plan.start.securebits = 0;
	kernel.securebits = 0;
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	kernel.tried = 0;
	kernel.bounding ^= 1;
	lie("the bounding capabilities");
	kernel.bounding ^= 1;
	kernel.securebits = SECBIT_KEEP_CAPS;
	lie("the securebits");
}

static void no_new_privs_may_be_off_where_asked_for(void **state)
{
	(void)state;
	plan.allow_new_privs = true;
	kernel.no_new_privs = 0;
	kernel.securebits &= ~(SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP);
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	kernel.tried = 0;
	kernel.securebits |= SECBIT_NOROOT;
	lie("the securebits");
}

static void no_new_privs_that_is_not_set_is_seen(void **state)
{
	(void)state;
	kernel.no_new_privs = 0;
	lie("no_new_privs");
}

/* An answer that cannot be had is no proof. */
static void what_cannot_be_read_is_a_failure(void **state)
{
	static const struct {
		enum call call;
		const char *words;
	} reads[] = {
		{ GETRESUID, "the ids" },
		{ GETRESGID, "the ids" },
		{ GETGROUPS, "the groups" },
		{ CAPGET, "capabilities" },
		{ CAPBSET_READ, "the capabilities" },
		{ AMBIENT_IS_SET, "the capabilities" },
		{ GET_SECUREBITS, "the securebits" },
		{ GET_NO_NEW_PRIVS, "no_new_privs" },
	};
	static const int errors[] = { EPERM, EINVAL, ENOSYS, EFAULT };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(reads); i++)
		for (size_t j = 0; j < ARRAY_LEN(errors); j++) {
			with_kernel(NULL);
			kernel.odd = reads[i].call;
			kernel.error = errors[j];
			lie(reads[i].words);
		}
}

static const struct {
	enum call call;
	const char *words;
} attempts[] = {
	{ TRY_SETRESUID, "setuid(0)" },
	{ TRY_SETEUID, "setuid(0)" },
	{ TRY_SETRESGID, "setgid(0)" },
	{ TRY_SETEGID, "setgid(0)" },
	{ TRY_SETGROUPS, "setgroups(0)" },
	{ TRY_CAPSET, "raising capabilities" },
};

static void each_way_back_to_root_is_tried(void **state)
{
	(void)state;
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
		assert_true(kernel.tried & 1u << attempts[i].call);
}

static void a_way_back_that_works_fails_the_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		with_kernel(NULL);
		kernel.odd = attempts[i].call;
		assert_int_equal(verify_run(&plan, &run, &f), -1);
		assert_fault(&f, EXIT_STEP, attempts[i].words);
		assert_has(f.what, "succeeded after the drop");
	}
}

/* They would succeed, and they were asked for. */
static void a_kept_capability_is_not_tried_out(void **state)
{
	(void)state;
	keep(BIT(CAP_SETUID));
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	assert_false(kernel.tried & (1u << TRY_SETRESUID | 1u << TRY_SETEUID));
	assert_true(kernel.tried & 1u << TRY_SETGROUPS);
	keep(BIT(CAP_SETGID));
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	assert_false(kernel.tried & (1u << TRY_SETRESGID | 1u << TRY_SETEGID |
				     1u << TRY_SETGROUPS));
	assert_true(kernel.tried & 1u << TRY_SETRESUID);
}

static void root_that_is_meant_is_not_tried_out(void **state)
{
	(void)state;
	plan.target.uid = 0;
	memset(kernel.uid, 0, sizeof(kernel.uid));
	kernel.odd = TRY_SETRESUID;
	assert_int_equal(verify_run(&plan, &run, &f), 0);
	assert_false(kernel.tried & 1u << TRY_SETRESUID);
	assert_true(kernel.tried & 1u << TRY_CAPSET);
}

/* --- descriptors */

unsigned int __wrap_descriptor_limit(unsigned int most)
{
	return kernel.limit < most ? kernel.limit : most;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	assert_int_equal(timeout, 0);
	if (kernel.poll_fails || count > kernel.limit) {
		errno = EINVAL;
		return -1;
	}
	for (nfds_t i = 0; i < count; i++) {
		assert_true(fds[i].fd >= 0 && fds[i].fd < DESCRIPTORS);
		fds[i].revents = kernel.open[fds[i].fd] ? 0 : POLLNVAL;
	}
	return 0;
}

int __wrap_descriptor_control(int fd, int operation, int argument)
{
	assert_int_equal(argument, 0);
	assert_int_equal(operation, F_GETFD);
	return kernel.cloexec[fd] ? FD_CLOEXEC : 0;
}

static void exactly_the_sockets_are_open(void **state)
{
	(void)state;
	assert_int_equal(verify_descriptors(0, &f), 0);
	memset(kernel.open + 3, 1, 128);
	assert_int_equal(verify_descriptors(128, &f), 0);
	assert_int_equal(verify_descriptors(127, &f), -1);
	assert_fault(&f, EXIT_STEP, "verify descriptor 130: it is open");
	assert_int_equal(verify_descriptors(129, &f), -1);
	assert_fault(&f, EXIT_STEP, "verify descriptor 131: it is closed");
}

static void each_wrong_descriptor_is_seen(void **state)
{
	(void)state;
	for (int fd = 3; fd < 3 + 8; fd++) {
		with_kernel(NULL);
		memset(kernel.open + 3, 1, 8);
		kernel.open[fd] = 0;
		assert_int_equal(verify_descriptors(8, &f), -1);
		assert_has(f.what, "it is closed");
		with_kernel(NULL);
		memset(kernel.open + 3, 1, 8);
		kernel.cloexec[fd] = 1;
		assert_int_equal(verify_descriptors(8, &f), -1);
		assert_has(f.what, "it is closed by execve");
	}
	for (int fd = 11; fd < 11 + 64; fd++) {
		with_kernel(NULL);
		memset(kernel.open + 3, 1, 8);
		kernel.open[fd] = 1;
		assert_int_equal(verify_descriptors(8, &f), -1);
		assert_has(f.what, "it is open and not ours");
	}
}

static void a_low_limit_of_descriptors_is_kept(void **state)
{
	(void)state;
	for (rlim_t limit = 8; limit < 300; limit++) {
		with_kernel(NULL);
		memset(kernel.open + 3, 1, 2);
		kernel.limit = limit;
		assert_int_equal(verify_descriptors(2, &f), 0);
	}
}

static void descriptors_that_cannot_be_seen_are_a_failure(void **state)
{
	(void)state;
	kernel.poll_fails = true;
	assert_int_equal(verify_descriptors(0, &f), -1);
	assert_fault(&f, EXIT_STEP, "look at the descriptors");
}

#define WITH_KERNEL(test) cmocka_unit_test_setup(test, with_kernel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KERNEL(what_is_as_planned_is_verified),
		WITH_KERNEL(each_wrong_id_is_seen),
		WITH_KERNEL(each_wrong_group_is_seen),
		WITH_KERNEL(a_wrong_group_among_many_is_seen),
		WITH_KERNEL(each_wrong_capability_is_seen),
		WITH_KERNEL(each_wrong_securebit_is_seen),
		WITH_KERNEL(what_nobody_could_change_must_be_as_it_was),
		WITH_KERNEL(no_new_privs_may_be_off_where_asked_for),
		WITH_KERNEL(no_new_privs_that_is_not_set_is_seen),
		WITH_KERNEL(what_cannot_be_read_is_a_failure),
		WITH_KERNEL(each_way_back_to_root_is_tried),
		WITH_KERNEL(a_way_back_that_works_fails_the_run),
		WITH_KERNEL(a_kept_capability_is_not_tried_out),
		WITH_KERNEL(root_that_is_meant_is_not_tried_out),
		WITH_KERNEL(exactly_the_sockets_are_open),
		WITH_KERNEL(each_wrong_descriptor_is_seen),
		WITH_KERNEL(a_low_limit_of_descriptors_is_kept),
		WITH_KERNEL(descriptors_that_cannot_be_seen_are_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
