#include "unit.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#include "cred/start.h"

/*
 * A process that is whoever the test says. What it does to itself is written
 * down.
 */
int __wrap_prctl(int operation, ...);
int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved);
int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved);
int __wrap_getgroups(int size, gid_t *list);
int __wrap_ids_set_uid(uid_t real, uid_t effective, uid_t saved);
int __wrap_ids_set_gid(gid_t real, gid_t effective, gid_t saved);
unsigned long __wrap_getauxval(unsigned long type);
int __wrap_caps_held(uint64_t *permitted, uint64_t *effective);
int __wrap_caps_give_up(struct fault *fault);
int __wrap_caps_raise(uint64_t permitted, struct fault *fault);
void __wrap_say_note(const char *format, ...);
int __wrap_access(const char *path, int how);

#define BIT(cap) (UINT64_C(1) << (cap))
#define ALL (BIT(41) - 1)

static struct {
	uid_t uid, euid;
	gid_t gid, egid;
	gid_t groups[4];
	int ngroups;
	uint64_t permitted, effective, bounding;
	int securebits, no_new_privs;
	bool secure;
	char log[256];
	int notes;
} process;

static struct plan plan;
static struct fault f;

static void note(const char *format, unsigned int a, unsigned int b)
{
	size_t length = strlen(process.log);

	snprintf(process.log + length, sizeof(process.log) - length, "%s %u %u;",
		 format, a, b);
}

int __wrap_prctl(int operation, ...)
{
	unsigned int cap;
	va_list words;

	va_start(words, operation);
	cap = va_arg(words, unsigned int);
	va_end(words);
	if (operation == PR_GET_SECUREBITS)
		return process.securebits;
	if (operation == PR_GET_NO_NEW_PRIVS)
		return process.no_new_privs;
	assert_int_equal(operation, PR_CAPBSET_READ);
	errno = EINVAL;
	return cap > 40 ? -1 : !!(process.bounding & BIT(cap));
}

int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
	*real = process.uid;
	*effective = *saved = process.euid;
	return 0;
}

int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
	*real = process.gid;
	*effective = *saved = process.egid;
	return 0;
}

int __wrap_getgroups(int size, gid_t *list)
{
	assert_int_equal(size, IDS_MAX_GROUPS);
	memcpy(list, process.groups,
	       (size_t)process.ngroups * sizeof(*list));
	return process.ngroups;
}

int __wrap_ids_set_uid(uid_t real, uid_t effective, uid_t saved)
{
	assert_int_equal(effective, saved);
	note("uid", real, effective);
	process.uid = process.euid = real;
	return 0;
}

int __wrap_ids_set_gid(gid_t real, gid_t effective, gid_t saved)
{
	assert_int_equal(effective, saved);
	note("gid", real, effective);
	process.gid = process.egid = real;
	return 0;
}

unsigned long __wrap_getauxval(unsigned long type)
{
	return type == AT_SECURE ? process.secure : 0;
}

int __wrap_caps_held(uint64_t *permitted, uint64_t *effective)
{
	*permitted = process.permitted;
	*effective = process.effective;
	return 0;
}

int __wrap_caps_give_up(struct fault *fault)
{
	(void)fault;
	note("caps", 0, 0);
	process.permitted = process.effective = 0;
	return 0;
}

int __wrap_caps_raise(uint64_t permitted, struct fault *fault)
{
	(void)fault;
	note("raise", (unsigned int)permitted, 0);
	return 0;
}

void __wrap_say_note(const char *format, ...)
{
	(void)format;
	process.notes++;
}

static const char *writable;

int __wrap_access(const char *path, int how)
{
	(void)how;
	return writable && strcmp(path, writable) == 0 ? 0 : -1;
}

/* A process like that of `docker run`, and --user=4242:4343. */
static int clean(void **state)
{
	(void)state;
	memset(&process, 0, sizeof(process));
	memset(&plan, 0, sizeof(plan));
	memset(&f, 0, sizeof(f));
	process.permitted = process.effective = process.bounding = ALL;
	plan.user = "4242:4343";
	plan.target.uid = 4242;
	plan.target.gid = 4343;
	plan.target.groups[0] = 7;
	plan.target.ngroups = 1;
	writable = NULL;
	return 0;
}

static void started_as(uid_t uid, gid_t gid, uint64_t caps)
{
	process.uid = process.euid = uid;
	process.gid = process.egid = gid;
	process.permitted = caps;
	process.effective = caps;
	process.groups[0] = 2000;
	process.groups[1] = 0;
	process.ngroups = 2;
}

static int settle(void)
{
	static const char passwd[] = "app:x:4242:4343::/home/app:/bin/sh\n"
				     "other:x:5000:5000::/home/other:\n";

	assert_int_equal(start_read(&plan.start, &f), 0);
	return start_settle(&plan, temporary_file(0, passwd,
						  sizeof(passwd) - 1), &f);
}

static void assert_target(uid_t uid, gid_t gid, size_t ngroups)
{
	assert_int_equal(plan.target.uid, uid);
	assert_int_equal(plan.target.gid, gid);
	assert_int_equal(plan.target.ngroups, ngroups);
}

static void root_becomes_the_target(void **state)
{
	(void)state;
	assert_int_equal(settle(), 0);
	assert_target(4242, 4343, 1);
	assert_false(plan.start.adapted);
	assert_string_equal(process.log, "");
}

static void somebody_else_stays_who_he_is(void **state)
{
	(void)state;
	started_as(5000, 0, 0);
	assert_int_equal(settle(), 0);
	assert_target(5000, 0, 2);
	assert_int_equal(plan.target.groups[0], 0);	/* sorted */
	assert_int_equal(plan.target.groups[1], 2000);
	assert_string_equal(plan.target.name, "other");
	assert_string_equal(plan.target.home, "/home/other");
	assert_string_equal(plan.target.shell, "/bin/sh");
	assert_true(plan.start.adapted);
	start_tell(&plan);
	assert_int_equal(process.notes, 1);
}

/* Also when he could change the ids: it is the operator's choice. */
static void somebody_else_stays_so_with_capabilities(void **state)
{
	(void)state;
	started_as(5000, 5000, BIT(CAP_SETUID) | BIT(CAP_SETGID));
	assert_int_equal(settle(), 0);
	assert_target(5000, 5000, 2);
}

static void the_same_uid_gets_its_groups_where_it_may(void **state)
{
	(void)state;
	started_as(4242, 0, BIT(CAP_SETGID));
	assert_int_equal(settle(), 0);
	assert_target(4242, 4343, 1);
	assert_false(plan.start.adapted);
	clean(NULL);
	started_as(4242, 0, 0);
	assert_int_equal(settle(), 0);
	assert_target(4242, 0, 2);
	assert_true(plan.start.adapted);
	clean(NULL);
	started_as(4242, 4343, 0);
	process.groups[0] = 7;
	process.ngroups = 1;
	assert_int_equal(settle(), 0);
	assert_false(plan.start.adapted);
	start_tell(&plan);
	assert_int_equal(process.notes, 0);
	/* The gid once more among the groups, as podman has it, is nothing new. */
	clean(NULL);
	started_as(4242, 4343, 0);
	process.groups[0] = 4343;
	process.groups[1] = 7;
	assert_int_equal(settle(), 0);
	assert_target(4242, 4343, 2);
	assert_false(plan.start.adapted);
}

static void fail_means_only_root(void **state)
{
	(void)state;
	plan.unprivileged = UNPRIVILEGED_FAIL;
	assert_int_equal(settle(), 0);
	started_as(4242, 4343, ALL);
	assert_int_equal(settle(), -1);
	assert_fault(&f, EXIT_USAGE, "--unprivileged");
}

static void the_privileges_of_the_file_are_for_the_user_alone(void **state)
{
	(void)state;
	started_as(5000, 5000, BIT(CAP_CHOWN));
	process.secure = true;
	assert_int_equal(settle(), 0);
	assert_string_equal(process.log, "gid 5000 5000;uid 5000 5000;caps 0 0;");
	assert_false(start_has(&plan.start, CAP_CHOWN));
	assert_target(5000, 5000, 2);

	clean(NULL);	/* setuid and setgid root */
	started_as(5000, 5000, ALL);
	process.euid = process.egid = 0;
	process.secure = true;
	assert_int_equal(settle(), 0);
	assert_string_equal(process.log, "gid 5000 5000;uid 5000 5000;caps 0 0;");
	assert_target(5000, 5000, 2);

	clean(NULL);
	started_as(4242, 4343, BIT(CAP_CHOWN));
	process.secure = true;
	assert_int_equal(settle(), 0);
	assert_string_equal(process.log, "");
	assert_true(start_has(&plan.start, CAP_CHOWN));

	clean(NULL);	/* setuid root, run by the user it is for */
	started_as(4242, 4343, ALL);
	process.euid = 0;
	process.secure = true;
	assert_int_equal(settle(), 0);
	assert_string_equal(process.log, "");
	assert_target(4242, 4343, 1);
	assert_false(plan.start.adapted);
}

static void root_that_runs_a_setuid_file_is_root(void **state)
{
	(void)state;
	process.euid = 77;
	process.secure = true;
	assert_int_equal(settle(), 0);
	assert_string_equal(process.log, "gid 0 0;uid 0 0;");
	assert_target(4242, 4343, 1);
}

static void real_root_is_never_kept_by_accident(void **state)
{
	(void)state;
	process.euid = 77;
	process.permitted = 0;
	assert_int_equal(settle(), -1);
	assert_fault(&f, EXIT_USAGE, "root");
}

static void what_is_usable_is_passed_over(void **state)
{
	(void)state;
	started_as(5000, 5000, 0);
	plan.trees[0].path = "/nowhere/at/all";
	plan.trees[1].path = "/usr";
	plan.trees[2].path = "/tmp";
	plan.ntrees = 3;
	writable = "/tmp";
	assert_int_equal(settle(), 0);
	assert_int_equal(plan.ntrees, 2);
	assert_string_equal(plan.trees[1].path, "/usr");
	clean(NULL);
	started_as(5000, 5000, BIT(CAP_CHOWN));
	plan.trees[0].path = "/tmp";
	plan.ntrees = 1;
	writable = "/tmp";
	assert_int_equal(settle(), 0);
	assert_int_equal(plan.ntrees, 1);
}

static int settle_and_check(void)
{
	assert_int_equal(settle(), 0);
	return start_check(&plan, &f);
}

static void without_setpcap_strict_ends_the_run(void **state)
{
	(void)state;
	plan.strict = true;
	assert_int_equal(settle_and_check(), 0);
	process.permitted &= ~BIT(CAP_SETPCAP);
	assert_int_equal(settle_and_check(), -1);
	assert_fault(&f, EXIT_STEP, "bounding set");
	plan.strict = false;
	assert_int_equal(settle_and_check(), 0);
	plan.strict = true;
	process.bounding = 0;	/* there is nothing to empty */
	assert_int_equal(settle_and_check(), 0);
}

static void what_would_get_all_back_ends_the_run(void **state)
{
	(void)state;
	plan.target.uid = 0;
	plan.drop.allow_new_privs = true;
	process.permitted &= ~BIT(CAP_SETPCAP);
	assert_int_equal(settle_and_check(), -1);
	assert_fault(&f, EXIT_STEP, "bounding set");
	plan.drop.allow_new_privs = false;
	assert_int_equal(settle_and_check(), 0);
	/* A setuid program, or one with file capabilities, gets it all. */
	plan.target.uid = 4242;
	plan.drop.allow_new_privs = true;
	assert_int_equal(settle_and_check(), -1);
	assert_fault(&f, EXIT_STEP, "bounding set");
	process.bounding = 0;
	assert_int_equal(settle_and_check(), 0);
}

static void a_capability_that_cannot_be_kept_is_found_early(void **state)
{
	(void)state;
	plan.drop.keep_caps = BIT(CAP_NET_RAW);
	assert_int_equal(settle_and_check(), 0);
	process.permitted &= ~BIT(CAP_NET_RAW);
	assert_int_equal(settle_and_check(), -1);
	assert_fault(&f, EXIT_STEP, "keep capability net_raw");
	plan.drop.keep_caps = BIT(63);
	assert_int_equal(settle_and_check(), -1);
	assert_fault(&f, EXIT_USAGE, "63");
}

static void what_is_permitted_only_is_raised(void **state)
{
	(void)state;
	started_as(4242, 4343, 5);
	process.effective = 0;
	assert_int_equal(settle(), 0);
	assert_int_equal(start_raise(&plan, &f), 0);
	assert_string_equal(process.log, "raise 5 0;");
	clean(NULL);
	assert_int_equal(settle(), 0);
	assert_int_equal(start_raise(&plan, &f), 0);
	assert_string_equal(process.log, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(root_becomes_the_target, clean),
		cmocka_unit_test_setup(somebody_else_stays_who_he_is, clean),
		cmocka_unit_test_setup(somebody_else_stays_so_with_capabilities,
				       clean),
		cmocka_unit_test_setup(
			the_same_uid_gets_its_groups_where_it_may, clean),
		cmocka_unit_test_setup(fail_means_only_root, clean),
		cmocka_unit_test_setup(
			the_privileges_of_the_file_are_for_the_user_alone,
			clean),
		cmocka_unit_test_setup(root_that_runs_a_setuid_file_is_root,
				       clean),
		cmocka_unit_test_setup(real_root_is_never_kept_by_accident,
				       clean),
		cmocka_unit_test_setup(what_is_usable_is_passed_over, clean),
		cmocka_unit_test_setup(without_setpcap_strict_ends_the_run,
				       clean),
		cmocka_unit_test_setup(
			what_would_get_all_back_ends_the_run, clean),
		cmocka_unit_test_setup(
			a_capability_that_cannot_be_kept_is_found_early, clean),
		cmocka_unit_test_setup(what_is_permitted_only_is_raised, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
