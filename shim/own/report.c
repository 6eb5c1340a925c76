#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
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
	const char *hint;
	bool mount;		/* the lines that mount a volume help */
} hints[] = {
	{ ENOENT,
	  "create it, mount a volume there, or add ,create or ,if-exists",
	  true },
	{ EACCES,
	  "closed to root (NFS, FUSE); or ,create in a directory where others "
	  "than root may write and the user may not: give that, too", false },
	{ EROFS,
	  "mounted read-only: mount it writable, leave out this --own or add "
	  ",try; for a ConfigMap or Secret use fsGroup or defaultMode", true },
	{ EINVAL, NO_ID, false }, { EOVERFLOW, NO_ID, false },
	{ EDQUOT, "raise the quota of the new owner or group", false },
	{ ENOSPC, "overlayfs copies what is changed: mount a volume there",
	  true },
	{ EMFILE,
	  "a level of directories takes a descriptor: raise the hard limit "
	  "(ulimit -n)", false },
	{ EIO,
	  "the disk or its server is at fault; ,try does not pass over that",
	  false },
	{ EPERM,
	  "immutable (chattr -i), NFS that squashes root, an owner without an "
	  "id in this user namespace (/proc/self/uid_map), or a filesystem "
	  "without owners: mend it there, or add ,try",
	  false },
};

int own_hint(const struct own_tree *t, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(hints) && !f->hint[0]; i++) {
		if (f->err != hints[i].err)
			continue;
		fault_hint(f, "%s", hints[i].hint);
		if (hints[i].mount)
			fault_mount(f, t->path);
	}
	return -1;
}

/* Append the kernel's path of a descriptor; false without /proc. */
static bool add_path(struct text *out, int fd)
{
	char link[FS_LINK];
	char path[PATH_MAX];
	ssize_t length;

	fs_link(link, "fd", fd);
	length = readlink(link, path, sizeof(path));
	if (length > 0)
		text_add(out, "%.*s", (int)length, path);
	return length > 0;
}

/* Report a writable directory, mounted at path, that keeps its owner. */
static void tell_mount(const struct own_rules *rules, const char *path)
{
	const struct own_spec *spec = rules->spec;
	struct statvfs fs;
	struct stat st;

	for (size_t i = 0; i < spec->ntrees; i++)
		if (fs_holds(spec->trees[i].path, path) &&
		    fs_holds(path, spec->trees[i].path))
			return;
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    statvfs(path, &fs) < 0 || fs.f_flag & ST_RDONLY ||
	    own_judge(rules, &st) != OWN_WRONG)
		return;
	report_note(
		"own %s: another mount, %s, stays as it is, of %u:%u; to give it as well, add --own=%s",
		    rules->tree->path, path, st.st_uid, st.st_gid, path);
}

/* Some CIFS and FUSE filesystems return 0 and do not change the owner. */
static void ignored(const struct own_tree *t, const char *path, int fd,
		    struct fault *f)
{
	static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;
	struct stat st = { 0 };

	fstat(fd, &st);
	fault_set(f, EXIT_STEP, 0,
		  "own %s: change the owner of %s: no error, and it still belongs to %u:%u",
		  t->path, path, st.st_uid, st.st_gid);
	pthread_mutex_lock(&alone);
	fault_hint(f,
		   "its filesystem (%s) ignores it: set the owner where it is mounted (uid=, gid=), or add ,try",
		   fs_mount_of(path, NULL).type);
	pthread_mutex_unlock(&alone);
}

/* Add the real path of a path whose last components may be missing. */
static void hint_links(const char *path, struct fault *f)
{
	const char *leaf = path + strlen(path);
	int fd = open(path, O_PATH | O_CLOEXEC);
	char head[PATH_MAX] = "", *slash;
	struct text real;

	str_copy(str_word(path), head, sizeof(head));
	while (fd < 0 && (slash = strrchr(head, '/'))) {
		*slash = '\0';
		leaf = path + (slash - head);
		fd = open(head, O_PATH | O_CLOEXEC);
	}
	text_start(&real, head, sizeof(head));
	if (fd >= 0 && add_path(&real, fd))
		text_add(&real, "%s", leaf);
	/* A link that leads nowhere has no other path. */
	if (real.length && strcmp(head, path) != 0)
		fault_hint(f,
			   "a symbolic link is not followed; give the real path: --own=%s",
			   head);
	if (fd >= 0)
		close(fd);
}

/* Set the fault of own_failed(). */
static void explain(const struct own_tree *t, const char *act, int err,
		    const char *path, int fd, struct fault *f)
{
	if (err == 0) {
		ignored(t, path, fd, f);
		return;
	}
	if (act)
		fault_set(f, EXIT_STEP, err, "own %s: %s %s", t->path, act,
			  path);
	else
		fault_set(f, EXIT_STEP, err, "own %s", t->path);
	if (err == EACCES)
		caps_hint(f, CAP_DAC_OVERRIDE);
	else if (err == EPERM)
		caps_hint(f, act && strcmp(act, OWN_ACT_MODE) == 0
				     ? CAP_FOWNER
				     : CAP_CHOWN);
	else if (err == ELOOP && !act)
		hint_links(t->path, f);
	own_hint(t, f);
}

bool own_failed(struct own_actor *a, const char *act, int dir,
		const char *name, int fd)
{
	const struct own_tree *t = a->rules->tree;
	struct own_outcome *out = &a->out;
	const int err = errno;
	const bool ends = !t->may_fail || err == EIO || err == EUCLEAN;
	enum own_verdict what = OWN_FAILED;
	char path[2 * PATH_MAX];
	struct text words;

	if (name && err == EROFS && t->cross_mounts)
		what = OWN_READ_ONLY;
	else if (name && err == EXDEV && fd < 0)
		what = OWN_MOUNTS;
	if (name && fd < 0 && err == ENOENT)
		return false;
	text_start(&words, path, sizeof(path));
	if (!name)
		text_add(&words, "%s", t->path);
	else if (!add_path(&words, dir))
		text_add(&words, "%s/...", t->path);
	if (name)
		text_add(&words, "/%s", name);
	out->counts[what]++;
	if (what == OWN_MOUNTS)
		tell_mount(a->rules, path);
	if (what != OWN_FAILED)
		return false;
	if (!out->fault.status || (ends && !out->ends))
		explain(t, act, err, path, fd, &out->fault);
	out->ends |= ends;
	return ends;
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

void own_report(const struct own_actor *a)
{
	const unsigned long long *counts = a->out.counts;
	const char *path = a->rules->tree->path;
	char buffer[512];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	for (size_t i = 0; i < OWN_COUNTS; i++)
		text_add(&out, "%llu %s", counts[i], count_names[i]);
	if (a->rules->spec->verbose)
		report_note("own %s: %s", path, buffer);
	if (counts[OWN_FAILED] > 1)
		report_note("own %s: %llu failed, the first of them:", path,
			    counts[OWN_FAILED]);
	if (counts[OWN_FAILED])
		report_warning(&a->out.fault);
	if (counts[OWN_SET_IDS] || counts[OWN_CAPABILITIES])
		report_note(
			"warning: own %s: %llu files lost set-id bits, %llu lost capabilities, with their owner",
			    path, counts[OWN_SET_IDS],
			    counts[OWN_CAPABILITIES]);
	if (counts[OWN_LINKED])
		report_note(
			"warning: own %s: passed over %llu files with other links, which may be somebody else's; set fs.protected_hardlinks=1 on the host",
			    path, counts[OWN_LINKED]);
}
