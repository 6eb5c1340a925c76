#include "run/tty.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "run/signals.h"

/* Both are 0 if our group was made outside of our pid namespace: unshare(1). */
bool terminal_is_ours(void)
{
	pid_t foreground;

	return ioctl(STDIN_FILENO, TIOCGPGRP, &foreground) == 0 &&
	       foreground == getpgrp();
}

void terminal_give(int group)
{
	pid_t foreground = group ? group : getpgrp();

	ioctl(STDIN_FILENO, TIOCSPGRP, &foreground);
}

/*
 * The kernel tells the foreground group, which is ours, that the terminal is
 * gone, with SIGHUP and SIGCONT (tty_ioctl(4)). Nobody else shall hear of it.
 */
bool terminal_leave(void)
{
	if (getsid(0) != getpid() || !terminal_is_ours() ||
	    ioctl(STDIN_FILENO, TIOCNOTTY) < 0)
		return false;
	while (signals_forget(SIGHUP) || signals_forget(SIGCONT))
		;
	return true;
}

void terminal_take(void)
{
	ioctl(STDIN_FILENO, TIOCSCTTY, 0);
}

bool terminal_has_shell(void)
{
	pid_t parent = getppid();

	return parent > 0 && getsid(parent) == getsid(0) &&
	       getpgid(parent) != getpgrp();
}
