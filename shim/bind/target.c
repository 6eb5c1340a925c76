#include "bind/target.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

/* In a process that shares our memory, and has no use for our capability. */
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
 * Not even SIGKILL interrupts a read that waits for a FUSE server, and a thread
 * in it would keep process 1 from ending and from taking that server along; so
 * is process_vm_readv(2), which Docker denies besides. So a helper reads. To
 * wait for it as vfork(2) does is interrupted by SIGKILL, and without a signal
 * at its end the supervisor's waitpid(2) does not see it. Under Yama it has no
 * right to read; that is asked when the file is opened, here.
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

/* The number behind a word of a file of /proc; 0 if there is none. */
static int proc_field(const char *path, const char *word, int base)
{
	char file[FILE_SIZE];
	const char *at;

	if (!fs_read(AT_FDCWD, path, file, FILE_SIZE))
		return 0;
	at = strstr(file, word);
	return at ? (int)strtol(at + strlen(word), NULL, base) : 0;
}

/* The name of a protocol by sockfs: TCP, MPTCP or UDP, and perhaps "v6". */
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
 * Returns a descriptor, close-on-exec, or -1. Before Linux 6.9 a pidfd is of a
 * whole process, whose number is in "status"; a thread may have descriptors of
 * its own, hence the look at the inode.
 */
static int borrow(pid_t tid, int fd, ino_t inode)
{
	int pidfd = (int)syscall(SYS_pidfd_open, tid, O_EXCL);
	char path[PATH_SIZE];
	struct stat st;
	int copy;

	if (pidfd < 0 && errno == EINVAL) {
		snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
		pidfd = (int)syscall(SYS_pidfd_open,
				     proc_field(path, "\nTgid:", 10), 0);
	}
	if (pidfd < 0)
		return -1;
	copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	if (copy < 0 || (fstat(copy, &st) == 0 && st.st_ino == inode))
		return copy;
	close(copy);
	return -1;
}

/*
 * O_PATH holds the file, and its link in /proc says that it is a socket. What
 * is of a FUSE server is not asked: not even SIGKILL ends the wait for it.
 */
bool target_socket(pid_t tid, int fd, struct target_socket *s)
{
	char path[PATH_SIZE], name[32] = "";
	struct stat st;
	int file, flags;
	bool known;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
	file = open(path, O_PATH | O_CLOEXEC);
	fs_link(path, "fd", file);
	known = readlink(path, name, 8) == 8 && strcmp(name, "socket:[") == 0 &&
		getxattr(path, "system.sockprotoname", name,
			 sizeof(name) - 1) > 0 &&
		classify(name, s) && fstat(file, &st) == 0;
	close(file);
	if (!known)
		return false;
	s->inode = st.st_ino;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	flags = proc_field(path, "\nflags:", 8);
	s->cloexec = flags & O_CLOEXEC;
	s->type |= flags & O_NONBLOCK ? SOCK_NONBLOCK : 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)tid);
	if (stat(path, &st) < 0)
		return false;
	s->network = st.st_ino;
	s->copy = borrow(tid, fd, s->inode);
	return true;
}

/* ---- its options ---- */

/* What can be read, and be written in the same bytes without a capability. */
static const unsigned char options[TARGET_OPTIONS][2] = {
	{ SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_REUSEPORT },
	{ SOL_SOCKET, SO_BINDTODEVICE }, { SOL_SOCKET, SO_BROADCAST },
	{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_LINGER },
	{ SOL_SOCKET, SO_RCVBUF }, { SOL_SOCKET, SO_RCVTIMEO },
	{ SOL_SOCKET, SO_SNDBUF }, { SOL_SOCKET, SO_SNDTIMEO },
	{ IPPROTO_IP, IP_FREEBIND }, { IPPROTO_IP, IP_MTU_DISCOVER },
	{ IPPROTO_IP, IP_PKTINFO }, { IPPROTO_IP, IP_RECVERR },
	{ IPPROTO_IP, IP_TOS }, { IPPROTO_IP, IP_TTL },
	{ IPPROTO_IPV6, IPV6_V6ONLY }, { IPPROTO_IPV6, IPV6_MTU_DISCOVER },
	{ IPPROTO_IPV6, IPV6_RECVERR }, { IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ IPPROTO_IPV6, IPV6_TCLASS }, { IPPROTO_IPV6, IPV6_UNICAST_HOPS },
	{ IPPROTO_TCP, TCP_CONGESTION }, { IPPROTO_TCP, TCP_DEFER_ACCEPT },
	{ IPPROTO_TCP, TCP_FASTOPEN }, { IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL }, { IPPROTO_TCP, TCP_NODELAY },
};

static socklen_t get(int fd, size_t option, int value[4])
{
	socklen_t size = 16;

	memset(value, 0, size);
	return getsockopt(fd, options[option][0], options[option][1], value,
			  &size) == 0 ? size : 0;
}

/*
 * Only what differs is set, so that the kernel goes on tuning buffers that were
 * not; their sizes are read back doubled (socket(7)).
 */
void target_copy_options(const struct target_socket *s, int ours,
			 struct target_fresh *fresh)
{
	int value[4];

	for (size_t i = 0; i < TARGET_OPTIONS; i++) {
		const int level = options[i][0], name = options[i][1];

		if (fresh->family != s->family ||
		    fresh->protocol != s->protocol)
			fresh->size[i] = get(ours, i, fresh->value[i]);
		if (!fresh->size[i] || !get(s->copy, i, value) ||
		    memcmp(value, fresh->value[i], sizeof(value)) == 0)
			continue;
		if (level == SOL_SOCKET &&
		    (name == SO_RCVBUF || name == SO_SNDBUF))
			value[0] /= 2;
		setsockopt(ours, level, name, value, fresh->size[i]);
	}
	fresh->family = s->family;
	fresh->protocol = s->protocol;
}
