#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "cred/caps.h"
#include "own/own.h"

static const char *const names[] = { "stdin", "stdout", "stderr" };

/* A pipe that pipe(2) made, not a FIFO with a name, which would be a file. */
static bool is_pipe(int fd, const struct stat *st)
{
	struct statfs fs;

	return S_ISFIFO(st->st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == PIPEFS_MAGIC;
}

static bool is_pseudo_terminal(const struct stat *st)
{
	return S_ISCHR(st->st_mode) &&
	       major(st->st_rdev) >= UNIX98_PTY_SLAVE_MAJOR &&
	       major(st->st_rdev) <
		       UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

static void warn(int fd)
{
	struct fault f;

	fault_set(&f, EXIT_STEP, errno, "own-stdio: give %s to the user",
		  names[fd]);
	if (f.err == EPERM)
		caps_hint(&f, CAP_CHOWN);
	else if (f.err == EROFS)
		fault_hint(&f,
			   "its filesystem is read-only: leave --own-stdio out");
	report_warning(&f);
}

void own_stdio_run(uid_t uid)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && st.st_uid != uid &&
		    (is_pipe(fd, &st) || is_pseudo_terminal(&st)) &&
		    fchownat(fd, "", uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
			warn(fd);
	}
}
