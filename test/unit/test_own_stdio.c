#include "unit.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "own/stdio.h"
#include "base/report.h"

/* Descriptors 0-2 as the test says they are. */
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __real_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs);
int __real_isatty(int fd);
int __wrap_isatty(int fd);
int __wrap_fchownat(int fd, const char *path, uid_t uid, gid_t gid, int flags);
void __wrap_say_warning(const struct fault *f);

static struct {
	bool pretends;
	mode_t mode[3];		/* 0 is closed */
	uid_t uid[3];
	bool tty[3];
	bool named[3];		/* a FIFO of a filesystem */
	unsigned int given;	/* bit n: descriptor n */
	int error;
	int warnings;
	struct fault warned;
} stdio;

static struct plan plan;
static struct run run;
static struct fault f;

int __wrap_fstat(int fd, struct stat *st)
{
	if (!stdio.pretends)
		return __real_fstat(fd, st);
	assert_in_range(fd, 0, 2);
	if (!stdio.mode[fd]) {
		errno = EBADF;
		return -1;
	}
	memset(st, 0, sizeof(*st));
	st->st_mode = stdio.mode[fd];
	st->st_uid = stdio.uid[fd];
	return 0;
}

int __wrap_fstatfs(int fd, struct statfs *fs)
{
	if (!stdio.pretends)
		return __real_fstatfs(fd, fs);
	memset(fs, 0, sizeof(*fs));
	fs->f_type = stdio.named[fd] ? TMPFS_MAGIC : PIPEFS_MAGIC;
	return 0;
}

int __wrap_isatty(int fd)
{
	return stdio.pretends ? stdio.tty[fd] : __real_isatty(fd);
}

int __wrap_fchownat(int fd, const char *path, uid_t uid, gid_t gid, int flags)
{
	assert_string_equal(path, "");
	assert_int_equal(flags, AT_EMPTY_PATH);
	assert_int_equal(uid, 4242);
	assert_int_equal(gid, (gid_t)-1);
	if (stdio.error) {
		errno = stdio.error;
		return -1;
	}
	stdio.given |= 1u << fd;
	return 0;
}

void __wrap_say_warning(const struct fault *fault)
{
	stdio.warnings++;
	stdio.warned = *fault;
}

static int with_stdio(void **state)
{
	(void)state;
	memset(&stdio, 0, sizeof(stdio));
	for (int fd = 0; fd < 3; fd++)
		stdio.mode[fd] = S_IFIFO | 0600;
	plan.target.uid = 4242;
	plan.own_stdio = true;
	return 0;
}

static void give(void)
{
	stdio.pretends = true;
	stdio.given = 0;
	assert_int_equal(own_stdio_run(&plan, &run, &f), 0);
	stdio.pretends = false;
}

static void pipes_and_terminals_are_given_and_nothing_else(void **state)
{
	static const struct {
		mode_t mode;
		bool tty;
		bool named;
		bool given;
	} kinds[] = {
		{ S_IFIFO | 0600, false, false, true },
		{ S_IFIFO | 0600, false, true, false },
		{ S_IFCHR | 0620, true, false, true },
		{ S_IFCHR | 0666, false, false, false },	/* /dev/null */
		{ S_IFREG | 0644, false, false, false },
		{ S_IFREG | 0644, true, false, false },
		{ S_IFSOCK | 0777, false, false, false },
		{ S_IFDIR | 0755, false, false, false },
		{ S_IFBLK | 0660, false, false, false },
		{ S_IFBLK | 0660, true, false, false },
		{ 0, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		for (int fd = 0; fd < 3; fd++) {
			with_stdio(NULL);
			stdio.mode[fd] = kinds[i].mode;
			stdio.tty[fd] = kinds[i].tty;
			stdio.named[fd] = kinds[i].named;
			give();
			assert_int_equal(stdio.given,
					 kinds[i].given ? 7 : 7 & ~(1u << fd));
			assert_int_equal(stdio.warnings, 0);
		}
}

static void what_the_target_has_already_is_left_alone(void **state)
{
	(void)state;
	stdio.uid[1] = 4242;
	give();
	assert_int_equal(stdio.given, 5);
}

static void without_the_option_nothing_is_given(void **state)
{
	(void)state;
	plan.own_stdio = false;
	give();
	assert_int_equal(stdio.given, 0);
}

static void what_is_refused_is_a_warning_each(void **state)
{
	static const int errors[] = { EPERM, EROFS, EIO, EINVAL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		with_stdio(NULL);
		stdio.error = errors[i];
		give();
		assert_int_equal(stdio.warnings, 3);
		assert_has(stdio.warned.what, "stderr");
		assert_int_equal(stdio.warned.err, errors[i]);
	}
	with_stdio(NULL);
	stdio.error = EROFS;
	give();
	assert_has(stdio.warned.hint, "read-only");
}

#define WITH_STDIO(test) cmocka_unit_test_setup(test, with_stdio)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STDIO(pipes_and_terminals_are_given_and_nothing_else),
		WITH_STDIO(what_the_target_has_already_is_left_alone),
		WITH_STDIO(without_the_option_nothing_is_given),
		WITH_STDIO(what_is_refused_is_a_warning_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
