#include "unit.h"

#include "own/spec.h"

static struct plan plan;
static struct fault f;

static int parse(const char *value)
{
	memset(&plan, 0, sizeof(plan));
	memset(&f, 0, sizeof(f));
	return own_option_parse(&plan, value, &f);
}

static void a_path_alone_needs_no_copy(void **state)
{
	const char *value = "/data";

	(void)state;
	assert_int_equal(parse(value), 0);
	assert_int_equal(plan.ntrees, 1);
	assert_ptr_equal(plan.trees[0].path, value);
	assert_int_equal(plan.text_length, 0);
}

static void each_option_is_found(void **state)
{
	const struct tree *t = plan.trees;

	(void)state;
	assert_int_equal(parse("/a,user=u,group=g,mode=u=rwX,go=rX,from=1:2,shallow,create=2770,if-root-differs,try,cross-mounts,force,threads=3"),
			 0);
	assert_string_equal(t->path, "/a");
	assert_string_equal(t->user, "u");
	assert_string_equal(t->group, "g");
	assert_string_equal(t->mode, "u=rwX,go=rX");
	assert_int_equal(t->nclauses, 2);
	assert_string_equal(t->from, "1:2");
	assert_int_equal(t->create_mode, 02770);
	assert_int_equal(t->threads, 3);
	assert_true(t->shallow && t->create && t->if_root_differs &&
		    t->may_fail && t->cross_mounts && t->force);
	assert_false(t->fsgroup);
	assert_int_equal(parse("/a,create,fsgroup"), 0);
	assert_true(t->create && t->fsgroup);
	assert_int_equal(t->create_mode, 0755);
}

static void a_backslash_keeps_a_comma(void **state)
{
	(void)state;
	assert_int_equal(parse("/a\\,b\\\\c\\d,try"), 0);
	assert_string_equal(plan.trees[0].path, "/a,b\\c\\d");
	assert_true(plan.trees[0].may_fail);
}

static void what_is_wrong_is_a_usage_fault(void **state)
{
	static const char *const values[] = {
		"", "data", "./data", ",try", "/a,", "/a,,try", "/a,user",
		"/a,user=", "/a,mode=", "/a,mode=rw", "/a,threads=9",
		"/a,threads=-1", "/a,create=a+x", "/a,create=9", "/a,try=1",
		"/a,fsgroup,user=1", "/a,mode=700,fsgroup", "/etc", "/etc,try",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (parse(values[i]) != -1)
			fail_msg("'%s' should be refused", values[i]);
		assert_fault(&f, EXIT_USAGE, "--own ");
	}
}

static void folders_of_the_system_are_known_by_any_name(void **state)
{
	static const char *const system[] = {
		"/", "//", "/.", "/..", "/../..", "/etc", "/etc/", "//etc//",
		"/./etc/.", "/data/../etc", "/etc/x/..", "/proc/1", "/sys/fs",
		"/usr/local/../lib/", "/boot/grub",
	};
	static const char *const others[] = {
		"/data", "/etc/nginx", "/etcetera", "/run", "/tmp", "/srv",
		"/usr/src/app", "/usr/share/nginx/html", "/var/lib/nginx",
		"/proceedings", "/data/etc", "/...", "/.etc", "/home/app",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(system); i++)
		if (!own_option_is_system(system[i]))
			fail_msg("%s is the system's", system[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (own_option_is_system(others[i]))
			fail_msg("%s is not the system's", others[i]);
	assert_int_equal(parse("/etc,force"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_alone_needs_no_copy),
		cmocka_unit_test(each_option_is_found),
		cmocka_unit_test(a_backslash_keeps_a_comma),
		cmocka_unit_test(what_is_wrong_is_a_usage_fault),
		cmocka_unit_test(folders_of_the_system_are_known_by_any_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
