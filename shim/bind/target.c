#include "bind/target.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/sys.h"
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

/*
 * In a process of its own that shares this one's memory. It has no use for the
 * capability of the thread that started it.
 */
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
 * Not process_vm_readv(2): Docker's default profile denies it, and as with
 * /proc/PID/mem not even SIGKILL interrupts a read that waits for a FUSE
 * server. A thread in it would keep this process from ending, and process 1
 * from taking that server along. So a helper reads. To wait for it, as vfork(2)
 * does, is interrupted by SIGKILL. It sends no signal when it ends, so that the
 * supervisor's waitpid(2) does not see it.
 *
 * The right to read is that of this process, and is asked when the file is
 * opened: under Yama the helper itself would have none.
 */
int target_read(pid_t tid, uint64_t address, void *out, size_t size)
{
	_Alignas(16) char stack[HELPER_STACK];
	struct job job = { .address = address, .out = out, .size = size,
			   .err = EFAULT };
	char path[PATH_SIZE];
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)tid);
	job.memory = open(path, O_RDONLY | O_CLOEXEC);
	if (job.memory < 0)
		return -1;
	pid = clone(help, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | CLONE_FILES, &job);
	if (pid < 0)
		job.err = errno;
	else
		waitpid(pid, NULL, __WCLONE);
	close(job.memory);
	errno = job.err;
	return job.err ? -1 : 0;
}

/* ---- the socket ---- */

static int identify(const char *path, struct identity *it)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	it->device = st.st_dev;
	it->inode = st.st_ino;
	return 0;
}

int target_network(pid_t tid, struct identity *network)
{
	char path[PATH_SIZE] = "/proc/self/ns/net";

	if (tid)
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)tid);
	return identify(path, network);
}

/* The number behind a word of a file of /proc; 0 if there is none. */
static unsigned long field(const char *file, const char *word, int base)
{
	const char *at = strstr(file, word);

	return at ? strtoul(at + strlen(word), NULL, base) : 0;
}

/* sockfs tells the name of the protocol as an extended attribute. */
static const struct {
	char name[8];
	unsigned char family;
	unsigned char kind;
	short protocol;
} known[TARGET_SHAPES] = {
	{ "TCP", AF_INET, LISTENER_TCP, IPPROTO_TCP },
	{ "TCPv6", AF_INET6, LISTENER_TCP, IPPROTO_TCP },
	{ "MPTCP", AF_INET, LISTENER_TCP, IPPROTO_MPTCP },
	{ "MPTCPv6", AF_INET6, LISTENER_TCP, IPPROTO_MPTCP },
	{ "UDP", AF_INET, LISTENER_UDP, IPPROTO_UDP },
	{ "UDPv6", AF_INET6, LISTENER_UDP, IPPROTO_UDP },
};

static bool classify(const char *protocol, struct target_socket *s)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strncmp(protocol, known[i].name, sizeof(known[i].name)) ==
		    0) {
			s->shape = i;
			s->kind = (enum listener_kind)known[i].kind;
			s->family = known[i].family;
			s->protocol = known[i].protocol;
			return true;
		}
	return false;
}

/*
 * Before Linux 6.9 a pidfd is of a whole process, whose number is in "status";
 * a thread may have descriptors of its own, hence the look at the inode.
 */
static int open_pidfd(pid_t tid)
{
	char path[PATH_SIZE];
	char file[FILE_SIZE];
	int fd = sys_pidfd_open_thread(tid);

	if (fd >= 0 || errno != EINVAL)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	if (!fs_read(AT_FDCWD, path, file, FILE_SIZE))
		return -1;
	return sys_pidfd_open((pid_t)field(file, "\nTgid:", 10));
}

/* Returns a descriptor, close-on-exec, or -1. */
static int borrow(pid_t tid, int fd, ino_t inode)
{
	int pidfd = open_pidfd(tid);
	struct stat st;
	int copy;

	if (pidfd < 0)
		return -1;
	copy = sys_pidfd_getfd(pidfd, fd);
	close(pidfd);
	if (copy < 0 || (fstat(copy, &st) == 0 && st.st_ino == inode))
		return copy;
	close(copy);
	return -1;
}

bool target_socket(pid_t tid, int fd, struct target_socket *s)
{
	char path[PATH_SIZE];
	char file[FILE_SIZE];
	struct identity it;
	unsigned long flags;
	ssize_t length;

	if (fd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
	length = getxattr(path, "system.sockprotoname", file, FILE_SIZE - 1);
	if (length <= 0 || identify(path, &it) < 0)
		return false;
	file[length] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	if (!classify(file, s) ||
	    !fs_read(AT_FDCWD, path, file, FILE_SIZE))
		return false;
	flags = field(file, "flags:", 8);
	s->inode = it.inode;
	s->cloexec = flags & O_CLOEXEC;
	s->nonblock = flags & O_NONBLOCK;
	s->copy = borrow(tid, fd, it.inode);
	return true;
}
