#include "bind/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "base/text.h"

enum { PATH_SIZE = 64, FILE_SIZE = 4096 };

/* "/proc/TID/REST", or "/proc/TID/RESTfd". */
static void name(char path[PATH_SIZE], pid_t tid, const char *rest, int fd)
{
	struct text t;

	text_start(&t, path, PATH_SIZE);
	text_add(&t, "/proc/");
	if (tid)
		text_add(&t, "%d", (int)tid);
	else
		text_add(&t, "self");
	text_add(&t, "/%s", rest);
	if (fd >= 0)
		text_add(&t, "%d", fd);
}

/*
 * The number in the line that begins with a word; 0 if there is none. The
 * kernel writes the flags of a descriptor with octal digits.
 */
static unsigned long field(const char *file, const char *word, unsigned int base)
{
	const size_t length = strlen(word);
	unsigned long value = 0;

	while (file && strncmp(file, word, length) != 0) {
		file = strchr(file, '\n');
		if (file)
			file++;
	}
	if (!file)
		return 0;
	for (file += length; *file == ' ' || *file == '\t'; file++)
		;
	for (; *file >= '0' && *file <= '9'; file++)
		value = value * base + (unsigned long)(*file - '0');
	return value;
}

/*
 * Not process_vm_readv(2): the default profiles of Docker deny it, and the two
 * ask for the same right.
 */
int caller_read(pid_t tid, uint64_t address, void *out, size_t size)
{
	char path[PATH_SIZE];
	ssize_t length;
	int fd, err;

	name(path, tid, "mem", -1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	length = pread(fd, out, size, (off_t)address);
	err = errno;
	close(fd);
	errno = length < 0 ? err : EFAULT;
	return length == (ssize_t)size ? 0 : -1;
}

static int identify(const char *path, struct identity *it)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	it->device = st.st_dev;
	it->inode = st.st_ino;
	return 0;
}

int caller_network(pid_t tid, struct identity *network)
{
	char path[PATH_SIZE];

	name(path, tid, "ns/net", -1);
	return identify(path, network);
}

/*
 * sockfs tells the name of the protocol as an extended attribute. MPTCP, which
 * Go asks for where it can have it, is served by a TCP socket: to its peers it
 * is one whose other end did not want MPTCP.
 */
static bool classify(const char *protocol, struct caller_socket *s)
{
	static const struct {
		char protocol[13];
		unsigned char kind;
		unsigned char family;
		bool any_type;
	} known[] = {
		{ "TCP", LISTENER_TCP, AF_INET, false },
		{ "TCPv6", LISTENER_TCP, AF_INET6, false },
		{ "MPTCP", LISTENER_TCP, AF_INET, false },
		{ "MPTCPv6", LISTENER_TCP, AF_INET6, false },
		{ "UDP", LISTENER_UDP, AF_INET, false },
		{ "UDPv6", LISTENER_UDP, AF_INET6, false },
		{ "UNIX-STREAM", LISTENER_UNIX, AF_UNIX, false },
		/* What is no stream; before Linux 5.15, streams too. */
		{ "UNIX", LISTENER_UNIX, AF_UNIX, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(protocol, known[i].protocol) == 0) {
			s->kind = (enum listener_kind)known[i].kind;
			s->family = known[i].family;
			s->any_type = known[i].any_type;
			return true;
		}
	return false;
}

bool caller_socket(pid_t tid, int fd, struct caller_socket *s)
{
	char path[PATH_SIZE];
	char file[FILE_SIZE];
	struct identity it;
	unsigned long flags;
	ssize_t length;

	if (fd < 0)
		return false;
	name(path, tid, "fd/", fd);
	length = getxattr(path, "system.sockprotoname", file, FILE_SIZE - 1);
	if (length <= 0 || identify(path, &it) < 0)
		return false;
	file[length] = '\0';
	if (!classify(file, s))
		return false;
	s->inode = it.inode;
	name(path, tid, "fdinfo/", fd);
	if (!fs_read(AT_FDCWD, path, file, FILE_SIZE))
		return false;
	flags = field(file, "flags:", 8);
	s->cloexec = flags & O_CLOEXEC;
	s->nonblock = flags & O_NONBLOCK;
	return true;
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
	name(path, tid, "status", -1);
	if (!fs_read(AT_FDCWD, path, file, FILE_SIZE))
		return -1;
	return sys_pidfd_open((pid_t)field(file, "Tgid:", 10));
}

int caller_borrow(pid_t tid, int fd, ino_t inode)
{
	int pidfd = open_pidfd(tid);
	struct stat st;
	int copy, err;

	if (pidfd < 0)
		return -1;
	copy = sys_pidfd_getfd(pidfd, fd);
	err = errno;
	close(pidfd);
	errno = err;
	if (copy < 0 || (fstat(copy, &st) == 0 && st.st_ino == inode))
		return copy;
	close(copy);
	errno = ESTALE;
	return -1;
}
