#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "cred/caps.h"
#include "own/give.h"
#include "own/own.h"

#define NO_ID \
	"no id for the new owner here (/proc/self/uid_map, gid_map, id-mapped mount)"

static const struct {
	int err;
	bool mount;		/* the lines that mount a volume help */
	const char *hint;
} hints[] = {
	{ ENOENT, true,
	  "create it, mount a volume there, or add ,create or ,if-exists" },
	{ EACCES, false,
	  "closed to root (NFS, FUSE); or ,create in a directory where others "
	  "than root may write and the user may not: give that, too" },
	{ EROFS, true,
	  "mounted read-only: mount it writable, leave out this --own or add "
	  ",try; for a ConfigMap or Secret use fsGroup or defaultMode" },
	{ ENOSYS, false, "to change a mode, /proc must be mounted" },
	{ EINVAL, false, NO_ID },
	{ EOVERFLOW, false, NO_ID },
	{ EDQUOT, false, "raise the quota of the new owner or group" },
	{ ENOSPC, true,
	  "overlayfs copies what is changed: mount a volume there" },
	{ EMFILE, false,
	  "a level of directories takes a descriptor: raise the hard limit "
	  "(ulimit -n)" },
	{ EIO, false,
	  "the disk or its server is at fault; ,try does not pass over that" },
	{ EPERM, false,
	  "immutable (chattr -i), NFS that squashes root, an owner without an "
	  "id in this user namespace (/proc/self/uid_map), or a filesystem "
	  "without owners: mend it there, or add ,try" },
};

void own_hint(const struct own_tree *t, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(hints) && !f->hint[0]; i++) {
		if (f->err != hints[i].err)
			continue;
		fault_hint(f, "%s", hints[i].hint);
		if (hints[i].mount)
			fault_mount(f, t->path);
	}
}

/* Report a writable directory, mounted at path, that keeps its owner. */
static void tell_mount(const struct own_job *job, const char *path)
{
	const struct own_spec *spec = job->spec;
	struct statvfs fs;
	struct stat st;

	for (size_t i = 0; i < spec->ntrees; i++)
		if (fs_holds(spec->trees[i].path, path) &&
		    fs_holds(path, spec->trees[i].path))
			return;
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    statvfs(path, &fs) < 0 || fs.f_flag & ST_RDONLY ||
	    own_judge(job, &st) != OWN_WRONG)
		return;
	report_note(
		"own %s: another mount, %s, stays as it is, of %u:%u; to give it as well, add --own=%s",
		job->tree->path, path, st.st_uid, st.st_gid, path);
}

/* Find the kernel's path of a descriptor; false without /proc. */
static bool find_path(int fd, char path[PATH_MAX])
{
	char link[FS_LINK];
	ssize_t length;

	fs_link(link, "fd", fd);
	length = readlink(link, path, PATH_MAX - 1);
	path[length < 0 ? 0 : length] = '\0';
	return length > 0;
}

/* Add the real path of a path whose last components may be missing. */
static void hint_link(const char *path, struct fault *f)
{
	char head[PATH_MAX] = "", real[PATH_MAX];
	char *slash;
	int fd;

	str_copy(str_word(path), head, sizeof(head));
	while ((fd = open(head, O_PATH | O_CLOEXEC)) < 0 &&
	       (slash = strrchr(head, '/')))
		*slash = '\0';
	/* A link that leads nowhere has no other path. */
	if (fd >= 0 && find_path(fd, real) && strcmp(real, head) != 0)
		fault_hint(f,
			   "a symbolic link is not followed; give the real path: --own=%s%s",
			   real, path + strlen(head));
	if (fd >= 0)
		close(fd);
}

/* Set the fault of own_failed(). */
static void explain(const struct own_tree *t, const char *act, int err,
		    const char *path, int fd, struct fault *f)
{
	struct stat st = { 0 };

	if (!act) {
		fault_set(f, EXIT_STEP, err, "own %s", t->path);
	} else if (err) {
		fault_set(f, EXIT_STEP, err, "own %s: %s %s", t->path, act,
			  path);
	} else {	/* Some CIFS and FUSE filesystems do this. */
		fstat(fd, &st);
		fault_set(f, EXIT_STEP, 0,
			  "own %s: %s %s: no error, and it still belongs to %u:%u",
			  t->path, act, path, st.st_uid, st.st_gid);
		fault_hint(f,
			   "its filesystem (%s) ignores it: set the owner where it is mounted (uid=, gid=), or add ,try",
			   fs_mount_of(path, NULL).type);
	}
	if (err == EACCES)
		caps_hint(f, CAP_DAC_OVERRIDE);
	else if (err == EPERM)
		caps_hint(f, act && strcmp(act, OWN_ACT_MODE) == 0
				     ? CAP_FOWNER
				     : CAP_CHOWN);
	else if (err == ELOOP && !act)
		hint_link(t->path, f);
	own_hint(t, f);
}

void own_failed(struct own_job *job, const char *act, int dir,
		const char *name, int fd)
{
	const struct own_tree *t = job->tree;
	const int err = errno;
	enum own_verdict what = OWN_FAILED;
	char real[PATH_MAX];
	char path[2 * PATH_MAX];
	bool ends;

	if (name && fd < 0 && err == ENOENT)
		return;
	if (name && err == EROFS && t->cross_mounts)
		what = OWN_READ_ONLY;
	else if (name && err == EXDEV && fd < 0)
		what = OWN_MOUNTS;
	ends = what == OWN_FAILED &&
	       (!t->may_fail || err == EIO || err == EUCLEAN);
	if (!name)
		snprintf(path, sizeof(path), "%s", t->path);
	else if (find_path(dir, real))
		snprintf(path, sizeof(path), "%s/%s", real, name);
	else
		snprintf(path, sizeof(path), "%s/.../%s", t->path, name);
	pthread_mutex_lock(&job->lock);
	if (what == OWN_MOUNTS)
		tell_mount(job, path);
	if (what == OWN_FAILED && !job->ends && (ends || !job->counts[what]))
		explain(t, act, err, path, fd, job->fault);
	job->counts[what]++;
	if (ends)
		job->ends = true;
	pthread_mutex_unlock(&job->lock);
}

/* The text after each count. */
static const char *const count_names[OWN_COUNTS] = {
	[OWN_RIGHT] = "right already, ",
	[OWN_WRONG] = "changed; passed over: ",
	[OWN_FOREIGN] = "of other owners, ",
	[OWN_DEVICE] = "device nodes, ",
	[OWN_LINKED] = "with other links, ",
	[OWN_EXCLUDED] = "excluded, ",
	[OWN_MOUNTS] = "in other mounts, ",
	[OWN_READ_ONLY] = "read-only; ",
	[OWN_SET_IDS] = "lost set-id bits, ",
	[OWN_CAPABILITIES] = "lost capabilities, ",
	[OWN_FAILED] = "failed",
};

void own_report(const struct own_job *job)
{
	const unsigned long long *counts = job->counts;
	const char *path = job->tree->path;
	char buffer[512];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	for (size_t i = 0; i < OWN_COUNTS; i++)
		text_add(&out, "%llu %s", counts[i], count_names[i]);
	if (job->spec->verbose)
		report_note("own %s: %s", path, buffer);
	if (counts[OWN_FAILED] > 1)
		report_note("own %s: %llu failed, the first of them:", path,
			    counts[OWN_FAILED]);
	if (counts[OWN_FAILED])
		report_warning(job->fault);
	if (counts[OWN_SET_IDS] || counts[OWN_CAPABILITIES])
		report_note(
			"warning: own %s: %llu files lost set-id bits, %llu lost capabilities, with their owner",
			path, counts[OWN_SET_IDS], counts[OWN_CAPABILITIES]);
	if (counts[OWN_LINKED])
		report_note(
			"warning: own %s: passed over %llu files with other links, which may be somebody else's; set fs.protected_hardlinks=1 on the host",
			path, counts[OWN_LINKED]);
}
