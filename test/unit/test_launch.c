#include "unit.h"

#include "run/exec.h"
#include "drop/verify.h"
#include "listen/handoff.h"

/* A filesystem of a few names: what execve(2) says of each, and if it is there. */
int __wrap_execve(const char *path, char *const argv[], char *const env[]);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_handoff_arrange(struct run *run, struct fault *f);
int __wrap_verify_descriptors(size_t count, struct fault *f);

struct entry {
	const char *path;
	int error;		/* of execve, or 0: it works */
};

static const struct entry *files;
static size_t nfiles;
static char tried[1024];	/* each path that execve was called with */
static bool executed;
static int arranged, verified;
static bool refuse_arranging, refuse_verifying;

static struct plan plan;
static struct run run;
static struct fault f;

static const struct entry *find_file(const char *path)
{
	for (size_t i = 0; i < nfiles; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	return NULL;
}

int __wrap_execve(const char *path, char *const argv[], char *const env[])
{
	const struct entry *file = find_file(path);
	size_t length = strlen(tried);

	assert_non_null(env);
	assert_ptr_equal(argv, plan.command);
	assert_int_equal(arranged, 1);
	assert_int_equal(verified, 1);
	assert_false(executed);
	snprintf(tried + length, sizeof(tried) - length, "%s%.200s",
		 length ? " " : "", path);
	executed = file && file->error == 0;
	errno = file ? file->error : ENOENT;
	return -1;	/* as if, for we are still here */
}

int __wrap_access(const char *path, int mode)
{
	if (!plan.command)
		return __real_access(path, mode);
	if (find_file(path))
		return 0;
	errno = ENOENT;
	return -1;
}

int __wrap_handoff_arrange(struct run *running, struct fault *fault)
{
	assert_ptr_equal(running, &run);
	arranged++;
	return refuse_arranging ? fault_set(fault, EXIT_STEP, EPERM, "arrange")
				: 0;
}

int __wrap_verify_descriptors(size_t count, struct fault *fault)
{
	assert_int_equal(count, run.nsockets);
	assert_int_equal(arranged, 1);
	verified++;
	return refuse_verifying ? fault_set(fault, EXIT_STEP, 0, "verify") : 0;
}

static void start(char *const command[], const char *path,
		  const struct entry *entries, size_t count)
{
	const char *env[] = { path, NULL };

	tried[0] = '\0';
	executed = false;
	arranged = verified = 0;
	files = entries;
	nfiles = count;
	plan.command = command;
	memset(&f, 0, sizeof(f));
	assert_int_equal(launch(&plan, &run, (char *const *)(uintptr_t)env, &f),
			 -1);
	plan.command = NULL;
}

#define START(command, path, ...) \
	do { \
		static const struct entry entries[] = { __VA_ARGS__ }; \
		start(WORDS(command, "arg"), path, entries, \
		      ARRAY_LEN(entries)); \
	} while (0)

static void a_word_with_a_slash_is_executed_as_it_is(void **state)
{
	(void)state;
	START("/bin/app", "PATH=/a:/b", { "/bin/app", 0 });
	assert_true(executed);
	assert_string_equal(tried, "/bin/app");
	START("./app", "PATH=/a:/b", { "./app", 0 });
	assert_true(executed);
	START("sub/app", "PATH=/a:/b", { "/a/sub/app", 0 });
	assert_false(executed);
	assert_int_equal(f.status, EXIT_NOTFOUND);
}

static void a_word_without_one_is_looked_up_in_path_order(void **state)
{
	(void)state;
	START("app", "PATH=/a:/b:/c", { "/b/app", 0 }, { "/c/app", 0 });
	assert_true(executed);
	assert_string_equal(tried, "/a/app /b/app");
}

static void an_empty_part_of_path_is_the_working_folder(void **state)
{
	static const char *const paths[] = { "PATH=:/a", "PATH=/a:",
					     "PATH=/a::/b", "PATH=", "PATH=:" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		START("app", paths[i], { "app", 0 });
		assert_true(executed);
	}
}

static void without_path_the_usual_folders_are_searched(void **state)
{
	(void)state;
	START("app", "OTHER=1", { "/bin/app", 0 });
	assert_true(executed);
	assert_string_equal(tried, "/usr/local/sbin/app /usr/local/bin/app "
				   "/usr/sbin/app /usr/bin/app /sbin/app "
				   "/bin/app");
}

static void the_applications_own_path_counts(void **state)
{
	(void)state;
	plan.variables[0] = "PATH=/new";
	plan.nvariables = 1;
	START("app", "PATH=/old", { "/old/app", 0 }, { "/new/app", 0 });
	plan.nvariables = 0;
	assert_true(executed);
	assert_string_equal(tried, "/new/app");
}

static void a_file_that_may_not_be_executed_is_passed_over(void **state)
{
	(void)state;
	START("app", "PATH=/a:/b", { "/a/app", EACCES }, { "/b/app", 0 });
	assert_true(executed);
	START("app", "PATH=/a:/b:/c", { "/a/app", EACCES },
	      { "/b/app", EACCES });
	assert_false(executed);
	assert_string_equal(tried, "/a/app /b/app /c/app");
	assert_fault(&f, EXIT_NOEXEC, "execute /a/app");
	assert_int_equal(f.err, EACCES);
	assert_true(f.hint[0]);
}

static void what_is_nowhere_is_127(void **state)
{
	(void)state;
	START("app", "PATH=/a:/b", { "/c/app", 0 });
	assert_fault(&f, EXIT_NOTFOUND, "execute app");
	assert_has(f.hint, "PATH");
	START("/a/app", "PATH=/a", { "/c/app", 0 });
	assert_fault(&f, EXIT_NOTFOUND, "execute /a/app");
	START("app", "PATH=/a", { "/a/other", ENOTDIR });
	assert_int_equal(f.status, EXIT_NOTFOUND);
}

static void what_cannot_be_executed_is_126(void **state)
{
	static const int errors[] = { EACCES, ENOEXEC, EPERM, ETXTBSY, E2BIG,
				      ENOMEM, EINVAL, EISDIR, ELIBBAD, ELOOP,
				      EIO, EMFILE, ENAMETOOLONG };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct entry entry = { "/a/app", errors[i] };

		start(WORDS("/a/app"), "PATH=/a", &entry, 1);
		assert_fault(&f, EXIT_NOEXEC, "execute /a/app");
		assert_int_equal(f.err, errors[i]);
		start(WORDS("app"), "PATH=/a:/b", &entry, 1);
		assert_fault(&f, EXIT_NOEXEC, "execute /a/app");
		assert_int_equal(f.err, errors[i]);
	}
}

/* A shell would otherwise be asked, as execvp(3) does. */
static void a_file_of_unknown_format_ends_the_search(void **state)
{
	(void)state;
	START("app", "PATH=/a:/b", { "/a/app", ENOEXEC }, { "/b/app", 0 });
	assert_false(executed);
	assert_string_equal(tried, "/a/app");
	assert_has(f.hint, "#!");
}

static void a_missing_interpreter_is_126_and_named(void **state)
{
	(void)state;
	START("/a/app", "PATH=/a", { "/a/app", ENOENT });
	assert_fault(&f, EXIT_NOEXEC, "execute /a/app");
	assert_has(f.hint, "interpreter");
	START("app", "PATH=/a:/b", { "/a/app", ENOENT }, { "/b/app", 0 });
	assert_false(executed);
	assert_fault(&f, EXIT_NOEXEC, "execute /a/app");
	assert_has(f.hint, "interpreter");
}

static void a_folder_that_is_too_long_is_passed_over(void **state)
{
	static char path[2 * PATH_MAX];
	static const struct entry entry = { "/b/app", 0 };

	(void)state;
	for (size_t length = PATH_MAX - 20; length < PATH_MAX + 20; length++) {
		memset(path, 'd', sizeof(path));
		memcpy(path, "PATH=/", 6);
		strcpy(path + 5 + length, ":/b");
		start(WORDS("app"), path, &entry, 1);
		assert_true(executed);
	}
}

static void nothing_is_executed_unless_descriptors_are_right(void **state)
{
	(void)state;
	refuse_arranging = true;
	START("/a/app", "PATH=/a", { "/a/app", 0 });
	refuse_arranging = false;
	assert_string_equal(tried, "");
	assert_fault(&f, EXIT_STEP, "arrange");
	assert_int_equal(verified, 0);
	refuse_verifying = true;
	START("/a/app", "PATH=/a", { "/a/app", 0 });
	refuse_verifying = false;
	assert_string_equal(tried, "");
	assert_fault(&f, EXIT_STEP, "verify");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_with_a_slash_is_executed_as_it_is),
		cmocka_unit_test(a_word_without_one_is_looked_up_in_path_order),
		cmocka_unit_test(an_empty_part_of_path_is_the_working_folder),
		cmocka_unit_test(without_path_the_usual_folders_are_searched),
		cmocka_unit_test(the_applications_own_path_counts),
		cmocka_unit_test(a_file_that_may_not_be_executed_is_passed_over),
		cmocka_unit_test(what_is_nowhere_is_127),
		cmocka_unit_test(what_cannot_be_executed_is_126),
		cmocka_unit_test(a_file_of_unknown_format_ends_the_search),
		cmocka_unit_test(a_missing_interpreter_is_126_and_named),
		cmocka_unit_test(a_folder_that_is_too_long_is_passed_over),
		cmocka_unit_test(nothing_is_executed_unless_descriptors_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
