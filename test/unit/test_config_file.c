#include "unit.h"

#include "settle.h"

static struct plan plan;
static struct fault f;

static char *const env[] = { (char *)(uintptr_t)"PUID=66", NULL };

static int clean(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	memset(&f, 0, sizeof(f));
	return 0;
}

/* What the command line says, where there is no standard file. */
#define READ(...) \
	settings_read(&plan, "/nowhere", WORDS("s", __VA_ARGS__), env, &f)

/*
 * Read a file that the command line names, which may be anybody's; words: what
 * follows it. test/e2e asks whose the standard file may be.
 */
static int read_settings(const char *text, char *const words[])
{
	static char option[128];
	static char *argv[8];
	size_t count = 2;

	snprintf(option, sizeof(option), "--config=%s",
		 temporary_file(0, text, strlen(text)));
	argv[0] = option;	/* the program's name, which nobody reads */
	argv[1] = option;
	while (*words)
		argv[count++] = *words++;
	argv[count] = NULL;
	return settings_read(&plan, "/nowhere", argv, env, &f);
}

TEST_AFTER(clean, the_file_comes_first_and_the_command_line_wins)
{
	assert_int_equal(read_settings("user=1:1\nown=/a\ngroups=5\n",
				       WORDS("--user=2:2", "--own=/b", "cmd")),
			 0);
	assert_string_equal(plan.who.user, "2:2");
	assert_string_equal(plan.groups, "5");
	assert_int_equal(plan.own.ntrees, 2);
	assert_string_equal(plan.own.trees[0].path, "/a");
	assert_string_equal(plan.own.trees[1].path, "/b");
	assert_string_equal(plan.exec.command[0], "cmd");
}

TEST_AFTER(clean, a_line_may_be_written_in_several_ways)
{
	static const char *const lines[] = {
		"user=7:8", "user=7:8\n", "  user=7:8", "user 7:8",
		"user = 7:8", "user\t=\t7:8  \t", "user=7:8\r\n",
		"\n\n# x\n#user=1\n   # y\nuser=7:8\n", "user =7:8\n\n"
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		clean(NULL);
		if (read_settings(lines[i], WORDS("cmd")) < 0)
			fail_msg("'%s': %s", lines[i], f.what);
		assert_string_equal(plan.who.user, "7:8");
	}
	clean(NULL);
	assert_int_equal(read_settings("env=A=b  c # d\nown-stdio\nenv=E=",
				       WORDS("cmd")),
			 0);
	assert_string_equal(plan.env.set[0], "A=b  c # d");
	assert_string_equal(plan.env.set[1], "E=");
	assert_true(plan.own_stdio);
}

TEST_AFTER(clean, a_wrong_line_is_a_usage_fault_with_its_number)
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

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		clean(NULL);
		if (read_settings(files[i].text, WORDS("c")) != -1)
			fail_msg("'%s' was taken", files[i].text);
		assert_fault(&f, EXIT_USAGE, files[i].words);
	}
}

TEST_AFTER(clean, a_file_has_a_limit_and_no_nul)
{
	static char text[PLAN_CONFIG_SIZE + 1];
	char option[128];

	memset(text, '#', sizeof(text));
	snprintf(option, sizeof(option), "--config=%s",
		 temporary_file(0, text, PLAN_CONFIG_SIZE - 1));
	assert_int_equal(READ(option, "c"), 0);
	temporary_file(0, text, PLAN_CONFIG_SIZE);
	assert_int_equal(READ(option, "c"), -1);
	assert_fault(&f, EXIT_USAGE, "65535");
	temporary_file(0, "user=1:1\n\0#", 11);
	assert_int_equal(READ(option, "c"), -1);
	assert_fault(&f, EXIT_USAGE, "NUL");
}

TEST_AFTER(clean, the_standard_file_need_not_exist)
{
	assert_int_equal(READ("-u1:1", "c"), 0);
	assert_string_equal(plan.who.user, "1:1");
}

TEST_AFTER(clean, a_file_that_is_named_must_exist)
{
	assert_int_equal(READ("--config=/nowhere/else", "c"), -1);
	assert_fault(&f, EXIT_USAGE, "/nowhere/else");
}

TEST_AFTER(clean, help_needs_no_file)
{
	assert_int_equal(read_settings("nonsense", WORDS("--help")), 0);
	assert_int_equal(plan.action, ACTION_HELP);
	clean(NULL);
	assert_int_equal(READ("--config=/nowhere/else", "--version"), 0);
	assert_int_equal(plan.action, ACTION_VERSION);
}

TEST_AFTER(clean, a_secure_start_takes_no_option)
{
	static const char *const words[] = { "-u", "--user=0:0", "-", "-h",
					     "--help", "-V", "--config=/x",
					     "---", "-v" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		clean(NULL);
		plan.start.secure = true;
		assert_int_equal(READ(words[i], "c"), -1);
		assert_fault(&f, EXIT_USAGE, words[i]);
		assert_has(f.hint, "options come from");
		assert_null(plan.who.user);
	}
}

TEST_AFTER(clean, a_secure_start_needs_the_standard_file)
{
	plan.start.secure = true;
	assert_int_equal(READ("c"), -1);
	assert_fault(&f, EXIT_USAGE, "/nowhere");
}

TEST_AFTER(clean, variables_are_expanded)
{
	assert_int_equal(read_settings("user=${PUID}:1", WORDS("c")), 0);
	assert_string_equal(plan.who.user, "66:1");
}
