#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "own/levels.h"

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

enum { DEEP = 200 };

static char root[64];
static struct fs_opener opener;
static struct own_levels *levels;
static bool lie;	/* statx tells another time of birth */

long __wrap_syscall(long number, ...)
{
	long words[5];
	long result;
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = va_arg(list, long);
	va_end(list);
	result = __real_syscall(number, words[0], words[1], words[2], words[3],
				words[4]);
	if (number == SYS_statx && result == 0 && lie)
		((struct sys_statx *)words[4])->btime[1] ^= 1;
	return result;
}

/* root/d/d/d/..., each with a file; the last is the current folder's end. */
static int make_chain(void **state)
{
	int fd;

	(void)state;
	strcpy(root, "/tmp/stepdown-levels-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	fd = open(root, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < DEEP; i++) {
		int below;

		close(openat(fd, "file", O_CREAT | O_WRONLY, 0644));
		mkdirat(fd, "d", 0755);
		below = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = below;
	}
	close(fd);
	return 0;
}

static int remove_chain(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static int start(void **state)
{
	(void)state;
	lie = false;
	fs_start(&opener, false);
	levels = own_levels_new();
	return levels ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	own_levels_free(levels);
	return 0;
}

/* Into the chain, reading each folder up to "d". */
static void descend(int count)
{
	int fd = open(root, FS_DIRECTORY);

	for (int i = 0; i < count; i++) {
		assert_int_equal(own_levels_push(levels, fd), 0);
		fd = fs_open(&opener, fd, "d", FS_DIRECTORY);
		assert_true(fd >= 0);
	}
	assert_int_equal(own_levels_push(levels, fd), 0);
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void descriptors_are_bounded_and_each_level_is_found_again(void **state)
{
	static ino_t inodes[DEEP];
	int before = open_descriptors();
	int fd = open(root, FS_DIRECTORY);

	(void)state;
	for (int i = 0; i < DEEP; i++) {
		inodes[i] = inode(fd);
		assert_int_equal(own_levels_push(levels, fd), 0);
		fd = fs_open(&opener, fd, "d", FS_DIRECTORY);
		assert_true(open_descriptors() - before <=
			    OWN_BASE + OWN_RING + 1);
	}
	close(fd);
	for (int i = DEEP - 1; i > 0; i--) {
		assert_int_equal(inode(own_levels_top(levels)->fd), inodes[i]);
		assert_int_equal(own_levels_pop(levels, &opener), 0);
		assert_int_equal(levels->depth, i);
	}
	assert_int_equal(own_levels_pop(levels, &opener), 0);
	assert_int_equal(open_descriptors(), before);
}

static void a_level_goes_on_where_it_was_left(void **state)
{
	struct sys_dirent *entry;
	int fd = open(root, FS_DIRECTORY);

	(void)state;
	for (int i = 0; i < DEEP - 1; i++) {
		assert_int_equal(own_levels_push(levels, fd), 0);
		entry = own_levels_next(own_levels_top(levels));
		assert_non_null(entry);
		assert_string_equal(entry->name, "file");
		entry = own_levels_next(own_levels_top(levels));
		assert_non_null(entry);
		assert_string_equal(entry->name, "d");
		fd = fs_open(&opener, fd, "d", FS_DIRECTORY);
	}
	close(fd);
	/* "d" was the last folder; a file may come once more. */
	while (levels->depth > 0) {
		while ((entry = own_levels_next(own_levels_top(levels))))
			assert_string_equal(entry->name, "file");
		assert_int_equal(errno, 0);
		assert_int_equal(own_levels_pop(levels, &opener), 0);
	}
}

static void a_folder_that_is_another_now_is_given_up(void **state)
{
	int before = open_descriptors();

	(void)state;
	descend(DEEP - 2);
	lie = true;
	while (levels->depth > levels->lowest + 1)
		assert_int_equal(own_levels_pop(levels, &opener), 0);
	assert_int_equal(own_levels_pop(levels, &opener), -1);
	assert_int_equal(errno, ESTALE);
	assert_int_equal(levels->depth, OWN_BASE);
	assert_int_equal(open_descriptors() - before, OWN_BASE);
	while (levels->depth > 0)
		assert_int_equal(own_levels_pop(levels, &opener), 0);
}

static void a_folder_without_anything_left_needs_no_level(void **state)
{
	int fd = open(root, FS_DIRECTORY);

	(void)state;
	assert_int_equal(own_levels_push(levels, fd), 0);
	while (own_levels_next(own_levels_top(levels))) {
		if (!own_levels_top(levels)->folders)
			continue;
		fd = fs_open(&opener, own_levels_top(levels)->fd, "d",
			      FS_DIRECTORY);
		assert_int_equal(own_levels_replace(levels, fd), 1);
		assert_int_equal(levels->depth, 1);
	}
}

#define LEVELS(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEVELS(descriptors_are_bounded_and_each_level_is_found_again),
		LEVELS(a_level_goes_on_where_it_was_left),
		LEVELS(a_folder_that_is_another_now_is_given_up),
		LEVELS(a_folder_without_anything_left_needs_no_level),
	};

	return cmocka_run_group_tests(tests, make_chain, remove_chain);
}
