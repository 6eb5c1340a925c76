#include "own/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "cred/caps.h"
#include "own/give.h"

/*
 * Create a directory that only its owner can use from the first moment: as root
 * where only root may write, elsewhere as its final owner with that owner's
 * rights. So before the name is opened nobody can replace it by anything that
 * is not the owner's; nor can a caller who started this program by file
 * capabilities, who never owns it. The mode is set last.
 */
static int make(struct own_job *job, int dir, const char *name)
{
	const struct own_tree *t = job->tree;
	uid_t uid = t->uid == (uid_t)-1 ? geteuid() : t->uid;
	gid_t gid = job->gid == (gid_t)-1 ? getegid() : job->gid;
	uint64_t without = CAPS_BIT(CAP_DAC_OVERRIDE);
	uid_t maker = uid;
	struct fsids before;
	struct stat st;
	int made, fd;

	if (fstat(dir, &st) < 0)
		return -1;
	if (st.st_uid == 0 && !(st.st_mode & 022)) {
		maker = 0;
		without = 0;
	}
	job->became = true;
	if (fsids_enter(maker, gid, &before) < 0 ||
	    caps_set_effective(before.effective & ~without) < 0)
		return -1;
	made = mkdirat(dir, name, 0700);
	if (caps_set_effective(before.effective) < 0)
		return -1;
	if (made < 0 && errno == EEXIST)
		return own_open(job, dir, name, O_PATH, true);
	if (made < 0)
		return -1;
	fd = own_open(job, dir, name, O_PATH | O_DIRECTORY, true);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || st.st_uid != maker ||
	    (st.st_mode & 0777) != 0700)
		errno = ESTALE;
	else if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0 &&
		 own_set_mode(job, fd, t->create_mode) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Open the path. Closing an O_PATH descriptor cannot fail: it leaves errno. */
static int open_top(struct own_job *job)
{
	const char *at = job->tree->path;
	char name[NAME_MAX + 2];
	int fd = openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC);
	struct stat st;

	while (fd >= 0 && fs_next_part(&at, name)) {
		int next = own_open(job, fd, name, O_PATH, true);

		if (next < 0 && errno == ENOENT && job->tree->create)
			next = make(job, fd, name);
		close(fd);
		fd = next;
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
			close(fd);
			errno = ELOOP;
			return -1;
		}
	}
	return fd;
}

/*
 * A top with S_ISGID and a group of ours was prepared by the kubelet for
 * fsGroup: `fsgroup` uses that group, and the kubelet would undo another one at
 * each start of the pod.
 */
static void look_for_fsgroup(struct own_job *job, const struct stat *st)
{
	const struct own_tree *t = job->tree;
	bool ours = false;

	for (size_t i = 0; i < job->spec->ngroups; i++)
		ours |= st->st_gid && job->spec->groups[i] == st->st_gid;
	if (!ours || !S_ISDIR(st->st_mode) || !(st->st_mode & S_ISGID) ||
	    t->group.at || st->st_gid == t->gid)
		return;
	if (t->fsgroup)
		job->gid = st->st_gid;
	else
		report_note(
			"own %s: the runtime gave it to group %u (fsGroup) and will do so at each start; add ,fsgroup to leave that",
			t->path, st->st_gid);
}

/*
 * What is below the top comes first: with if-root-differs, a top that is right
 * then proves that all below it was done, even if an earlier run was cut off.
 */
static void give(struct own_job *job, int top, struct stat st)
{
	const struct own_tree *t = job->tree;
	const char *act;

	look_for_fsgroup(job, &st);
	if (S_ISDIR(st.st_mode) && !t->shallow &&
	    !(t->if_root_differs && own_judge(job, &st) == OWN_RIGHT))
		own_walk(job, top);
	if (job->ends)
		return;
	act = own_change(job, top, &st, job->counts);
	if (act)
		own_failed(job, act, -1, NULL, top);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		report_note(
			"own %s: a device node is not given away, nothing was done; --groups can name its group",
			t->path);
}

/* Give one tree. Returns 0, or -1 with a fault that ends the run. */
static int give_tree(const struct own_spec *spec, const struct own_tree *t,
		     struct fault *f)
{
	struct own_job job = { .spec = spec, .tree = t, .gid = t->gid,
			       .mask = umask(0), .fault = f,
			       .lock = PTHREAD_MUTEX_INITIALIZER };
	struct fsids before;
	struct stat st;
	char value[2];
	bool skip;
	int top;

	umask(job.mask);
	/* A setting that cannot be read counts as off. */
	job.links_protected =
		fs_read(AT_FDCWD, "/proc/sys/fs/protected_hardlinks", value,
			sizeof(value)) &&
		value[0] == '1';
	top = open_top(&job);
	skip = top < 0 && errno == ENOENT && t->if_exists;
	if (top >= 0 && fstat(top, &st) == 0)
		give(&job, top, st);
	else if (!skip)
		own_failed(&job, NULL, -1, NULL, -1);
	if (top >= 0)
		close(top);
	if (job.ends)
		return -1;
	if (!skip)
		own_report(&job);
	if (job.became && fsids_enter(geteuid(), getegid(), &before) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "own: go back to our ids");
	return 0;
}

int own_run(const struct own_spec *spec, struct fault *f)
{
	struct rlimit limit;

	if (spec->ntrees == 0)
		return 0;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "own: read RLIMIT_NOFILE");
	/* A deep tree takes many descriptors. */
	setrlimit(RLIMIT_NOFILE,
		  &(struct rlimit){ limit.rlim_max, limit.rlim_max });
	for (size_t i = 0; i < spec->ntrees; i++)
		if (*spec->trees[i].path &&
		    give_tree(spec, &spec->trees[i], f) < 0)
			return -1;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "own: restore RLIMIT_NOFILE");
	return 0;
}

/* Is it a pipe made by pipe(2), which has no name, or a pseudo-terminal? */
static bool is_pipe_or_pty(int fd, const struct stat *st)
{
	struct statfs fs;

	if (S_ISFIFO(st->st_mode))
		return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
	return S_ISCHR(st->st_mode) &&
	       major(st->st_rdev) >= UNIX98_PTY_SLAVE_MAJOR &&
	       major(st->st_rdev) <
		       UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

void own_stdio_run(uid_t uid)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		struct stat st;
		struct fault f;

		if (fstat(fd, &st) < 0 || st.st_uid == uid ||
		    !is_pipe_or_pty(fd, &st) ||
		    fchownat(fd, "", uid, (gid_t)-1, AT_EMPTY_PATH) == 0)
			continue;
		fault_set(&f, EXIT_STEP, errno,
			  "own-stdio: give %s to the user", names[fd]);
		caps_hint(&f, f.err == EPERM ? CAP_CHOWN : -1);
		if (f.err == EROFS)
			fault_hint(&f,
				   "its filesystem is read-only: leave --own-stdio out");
		report_warning(&f);
	}
}
