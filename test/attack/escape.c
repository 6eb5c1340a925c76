/*
 * escape: one try to get out of a Landlock domain, or without one.
 *
 *	escape HOW INSIDE OUTSIDE	INSIDE: a directory that may be written;
 *					OUTSIDE: one with a file `log` of ours
 *
 * Says "worked" or why not. Exit status 0 only if it worked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static char in_file[4096], in_link[4096], log_file[4096], new_file[4096];
static const char *inside, *outside;

static int write_to(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | flags, 0666);

	return fd < 0 ? -1 : (int)write(fd, "x", 1);
}

static int by_symlink(void)
{
	return symlink(log_file, in_link) < 0 ? -1
					      : write_to(in_link, O_APPEND);
}

static int by_hard_link(void)
{
	return link(log_file, in_link) < 0 ? -1 : write_to(in_link, O_APPEND);
}

/* A hard link by the descriptor that was opened to read. */
static int by_link_of_fd(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d",
		 open(log_file, O_RDONLY));
	return linkat(AT_FDCWD, path, AT_FDCWD, in_link, AT_SYMLINK_FOLLOW);
}

static int by_reopening(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d",
		 open(log_file, O_RDONLY));
	return write_to(path, O_APPEND);
}

static int by_rename_out(void)
{
	return write_to(in_file, O_CREAT) < 0 ? -1 : rename(in_file, new_file);
}

static int by_rename_in(void)
{
	return rename(log_file, in_link);
}

static int by_exchange(void)
{
	if (write_to(in_file, O_CREAT) < 0)
		return -1;
	return (int)syscall(SYS_renameat2, AT_FDCWD, in_file, AT_FDCWD,
			    log_file, 2);
}

static int by_tmpfile(void)
{
	return open(outside, O_WRONLY | O_TMPFILE, 0600);
}

static int by_truncate(void)
{
	return truncate(log_file, 0);
}

static int by_open_truncate(void)
{
	return open(log_file, O_RDONLY | O_TRUNC);
}

/* A shared mapping that may not be written, by way of our memory's file. */
static int by_own_memory(void)
{
	char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED,
			 open(log_file, O_RDWR), 0);
	int mem = open("/proc/self/mem", O_RDWR);

	if (map == MAP_FAILED || mem < 0)
		return -1;
	return pwrite(mem, "x", 1, (off_t)(uintptr_t)map) == 1 ? 0 : -1;
}

static pid_t victim(void)
{
	return (pid_t)atoi(getenv("VICTIM") ? getenv("VICTIM") : "0");
}

static int by_its_memory(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", victim());
	return open(path, O_RDWR);
}

static int by_ptrace(void)
{
	return (int)ptrace(PTRACE_SEIZE, victim(), NULL, NULL);
}

static int by_signal(void)
{
	return kill(victim(), 0);
}

static int by_queued_signal(void)
{
	return sigqueue(victim(), SIGCONT, (union sigval){ 0 });
}

static int by_abstract_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path + 1, getenv("ABSTRACT"));
	return connect(fd, (struct sockaddr *)&a,
		       offsetof(struct sockaddr_un, sun_path) + 1 +
			       (socklen_t)strlen(a.sun_path + 1));
}

/* In a user namespace of our own we have all capabilities in it. */
static int by_bind_mount(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	    mount(outside, inside, NULL, MS_BIND, NULL) < 0)
		return -1;
	strcat(strcpy(in_file, inside), "/log");
	return write_to(in_file, O_APPEND);
}

/* openat(2) and write(2) by the kernel's own worker. */
static int by_io_uring(void)
{
	struct io_uring_params p = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);
	unsigned char *sq, *cq;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;

	if (ring < 0)
		return -1;
	sq = mmap(NULL, p.sq_off.array + 64, PROT_READ | PROT_WRITE,
		  MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + 64, PROT_READ | PROT_WRITE, MAP_SHARED,
		  ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	sqe->opcode = IORING_OP_OPENAT;
	sqe->flags = IOSQE_ASYNC;
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)log_file;
	sqe->open_flags = O_WRONLY;
	*(unsigned int *)(sq + p.sq_off.array) = 0;
	*(unsigned int *)(sq + p.sq_off.tail) = 1;
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		return -1;
	cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	if (cqe->res >= 0)
		return (int)write(cqe->res, "x", 1);
	errno = -cqe->res;
	return -1;
}

static const struct {
	const char *name;
	int (*run)(void);
} tries[] = {
	{ "symlink", by_symlink }, { "hard-link", by_hard_link },
	{ "link-of-fd", by_link_of_fd }, { "reopening", by_reopening },
	{ "rename-out", by_rename_out }, { "rename-in", by_rename_in },
	{ "exchange", by_exchange }, { "tmpfile", by_tmpfile },
	{ "truncate", by_truncate }, { "open-truncate", by_open_truncate },
	{ "own-memory", by_own_memory }, { "its-memory", by_its_memory },
	{ "ptrace", by_ptrace }, { "signal", by_signal },
	{ "queued-signal", by_queued_signal },
	{ "abstract-socket", by_abstract_socket },
	{ "bind-mount", by_bind_mount }, { "io-uring", by_io_uring },
};

int main(int argc, char **argv)
{
	if (argc != 4)
		return 100;
	inside = argv[2];
	outside = argv[3];
	snprintf(in_file, sizeof(in_file), "%s/file", inside);
	snprintf(in_link, sizeof(in_link), "%s/link", inside);
	snprintf(log_file, sizeof(log_file), "%s/log", outside);
	snprintf(new_file, sizeof(new_file), "%s/new", outside);
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		if (strcmp(tries[i].name, argv[1]) != 0)
			continue;
		if (tries[i].run() >= 0) {
			puts("worked");
			return 0;
		}
		puts(strerror(errno));
		return 1;
	}
	return 100;
}
