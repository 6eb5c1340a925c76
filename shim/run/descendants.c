#include "run/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "base/sys.h"

/* A deeper tree of processes than pids in a default kernel cannot be. */
enum { MAX_DEPTH = 32768, MAX_PID = 1 << 22 };

/*
 * The parent of a process, or 0 if it cannot be told. The second field of
 * /proc/PID/stat, the program's name, is whatever the process likes, with
 * blanks and parentheses: what follows its last ')' is " S PPID ".
 */
static pid_t parent_of(int proc, pid_t pid)
{
	char stat[256];
	const char *at;
	pid_t parent = 0;

	fs_read_of(proc, pid, "stat", stat, sizeof(stat));
	at = strrchr(stat, ')');
	if (!at || strlen(at) < 5)
		return 0;
	for (at += 4; *at >= '0' && *at <= '9'; at++)
		parent = parent * 10 + (*at - '0');
	return parent;
}

static bool descends(int proc, pid_t pid, pid_t from)
{
	for (int depth = 0; pid > 1 && depth < MAX_DEPTH; depth++) {
		pid = parent_of(proc, pid);
		if (pid == from)
			return true;
	}
	return false;
}

/*
 * A number may be another process's by the time it is used. A pidfd (Linux
 * 5.3) cannot: if what we read after it was opened is still true of the
 * number, it was true of the process that the pidfd stands for, or that one is
 * gone and the signal fails.
 */
static void signal_if_ours(int proc, pid_t pid, int number)
{
	pid_t self = getpid();
	int fd;

	if (!descends(proc, pid, self))
		return;
	fd = sys_pidfd_open(pid);
	if (fd < 0) {
		if (errno == ENOSYS || errno == EPERM)
			kill(pid, number);
		return;
	}
	if (descends(proc, pid, self))
		sys_pidfd_send_signal(fd, number);
	close(fd);
}

/* Are the numbers there those that kill(2) takes here? */
static bool is_our_proc(int proc)
{
	char self[16];
	ssize_t length = readlinkat(proc, "self", self, sizeof(self) - 1);
	uint64_t pid;

	if (length < 0)
		return false;
	self[length] = '\0';
	return str_number(self, 1, MAX_PID, &pid) &&
	       (pid_t)pid == getpid();
}

/* readdir(3) would allocate. */
int offspring_signal(int number)
{
	_Alignas(struct dirent) char buffer[1024];
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long length = 0;

	if (proc < 0)
		return -1;
	if (is_our_proc(proc))
		length = sys_getdents(proc, buffer, sizeof(buffer));
	if (length <= 0) {
		close(proc);
		return -1;
	}
	while (length > 0) {
		for (long at = 0; at < length;) {
			const struct dirent *entry =
				(const struct dirent *)(buffer + at);
			uint64_t pid;

			if (str_number(entry->d_name, 1, MAX_PID, &pid))
				signal_if_ours(proc, (pid_t)pid, number);
			at += entry->d_reclen;
		}
		length = sys_getdents(proc, buffer, sizeof(buffer));
	}
	close(proc);
	return 0;
}
