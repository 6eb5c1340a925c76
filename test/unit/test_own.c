#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/openat2.h>

#include "own/own.h"
#include "base/report.h"

/*
 * A real tree and real calls, but that no owner changes (so this needs no
 * privilege) and that one call can be refused.
 */
int __wrap_fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __real_fstatat(int dir, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_rm_watch(int fd, int watch);
void __wrap_say_note(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

enum { UID = 4242, GID = 4243 };

static struct {
	bool watched;
	int calls;
	int refuse;		/* this call, or none if 0 */
	int error;
	const char *refuse_name;	/* openat2 of this name, each time */
	int given;		/* how many entries would have changed hands */
	char protected_hardlinks;
	bool names_change;	/* in a folder that is watched */
	bool no_watch;
	bool watching;
	struct stat odd;	/* what fstat says of the root, if set */
} kernel;

static char root[64];
static struct plan plan;
static struct run run;
static struct fault f;

static bool refuses(void)
{
	if (!kernel.watched || ++kernel.calls != kernel.refuse)
		return false;
	errno = kernel.error;
	return true;
}

int __wrap_fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags)
{
	assert_string_equal(path, "");
	assert_int_equal(flags, AT_EMPTY_PATH);
	assert_int_equal(uid, UID);
	assert_int_equal(gid, GID);
	assert_true(fcntl(dir, F_GETFL) & (O_PATH | O_DIRECTORY));
	if (refuses())
		return -1;
	kernel.given++;
	return 0;
}

/*
 * What the hints ask passes, and so do the questions whether openat2 is there
 * and links are protected.
 */
static bool is_of_no_interest(long number, int dir, const char *path)
{
	if (number == SYS_openat)
		return dir == AT_FDCWD;
	return (number != SYS_openat2 && number != SYS_getdents64) ||
	       (number == SYS_openat2 && strcmp(path, "/") == 0);
}

static void check_how(const struct open_how *how)
{
	assert_true(how->flags & (O_PATH | O_DIRECTORY));
	assert_true(how->flags & O_CLOEXEC);
	assert_true(how->resolve & RESOLVE_NO_SYMLINKS);
}

long __wrap_syscall(long number, ...)
{
	long words[5];
	const char *path;
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = va_arg(list, long);
	va_end(list);
	path = (const char *)words[1];
	if (is_of_no_interest(number, (int)words[0], path))
		return __real_syscall(number, words[0], words[1], words[2],
				      words[3], words[4]);
	if (refuses())
		return -1;
	if (number == SYS_openat)
		assert_int_equal(words[2] & (O_CLOEXEC | O_CREAT), O_CLOEXEC);
	if (number == SYS_openat2) {
		check_how((const struct open_how *)words[2]);
		if (kernel.refuse_name && strcmp(path, kernel.refuse_name) == 0) {
			errno = kernel.error;
			return -1;
		}
	}
	return __real_syscall(number, words[0], words[1], words[2], words[3],
			      words[4]);
}

static void make_odd(struct stat *st)
{
	if (kernel.watched && kernel.odd.st_mode) {
		st->st_mode = kernel.odd.st_mode;
		st->st_nlink = kernel.odd.st_nlink;
	}
}

int __wrap_fstat(int fd, struct stat *st)
{
	int result = refuses() ? -1 : __real_fstat(fd, st);

	make_odd(st);
	return result;
}

/* It only tells what need not be opened, so to refuse it is no failure. */
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	int result = __real_fstatat(dir, path, st, flags);

	assert_true(flags & AT_SYMLINK_NOFOLLOW);
	make_odd(st);
	return result;
}

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
	if (!kernel.watched)
		return __real_read(fd, bytes, size);
	if (size == 1) {
		*(char *)bytes = kernel.protected_hardlinks;
		return 1;
	}
	errno = EAGAIN;
	if (!kernel.watching || !kernel.names_change)
		return -1;
	kernel.watching = false;	/* one event, then none, each time */
	return sizeof(struct inotify_event);
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	char folder[PATH_MAX];

	(void)fd;
	assert_true(mask & IN_DELETE && mask & IN_MOVED_FROM &&
		    mask & IN_MOVED_TO);
	assert_string_equal(path, ".");
	assert_string_equal(getcwd(folder, sizeof(folder)), "/tmp");
	kernel.watching = true;
	return kernel.no_watch ? -1 : 1;
}

/* What the kernel says of a watch that has gone is no news. */
int __wrap_inotify_rm_watch(int fd, int watch)
{
	(void)fd;
	kernel.watching = false;
	return watch == 1 ? 0 : -1;
}

static char noted[256];

void __wrap_say_note(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	vsnprintf(noted, sizeof(noted), format, words);
	va_end(words);
}

static const char *below(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void make_file(const char *name)
{
	int fd = open(below(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

/* ., file, link (to itself: following it would fail), sub, sub/deep */
static int make_tree(void **state)
{
	(void)state;
	strcpy(root, "/tmp/stepdown-own-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	make_file("file");
	assert_int_equal(symlink("link", below("link")), 0);
	assert_int_equal(mkdir(below("sub"), 0755), 0);
	make_file("sub/deep");
	return 0;
}

static int remove_tree(void **state)
{
	static const char *const names[] = { "sub/deep", "sub", "link", "file",
					     "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		remove(below(names[i]));
	return 0;
}

enum { ENTRIES = 5 };

static int own(void)
{
	int result;

	memset(&f, 0, sizeof(f));
	plan.target.uid = UID;
	plan.target.gid = GID;
	plan.ntrees = 1;
	plan.trees[0].path = root;
	plan.trees[0].uid = UID;
	plan.trees[0].gid = GID;
	plan.trees[0].from_uid = (uid_t)-1;
	plan.trees[0].from_gid = (gid_t)-1;
	kernel.calls = kernel.given = 0;
	kernel.watched = true;
	result = own_run(&plan, &run, &f);
	kernel.watched = false;
	return result;
}

static int with_kernel(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.error = EPERM;
	kernel.protected_hardlinks = '1';
	plan.verbose = false;
	return 0;
}

static void every_entry_is_given_and_no_link_followed(void **state)
{
	(void)state;
	plan.verbose = true;
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, ENTRIES);
	assert_has(noted, "5 changed");
}

static void each_refused_call_ends_the_step_and_leaks_nothing(void **state)
{
	static const int errors[] = { EPERM, EACCES, EROFS, EINVAL, EMFILE,
				      ENOMEM, EIO, ENOSYS };
	int before = open_descriptors();
	int count;

	(void)state;
	assert_int_equal(own(), 0);
	assert_int_equal(open_descriptors(), before);
	count = kernel.calls;
	assert_true(count > 20);
	for (int n = 1; n <= count; n++)
		for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
			kernel.refuse = n;
			kernel.error = errors[i];
			if (own() != -1)
				fail_msg("call %d failed (%s), and nobody minded",
					 n, strerror(errors[i]));
			assert_int_equal(kernel.calls, n);
			assert_fault(&f, EXIT_STEP, "own /tmp/");
			assert_int_equal(f.err, errors[i]);
			assert_int_equal(open_descriptors(), before);
		}
}

static void an_entry_that_has_gone_is_no_failure(void **state)
{
	(void)state;
	kernel.refuse_name = "sub";
	kernel.error = ENOENT;
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, ENTRIES - 2);
}

static void another_mount_is_passed_over(void **state)
{
	(void)state;
	plan.verbose = true;
	kernel.refuse_name = "sub";
	kernel.error = EXDEV;
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, ENTRIES - 2);
	assert_has(noted, "1 in other mounts");
}

static void a_path_that_is_not_there_is_a_failure_with_a_hint(void **state)
{
	(void)state;
	kernel.refuse_name = root;
	kernel.error = ENOENT;
	assert_int_equal(own(), -1);
	assert_has(f.hint, "mount a volume");
	kernel.error = ELOOP;
	assert_int_equal(own(), -1);
	assert_has(f.hint, "symbolic link");
	assert_int_equal(kernel.given, 0);
}

static void a_file_with_several_links_needs_the_kernels_protection(void **state)
{
	(void)state;
	kernel.odd.st_mode = S_IFREG | 0644;
	kernel.odd.st_nlink = 2;
	plan.verbose = true;
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, 1);
	kernel.protected_hardlinks = '0';
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, 0);
	assert_has(noted, "1 with other links");
	/* Everything but a folder, for a folder's links are its own. */
	kernel.odd.st_mode = S_IFLNK | 0777;
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, 0);
	kernel.odd.st_nlink = 1;
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, 1);
}

static void one_link_must_be_seen_to_be_this_one(void **state)
{
	int before = open_descriptors();
	char home[PATH_MAX], now[PATH_MAX];

	(void)state;
	assert_int_equal(chdir("/"), 0);
	assert_non_null(getcwd(home, sizeof(home)));
	kernel.odd.st_mode = S_IFREG | 0644;
	kernel.odd.st_nlink = 1;
	kernel.protected_hardlinks = '0';
	kernel.names_change = true;
	plan.verbose = true;
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, 0);
	assert_has(noted, "1 with other links");
	kernel.names_change = false;
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, 1);
	kernel.no_watch = true;
	assert_int_equal(own(), -1);
	assert_int_equal(kernel.given, 0);
	assert_fault(&f, EXIT_STEP, "see the links of");
	assert_has(f.hint, "fs.protected_hardlinks");
	assert_int_equal(open_descriptors(), before);
	assert_string_equal(getcwd(now, sizeof(now)), home);
	kernel.protected_hardlinks = '1';
	assert_int_equal(own(), 0);
	assert_int_equal(kernel.given, 1);
}

static void a_device_is_nobodys_to_give(void **state)
{
	static const mode_t modes[] = { S_IFCHR | 0666, S_IFBLK | 0660 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		kernel.odd.st_mode = modes[i];
		assert_int_equal(own(), 0);
		assert_int_equal(kernel.given, 0);
	}
}

#define WITH_KERNEL(test) cmocka_unit_test_setup(test, with_kernel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KERNEL(every_entry_is_given_and_no_link_followed),
		WITH_KERNEL(each_refused_call_ends_the_step_and_leaks_nothing),
		WITH_KERNEL(an_entry_that_has_gone_is_no_failure),
		WITH_KERNEL(another_mount_is_passed_over),
		WITH_KERNEL(a_path_that_is_not_there_is_a_failure_with_a_hint),
		WITH_KERNEL(a_file_with_several_links_needs_the_kernels_protection),
		WITH_KERNEL(one_link_must_be_seen_to_be_this_one),
		WITH_KERNEL(a_device_is_nobodys_to_give),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
