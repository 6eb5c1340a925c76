#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "config_file.h"

static struct plan plan;
static struct fault f;

static char *const env[] = { (char *)(uintptr_t)"PUID=66", NULL };

/* The file's owner, as fstat(2) tells it: the tests may not be root. */
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);

static uid_t owner;
static mode_t mode;

int __wrap_fstat(int fd, struct stat *st)
{
	int result = __real_fstat(fd, st);

	st->st_uid = owner;
	if (mode)
		st->st_mode = mode;
	return result;
}

static int clean(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	memset(&f, 0, sizeof(f));
	owner = 0;
	mode = S_IFREG | 0644;
	return 0;
}

static int read_settings(const char *text, char *const argv[])
{
	return settings_read(&plan, temporary_file(0, text, strlen(text)),
			     argv, env, &f);
}

static void the_file_comes_first_and_the_command_line_wins(void **state)
{
	(void)state;
	assert_int_equal(read_settings("user=1:1\nown=/a\ngroups=5\n",
				       WORDS("stepdown", "--user=2:2",
					     "--own=/b", "cmd")),
			 0);
	assert_string_equal(plan.user, "2:2");
	assert_string_equal(plan.groups, "5");
	assert_int_equal(plan.ntrees, 2);
	assert_string_equal(plan.trees[0].path, "/a");
	assert_string_equal(plan.trees[1].path, "/b");
	assert_string_equal(plan.command[0], "cmd");
}

static void a_line_may_be_written_in_several_ways(void **state)
{
	static const char *const lines[] = {
		"user=7:8", "user=7:8\n", "  user=7:8", "user 7:8",
		"user = 7:8", "user\t=\t7:8  \t", "user=7:8\r\n",
		"\n\n# x\n#user=1\n   # y\nuser=7:8\n", "user =7:8\n\n"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		clean(NULL);
		if (read_settings(lines[i], WORDS("stepdown", "cmd")) < 0)
			fail_msg("'%s': %s", lines[i], f.what);
		assert_string_equal(plan.user, "7:8");
	}
	clean(NULL);
	assert_int_equal(read_settings("env=A=b  c # d\nown-stdio\nenv=E=",
				       WORDS("stepdown", "cmd")),
			 0);
	assert_string_equal(plan.variables[0], "A=b  c # d");
	assert_string_equal(plan.variables[1], "E=");
	assert_true(plan.own_stdio);
}

static void a_wrong_line_is_a_usage_fault_with_its_number(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} files[] = {
		{ "usr=1", ":1: usr: " }, { "\n\n--user=1", ":3: --user: " },
		{ "user", ":1: --user: USER[:GROUP] is missing" },
		{ "strict=1", ":1: --strict takes no value" },
		{ "strict=", ":1: --strict takes no value" },
		{ "user=1\nuser=2", ":2: --user: given twice" },
		{ "=1", ":1: : not an option" }, { "=", ":1: : not" },
		{ "config=/x", ":1: config: not" }, { "help", ":1: help: not" },
		{ "version", ":1: version: not" }, { "-v", ":1: -v: not" },
		{ "user=${NOT_SET}", ":1: --user ${NOT_SET}: the variable" },
		{ "#\nlisten=x", ":2: --listen x: " }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		clean(NULL);
		if (read_settings(files[i].text, WORDS("stepdown", "c")) != -1)
			fail_msg("'%s' was taken", files[i].text);
		assert_fault(&f, EXIT_USAGE, files[i].words);
	}
}

static void a_file_has_a_limit_and_no_nul(void **state)
{
	static char text[PLAN_CONFIG_SIZE + 1];
	const char *path;

	(void)state;
	memset(text, '#', sizeof(text));
	path = temporary_file(0, text, PLAN_CONFIG_SIZE - 1);
	assert_int_equal(settings_read(&plan, path, WORDS("s", "c"), env, &f),
			 0);
	path = temporary_file(0, text, PLAN_CONFIG_SIZE);
	assert_int_equal(settings_read(&plan, path, WORDS("s", "c"), env, &f),
			 -1);
	assert_fault(&f, EXIT_USAGE, "65535");
	path = temporary_file(0, "user=1:1\n\0#", 11);
	assert_int_equal(settings_read(&plan, path, WORDS("s", "c"), env, &f),
			 -1);
	assert_fault(&f, EXIT_USAGE, "NUL");
}

static void the_standard_file_need_not_exist(void **state)
{
	(void)state;
	assert_int_equal(settings_read(&plan, "/nowhere/at/all",
				       WORDS("s", "-u1:1", "c"), env, &f),
			 0);
	assert_string_equal(plan.user, "1:1");
}

static void another_file_replaces_it(void **state)
{
	char option[128];

	(void)state;
	snprintf(option, sizeof(option), "--config=%s",
		 temporary_file(1, "groups=9\n", 9));
	owner = 1000;	/* any file will do that the command line names */
	mode = S_IFREG | 0666;
	assert_int_equal(read_settings("user=1:1\n",
				       WORDS("s", "-u2:2", option, "c")),
			 0);
	assert_string_equal(plan.user, "2:2");
	assert_string_equal(plan.groups, "9");
	clean(NULL);
	assert_int_equal(read_settings("", WORDS("s", "--config=/nowhere", "c")),
			 -1);
	assert_fault(&f, EXIT_USAGE, "/nowhere");
}

static void help_needs_no_file(void **state)
{
	(void)state;
	assert_int_equal(read_settings("nonsense", WORDS("s", "--help")), 0);
	assert_int_equal(plan.action, ACTION_HELP);
	clean(NULL);
	assert_int_equal(read_settings("", WORDS("s", "--config=/nowhere",
						 "--version")),
			 0);
	assert_int_equal(plan.action, ACTION_VERSION);
}

/* What decides over a program with privileges must be root's alone. */
static const struct {
	uid_t owner;
	mode_t mode;
	bool good;
} files[] = {
	{ 0, S_IFREG | 0644, true },   { 0, S_IFREG | 0400, true },
	{ 0, S_IFREG | 0755, true },   { 1, S_IFREG | 0644, false },
	{ 0, S_IFREG | 0664, false },  { 0, S_IFREG | 0646, false },
	{ 0, S_IFREG | 0666, false },  { 0, S_IFIFO | 0644, false },
	{ 0, S_IFDIR | 0755, false },  { 0, S_IFCHR | 0644, false },
	{ 65534, S_IFREG | 0644, false }
};

static void only_a_file_of_root_alone_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		for (int secure = 0; secure < 2; secure++) {
			clean(NULL);
			plan.start.secure = secure;
			owner = files[i].owner;
			mode = files[i].mode;
			assert_int_equal(read_settings("user=1:1",
						       WORDS("s", "c")),
					 files[i].good ? 0 : -1);
			if (!files[i].good)
				assert_fault(&f, EXIT_USAGE, "root");
		}
}

static void a_secure_start_takes_no_option(void **state)
{
	static const char *const words[] = { "-u", "--user=0:0", "-", "-h",
					     "--help", "-V", "--config=/x",
					     "---", "-v" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		clean(NULL);
		plan.start.secure = true;
		assert_int_equal(read_settings("user=1:1", WORDS("s", words[i],
								 "c")),
				 -1);
		assert_fault(&f, EXIT_USAGE, words[i]);
		assert_has(f.hint, "options come from");
		assert_null(plan.user);
	}
}

static void a_secure_start_takes_the_command(void **state)
{
	(void)state;
	plan.start.secure = true;
	assert_int_equal(read_settings("user=1:1", WORDS("s", "c", "-u0:0")),
			 0);
	assert_string_equal(plan.command[0], "c");
	assert_string_equal(plan.command[1], "-u0:0");
	clean(NULL);
	plan.start.secure = true;
	assert_int_equal(read_settings("user=1:1", WORDS("s", "--", "-c")), 0);
	assert_string_equal(plan.command[0], "-c");
	clean(NULL);
	plan.start.secure = true;
	assert_int_equal(read_settings("user=1:1", WORDS("s")), 0);
	assert_null(plan.command[0]);
	clean(NULL);
	plan.start.secure = true;
	assert_int_equal(settings_read(&plan, "/nowhere", WORDS("s", "c"), env,
				       &f),
			 -1);
	assert_fault(&f, EXIT_USAGE, "/nowhere");
}

static void a_secure_start_trusts_no_variable(void **state)
{
	(void)state;
	plan.start.secure = true;
	assert_int_equal(read_settings("user=${PUID}:1", WORDS("s", "c")), -1);
	assert_fault(&f, EXIT_USAGE, "PUID is not set");
	assert_has(f.hint, "not trusted");
	clean(NULL);
	plan.start.secure = true;
	assert_int_equal(read_settings("user=${PUID:-5}:1", WORDS("s", "c")),
			 0);
	assert_string_equal(plan.user, "5:1");
	clean(NULL);
	assert_int_equal(read_settings("user=${PUID}:1", WORDS("s", "c")), 0);
	assert_string_equal(plan.user, "66:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			the_file_comes_first_and_the_command_line_wins, clean),
		cmocka_unit_test_setup(a_line_may_be_written_in_several_ways,
				       clean),
		cmocka_unit_test_setup(
			a_wrong_line_is_a_usage_fault_with_its_number, clean),
		cmocka_unit_test_setup(a_file_has_a_limit_and_no_nul, clean),
		cmocka_unit_test_setup(the_standard_file_need_not_exist, clean),
		cmocka_unit_test_setup(another_file_replaces_it, clean),
		cmocka_unit_test_setup(help_needs_no_file, clean),
		cmocka_unit_test_setup(only_a_file_of_root_alone_counts, clean),
		cmocka_unit_test_setup(a_secure_start_takes_no_option, clean),
		cmocka_unit_test_setup(a_secure_start_takes_the_command, clean),
		cmocka_unit_test_setup(a_secure_start_trusts_no_variable,
				       clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
