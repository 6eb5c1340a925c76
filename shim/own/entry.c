#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mode.h"
#include "cred/caps.h"
#include "own/give.h"
#include "own/own.h"

enum {
	/* What the kubelet gives the group: pkg/volume/volume_linux.go. */
	FSGROUP_FILE = 0660,
	FSGROUP_DIR = S_ISGID | 0770,
	ALL_BITS = 07777,
	SET_IDS = S_ISUID | S_ISGID
};

bool own_become_owner(struct own_job *job, int fd, int denied)
{
	struct fsids before;
	struct stat st;

	if (errno != denied)
		return false;
	job->became = true;
	if (fstat(fd, &st) == 0 &&
	    fsids_enter(st.st_uid, st.st_gid, &before) == 0)
		return true;
	errno = denied;
	return false;
}

int own_open(struct own_job *job, int dir, const char *name, int flags,
	     bool cross_mounts)
{
	int fd = fs_open(dir, name, flags, cross_mounts);

	if (fd < 0 && own_become_owner(job, dir, EACCES))
		fd = fs_open(dir, name, flags, cross_mounts);
	return fd;
}

int own_set_mode(struct own_job *job, int fd, mode_t mode)
{
	int result = fs_chmod(fd, mode);

	if (result < 0 && own_become_owner(job, fd, EPERM))
		result = fs_chmod(fd, mode);
	return result;
}

/* Is it of these ids? -1: of any. */
static bool is_of(const struct stat *st, uid_t uid, gid_t gid)
{
	return (uid == (uid_t)-1 || st->st_uid == uid) &&
	       (gid == (gid_t)-1 || st->st_gid == gid);
}

static mode_t wanted_mode(const struct own_job *job, const struct stat *st)
{
	const struct own_tree *t = job->tree;
	mode_t mode = st->st_mode & ALL_BITS;
	bool dir = S_ISDIR(st->st_mode);

	if (S_ISLNK(st->st_mode))
		return mode;	/* Linux has no mode of a symbolic link. */
	if (S_ISREG(st->st_mode) && !is_of(st, t->uid, job->gid))
		mode &= ~SET_IDS;
	if (t->fsgroup)
		return mode | (dir ? FSGROUP_DIR : FSGROUP_FILE);
	if (t->mode)
		mode_apply(t->mode, dir, job->mask, &mode);
	return mode;
}

enum own_verdict own_judge(const struct own_job *job, const struct stat *st)
{
	const struct own_tree *t = job->tree;

	if (is_of(st, t->uid, job->gid) &&
	    wanted_mode(job, st) == (st->st_mode & ALL_BITS))
		return OWN_RIGHT;
	if (!is_of(st, t->from_uid, t->from_gid))
		return OWN_FOREIGN;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return OWN_DEVICE;
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1 &&
	    !job->links_protected)
		return OWN_LINKED;
	return OWN_WRONG;
}

/* Checks executables only: in other files capabilities have no effect. */
static bool has_capabilities(const struct stat *st, int fd)
{
	char path[FS_LINK];

	if (!S_ISREG(st->st_mode) || !(st->st_mode & 0111))
		return false;
	fs_link(path, "fd", fd);
	return getxattr(path, "security.capability", NULL, 0) > 0;
}

/*
 * Mode bits are removed before the owner changes. They are added when the group
 * is new and the owner still old: afterwards only the new owner, or CAP_FOWNER,
 * could change the mode.
 */
static const char *change(struct own_job *job, int fd,
			  const struct stat *st, unsigned long long counts[])
{
	const uid_t uid = job->tree->uid;
	const mode_t mode = wanted_mode(job, st);
	mode_t now = st->st_mode & ALL_BITS;
	mode_t set_ids = S_ISREG(st->st_mode) ? (now | mode) & SET_IDS : 0;
	struct stat then;
	bool capable;

	if (is_of(st, uid, job->gid))
		return own_set_mode(job, fd, mode) < 0 ? OWN_ACT_MODE : NULL;
	capable = has_capabilities(st, fd);
	if (now & ~(mode | SET_IDS)) {
		now &= mode | SET_IDS;
		if (own_set_mode(job, fd, now) < 0)
			return OWN_ACT_MODE;
	}
	if (mode & ~now & ~SET_IDS) {
		if (fchownat(fd, "", (uid_t)-1, job->gid, AT_EMPTY_PATH) < 0)
			return "change the group of";
		now = mode;
		if (own_set_mode(job, fd, now) < 0)
			return OWN_ACT_MODE;
	}
	if (fchownat(fd, "", uid, job->gid, AT_EMPTY_PATH) < 0)
		return uid == (uid_t)-1 ? "change the group of"
					: "change the owner of";
	if (counts[OWN_WRONG] == 0 || S_ISDIR(st->st_mode) || set_ids) {
		if (fstat(fd, &then) < 0)
			return "examine";
		errno = 0;
		if (!is_of(&then, uid, job->gid))
			return "change the owner of";
		now = then.st_mode & ALL_BITS;
	}
	if (now != mode && own_set_mode(job, fd, mode) < 0)
		return OWN_ACT_MODE;
	counts[OWN_CAPABILITIES] += capable;
	counts[OWN_SET_IDS] += (set_ids & ~mode) != 0;
	return NULL;
}

const char *own_change(struct own_job *job, int fd, struct stat *st,
		       unsigned long long counts[])
{
	enum own_verdict verdict;
	const char *act;

	if (fstat(fd, st) < 0)
		return "examine";
	verdict = own_judge(job, st);
	act = verdict == OWN_WRONG ? change(job, fd, st, counts) : NULL;
	if (!act)
		counts[verdict]++;
	return act;
}
