#include "own/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "cred/caps.h"
#include "own/give.h"
#include "own/spec.h"

/* One tree while it is given. */
struct giving {
	const struct own_spec *spec;
	struct own_rules rules;
	struct own_actor actor;
	bool passed_mounts;	/* of any tree */
};

/* Where a path leads whose last component may be missing. */
static bool follow_links(const char *path, char *out, size_t size)
{
	char head[PATH_MAX];
	struct text real;
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (!str_copy(str_word(path), head, sizeof(head)))
		return false;
	if (fd < 0) {
		*strrchr(head, '/') = '\0';
		fd = open(head, O_PATH | O_CLOEXEC);
	}
	text_start(&real, out, size);
	own_add_path(&real, fd);
	text_add(&real, "%s", path + strlen(head));
	if (fd >= 0)
		close(fd);
	return fd >= 0 && !real.cut;
}

static int not_opened(const struct own_tree *t, struct fault *f)
{
	char real[PATH_MAX];

	fault_set(f, EXIT_STEP, errno, "own %s", t->path);
	if (f->err == ELOOP && follow_links(t->path, real, sizeof(real)))
		return fault_hint(f,
				  "a symbolic link is not followed; give the real path: --own=%s",
				  real);
	if (f->err == EACCES)
		caps_hint(f, CAP_DAC_OVERRIDE);
	return own_hint(t, f);
}

/*
 * Make a directory that nobody but its owner can use from the first moment: as
 * its final owner, or as root, if root alone may write in dir. A caller who
 * started this program by file capabilities never owns it, and so can put
 * nothing into it that is then given away. The mode comes last.
 */
static int make(struct giving *g, int dir, const char *name)
{
	uid_t uid = g->rules.uid == (uid_t)-1 ? geteuid() : g->rules.uid;
	gid_t gid = g->rules.gid == (gid_t)-1 ? getegid() : g->rules.gid;
	struct stat st;
	uid_t maker = uid;
	int made = -1;
	int fd;

	if (own_become(&g->actor, uid, gid))
		made = mkdirat(dir, name, 0700);
	if (made < 0 && (errno == EACCES || errno == EPERM) &&
	    own_become(&g->actor, 0, 0)) {
		maker = 0;
		made = mkdirat(dir, name, 0700);
	}
	if (made < 0 && errno != EEXIST)
		return -1;
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || made < 0)
		return fd;	/* Another run has made it. */
	if (fstat(fd, &st) < 0 || st.st_uid != maker ||
	    (st.st_mode & 0777) != 0700)
		errno = ESTALE;
	else if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0 &&
		 own_set_mode(&g->actor, fd, g->rules.tree->create_mode) == 0)
		return fd;
	made = errno;
	close(fd);
	errno = made;
	return -1;
}

/* The next component of the path, as the directory's owner if need be. */
static int enter(struct giving *g, int dir, const char *name)
{
	const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);
	struct stat st;

	if (fd < 0 && own_become_owner(&g->actor, dir))
		fd = openat(dir, name, flags);
	if (fd < 0 && errno == ENOENT && g->rules.tree->create)
		fd = make(g, dir, name);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
		return fd;
	close(fd);
	errno = ELOOP;
	return -1;
}

/* In one call; component by component where that is not enough. */
static int open_top(struct giving *g)
{
	const struct own_tree *t = g->rules.tree;
	const char *at = t->path;
	char name[NAME_MAX + 2];
	int fd = fs_open_path(at);

	if (fd >= 0 || (errno != EACCES && (errno != ENOENT || !t->create)))
		return fd;
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && fs_next_part(&at, name)) {
		int next = enter(g, fd, name);
		int err = errno;

		close(fd);
		errno = err;
		fd = next;
	}
	return fd;
}

/*
 * A top that is setgid and of a group of ours was prepared by the kubelet for
 * fsGroup: that is the group for `fsgroup`, and another one would be changed
 * back at each start of the pod.
 */
static void look_for_fsgroup(struct giving *g, const struct stat *st)
{
	const struct own_tree *t = g->rules.tree;
	bool ours = false;

	for (size_t i = 0; i < g->spec->ngroups; i++)
		ours |= st->st_gid && g->spec->groups[i] == st->st_gid;
	if (!ours || !S_ISDIR(st->st_mode) || !(st->st_mode & S_ISGID) ||
	    t->group || st->st_gid == t->gid)
		return;
	if (t->fsgroup)
		g->rules.gid = st->st_gid;
	else
		report_note("own %s: the runtime gave it to group %u (fsGroup) "
			    "and will do so at each start; add ,fsgroup to "
			    "leave that",
			    t->path, st->st_gid);
}

/* The first failure is kept, unless this one may not pass. */
static int fail(struct giving *g, const char *act, int top, struct fault *f)
{
	struct fault now;

	own_fault(g->rules.tree, act, -1, NULL, top, &now);
	if (!g->actor.counts[OWN_FAILED]++ ||
	    !own_may_fail(g->rules.tree, now.err))
		*f = now;
	return -1;
}

/*
 * Below the top before the top itself: with if-root-differs a top that is right
 * then says that all below it was done, also if an earlier run was cut off.
 */
static int give(struct giving *g, int top, struct fault *f)
{
	const struct own_tree *t = g->rules.tree;
	const char *failed;
	struct stat st;

	if (fstat(top, &st) < 0)
		return fail(g, "examine", top, f);
	look_for_fsgroup(g, &st);
	if (t->if_root_differs && own_judge(&g->rules, &st) == OWN_RIGHT) {
		g->actor.counts[OWN_RIGHT]++;
		return 0;
	}
	if (S_ISDIR(st.st_mode) && !t->shallow) {
		int fd = own_open_dir(&g->actor, top);

		fs_start(&g->rules.opener, top, t->cross_mounts);
		if (fd < 0)
			fail(g, "read", top, f);
		if (fd < 0 ? !own_may_fail(t, f->err)
			   : own_walk(&g->rules, &g->actor, fd, f) < 0)
			return -1;
	}
	failed = own_change(&g->rules, &g->actor, top, &st);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		report_note("own %s: a device node is not given away, nothing "
			    "was done; --groups can name its group",
			    t->path);
	return failed ? fail(g, failed, top, f) : 0;
}

static int give_tree(struct giving *g, const struct own_tree *t,
		     struct fault *f)
{
	unsigned long long *counts = g->actor.counts;
	int result;
	int top;

	g->rules.tree = t;
	g->rules.uid = t->uid;
	g->rules.gid = t->gid;
	memset(counts, 0, sizeof(g->actor.counts));
	if (!*t->path)
		return 0;
	top = open_top(g);
	if (top < 0 && errno == ENOENT && t->if_exists)
		return 0;
	result = top < 0 ? not_opened(t, f) : give(g, top, f);
	counts[OWN_FAILED] += top < 0;
	if (top >= 0)
		close(top);
	if (result < 0 && (f->status != EXIT_STEP || !own_may_fail(t, f->err)))
		return -1;
	own_report(t, counts, g->spec->verbose, f);
	g->passed_mounts |= counts[OWN_MOUNTS] > 0;
	return 0;
}

/* The value of fs.protected_hardlinks; what cannot be read protects nothing. */
static bool are_links_protected(void)
{
	char value[2];

	return fs_read(AT_FDCWD, "/proc/sys/fs/protected_hardlinks", value,
		       sizeof(value)) &&
	       value[0] == '1';
}

static mode_t read_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

int own_run(const struct own_spec *spec, struct fault *f)
{
	struct giving g = { .spec = spec };
	struct rlimit limit, raised;

	if (spec->ntrees == 0)
		return 0;
	g.rules.links_protected = are_links_protected();
	g.rules.mask = read_umask();
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "own: read RLIMIT_NOFILE");
	raised = limit;
	raised.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &raised);	/* Else EMFILE comes earlier. */
	for (size_t i = 0; i < spec->ntrees; i++)
		if (give_tree(&g, &spec->trees[i], f) < 0)
			return -1;
	/* After all: a later tree may be what is mounted in an earlier one. */
	for (size_t i = 0; i < spec->ntrees && g.passed_mounts; i++)
		own_report_mounts(&spec->trees[i]);
	if ((g.actor.changed && fsids_leave(&g.actor.before) < 0) ||
	    setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "own: go back to our ids and limits");
	return 0;
}

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
	static const char *const names[] = { "stdin", "stdout", "stderr" };
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
