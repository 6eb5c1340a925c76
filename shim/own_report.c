#include "own_report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "caps.h"
#include "compat.h"
#include "fault.h"
#include "own_entry.h"
#include "plan.h"
#include "say.h"
#include "text.h"

/* Seconds. On a terminal the line is written over, so it may move. */
enum { FIRST_PROGRESS = 3, PROGRESS = 10, PROGRESS_IN_PLACE = 1 };

static void add_ids(const struct tree *t, struct text *out)
{
	if (t->uid != (uid_t)-1)
		text_add(out, "%u", t->uid);
	text_add(out, ":%u", t->gid);
}

void own_report_plan(const struct tree *t, struct text *out)
{
	text_add(out, "%s%s to ", t->path,
		 t->shallow ? "" : " and all below it");
	add_ids(t, out);
	if (t->mode)
		text_add(out, ", mode %s", t->mode);
	if (t->fsgroup)
		text_add(out, ", writable for the group");
	if (t->from)
		text_add(out, ", only what belongs to %s", t->from);
	if (t->if_root_differs)
		text_add(out, ", unless %s is right", t->path);
	if (t->create)
		text_add(out, ", made with mode %04o if missing",
			 (unsigned int)t->create_mode);
	if (t->cross_mounts)
		text_add(out, ", other mounts too");
	if (t->may_fail)
		text_add(out, ", a failure is a warning");
}

static bool is_immutable(int fd)
{
	struct compat_statx stx;

	return fd >= 0 &&
	       compat_statx(fd, "", AT_EMPTY_PATH, COMPAT_STATX_INO, &stx) ==
		       0 &&
	       stx.attributes &
		       (COMPAT_STATX_ATTR_IMMUTABLE | COMPAT_STATX_ATTR_APPEND);
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
	if (is_immutable(fd))
		return fault_hint(f,
				  "the file is immutable or append-only; chattr -ia takes that away, or pass over it with ,try");
	if (is_on_nfs(fd >= 0 ? fd : folder))
		return fault_hint(f,
				  "the NFS server squashes root; set the owner there, export with no_root_squash, or add ,try to this --own if access is fine as it is");
	fault_hint(f,
		   "its owner may have no id in this user namespace (/proc/self/uid_map), or the filesystem has no owners; add ,try to this --own if access is fine as it is");
	return caps_hint(f, cap);
}

static int add_hint(const struct tree *t, int fd, int folder, int cap,
		    struct fault *f)
{
	switch (f->err) {
	case EPERM:
		return not_permitted(fd, folder, cap, f);
	case EACCES:
		if (is_on_nfs(folder))
			return not_permitted(fd, folder, cap, f);
		return caps_hint(f, CAP_DAC_READ_SEARCH);
	case EROFS:
		return fault_hint(f,
				  "it is mounted read-only and belongs to somebody else; mount it writable, leave out this --own or add ,try");
	case EINVAL:
	case EOVERFLOW:
		return fault_hint(f,
				  "this user namespace or id-mapped mount has no id for %u:%u (/proc/self/uid_map, gid_map)",
				  t->uid, t->gid);
	case EDQUOT:
		return fault_hint(f,
				  "the disk quota of the new owner or group is used up; raise it, or free space");
	case ENOSPC:
		return fault_hint(f,
				  "no space for the copy that overlayfs makes of a changed file; mount a volume there");
	case ESTALE:
		return fault_hint(f,
				  "a folder was moved while its content was changed: something else works in this volume; start again, without it");
	case EMFILE:
	case ENFILE:
		return fault_hint(f,
				  "raise the number of open files (ulimit -n, LimitNOFILE=)");
	default:
		return -1;
	}
}

/* The kernel's path of a descriptor; empty without /proc. */
static void path_of(char *path, size_t size, int fd)
{
	char link[32];
	struct text out;
	ssize_t length;

	text_start(&out, link, sizeof(link));
	text_add(&out, "/proc/self/fd/%d", fd);
	length = readlink(link, path, size - 1);
	path[length > 0 ? length : 0] = '\0';
}

int own_report_fault(const struct tree *t, const char *act, int folder,
		     const char *name, int fd, struct fault *f)
{
	char path[PATH_MAX];
	int err = errno;
	int cap = strncmp(act, "change the mode", 15) == 0 ? CAP_FOWNER
							   : CAP_CHOWN;

	if (name) {
		path_of(path, sizeof(path), folder);
		fault_set(f, EXIT_STEP, err, "own %s: %s %s%s%s", t->path, act,
			  path[0] ? path : t->path, path[0] ? "/" : "/.../",
			  name);
	} else {
		fault_set(f, EXIT_STEP, err, "own %s: %s %s", t->path, act,
			  t->path);
	}
	return add_hint(t, fd, folder, cap, f);
}

static unsigned long long number(uint64_t value)
{
	return value;
}

static void say_counts(const struct tree *t, const struct own_counts *c)
{
	const uint64_t *v = c->verdicts;

	say_note("own %s: %llu changed, %llu right already; passed over: %llu in other mounts, %llu with several links, %llu device nodes, %llu of other owners; %llu lost set-id bits, %llu lost capabilities",
		 t->path, number(v[OWN_WRONG]), number(v[OWN_RIGHT]),
		 number(c->mounts), number(v[OWN_LINKED]),
		 number(v[OWN_DEVICE]), number(v[OWN_FOREIGN]),
		 number(c->set_ids), number(c->capabilities));
}

static void warn_of_losses(const struct tree *t, const struct own_counts *c)
{
	struct fault f;

	fault_set(&f, EXIT_STEP, 0,
		  "own %s: %llu files lost set-id bits, %llu lost file capabilities, as chown(2) clears them",
		  t->path, number(c->set_ids), number(c->capabilities));
	say_warning(&f);
}

static void warn_of_links(const struct tree *t, const struct own_counts *c)
{
	struct fault f;

	fault_set(&f, EXIT_STEP, 0,
		  "own %s: passed over %llu files with several links", t->path,
		  number(c->verdicts[OWN_LINKED]));
	fault_hint(&f,
		   "any of them may be somebody else's file, as fs.protected_hardlinks is not 1 or cannot be read; set that sysctl on the host");
	say_warning(&f);
}

void own_report_end(const struct tree *t, const struct own_counts *counts,
		    bool verbose)
{
	if (verbose)
		say_counts(t, counts);
	if (counts->set_ids || counts->capabilities)
		warn_of_losses(t, counts);
	if (counts->verdicts[OWN_LINKED])
		warn_of_links(t, counts);
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
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
	time_t now = seconds();

	if (now < p->next)
		return;
	p->next = now + (p->in_place ? PROGRESS_IN_PLACE : PROGRESS);
	p->spoken = true;
	say_progress(p->in_place,
		     "own %s: %llu files seen, %llu changed, %llu a second",
		     t->path, number(entries), number(changed),
		     number(entries / (uint64_t)(now - p->started)));
}

void own_report_stop(const struct own_progress *p)
{
	if (p->in_place && p->spoken)
		say_progress_end();
}
