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
#include "base/sys.h"
#include "base/text.h"
#include "cred/caps.h"
#include "own/entry.h"
#include "plan.h"

/* Seconds. On a terminal the line is written over, so it may move. */
enum { FIRST_PROGRESS = 3, PROGRESS = 10, PROGRESS_IN_PLACE = 1 };

#define NO_ID \
	"no id for the new owner here (/proc/self/uid_map, gid_map, id-mapped mount)"

#define PROTECT_LINKS "set fs.protected_hardlinks=1 on the host"

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
static int not_permitted(int fd, int folder, int cap, struct fault *f)
{
	const char *why = "its owner has no id in this user namespace (/proc/self/uid_map), or the filesystem has no owners; add ,try";

	if (is_immutable(fd))
		why = "immutable or append-only: chattr -ia, or add ,try";
	else if (is_on_nfs(fd >= 0 ? fd : folder))
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
	{ ESTALE, "a folder was moved meanwhile: leave this volume to us alone" },
	{ EMFILE, "raise ulimit -n (LimitNOFILE=)" },
};

static int add_hint(int fd, int folder, int cap, struct fault *f)
{
	if (f->err == EPERM || (f->err == EACCES && is_on_nfs(folder)))
		return not_permitted(fd, folder, cap, f);
	if (f->err == EACCES)
		return caps_hint(f, CAP_DAC_OVERRIDE);
	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (f->err == hints[i].err)
			return fault_hint(f, "%s", hints[i].hint);
	return -1;
}

/* The kernel's path of a descriptor; empty without /proc. */
static void path_of(char *path, size_t size, int fd)
{
	char link[FS_LINK];
	ssize_t length;

	fs_link(link, "fd", fd);
	length = readlinkat(AT_FDCWD, link, path, size - 1);
	path[length > 0 ? length : 0] = '\0';
}

int own_report_fault(const struct tree *t, const char *act, int folder,
		     const char *name, int fd, struct fault *f)
{
	char path[PATH_MAX] = "";
	int err = errno;
	int cap = strcmp(act, OWN_ACT_MODE) == 0 ? CAP_FOWNER : CAP_CHOWN;

	if (name)
		path_of(path, sizeof(path), folder);
	fault_set(f, EXIT_STEP, err, "own %s: %s %s%s%s", t->path, act,
		  path[0] ? path : t->path, !name ? "" : path[0] ? "/" : "/.../",
		  name ? name : "");
	if (strcmp(act, OWN_ACT_LINKS) == 0 && err != EACCES)
		return fault_hint(f, PROTECT_LINKS ", or raise fs.inotify.max_user_* or ulimit -n");
	return add_hint(fd, folder, cap, f);
}

static unsigned long long number(uint64_t value)
{
	return value;
}

/* What stands between the numbers of the counts. */
static const char *const count_names[OWN_COUNTS] = {
	[OWN_RIGHT] = "right already, ",
	[OWN_WRONG] = "changed; passed over: ",
	[OWN_FOREIGN] = "of other owners, ",
	[OWN_DEVICE] = "device nodes, ",
	[OWN_LINKED] = "with other links, ",
	[OWN_MOUNTS] = "in other mounts; ",
	[OWN_SET_IDS] = "lost set-id bits, ",
	[OWN_CAPABILITIES] = "lost capabilities, ",
	[OWN_FAILED] = "failed",
};

static void report_counts(const struct tree *t, const struct own_counts *c)
{
	char buffer[512];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	for (size_t i = 0; i < OWN_COUNTS; i++)
		text_add(&out, "%llu %s", number(c->of[i]), count_names[i]);
	report_note("own %s: %s", t->path, buffer);
}

void own_report_end(const struct tree *t, const struct own_counts *c,
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
			  "own %s: passed over %llu files that have other links, or may",
			  t->path, number(c->of[OWN_LINKED]));
		fault_hint(&f,
			   "they may be somebody else's; " PROTECT_LINKS);
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

void own_report_progress(struct own_progress *p, const struct tree *t,
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
