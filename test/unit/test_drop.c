#include "unit.h"

#include <cap-ng.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "drop/drop.h"

/*
 * A kernel that writes down what it is asked for and refuses what it is told
 * to. libcap-ng's own calls are out of reach here, in a shared library:
 * capng_apply() stands for them.
 */
int __wrap_ids_set_groups(size_t count, const gid_t *groups);
int __wrap_ids_set_gid(gid_t real, gid_t effective, gid_t saved);
int __wrap_ids_set_uid(uid_t real, uid_t effective, uid_t saved);
int __wrap_prctl(int operation, ...);
long __wrap_syscall(long number, ...);
int __wrap_capng_apply(capng_select_t set);

/* Newer than any libcap-ng. */
enum { LAST_CAP = 45 };

static struct {
	char log[8192];		/* the changes, a line each */
	int calls;		/* of any kind, up to the refused one */
	int after;		/* changes tried after the refused one */
	int refuse;		/* this call, or none if 0 */
	int refuse_operation;	/* of prctl, each time, or 0 */
	int error;
	bool refused;
	uint64_t held;		/* the permitted set */
	uint64_t bounding;
	int securebits;
} kernel;

static struct plan plan;
static struct run run;
static struct fault f;

#define BIT(cap) (UINT64_C(1) << (cap))

static int with_kernel(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.error = EPERM;
	kernel.held = kernel.bounding = BIT(LAST_CAP + 1) - 1;
	memset(&f, 0, sizeof(f));
	memset(&plan, 0, sizeof(plan));
	plan.target.uid = 4242;
	plan.target.gid = 4243;
	plan.target.groups[0] = 7;
	plan.target.groups[1] = 8;
	plan.target.ngroups = 2;
	plan.start.permitted = kernel.held;	/* started as root */
	return 0;
}

/* Does the kernel refuse this one? */
static bool refuses(void)
{
	if (kernel.refused) {
		kernel.after++;
		return false;
	}
	if (++kernel.calls != kernel.refuse)
		return false;
	kernel.refused = true;
	errno = kernel.error;
	return true;
}

static void note(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
	size_t length = strlen(kernel.log);
	va_list words;

	va_start(words, format);
	vsnprintf(kernel.log + length, sizeof(kernel.log) - length, format,
		  words);
	va_end(words);
}

int __wrap_ids_set_groups(size_t count, const gid_t *groups)
{
	if (refuses())
		return -1;
	note("groups");
	for (size_t i = 0; i < count; i++)
		note(" %u", groups[i]);
	note("\n");
	return 0;
}

int __wrap_ids_set_gid(gid_t real, gid_t effective, gid_t saved)
{
	if (refuses())
		return -1;
	note("gid %u %u %u\n", real, effective, saved);
	return 0;
}

int __wrap_ids_set_uid(uid_t real, uid_t effective, uid_t saved)
{
	if (refuses())
		return -1;
	note("uid %u %u %u\n", real, effective, saved);
	return 0;
}

static int bounding_set(int operation, unsigned int cap)
{
	if (cap > LAST_CAP) {
		errno = EINVAL;
		return -1;
	}
	if (operation == PR_CAPBSET_READ)
		return !!(kernel.bounding & BIT(cap));
	if (kernel.bounding & BIT(cap))
		note("bounding -%u\n", cap);
	kernel.bounding &= ~BIT(cap);
	return 0;
}

int __wrap_prctl(int operation, ...)
{
	unsigned int argument;
	va_list words;

	va_start(words, operation);
	argument = va_arg(words, unsigned int);
	va_end(words);
	if (kernel.refuse_operation == operation) {
		errno = kernel.error;
		return -1;
	}
	if (refuses())
		return -1;
	switch (operation) {
	case PR_SET_KEEPCAPS:
		note("keepcaps %u\n", argument);
		return 0;
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
		return bounding_set(operation, argument);
	case PR_GET_SECUREBITS:
		return kernel.securebits;
	case PR_SET_SECUREBITS:
		note("securebits\n");
		kernel.securebits = (int)argument;
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		note("no_new_privs %u\n", argument);
		return 0;
	default:
		fail_msg("prctl(%d) is not expected", operation);
		return -1;
	}
}

/* capget(2). After a refusal it is for the hint, and changes nothing. */
long __wrap_syscall(long number, ...)
{
	struct __user_cap_data_struct *data;
	va_list words;

	va_start(words, number);
	(void)va_arg(words, void *);
	data = va_arg(words, struct __user_cap_data_struct *);
	va_end(words);
	assert_int_equal(number, SYS_capget);
	if (!kernel.refused && refuses())
		return -1;
	data[0].permitted = data[0].effective = (uint32_t)kernel.held;
	data[1].permitted = data[1].effective = (uint32_t)(kernel.held >> 32);
	return 0;
}

int __wrap_capng_apply(capng_select_t set)
{
	if (refuses())
		return -4;
	note(set == CAPNG_SELECT_AMBIENT ? "ambient\n" : "caps\n");
	return 0;
}

static void groups_then_gid_then_uid_then_capabilities(void **state)
{
	(void)state;
	kernel.bounding = BIT(0) | BIT(7);
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_string_equal(kernel.log, "keepcaps 1\n"
					"groups 7 8\n"
					"gid 4243 4243 4243\n"
					"uid 4242 4242 4242\n"
					"caps\n"
					"ambient\n"
					"bounding -0\n"
					"bounding -7\n"
					"securebits\n"
					"caps\n"
					"no_new_privs 1\n");
}

static void no_groups_are_set_as_none(void **state)
{
	(void)state;
	plan.target.ngroups = 0;
	plan.start.groups[0] = 7;
	plan.start.ngroups = 1;
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_has(kernel.log, "keepcaps 1\ngroups\ngid");
}

static void started_as_the_target(void)
{
	struct start *s = &plan.start;

	s->uid = s->euid = s->suid = plan.target.uid;
	s->gid = s->egid = s->sgid = plan.target.gid;
	memcpy(s->groups, plan.target.groups, sizeof(s->groups));
	s->ngroups = plan.target.ngroups;
	s->permitted = kernel.held = 0;
}

/* Who is not root may not even set what it has already. */
static void what_is_right_already_is_left_alone(void **state)
{
	(void)state;
	started_as_the_target();
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_string_equal(kernel.log, "caps\nambient\ncaps\n"
					"no_new_privs 1\n");
	started_as_the_target();
	plan.start.suid = 0;
	kernel.log[0] = '\0';
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_has(kernel.log, "uid 4242 4242 4242\n");
	started_as_the_target();
	plan.start.egid = 0;
	kernel.log[0] = '\0';
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_has(kernel.log, "gid 4243 4243 4243\n");
	assert_null(strstr(kernel.log, "uid"));
}

static void no_new_privs_is_left_out_where_asked_for(void **state)
{
	(void)state;
	plan.allow_new_privs = true;
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_null(strstr(kernel.log, "no_new_privs"));
	/* A setuid program counts on these two being off. */
	assert_int_equal(kernel.securebits &
			 (SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP), 0);
	assert_int_not_equal(kernel.securebits & SECBIT_NOROOT_LOCKED, 0);
	assert_true(kernel.bounding == 0);
}

static void each_refused_call_ends_the_drop(void **state)
{
	int count;

	(void)state;
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	count = kernel.calls;
	assert_true(count > LAST_CAP);
	for (int n = 1; n <= count; n++) {
		with_kernel(NULL);
		kernel.refuse = n;
		if (drop_run(&plan, &run, &f) != -1)
			fail_msg("call %d was refused, and nobody minded", n);
		assert_true(kernel.refused);
		assert_int_equal(kernel.calls, n);
		assert_int_equal(kernel.after, 0);
		assert_int_equal(f.status, EXIT_STEP);
		assert_true(f.what[0]);
		assert_null(strstr(kernel.log, "no_new_privs"));
	}
}

/* As a seccomp profile would, rather than once. */
static void an_operation_that_is_never_allowed_ends_the_drop(void **state)
{
	static const int operations[] = {
		PR_SET_KEEPCAPS, PR_CAPBSET_READ, PR_CAPBSET_DROP,
		PR_GET_SECUREBITS, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS
	};
	static const int errors[] = { EPERM, ENOSYS, EACCES };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(operations); i++)
		for (size_t j = 0; j < ARRAY_LEN(errors); j++) {
			with_kernel(NULL);
			kernel.refuse_operation = operations[i];
			kernel.error = errors[j];
			if (drop_run(&plan, &run, &f) != -1)
				fail_msg("prctl(%d) failed, and nobody minded",
					 operations[i]);
			assert_int_equal(f.status, EXIT_STEP);
		}
}

static void the_bounding_set_ends_as_what_is_kept(void **state)
{
	(void)state;
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_true(kernel.bounding == 0);
	with_kernel(NULL);
	plan.keep_caps = BIT(10) | BIT(LAST_CAP);
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_true(kernel.bounding == plan.keep_caps);
}

static void the_securebits_end_locked(void **state)
{
	const int all = 0xef;	/* all but KEEP_CAPS, and the four locks */

	(void)state;
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_int_equal(kernel.securebits, all);
	/* What the runtime locked the other way cannot be changed. */
	with_kernel(NULL);
	kernel.securebits = SECBIT_NOROOT_LOCKED;
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_int_equal(kernel.securebits, all & ~SECBIT_NOROOT);
	with_kernel(NULL);
	kernel.securebits = SECBIT_KEEP_CAPS;
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_int_equal(kernel.securebits, all);
}

static void a_kept_capability_that_is_not_there_ends_the_drop(void **state)
{
	(void)state;
	plan.keep_caps = BIT(10);
	kernel.held &= ~BIT(10);
	assert_int_equal(drop_run(&plan, &run, &f), -1);
	assert_fault(&f, EXIT_STEP, "keep capability net_bind_service");
	assert_has(f.hint, "--cap-add=NET_BIND_SERVICE");
	assert_null(strstr(kernel.log, "caps\nambient"));
	with_kernel(NULL);
	plan.keep_caps = BIT(63);
	assert_int_equal(drop_run(&plan, &run, &f), -1);
	assert_fault(&f, EXIT_USAGE, "--keep-caps 63");
}

static void without_setpcap_the_bounding_set_stays(void **state)
{
	(void)state;
	kernel.held &= ~BIT(8);
	plan.start.permitted = kernel.held;
	assert_int_equal(drop_run(&plan, &run, &f), 0);
	assert_string_equal(kernel.log, "keepcaps 1\n"
					"groups 7 8\n"
					"gid 4243 4243 4243\n"
					"uid 4242 4242 4242\n"
					"caps\n"
					"ambient\n"
					"caps\n"
					"keepcaps 0\n"
					"no_new_privs 1\n");
	assert_int_equal(kernel.securebits, 0);
}

static void a_refusal_names_the_capability_that_is_missing(void **state)
{
	static const struct {
		int call;
		int cap;
		const char *hint;
	} refusals[] = {
		{ 2, 6, "CAP_SETGID" }, { 3, 6, "CAP_SETGID" },
		{ 4, 7, "CAP_SETUID" }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		with_kernel(NULL);
		kernel.refuse = refusals[i].call;
		kernel.held &= ~BIT(refusals[i].cap);
		assert_int_equal(drop_run(&plan, &run, &f), -1);
		assert_has(f.hint, refusals[i].hint);
		/* With the capability there, the reason is another one. */
		with_kernel(NULL);
		kernel.refuse = refusals[i].call;
		assert_int_equal(drop_run(&plan, &run, &f), -1);
		assert_string_equal(f.hint, "");
		assert_int_equal(f.err, EPERM);
	}
}

#define WITH_KERNEL(test) cmocka_unit_test_setup(test, with_kernel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KERNEL(groups_then_gid_then_uid_then_capabilities),
		WITH_KERNEL(no_groups_are_set_as_none),
		WITH_KERNEL(what_is_right_already_is_left_alone),
		WITH_KERNEL(no_new_privs_is_left_out_where_asked_for),
		WITH_KERNEL(each_refused_call_ends_the_drop),
		WITH_KERNEL(an_operation_that_is_never_allowed_ends_the_drop),
		WITH_KERNEL(the_bounding_set_ends_as_what_is_kept),
		WITH_KERNEL(the_securebits_end_locked),
		WITH_KERNEL(a_kept_capability_that_is_not_there_ends_the_drop),
		WITH_KERNEL(without_setpcap_the_bounding_set_stays),
		WITH_KERNEL(a_refusal_names_the_capability_that_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
