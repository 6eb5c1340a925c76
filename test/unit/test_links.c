#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "own/links.h"

/* A kernel that is all words: what was called, in which order. */
int __wrap_descriptor_open(const char *path, int flags);
int __wrap_descriptor_open_in(int folder, const char *path, int flags);
bool __wrap_procfs_read(int dir, const char *path, char *out, size_t size);
int __wrap_descriptor_chdir(int fd);
int __wrap_inotify_init1(int flags);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_rm_watch(int fd, int watch);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_own_open_same_mount(int fd, int other);

enum { FILE_FD = 900, FOLDER, DIR, HOME, EVENTS, WATCH = 7 };

static struct {
	bool pretends;
	char sysctl;		/* what it says, or 0: not there */
	bool other_mount;
	const char *refuse;	/* the call that fails, by its word */
	const char *change;	/* names change right before it, each time */
	bool changes_once;
	bool queued;		/* there is an event */
	bool watches;
	struct stat now;	/* what the name leads to */
	int open;		/* descriptors */
	int cwd;
	int err;		/* that the question left */
	char calls[1024];
} kernel;

static struct links links;
static struct stat file;

static bool is_refused(const char *word)
{
	return kernel.refuse && strcmp(kernel.refuse, word) == 0;
}

static int call(const char *word)
{
	strcat(strcat(kernel.calls, kernel.calls[0] ? " " : ""), word);
	if (kernel.change && strcmp(word, kernel.change) == 0 &&
	    kernel.watches) {
		kernel.queued = true;
		if (kernel.changes_once)
			kernel.change = NULL;
	}
	if (!is_refused(word))
		return 0;
	errno = EMFILE;
	return -1;
}

int __wrap_descriptor_open(const char *path, int flags)
{
	assert_string_equal(path, ".");
	assert_true(flags & O_PATH);
	if (is_refused("start")) {
		errno = EMFILE;
		return -1;
	}
	kernel.open++;
	return HOME;
}

bool __wrap_procfs_read(int dir, const char *path, char *out, size_t size)
{
	assert_int_equal(dir, AT_FDCWD);
	assert_string_equal(path, "/proc/sys/fs/protected_hardlinks");
	assert_true(size > 1);
	out[0] = kernel.sysctl;
	out[1] = '\0';
	return out[0] != '\0';
}

int __wrap_descriptor_open_in(int folder, const char *path, int flags)
{
	assert_int_equal(folder, FOLDER);
	assert_string_equal(path, ".");
	assert_int_equal(flags, O_RDONLY | O_DIRECTORY);
	if (call("open") < 0)
		return -1;
	kernel.open++;
	return DIR;
}

int __wrap_descriptor_chdir(int fd)
{
	if (call(fd == HOME ? "home" : "go") < 0)
		return -1;
	kernel.cwd = fd;
	return 0;
}

int __wrap_inotify_init1(int flags)
{
	assert_int_equal(flags, IN_NONBLOCK | IN_CLOEXEC);
	if (is_refused("init")) {
		errno = EMFILE;
		return -1;
	}
	kernel.open++;
	return EVENTS;
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	assert_int_equal(fd, EVENTS);
	assert_string_equal(path, ".");
	assert_int_equal(kernel.cwd, DIR);
	assert_int_equal(mask, IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO);
	/* Nothing is left of what was watched before. */
	assert_true(!kernel.queued || is_refused("read"));
	if (call("watch") < 0)
		return -1;
	kernel.watches = true;
	return WATCH;
}

int __wrap_inotify_rm_watch(int fd, int watch)
{
	assert_int_equal(fd, EVENTS);
	assert_int_equal(watch, WATCH);
	call("unwatch");
	kernel.watches = false;
	kernel.queued = true;	/* IN_IGNORED */
	return 0;
}

/* getdents64(2) with no room */
long __wrap_syscall(long number, ...)
{
	long words[3];
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = va_arg(list, long);
	va_end(list);
	if (!kernel.pretends)
		return __real_syscall(number, words[0], words[1], words[2]);
	assert_int_equal(number, SYS_getdents64);
	assert_int_equal((int)words[0], DIR);
	if (call("settle") == 0)
		errno = EINVAL;
	return -1;
}

int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	assert_int_equal(dir, DIR);
	assert_string_equal(path, "name");
	assert_int_equal(flags, AT_SYMLINK_NOFOLLOW);
	*st = kernel.now;
	return call("look");
}

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
	if (!kernel.pretends)
		return __real_read(fd, bytes, size);
	assert_int_equal(fd, EVENTS);
	assert_true(size >= sizeof(struct inotify_event) + NAME_MAX + 1);
	if (call("read") < 0)
		return -1;
	if (kernel.queued) {
		kernel.queued = false;
		return sizeof(struct inotify_event);
	}
	errno = EAGAIN;
	return -1;
}

int __wrap_close(int fd)
{
	if (!kernel.pretends)
		return __real_close(fd);
	kernel.open--;
	return 0;
}

int __wrap_own_open_same_mount(int fd, int other)
{
	assert_int_equal(fd, FILE_FD);
	assert_int_equal(other, DIR);
	errno = EMFILE;
	return is_refused("mount") ? -1 : !kernel.other_mount;
}

/* Returns what links_is_only() says of it. */
static int ask(void)
{
	int only;

	kernel.calls[0] = '\0';
	kernel.pretends = true;
	kernel.cwd = HOME;
	errno = EBADF;
	links_start(&links);
	only = links_is_only(&links, FILE_FD, &file, FOLDER, "name");
	kernel.err = errno;
	if (is_refused("home"))
		kernel.refuse = NULL;
	assert_int_equal(links_end(&links), 0);
	kernel.pretends = false;
	assert_int_equal(kernel.cwd, HOME);
	assert_int_equal(kernel.open, 0);
	return only;
}

static int with_kernel(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.sysctl = '0';
	file = (struct stat){ .st_mode = S_IFREG | 0644, .st_dev = 1,
			      .st_ino = 2, .st_nlink = 1 };
	kernel.now = file;
	return 0;
}

static void the_folder_is_settled_before_and_after_the_look(void **state)
{
	(void)state;
	assert_int_equal(ask(), 1);
	assert_string_equal(kernel.calls,
			    "open home go watch settle look settle read "
			    "unwatch read read home");
}

static void of_several_files_each_is_asked_anew(void **state)
{
	(void)state;
	kernel.pretends = true;
	links_start(&links);
	for (int i = 0; i < 3; i++)
		assert_int_equal(links_is_only(&links, FILE_FD, &file, FOLDER,
					       "name"), 1);
	kernel.cwd = HOME;
	assert_int_equal(links_end(&links), 0);
	kernel.pretends = false;
	assert_int_equal(kernel.open, 0);
}

static void protected_links_need_no_look(void **state)
{
	(void)state;
	kernel.sysctl = '1';
	assert_int_equal(ask(), 1);
	assert_string_equal(kernel.calls, "");
}

static void a_folder_has_no_other_links(void **state)
{
	(void)state;
	file.st_mode = S_IFDIR | 0755;
	file.st_nlink = 9;
	assert_int_equal(ask(), 1);
	assert_string_equal(kernel.calls, "");
}

static void what_the_sysctl_does_not_say_protects_nothing(void **state)
{
	static const char values[] = { '\0', '0', '2' };

	(void)state;
	kernel.now.st_nlink = 2;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		kernel.sysctl = values[i];
		assert_int_equal(ask(), 0);
	}
}

static void a_name_that_leads_elsewhere_is_not_its_link(void **state)
{
	(void)state;
	kernel.now.st_ino = 3;
	assert_int_equal(ask(), 0);
	kernel.now = file;
	kernel.now.st_dev = 3;
	assert_int_equal(ask(), 0);
	kernel.now = file;
	kernel.now.st_nlink = 2;
	assert_int_equal(ask(), 0);
	kernel.now = file;
	assert_int_equal(ask(), 1);
}

static void what_is_mounted_on_the_name_is_not_its_link(void **state)
{
	(void)state;
	kernel.other_mount = true;
	assert_int_equal(ask(), 0);
	assert_string_equal(kernel.calls, "open");
}

static void names_that_change_are_asked_again_and_not_for_ever(void **state)
{
	static const char *const moments[] = { "settle", "look", "read" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		kernel.changes_once = false;
		kernel.change = moments[i];
		assert_int_equal(ask(), 0);
		kernel.changes_once = true;
		assert_int_equal(ask(), 1);
	}
}

static void what_cannot_be_seen_is_an_error(void **state)
{
	static const char *const words[] = { "start", "init", "open", "mount",
					     "home", "go", "watch" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		kernel.refuse = words[i];
		assert_int_equal(ask(), -1);
		assert_int_equal(kernel.err, EMFILE);
	}
}

static void what_was_seen_in_part_is_no(void **state)
{
	static const char *const words[] = { "settle", "look", "read" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		kernel.refuse = words[i];
		assert_int_equal(ask(), 0);
		kernel.queued = false;
	}
}

static void no_way_back_is_an_error(void **state)
{
	(void)state;
	kernel.pretends = true;
	links_start(&links);
	assert_int_equal(links_is_only(&links, FILE_FD, &file, FOLDER, "name"),
			 1);
	kernel.refuse = "home";
	assert_int_equal(links_end(&links), -1);
	kernel.pretends = false;
	assert_int_equal(kernel.open, 0);
}

#define WITH_KERNEL(test) cmocka_unit_test_setup(test, with_kernel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KERNEL(the_folder_is_settled_before_and_after_the_look),
		WITH_KERNEL(of_several_files_each_is_asked_anew),
		WITH_KERNEL(protected_links_need_no_look),
		WITH_KERNEL(a_folder_has_no_other_links),
		WITH_KERNEL(what_the_sysctl_does_not_say_protects_nothing),
		WITH_KERNEL(a_name_that_leads_elsewhere_is_not_its_link),
		WITH_KERNEL(what_is_mounted_on_the_name_is_not_its_link),
		WITH_KERNEL(names_that_change_are_asked_again_and_not_for_ever),
		WITH_KERNEL(what_cannot_be_seen_is_an_error),
		WITH_KERNEL(what_was_seen_in_part_is_no),
		WITH_KERNEL(no_way_back_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
