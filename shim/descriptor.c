#include "descriptor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int descriptor_open(const char *path, int flags)
{
	return descriptor_open_in(AT_FDCWD, path, flags);
}

int descriptor_open_in(int folder, const char *path, int flags)
{
	return (int)syscall(SYS_openat, folder, path,
			    flags | O_CLOEXEC | O_LARGEFILE, 0600);
}

int descriptor_control(int fd, int command, int argument)
{
	return (int)syscall(SYS_fcntl, fd, command, (long)argument);
}

int descriptor_socket(int family, int type)
{
	return (int)syscall(SYS_socket, family, type, 0);
}

int descriptor_chown(int fd, uid_t uid, gid_t gid)
{
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
}

int descriptor_chmod(int fd, mode_t mode)
{
	return (int)syscall(SYS_fchmod, fd, mode);
}

int descriptor_chdir(int fd)
{
	return (int)syscall(SYS_fchdir, fd);
}

unsigned int descriptor_limit(unsigned int most)
{
	struct rlimit limit;

	if (prlimit(0, RLIMIT_NOFILE, NULL, &limit) < 0 ||
	    limit.rlim_cur > most)
		return most;
	return (unsigned int)limit.rlim_cur;
}

int descriptor_pair(int type, int pair[2])
{
	return (int)syscall(SYS_socketpair, AF_UNIX, type, 0, pair);
}
