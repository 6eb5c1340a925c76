#include "bind/target.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "cred/caps.h"

enum { PATH_SIZE = 64, FILE_SIZE = 4096, HELPER_STACK = 8192 };

/* ---- memory ---- */

struct job {
	int memory;		/* /proc/TID/mem */
	uint64_t address;
	void *out;
	size_t size;
	int err;
};

/* Runs in a process that shares our memory and needs no capability. */
static int help(void *argument)
{
	struct job *job = argument;
	struct fault ignored;

	if (caps_leave(0, &ignored) == 0 &&
	    pread(job->memory, job->out, job->size, (off_t)job->address) ==
		    (ssize_t)job->size)
		job->err = 0;
	_exit(0);
}

/*
 * Not even SIGKILL interrupts a read that waits for a FUSE server: a thread
 * that reads could keep process 1 from ending, and so from killing that server.
 * process_vm_readv(2) is the same, and Docker denies it. So a helper process
 * reads, and SIGKILL interrupts the wait for it. The helper sends no signal
 * when it ends, so the supervisor's waitid(2) does not see it. Under Yama only
 * this process may read, which the kernel checks when it opens the file.
 */
int target_read(pid_t tid, uint64_t address, void *out, size_t size)
{
	_Alignas(16) char stack[HELPER_STACK];
	struct job job = { .address = address, .out = out, .size = size,
			   .err = EFAULT };
	char path[PATH_SIZE];
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)tid);
	job.memory = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (job.memory < 0)
		return -1;
	pid = clone(help, stack + sizeof(stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND, &job);
	if (pid < 0)
		job.err = errno;
	else
		waitpid(pid, NULL, __WCLONE);
	close(job.memory);
	errno = job.err;
	return job.err ? -1 : 0;
}

/* ---- the descriptor ---- */

ino_t target_network(pid_t tid)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)tid);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* The number after a word in a file of /proc; 0 if there is none. */
static int proc_field(const char *path, const char *word, int base)
{
	char file[FILE_SIZE];
	const char *at;

	if (!fs_read(AT_FDCWD, path, file, FILE_SIZE))
		return 0;
	at = strstr(file, word);
	return at ? (int)strtol(at + strlen(word), NULL, base) : 0;
}

int target_flags(pid_t tid, int fd)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	return proc_field(path, "\nflags:", 8);
}

/* Reading the link does not ask the server of a FUSE file. */
ino_t target_inode(pid_t tid, int fd)
{
	char path[PATH_SIZE], link[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
	if (readlink(path, link, sizeof(link) - 1) < 0 ||
	    strncmp(link, "socket:[", 8) != 0)
		return 0;
	return strtoul(link + 8, NULL, 10);
}

/* Parse sockfs' name of a protocol: TCP, MPTCP or UDP, then "v6" or nothing. */
static bool classify(const char *name, struct target_socket *s)
{
	const bool mptcp = strncmp(name, "MP", 2) == 0;
	const bool udp = strncmp(name, "UDP", 3) == 0;
	const char *tcp = name + (mptcp ? 2 : 0);

	s->family = strcmp(tcp + 3, "v6") == 0 ? AF_INET6 : AF_INET;
	s->type = udp ? SOCK_DGRAM : SOCK_STREAM;
	s->protocol = udp ? IPPROTO_UDP : mptcp ? IPPROTO_MPTCP : IPPROTO_TCP;
	return (udp || strncmp(tcp, "TCP", 3) == 0) &&
	       (!tcp[3] || s->family == AF_INET6);
}

/*
 * Returns a copy, close-on-exec, or -1. Before Linux 6.9 a pidfd is that of a
 * whole process, whose id is in "status"; a thread may have descriptors of its
 * own, so the inodes are compared.
 */
static int borrow(pid_t tid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, tid, O_EXCL);
	const bool of_thread = pidfd >= 0 || errno != EINVAL;
	char path[PATH_SIZE];
	int copy;

	if (!of_thread) {
		snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
		pidfd = (int)syscall(SYS_pidfd_open,
				     proc_field(path, "\nTgid:", 10), 0);
	}
	if (pidfd < 0)
		return -1;
	copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	if (of_thread || target_inode(getpid(), copy) == target_inode(tid, fd))
		return copy;
	close(copy);
	return -1;
}

/*
 * Closing a copy of a FUSE file asks its server, so only a socket is copied. A
 * copy, or else O_PATH, holds the file; that it is still a socket is checked
 * before anything else is read of it.
 */
bool target_socket(pid_t tid, int fd, struct target_socket *s)
{
	char path[PATH_SIZE], name[32] = "";
	int held;
	bool known;

	if (!target_inode(tid, fd))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
	s->copy = borrow(tid, fd);
	held = s->copy >= 0 ? s->copy
			    : openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
	fs_link(path, "fd", held);
	s->inode = target_inode(getpid(), held);
	known = s->inode &&
		getxattr(path, "system.sockprotoname", name,
			 sizeof(name) - 1) > 0 && classify(name, s);
	if (!known || s->copy < 0)
		close(held);
	return known;
}
