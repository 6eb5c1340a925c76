#include "bind/target.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
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

#include "base/fault.h"
#include "base/fs.h"
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

ino_t target_network(pid_t tid)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)tid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

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

/* sockfs tells the name of the protocol as an extended attribute. */
static bool classify(const char *protocol, struct target_socket *s)
{
	static const struct {
		char name[8];
		int family, type, protocol;
	} known[] = {
		{ "TCP", AF_INET, SOCK_STREAM, IPPROTO_TCP },
		{ "TCPv6", AF_INET6, SOCK_STREAM, IPPROTO_TCP },
		{ "MPTCP", AF_INET, SOCK_STREAM, IPPROTO_MPTCP },
		{ "MPTCPv6", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP },
		{ "UDP", AF_INET, SOCK_DGRAM, IPPROTO_UDP },
		{ "UDPv6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(protocol, known[i].name) == 0) {
			s->family = known[i].family;
			s->type = known[i].type;
			s->protocol = known[i].protocol;
			return true;
		}
	return false;
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

bool target_socket(pid_t tid, int fd, struct target_socket *s)
{
	char path[PATH_SIZE];
	char protocol[32] = "";
	struct stat st;
	int flags;

	if (fd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
	if (getxattr(path, "system.sockprotoname", protocol,
		     sizeof(protocol) - 1) <= 0 ||
	    !classify(protocol, s) || stat(path, &st) < 0)
		return false;
	s->inode = st.st_ino;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	flags = proc_field(path, "\nflags:", 8);
	s->cloexec = flags & O_CLOEXEC;
	s->type |= flags & O_NONBLOCK ? SOCK_NONBLOCK : 0;
	s->copy = borrow(tid, fd, st.st_ino);
	return true;
}

/* ---- its options ---- */

/*
 * What can be read and be written in the same bytes without a capability, and
 * may be set before bind(2).
 */
static const struct {
	unsigned char level;
	unsigned char names[20];	/* 0 at the end */
} options[] = {
	{ SOL_SOCKET,
	  { SO_REUSEADDR, SO_REUSEPORT, SO_BROADCAST, SO_DONTROUTE,
	    SO_INCOMING_CPU, SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE,
	    SO_PRIORITY, SO_RCVBUF, SO_RCVLOWAT, SO_RCVTIMEO, SO_RXQ_OVFL,
	    SO_SNDBUF, SO_SNDTIMEO, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_ZEROCOPY,
	    SO_BINDTODEVICE } },
	{ IPPROTO_IP,
	  { IP_BIND_ADDRESS_NO_PORT, IP_FREEBIND, IP_MTU_DISCOVER,
	    IP_MULTICAST_ALL, IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IP_PKTINFO,
	    IP_RECVERR, IP_RECVTOS, IP_RECVTTL, IP_TOS, IP_TTL } },
	{ IPPROTO_IPV6,
	  { IPV6_V6ONLY, IPV6_MTU_DISCOVER, IPV6_MULTICAST_HOPS,
	    IPV6_MULTICAST_LOOP, IPV6_RECVERR, IPV6_RECVHOPLIMIT,
	    IPV6_RECVPKTINFO, IPV6_RECVTCLASS, IPV6_TCLASS,
	    IPV6_UNICAST_HOPS } },
	{ IPPROTO_TCP,
	  { TCP_CONGESTION, TCP_DEFER_ACCEPT, TCP_FASTOPEN, TCP_KEEPCNT,
	    TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_NODELAY, TCP_SYNCNT,
	    TCP_USER_TIMEOUT } },
	{ IPPROTO_UDP, { UDP_SEGMENT, UDP_GRO } },
};

static socklen_t get(int fd, int level, int name, unsigned char value[16])
{
	socklen_t size = 16;

	memset(value, 0, size);
	return getsockopt(fd, level, name, value, &size) == 0 ? size : 0;
}

/*
 * Only what differs is set, so that buffers which the application has not set
 * are left to the kernel's own tuning; their sizes are read back doubled
 * (socket(7)). A kind of socket that lacks the first option of a level has none
 * of the others.
 */
void target_copy_options(int theirs, int ours)
{
	union {
		unsigned char bytes[16];
		int number;
	} wanted, now;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		for (const unsigned char *name = options[i].names; *name;
		     name++) {
			const int level = options[i].level;
			socklen_t size =
				get(theirs, level, *name, wanted.bytes);

			if (size == 0 && name == options[i].names)
				break;
			if (size == 0 ||
			    get(ours, level, *name, now.bytes) != size ||
			    memcmp(&wanted, &now, size) == 0)
				continue;
			if (level == SOL_SOCKET &&
			    (*name == SO_RCVBUF || *name == SO_SNDBUF))
				wanted.number /= 2;
			setsockopt(ours, level, *name, &wanted, size);
		}
}
