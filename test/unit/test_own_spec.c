#include "unit.h"

#include "own/own.h"

static struct own_tree tree;
static struct fault f;

static int parse(const char *value)
{
	static char words[512];

	memset(&tree, 0, sizeof(tree));
	memset(&f, 0, sizeof(f));
	strcpy(words, value);
	return own_parse(&tree, value, words, &f);
}

TEST(each_option_is_found)
{
	const struct own_tree *t = &tree;

	assert_int_equal(parse("/a,user=u,group=g,mode=u=rwX,go=rX,from=1:2,shallow,create=2770,if-root-differs,if-exists,exclude=a,exclude=b/c,try,cross-mounts,force,threads=3"),
			 0);
	assert_string_equal(t->path, "/a");
	assert_true(str_is(t->user, "u"));
	assert_true(str_is(t->group, "g"));
	assert_string_equal(t->mode, "u=rwX,go=rX");
	assert_true(str_is(t->from, "1:2"));
	assert_int_equal(t->create_mode, 02770);
	assert_int_equal(t->threads, 3);
	assert_int_equal(t->nexcludes, 2);
	assert_string_equal(t->excludes[1], "b/c");
	assert_true(t->shallow && t->create && t->if_root_differs &&
		    t->if_exists &&
		    t->may_fail && t->cross_mounts && t->force);
	assert_false(t->fsgroup);
	assert_int_equal(parse("/a,create,fsgroup"), 0);
	assert_true(t->create && t->fsgroup);
	assert_int_equal(t->create_mode, 0755);
}

TEST(a_backslash_keeps_a_comma)
{
	assert_int_equal(parse("/a\\,b\\\\c\\d,try"), 0);
	assert_string_equal(tree.path, "/a,b\\c\\d");
	assert_true(tree.may_fail);
}

TEST(what_is_wrong_is_a_usage_fault)
{
	static const char *const values[] = {
		"", "data", "./data", ",try", "/a,", "/a,,try", "/a,user",
		"/a,user=", "/a,mode=", "/a,mode=rw", "/a,threads=9",
		"/a,threads=-1", "/a,create=a+x", "/a,create=9", "/a,try=1",
		"/a,exclude=",
		"/a,exclude=1,exclude=2,exclude=3,exclude=4,exclude=5,exclude=6,exclude=7,exclude=8,exclude=9",
		"/a,fsgroup,user=1", "/a,mode=700,fsgroup", "/etc", "/etc,try",
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (parse(values[i]) != -1)
			fail_msg("'%s' should be refused", values[i]);
		assert_fault(&f, EXIT_USAGE, "--own ");
	}
}

TEST(directories_of_the_system_are_known_by_any_name)
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

	for (size_t i = 0; i < ARRAY_LEN(system); i++)
		if (!own_is_system(system[i]))
			fail_msg("%s is the system's", system[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (own_is_system(others[i]))
			fail_msg("%s is not the system's", others[i]);
	assert_int_equal(parse("/etc,force"), 0);
}

TEST(an_empty_path_may_not_exist)
{
	assert_int_equal(parse(",if-exists"), 0);
	assert_string_equal(tree.path, "");
}

/* excluded NAME... : is the last of these components, one below the other? */
static bool excluded(const char *const *names)
{
	const char *rest[OWN_MAX_EXCLUDES];
	bool is = false;

	memcpy(rest, tree.excludes, sizeof(rest));
	while (*names)
		is = own_excludes(&tree, *names++, rest);
	return is;
}

#define EXCLUDED(...) excluded((const char *const[]){ __VA_ARGS__, NULL })

TEST(a_name_is_excluded_anywhere_and_a_path_from_the_top)
{
	assert_int_equal(parse("/a,exclude=.git,exclude=b/c/d,exclude=b/e/"),
			 0);
	assert_true(EXCLUDED(".git"));
	assert_true(EXCLUDED("x", "y", ".git"));
	assert_false(EXCLUDED("git"));
	assert_false(EXCLUDED("b"));
	assert_false(EXCLUDED("b", "c"));
	assert_true(EXCLUDED("b", "c", "d"));
	assert_false(EXCLUDED("b", "x", "d"));
	assert_false(EXCLUDED("x", "b", "c", "d"));
	assert_false(EXCLUDED("b", "c", "e"));
	assert_true(EXCLUDED("b", "e"));
	assert_false(EXCLUDED("e"));
}
