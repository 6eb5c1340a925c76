#include "own/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/text.h"
#include "cred/caps.h"
#include "own/entry.h"
#include "own/spec.h"

/* Seconds. On a terminal the line is written over, so it may move. */
enum { FIRST_PROGRESS = 3, PROGRESS = 10, PROGRESS_IN_PLACE = 1 };

enum { MOUNTS_SIZE = 131072 };	/* some 800 mounts */

#define NO_ID \
	"no id for the new owner here (/proc/self/uid_map, gid_map, id-mapped mount)"

static unsigned long long number(uint64_t value)
{
	return value;
}

static bool is_immutable(int fd)
{
	struct sys_statx stx;

	return fd >= 0 &&
	       sys_statx(fd, "", AT_EMPTY_PATH, KERNEL_STATX_INO, &stx) ==
		       0 &&
	       stx.attributes &
		       (KERNEL_STATX_ATTR_IMMUTABLE | KERNEL_STATX_ATTR_APPEND);
}

static bool is_on_nfs(int fd)
{
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 &&
	       (unsigned long)fs.f_type == NFS_SUPER_MAGIC;
}

/*
 * Linux refuses with EPERM for many reasons. The capability is named if it is
 * missing; if not, one of the others applies.
 */
static int not_permitted(int fd, int dir, int cap, struct fault *f)
{
	const char *why = "its owner has no id in this user namespace (/proc/self/uid_map), or the filesystem has no owners; add ,try";

	if (is_immutable(fd))
		why = "immutable or append-only: chattr -ia, or add ,try";
	else if (is_on_nfs(fd >= 0 ? fd : dir))
		why = "NFS squashes root: set the owner on the server, export with no_root_squash, or add ,try";
	else
		caps_hint(f, cap);
	return f->hint[0] ? -1 : fault_hint(f, "%s", why);
}

static const struct {
	int err;
	const char *hint;
} hints[] = {
	{ EROFS,
	  "mounted read-only: mount it writable, leave out this --own or add ,try" },
	{ EINVAL, NO_ID }, { EOVERFLOW, NO_ID },
	{ EDQUOT, "raise the quota of the new owner or group" },
	{ ENOSPC, "overlayfs copies what is changed: mount a volume there" },
	{ EMFILE,
	  "each level of directories takes a descriptor: raise the hard limit (ulimit -n, LimitNOFILE=)" },
	{ EIO, "the disk or its server is at fault; ,try does not pass over that" },
};

bool own_may_fail(const struct own_tree *t, int err)
{
	return t->may_fail && err != EIO && err != EUCLEAN;
}

static int add_hint(int fd, int dir, int cap, struct fault *f)
{
	if (f->err == EPERM || (f->err == EACCES && is_on_nfs(dir)))
		return not_permitted(fd, dir, cap, f);
	if (f->err == EACCES)
		return caps_hint(f, CAP_DAC_OVERRIDE);
	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (f->err == hints[i].err)
			return fault_hint(f, "%s", hints[i].hint);
	return -1;
}

void own_report_path(struct text *out, int fd)
{
	char link[FS_LINK];
	ssize_t length;

	fs_link(link, "fd", fd);
	length = readlink(link, out->start + out->length,
			  out->size - out->length - 1);
	if (length > 0)
		out->length += (size_t)length;
	out->start[out->length] = '\0';
}

/* A line of /proc/self/mountinfo, see proc_pid_mountinfo(5). */
struct mount {
	char *point;
	char *options;
	char *type;
};

/* As much as fits: what is beyond is not told. */
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

/* Bytes that would end a word are written as "\\040", in octal. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*out++ = (char)((text[1] - '0') << 6 |
					(text[2] - '0') << 3 | (text[3] - '0'));
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
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
	if (!m->type)
		return false;
	unescape(m->point);
	return true;
}

/* Is the point the path, or a directory above it? */
static bool holds(const char *point, const char *path)
{
	size_t length = strlen(point);

	return strncmp(path, point, length) == 0 &&
	       (!path[length] || path[length] == '/' || !point[1]);
}

/* The type of the filesystem that a path is on: of the last mount over it. */
static const char *type_of(char *mounts, const char *path)
{
	const char *type = "unknown";
	size_t longest = 0;
	struct mount m;

	while (next_mount(&mounts, &m))
		if (holds(m.point, path) && strlen(m.point) >= longest) {
			longest = strlen(m.point);
			type = m.type;
		}
	return type;
}

static void report_mount(const struct own_tree *t, const char *point)
{
	int fd = fs_open_path(point);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) &&
	    (t->uid == (uid_t)-1 ? st.st_gid != t->gid : st.st_uid != t->uid))
		report_note("own %s: another mount, %s, stays as it is, of %u:%u; to give it as well, add --own=%s",
			    t->path, point, st.st_uid, st.st_gid, point);
	if (fd >= 0)
		close(fd);
}

void own_report_mounts(const struct own_tree *t)
{
	char buffer[MOUNTS_SIZE];
	char *mounts = read_mounts(buffer, sizeof(buffer));
	char path[PATH_MAX];
	struct mount m;
	struct text clean;

	text_start(&clean, path, sizeof(path));
	own_clean_path(&clean, t->path);
	while (next_mount(&mounts, &m))
		if (holds(path, m.point) && strcmp(path, m.point) != 0 &&
		    strncmp(m.options, "rw", 2) == 0)
			report_mount(t, m.point);
}

/* Some of CIFS and FUSE answer 0 to a change of owner and do nothing. */
static int ignored(const struct own_tree *t, const char *path, int fd,
		   struct fault *f)
{
	char mounts[MOUNTS_SIZE];
	struct stat st = { 0 };

	fstat(fd, &st);
	fault_set(f, EXIT_STEP, 0,
		  "own %s: change the owner of %s: no error, and it still belongs to %u:%u",
		  t->path, path, st.st_uid, st.st_gid);
	return fault_hint(f,
			  "its filesystem (%s) ignores it: set the owner where it is mounted (uid=, gid=), or add ,try",
			  type_of(read_mounts(mounts, sizeof(mounts)), path));
}

int own_report_fault(const struct own_tree *t, const char *act, int dir,
		     const char *name, int fd, struct fault *f)
{
	char path[2 * PATH_MAX];
	int err = errno;
	int cap = strcmp(act, OWN_ACT_MODE) == 0 ? CAP_FOWNER : CAP_CHOWN;
	struct text out;

	text_start(&out, path, sizeof(path));
	if (name)
		own_report_path(&out, dir);
	if (!out.length)
		text_add(&out, "%s%s", t->path, name ? "/..." : "");
	if (name)
		text_add(&out, "/%s", name);
	if (err == 0)
		return ignored(t, path, fd, f);
	fault_set(f, EXIT_STEP, err, "own %s: %s %s", t->path, act, path);
	return add_hint(fd, dir, cap, f);
}

void own_report_failures(const struct own_tree *t,
			 const struct own_counts *counts, struct fault *f)
{
	if (counts->of[OWN_FAILED] > 1)
		report_note("own %s: %llu failed; the first of them:", t->path,
			    number(counts->of[OWN_FAILED]));
	report_warning(f);
}

/* What stands between the numbers of the counts. */
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

static void report_counts(const struct own_tree *t, const struct own_counts *c)
{
	char buffer[512];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	for (size_t i = 0; i < OWN_COUNTS; i++)
		text_add(&out, "%llu %s", number(c->of[i]), count_names[i]);
	report_note("own %s: %s", t->path, buffer);
}

void own_report_end(const struct own_tree *t, const struct own_counts *c,
		    bool verbose)
{
	struct fault f;

	if (verbose)
		report_counts(t, c);
	if (c->of[OWN_SET_IDS] || c->of[OWN_CAPABILITIES]) {
		fault_set(&f, EXIT_STEP, 0,
			  "own %s: %llu files lost set-id bits, %llu lost capabilities, as chown(2) clears them",
			  t->path, number(c->of[OWN_SET_IDS]),
			  number(c->of[OWN_CAPABILITIES]));
		report_warning(&f);
	}
	if (c->of[OWN_LINKED]) {
		fault_set(&f, EXIT_STEP, 0,
			  "own %s: passed over %llu files that have other links",
			  t->path, number(c->of[OWN_LINKED]));
		fault_hint(&f,
			   "they may be somebody else's; set fs.protected_hardlinks=1 on the host");
		report_warning(&f);
	}
}

static int64_t seconds(void)
{
	return sys_milliseconds() / 1000;
}

void own_report_start(struct own_progress *p)
{
	p->started = seconds();
	p->next = p->started + FIRST_PROGRESS;
	p->in_place = isatty(STDERR_FILENO);
	p->spoken = false;
}

void own_report_progress(struct own_progress *p, const struct own_tree *t,
			 uint64_t entries, uint64_t changed)
{
	int64_t now = seconds();

	if (now < p->next)
		return;
	p->next = now + (p->in_place ? PROGRESS_IN_PLACE : PROGRESS);
	p->spoken = true;
	report_progress(p->in_place,
		     "own %s: %llu files seen, %llu changed, %llu a second",
		     t->path, number(entries), number(changed),
		     number(entries / (uint64_t)(now - p->started)));
}

void own_report_stop(const struct own_progress *p)
{
	if (p->in_place && p->spoken)
		report_progress_end();
}
