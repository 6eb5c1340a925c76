#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "cred/caps.h"
#include "own/give.h"
#include "own/own.h"
#include "own/spec.h"

enum { MOUNTS_SIZE = 131072 };	/* some 800 mounts; others are not told */

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
	{ EROFS,
	  "mounted read-only: mount it writable, leave out this --own or add "
	  ",try", true },
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

bool own_may_fail(const struct own_tree *t, int err)
{
	return t->may_fail && err != EIO && err != EUCLEAN;
}

void own_add_path(struct text *out, int fd)
{
	char link[FS_LINK];
	ssize_t length;

	fs_link(link, "fd", fd);
	length = readlink(link, out->start + out->length,
			  out->size - out->length - 1);
	out->length += length > 0 ? (size_t)length : 0;
	out->start[out->length] = '\0';
}

/* A line of /proc/self/mountinfo, see proc_pid_mountinfo(5). */
struct mount {
	const char *point;
	const char *options;
	const char *type;
};

static char *read_mounts(char *buffer, size_t size)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, buffer + length,
				      size - 1 - length)) > 0)
		length += (size_t)got;
	if (fd >= 0)
		close(fd);
	buffer[length] = '\0';
	return buffer;
}

/* Cut the next line off, in place. Returns false at the end. */
static bool next_mount(char **at, struct mount *m)
{
	char *line = strsep(at, "\n");

	for (int i = 0; i < 4; i++)
		strsep(&line, " ");
	m->point = strsep(&line, " ");
	m->options = strsep(&line, " ");
	while (line && strncmp(line, "- ", 2) != 0)
		strsep(&line, " ");	/* optional fields */
	strsep(&line, " ");
	m->type = strsep(&line, " ");
	return m->type;
}

/* Is the point the path, or a directory above it? */
static bool holds(const char *point, const char *path)
{
	size_t length = strlen(point);

	while (length > 1 && point[length - 1] == '/')
		length--;
	return strncmp(path, point, length) == 0 &&
	       (!path[length] || path[length] == '/' || length == 1);
}

/* The mount that a path is on; those below the path are added to below. */
static struct mount find_mount(const char *path, char *buffer,
			       struct text *below)
{
	struct mount found = { "/", "", "unknown" };
	char *mounts = read_mounts(buffer, MOUNTS_SIZE);
	struct mount m;

	while (next_mount(&mounts, &m))
		if (holds(path, m.point) && !holds(m.point, path))
			text_add(below, " %s", m.point);
		else if (holds(m.point, path) &&
			 strlen(m.point) >= strlen(found.point))
			found = m;
	return found;
}

void own_look(const struct own_tree *t, const struct stat *top,
	      struct text *out)
{
	char buffer[MOUNTS_SIZE], names[1024];
	struct mount m;
	struct text below;

	text_start(&below, names, sizeof(names));
	m = find_mount(t->path, buffer, &below);
	text_add(out, "%u:%u %04o, on %s of type %s", top->st_uid,
		 top->st_gid, top->st_mode & 07777, m.point, m.type);
	if (below.length)
		text_add(out, ", other mounts below:%s", names);
}

/* Some of CIFS and FUSE answer 0 to a change of owner and do nothing. */
static void ignored(const struct own_tree *t, const char *path, int fd,
		    struct fault *f)
{
	char buffer[MOUNTS_SIZE], names[256];
	struct stat st = { 0 };
	struct text below;
	struct mount m;

	text_start(&below, names, sizeof(names));
	m = find_mount(path, buffer, &below);
	fstat(fd, &st);
	fault_set(f, EXIT_STEP, 0,
		  "own %s: change the owner of %s: no error, and it still belongs to %u:%u",
		  t->path, path, st.st_uid, st.st_gid);
	fault_hint(f,
		   "its filesystem (%s) ignores it: set the owner where it is mounted (uid=, gid=), or add ,try",
		   m.type);
}

/* The kubelet puts this link into the volumes that it fills with files. */
static bool is_filled_by_kubelet(const char *path)
{
	char link[PATH_MAX];
	struct stat st;

	snprintf(link, sizeof(link), "%s/..data", path);
	return lstat(link, &st) == 0;
}

void own_fault(const struct own_tree *t, const char *act, int dir,
	       const char *name, int fd, struct fault *f)
{
	bool mode = strcmp(act, OWN_ACT_MODE) == 0;
	char path[2 * PATH_MAX];
	int err = errno;
	struct text out;

	text_start(&out, path, sizeof(path));
	if (name)
		own_add_path(&out, dir);
	if (!out.length)
		text_add(&out, "%s%s", t->path, name ? "/..." : "");
	if (name)
		text_add(&out, "/%s", name);
	if (err == 0) {
		ignored(t, path, fd, f);
		return;
	}
	fault_set(f, EXIT_STEP, err, "own %s: %s %s", t->path, act, path);
	if (err == EROFS && is_filled_by_kubelet(t->path))
		fault_hint(f,
			   "the kubelet fills this volume, read-only: leave out this --own; who may read it is for fsGroup or defaultMode");
	else if (err == EACCES)
		caps_hint(f, CAP_DAC_OVERRIDE);
	else if (err == EPERM)
		caps_hint(f, mode ? CAP_FOWNER : CAP_CHOWN);
	own_hint(t, f);
}

/* What stands behind the numbers of the counts. */
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

void own_report(const struct own_tree *t,
		const unsigned long long counts[OWN_COUNTS], bool verbose,
		const struct fault *f)
{
	char buffer[512];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	for (size_t i = 0; i < OWN_COUNTS; i++)
		text_add(&out, "%llu %s", counts[i], count_names[i]);
	if (verbose)
		report_note("own %s: %s", t->path, buffer);
	if (counts[OWN_FAILED] > 1)
		report_note("own %s: %llu failed, the first of them:", t->path,
			    counts[OWN_FAILED]);
	if (counts[OWN_FAILED])
		report_warning(f);
	if (counts[OWN_SET_IDS] || counts[OWN_CAPABILITIES])
		report_note("warning: own %s: %llu files lost set-id bits, "
			    "%llu lost capabilities, with their owner",
			    t->path, counts[OWN_SET_IDS],
			    counts[OWN_CAPABILITIES]);
	if (counts[OWN_LINKED])
		report_note("warning: own %s: passed over %llu files with "
			    "other links, which may be somebody else's; set "
			    "fs.protected_hardlinks=1 on the host",
			    t->path, counts[OWN_LINKED]);
}

void own_report_mounts(const struct own_tree *t)
{
	char buffer[MOUNTS_SIZE];
	char *mounts = read_mounts(buffer, sizeof(buffer));
	struct mount m;

	while (*t->path && !t->shallow && !t->cross_mounts &&
	       next_mount(&mounts, &m)) {
		struct stat st;

		if (holds(t->path, m.point) && !holds(m.point, t->path) &&
		    strncmp(m.options, "rw", 2) == 0 &&
		    lstat(m.point, &st) == 0 && S_ISDIR(st.st_mode) &&
		    (t->uid == (uid_t)-1 ? st.st_gid != t->gid
					 : st.st_uid != t->uid))
			report_note("own %s: another mount, %s, stays as it "
				    "is, of %u:%u; to give it as well, add "
				    "--own=%s",
				    t->path, m.point, st.st_uid, st.st_gid,
				    m.point);
	}
}
