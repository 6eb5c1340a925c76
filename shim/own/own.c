#include "own/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "cred/caps.h"
#include "own/give.h"

/*
 * Create a directory that only its owner can use from the first moment: as root
 * where only root may write, elsewhere as its final owner with that owner's
 * rights. So before the name is opened nobody can replace it by anything that
 * is not the owner's; nor can a caller who started this program by file
 * capabilities, who never owns it. The mode is set last.
 */
static int make(struct own_actor *a, int dir, const char *name)
{
	const struct own_rules *rules = a->rules;
	const struct own_tree *t = rules->tree;
	uid_t uid = t->uid == (uid_t)-1 ? geteuid() : t->uid;
	gid_t gid = rules->gid == (gid_t)-1 ? getegid() : rules->gid;
	uint64_t permitted, effective;
	struct stat st;
	bool roots;
	int made, fd;

	if (fstat(dir, &st) < 0)
		return -1;
	roots = st.st_uid == 0 && !(st.st_mode & 022);
	if (!own_become(a, roots ? 0 : uid, roots ? 0 : gid) ||
	    caps_held(&permitted, &effective) < 0 ||
	    (!roots && caps_set_effective(
			       effective & ~CAPS_BIT(CAP_DAC_OVERRIDE)) < 0))
		return -1;
	made = mkdirat(dir, name, 0700);
	if (caps_set_effective(effective) < 0)
		return -1;
	if (made < 0)
		return errno == EEXIST ? own_open(a, dir, name, O_PATH) : -1;
	fd = own_open(a, dir, name, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || st.st_uid != (roots ? 0 : uid) ||
	    (st.st_mode & 0777) != 0700)
		errno = ESTALE;
	else if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0 &&
		 own_set_mode(a, fd, t->create_mode) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Open the next component of the path, as the directory's owner if need be. */
static int enter(struct own_actor *a, int dir, const char *name)
{
	int fd = own_open(a, dir, name, O_PATH);
	struct stat st;

	if (fd < 0 && errno == ENOENT && a->rules->tree->create)
		fd = make(a, dir, name);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
		return fd;
	close(fd);
	errno = ELOOP;
	return -1;
}

/* Open the path. Closing an O_PATH descriptor cannot fail: it leaves errno. */
static int open_top(struct own_actor *a)
{
	const char *at = a->rules->tree->path;
	char name[NAME_MAX + 2];
	int fd = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	a->rules->cross_mounts = true;
	while (fd >= 0 && fs_next_part(&at, name)) {
		int next = enter(a, fd, name);

		close(fd);
		fd = next;
	}
	return fd;
}

/*
 * A top with S_ISGID and a group of ours was prepared by the kubelet for
 * fsGroup: `fsgroup` uses that group, and the kubelet would undo another one at
 * each start of the pod.
 */
static void look_for_fsgroup(struct own_rules *rules, const struct stat *st)
{
	const struct own_tree *t = rules->tree;
	bool ours = false;

	for (size_t i = 0; i < rules->spec->ngroups; i++)
		ours |= st->st_gid && rules->spec->groups[i] == st->st_gid;
	if (!ours || !S_ISDIR(st->st_mode) || !(st->st_mode & S_ISGID) ||
	    t->group.at || st->st_gid == t->gid)
		return;
	if (t->fsgroup)
		rules->gid = st->st_gid;
	else
		report_note(
			"own %s: the runtime gave it to group %u (fsGroup) and will do so at each start; add ,fsgroup to leave that",
			t->path, st->st_gid);
}

/*
 * What is below the top comes first: with if-root-differs, a top that is right
 * then proves that all below it was done, even if an earlier run was cut off.
 */
static void give(struct own_actor *a, int top, struct stat st)
{
	struct own_rules *rules = a->rules;
	const struct own_tree *t = rules->tree;
	const char *act;

	look_for_fsgroup(rules, &st);
	if (t->if_root_differs && own_judge(rules, &st) == OWN_RIGHT) {
		a->out.counts[OWN_RIGHT]++;
		return;
	}
	if (S_ISDIR(st.st_mode) && !t->shallow) {
		int fd;

		rules->cross_mounts = t->cross_mounts;
		fd = own_open(a, top, ".", FS_DIRECTORY);
		if (fd >= 0)
			own_walk(a, fd);
		else
			own_failed(a, "read", -1, NULL, top);
	}
	if (a->out.ends)
		return;
	act = own_change(a, top, &st);
	if (act)
		own_failed(a, act, -1, NULL, top);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		report_note(
			"own %s: a device node is not given away, nothing was done; --groups can name its group",
			t->path);
}

static void give_tree(struct own_actor *a, const struct own_tree *t)
{
	struct stat st;
	int top;

	a->rules->tree = t;
	a->rules->gid = t->gid;
	memset(&a->out, 0, sizeof(a->out));
	if (!*t->path)
		return;
	top = open_top(a);
	if (top < 0 && errno == ENOENT && t->if_exists)
		return;
	if (top < 0 || fstat(top, &st) < 0)
		own_failed(a, NULL, -1, NULL, -1);
	else
		give(a, top, st);
	if (top >= 0)
		close(top);
	if (!a->out.ends)
		own_report(a);
}

int own_run(const struct own_spec *spec, struct fault *f)
{
	struct own_rules rules = { .spec = spec };
	struct own_actor a = { .rules = &rules };
	struct rlimit limit;
	char value[2];

	if (spec->ntrees == 0)
		return 0;
	/* A setting that cannot be read counts as off. */
	rules.links_protected =
		fs_read(AT_FDCWD, "/proc/sys/fs/protected_hardlinks", value,
			sizeof(value)) &&
		value[0] == '1';
	rules.mask = umask(0);
	umask(rules.mask);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "own: read RLIMIT_NOFILE");
	/* A deep tree takes many descriptors. */
	setrlimit(RLIMIT_NOFILE,
		  &(struct rlimit){ limit.rlim_max, limit.rlim_max });
	for (size_t i = 0; i < spec->ntrees && !a.out.ends; i++)
		give_tree(&a, &spec->trees[i]);
	if (a.out.ends) {
		*f = a.out.fault;
		return -1;
	}
	if ((a.changed && !own_become(&a, geteuid(), getegid())) ||
	    setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "own: go back to our ids and limits");
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
		if (f.err == EPERM)
			caps_hint(&f, CAP_CHOWN);
		else if (f.err == EROFS)
			fault_hint(&f,
				   "its filesystem is read-only: leave --own-stdio out");
		report_warning(&f);
	}
}
