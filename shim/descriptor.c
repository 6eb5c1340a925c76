#include "descriptor.h"

#include <sys/syscall.h>
#include <unistd.h>

int descriptor_control(int fd, int command, int argument)
{
	return (int)syscall(SYS_fcntl, fd, command, (long)argument);
}
