#include "run/tty.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "run/signals.h"

static int open_terminal(void)
{
	int fd = open("/dev/tty",
		      O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 ? fd : STDIN_FILENO;
}

static void close_terminal(int fd)
{
	if (fd > STDIN_FILENO)
		close(fd);
}

pid_t tty_foreground(void)
{
	int fd = open_terminal();
	pid_t group;

	if (ioctl(fd, TIOCGPGRP, &group) < 0)
		group = -1;
	close_terminal(fd);
	return group;
}

void tty_give(pid_t group)
{
	int fd = open_terminal();

	ioctl(fd, TIOCSPGRP, &group);
	close_terminal(fd);
}

/*
 * The kernel tells the foreground group, which is ours, that the terminal is
 * gone, with SIGHUP and SIGCONT (tty_ioctl(4)): they are taken back.
 */
int tty_leave(void)
{
	const uint64_t gone = SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGCONT);
	siginfo_t info;
	int fd;

	if (getsid(0) != getpid() || tty_foreground() != getpgrp())
		return -1;
	fd = open_terminal();
	if (ioctl(fd, TIOCNOTTY) < 0) {
		close_terminal(fd);
		return -1;
	}
	while (signals_wait(gone, &info, 0))
		;
	return fd;
}

void tty_take(int fd)
{
	ioctl(fd, TIOCSCTTY, 0);
}

bool tty_has_shell(void)
{
	pid_t parent = getppid();

	return parent > 0 && getsid(parent) == getsid(0) &&
	       getpgid(parent) != getpgrp();
}
