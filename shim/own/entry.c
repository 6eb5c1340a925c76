#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "own/give.h"
#include "own/spec.h"

enum {
	/* What the kubelet gives the group: pkg/volume/volume_linux.go. */
	FSGROUP_FILE = 0660,
	FSGROUP_DIR = S_ISGID | 0770,
	ALL_BITS = 07777,
	SET_IDS = S_ISUID | S_ISGID,
	ANY_X = S_IXUSR | S_IXGRP | S_IXOTH
};

/* From one id to the next the capabilities stay; only the first is undone. */
bool own_become(struct own_actor *a, uid_t uid, gid_t gid)
{
	struct fsids before;

	if (fsids_enter(uid, gid, &before) < 0)
		return false;
	if (!a->changed)
		a->before = before;
	a->changed = true;
	return true;
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

int own_open_dir(struct own_actor *a, int fd)
{
	int dir = openat(fd, ".", FS_DIRECTORY | O_CLOEXEC);

	if (dir < 0 && own_become_owner(a, fd))
		dir = openat(fd, ".", FS_DIRECTORY | O_CLOEXEC);
	return dir;
}

static bool owner_differs(const struct own_rules *rules, const struct stat *st)
{
	return (rules->uid != (uid_t)-1 && st->st_uid != rules->uid) ||
	       (rules->gid != (gid_t)-1 && st->st_gid != rules->gid);
}

static mode_t wanted_mode(const struct own_rules *rules, const struct stat *st)
{
	const struct own_tree *t = rules->tree;
	mode_t mode = st->st_mode & ALL_BITS;
	bool dir = S_ISDIR(st->st_mode);

	if (S_ISLNK(st->st_mode))
		return mode;	/* Linux has no mode of a symbolic link. */
	if (S_ISREG(st->st_mode) && owner_differs(rules, st))
		mode &= ~SET_IDS;
	if (t->fsgroup)
		return mode | (dir ? FSGROUP_DIR : FSGROUP_FILE);
	return own_mode_apply(t->clauses, t->nclauses, mode, dir, rules->mask);
}

static bool is_foreign(const struct own_tree *t, const struct stat *st)
{
	return (t->from_uid != (uid_t)-1 && st->st_uid != t->from_uid) ||
	       (t->from_gid != (gid_t)-1 && st->st_gid != t->from_gid);
}

enum own_verdict own_judge(const struct own_rules *rules,
			   const struct stat *st)
{
	if (!owner_differs(rules, st) &&
	    wanted_mode(rules, st) == (st->st_mode & ALL_BITS))
		return OWN_RIGHT;
	if (is_foreign(rules->tree, st))
		return OWN_FOREIGN;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return OWN_DEVICE;
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1 &&
	    !rules->links_protected)
		return OWN_LINKED;
	return OWN_WRONG;
}

/* Only what can be executed is asked; no other file has any use for them. */
static bool has_capabilities(const struct stat *st, int fd)
{
	char path[FS_LINK];

	if (!S_ISREG(st->st_mode) || !(st->st_mode & ANY_X))
		return false;
	fs_link(path, "fd", fd);
	return getxattr(path, "security.capability", NULL, 0) > 0;
}

/*
 * fchmod(2) refuses O_PATH descriptors. Without fchmodat2(2), or where a
 * seccomp profile denies it (EPERM), the link in /proc leads to the same file,
 * whatever names it has by now. Without CAP_FSETID the kernel leaves S_ISGID
 * out, and says nothing, where the file's group is not the caller's (chmod(2)).
 */
static bool try_mode(int fd, mode_t mode)
{
	char path[FS_LINK];
	struct stat st;

	if (sys_fchmodat2(fd, "", mode, AT_EMPTY_PATH) < 0) {
		fs_link(path, "fd", fd);
		if ((errno != ENOSYS && errno != EPERM) ||
		    (fchmod(fd, mode) < 0 && chmod(path, mode) < 0))
			return false;
	}
	errno = EPERM;
	return !(mode & S_ISGID) ||
	       (fstat(fd, &st) == 0 && st.st_mode & S_ISGID);
}

int own_set_mode(struct own_actor *a, int fd, mode_t mode)
{
	struct stat st;

	if (try_mode(fd, mode))
		return 0;
	if (errno != EPERM || fstat(fd, &st) < 0 ||
	    !own_become(a, st.st_uid, st.st_gid))
		return -1;
	return try_mode(fd, mode) ? 0 : -1;
}

/*
 * Bits that go are taken before the owner changes. Bits that come are given
 * when the group is the new one and the owner the old one: the mode of what is
 * the new owner's can be changed by that owner or with CAP_FOWNER only. *now is
 * kept up to date.
 */
static const char *change_owner(const struct own_rules *rules,
				struct own_actor *a, int fd, mode_t mode,
				mode_t *now)
{
	mode_t both = *now & (mode | SET_IDS);

	if (both != *now && own_set_mode(a, fd, both) < 0)
		return OWN_ACT_MODE;
	*now = both;
	if (mode & ~both & ~SET_IDS) {
		if (fchownat(fd, "", (uid_t)-1, rules->gid, AT_EMPTY_PATH) < 0)
			return "change the group of";
		if (own_set_mode(a, fd, mode) < 0)
			return OWN_ACT_MODE;
		*now = mode;
	}
	if (fchownat(fd, "", rules->uid, rules->gid, AT_EMPTY_PATH) < 0)
		return rules->uid == (uid_t)-1 ? "change the group of"
					       : "change the owner of";
	return NULL;
}

static const char *change(const struct own_rules *rules, struct own_actor *a,
			  int fd, const struct stat *st)
{
	mode_t mode = wanted_mode(rules, st);
	mode_t now = st->st_mode & ALL_BITS;
	mode_t set_ids = S_ISREG(st->st_mode) ? (now | mode) & SET_IDS : 0;
	bool capabilities = false;

	if (owner_differs(rules, st)) {
		const char *act;
		struct stat then;

		capabilities = has_capabilities(st, fd);
		act = change_owner(rules, a, fd, mode, &now);
		if (act)
			return act;
		if (a->counts[OWN_WRONG] == 0 || set_ids) {
			if (fstat(fd, &then) < 0)
				return "examine";
			errno = 0;
			if (owner_differs(rules, &then))
				return "change the owner of";
			now = then.st_mode & ALL_BITS;
		}
	}
	if (now != mode && own_set_mode(a, fd, mode) < 0)
		return OWN_ACT_MODE;
	a->counts[OWN_CAPABILITIES] += capabilities;
	a->counts[OWN_SET_IDS] += (set_ids & ~mode) != 0;
	return NULL;
}

const char *own_change(const struct own_rules *rules, struct own_actor *a,
		       int fd, struct stat *st)
{
	enum own_verdict verdict;
	const char *act = NULL;

	if (fstat(fd, st) < 0)
		return "examine";
	verdict = own_judge(rules, st);
	if (verdict == OWN_WRONG)
		act = change(rules, a, fd, st);
	if (!act)
		a->counts[verdict]++;
	return act;
}
