#include "own/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "cred/caps.h"
#include "plan.h"

static const char *const names[] = { "stdin", "stdout", "stderr" };

void own_stdio_describe(const struct plan *plan, struct text *out)
{
	if (plan->own_stdio)
		text_add(out, "pipes and terminals among descriptors 0-2 to uid %u",
			 plan->target.uid);
}

/* A pipe that pipe(2) made, not a FIFO with a name, which would be a file. */
static bool is_pipe(int fd, const struct stat *st)
{
	struct statfs fs;

	return S_ISFIFO(st->st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == PIPEFS_MAGIC;
}

/* Of terminals not /dev/tty, which is whichever one has it open, for all. */
static bool is_ours_to_give(int fd, const struct stat *st)
{
	return is_pipe(fd, st) || (S_ISCHR(st->st_mode) && isatty(fd) &&
				     st->st_rdev != makedev(5, 0));
}

static void warn(int fd, struct fault *f)
{
	fault_set(f, EXIT_STEP, errno, "own-stdio: give %s to the user",
		  names[fd]);
	if (f->err == EPERM)
		caps_hint(f, CAP_CHOWN);
	else if (f->err == EROFS)
		fault_hint(f,
			   "its filesystem is read-only: leave --own-stdio out");
	report_warning(f);
}

int own_stdio_run(const struct plan *plan, struct run *run, struct fault *f)
{
	(void)run;
	if (!plan->own_stdio)
		return 0;
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || !is_ours_to_give(fd, &st) ||
		    st.st_uid == plan->target.uid)
			continue;
		if (fchownat(fd, "", plan->target.uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
			warn(fd, f);
	}
	return 0;
}
