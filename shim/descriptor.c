#include "descriptor.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int descriptor_control(int fd, int command, int argument)
{
	return (int)syscall(SYS_fcntl, fd, command, (long)argument);
}

int descriptor_socket(int family, int type)
{
	return (int)syscall(SYS_socket, family, type, 0);
}

int descriptor_pair(int type, int pair[2])
{
	return (int)syscall(SYS_socketpair, AF_UNIX, type, 0, pair);
}
