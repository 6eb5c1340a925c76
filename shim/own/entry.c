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

bool own_become(struct own_actor *a, uid_t uid, gid_t gid)
{
	struct fsids before;

	a->changed = true;
	return fsids_enter(uid, gid, &before) == 0;
}

bool own_become_owner(struct own_actor *a, int fd)
{
	struct stat st;

	if (errno != EACCES)
		return false;
	if (fstat(fd, &st) == 0 && own_become(a, st.st_uid, st.st_gid))
		return true;
	errno = EACCES;
	return false;
}

int own_open(struct own_actor *a, int dir, const char *name, int flags)
{
	const bool cross_mounts = a->rules->cross_mounts;
	int fd = fs_open(dir, name, flags, cross_mounts);

	if (fd < 0 && own_become_owner(a, dir))
		fd = fs_open(dir, name, flags, cross_mounts);
	return fd;
}

/* Is it of these ids? -1: of any. */
static bool is_of(const struct stat *st, uid_t uid, gid_t gid)
{
	return (uid == (uid_t)-1 || st->st_uid == uid) &&
	       (gid == (gid_t)-1 || st->st_gid == gid);
}

static bool has_right_owner(const struct own_rules *rules,
			    const struct stat *st)
{
	return is_of(st, rules->tree->uid, rules->gid);
}

static mode_t wanted_mode(const struct own_rules *rules, const struct stat *st)
{
	const struct own_tree *t = rules->tree;
	mode_t mode = st->st_mode & ALL_BITS;
	bool dir = S_ISDIR(st->st_mode);

	if (S_ISLNK(st->st_mode))
		return mode;	/* Linux has no mode of a symbolic link. */
	if (S_ISREG(st->st_mode) && !has_right_owner(rules, st))
		mode &= ~SET_IDS;
	if (t->fsgroup)
		return mode | (dir ? FSGROUP_DIR : FSGROUP_FILE);
	if (t->mode)
		mode_apply(t->mode, dir, rules->mask, &mode);
	return mode;
}

enum own_verdict own_judge(const struct own_rules *rules,
			   const struct stat *st)
{
	const struct own_tree *t = rules->tree;

	if (has_right_owner(rules, st) &&
	    wanted_mode(rules, st) == (st->st_mode & ALL_BITS))
		return OWN_RIGHT;
	if (!is_of(st, t->from_uid, t->from_gid))
		return OWN_FOREIGN;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return OWN_DEVICE;
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1 &&
	    !rules->links_protected)
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

int own_set_mode(struct own_actor *a, int fd, mode_t mode)
{
	struct stat st;

	if (fs_chmod(fd, mode) == 0)
		return 0;
	if (errno != EPERM || fstat(fd, &st) < 0 ||
	    !own_become(a, st.st_uid, st.st_gid))
		return -1;
	return fs_chmod(fd, mode);
}

/*
 * Mode bits are removed before the owner changes. They are added when the group
 * is new and the owner still old: afterwards only the new owner, or CAP_FOWNER,
 * could change the mode.
 */
static const char *change(struct own_actor *a, int fd, const struct stat *st)
{
	const struct own_rules *rules = a->rules;
	const uid_t uid = rules->tree->uid;
	const mode_t mode = wanted_mode(rules, st);
	const bool give = !has_right_owner(rules, st);
	const bool capable = give && has_capabilities(st, fd);
	mode_t now = st->st_mode & ALL_BITS;
	mode_t set_ids = S_ISREG(st->st_mode) ? (now | mode) & SET_IDS : 0;
	struct stat then;

	if (give && now & ~(mode | SET_IDS)) {
		now &= mode | SET_IDS;
		if (own_set_mode(a, fd, now) < 0)
			return OWN_ACT_MODE;
	}
	if (give && mode & ~now & ~SET_IDS) {
		if (fchownat(fd, "", (uid_t)-1, rules->gid, AT_EMPTY_PATH) < 0)
			return "change the group of";
		now = mode;
		if (own_set_mode(a, fd, now) < 0)
			return OWN_ACT_MODE;
	}
	if (give && fchownat(fd, "", uid, rules->gid, AT_EMPTY_PATH) < 0)
		return uid == (uid_t)-1 ? "change the group of"
					: "change the owner of";
	if (give && (a->out.counts[OWN_WRONG] == 0 || set_ids)) {
		if (fstat(fd, &then) < 0)
			return "examine";
		errno = 0;
		if (!has_right_owner(rules, &then))
			return "change the owner of";
		now = then.st_mode & ALL_BITS;
	}
	if (now != mode && own_set_mode(a, fd, mode) < 0)
		return OWN_ACT_MODE;
	a->out.counts[OWN_CAPABILITIES] += capable;
	a->out.counts[OWN_SET_IDS] += (set_ids & ~mode) != 0;
	return NULL;
}

const char *own_change(struct own_actor *a, int fd, struct stat *st)
{
	enum own_verdict verdict;
	const char *act = NULL;

	if (fstat(fd, st) < 0)
		return "examine";
	verdict = own_judge(a->rules, st);
	if (verdict == OWN_WRONG)
		act = change(a, fd, st);
	if (!act)
		a->out.counts[verdict]++;
	return act;
}
