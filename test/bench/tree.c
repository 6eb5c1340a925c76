/*
 * tree: make trees for the benchmarks of --own, and measure what walks them.
 *
 * usage: tree make SHAPE COUNT DIR     wide, folders or deep; COUNT entries
 *        tree give UID DIR             chown -R by the shortest way there is
 *        tree run COMMAND...           "MICROSECONDS PEAK-RSS-KIB CPU-MICROSECONDS"
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 100, FOLDERS = 100, CHAIN = 500 };

static int enter(int folder, const char *name)
{
	int fd;

	if (mkdirat(folder, name, 0755) < 0)
		err(1, "mkdir %s", name);
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err(1, "open %s", name);
	return fd;
}

static long make_files(int folder, long count)
{
	char name[32];

	for (long i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "file-%ld", i);
		if (mknodat(folder, name, S_IFREG | 0644, 0) < 0)
			err(1, "create %s", name);
	}
	return count;
}

/* Folders of 100 folders of 100 files, and so on: as applications have it. */
static void make_folders(int top, long count)
{
	char name[32];

	for (long i = 0; count > 0; i++) {
		snprintf(name, sizeof(name), "folder-%ld", i);
		int fd = enter(top, name);

		count--;
		for (int j = 0; j < FOLDERS && count > 0; j++) {
			snprintf(name, sizeof(name), "folder-%d", j);
			int below = enter(fd, name);

			count--;
			count -= make_files(below,
					    count < FILES ? count : FILES);
			close(below);
		}
		close(fd);
	}
}

/* Chains of directories in directories, 500 levels deep. */
static void make_deep(int top, long count)
{
	char name[32];

	for (long i = 0; count > 0; i++) {
		snprintf(name, sizeof(name), "chain-%ld", i);
		int fd = enter(top, name);

		count--;
		for (int j = 1; j < CHAIN && count > 0; j++, count--) {
			int below = enter(fd, "d");

			close(fd);
			fd = below;
		}
		close(fd);
	}
}

static void make(const char *shape, long count, const char *dir)
{
	int top;

	umask(022);
	if (mkdir(dir, 0755) < 0)
		err(1, "mkdir %s", dir);
	top = open(dir, O_RDONLY | O_DIRECTORY);
	if (strcmp(shape, "wide") == 0)
		make_files(top, count);
	else if (strcmp(shape, "folders") == 0)
		make_folders(top, count);
	else
		make_deep(top, count);
}

/* A chain needs no way back up: the last folder of each is entered for good. */
static void give(uid_t id, int fd)
{
	for (;;) {
		DIR *dir = fdopendir(fd);
		struct dirent *entry;
		int last = -1;

		while ((entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			if (fchownat(dirfd(dir), entry->d_name, id, id,
				     AT_SYMLINK_NOFOLLOW) < 0)
				err(1, "chown %s", entry->d_name);
			if (entry->d_type != DT_DIR)
				continue;
			if (last >= 0)
				give(id, last);
			last = openat(dirfd(dir), entry->d_name,
				      O_RDONLY | O_DIRECTORY);
		}
		closedir(dir);
		if (last < 0)
			return;
		fd = last;
	}
}

static int run(char **argv)
{
	struct timespec start, end;
	struct rusage usage;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = vfork();
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &usage) < 0)
		err(1, "wait");
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%ld %ld %ld\n",
	       (end.tv_sec - start.tv_sec) * 1000000 +
		       (end.tv_nsec - start.tv_nsec) / 1000,
	       usage.ru_maxrss,
	       (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
		       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "make") == 0) {
		make(argv[2], atol(argv[3]), argv[4]);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "give") == 0) {
		if (chown(argv[3], (uid_t)atoi(argv[2]),
			  (gid_t)atoi(argv[2])) < 0)
			err(1, "chown %s", argv[3]);
		give((uid_t)atoi(argv[2]), open(argv[3], O_RDONLY));
		return 0;
	}
	if (argc > 2 && strcmp(argv[1], "run") == 0)
		return run(argv + 2);
	errx(100, "usage: tree make SHAPE COUNT DIR | give UID DIR | run COMMAND...");
}
