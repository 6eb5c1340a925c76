#include "own/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "own/mode.h"
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
bool own_ids_become(struct own_ids *ids, uid_t uid, gid_t gid)
{
	struct fsids before;

	if (fsids_enter(uid, gid, &before) < 0)
		return false;
	if (!ids->changed)
		ids->before = before;
	ids->changed = true;
	return true;
}

bool own_ids_become_owner(struct own_ids *ids, int fd)
{
	int err = errno;
	struct stat st;
	bool done = fstat(fd, &st) == 0 &&
		    own_ids_become(ids, st.st_uid, st.st_gid);

	errno = err;
	return done;
}

int own_open_dir(struct own_ids *ids, int fd)
{
	int dir = openat(fd, ".", FS_DIRECTORY | O_CLOEXEC);

	if (dir < 0 && errno == EACCES && own_ids_become_owner(ids, fd))
		dir = openat(fd, ".", FS_DIRECTORY | O_CLOEXEC);
	return dir;
}

int own_ids_end(struct own_ids *ids)
{
	if (!ids->changed)
		return 0;
	ids->changed = false;
	return fsids_leave(&ids->before);
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
 * fchmod(2) refuses O_PATH descriptors. Without fchmodat2(2), or where a seccomp
 * profile denies it (EPERM), the link in /proc leads to the same file, whatever
 * names it has by now.
 */
static int try_mode(int fd, mode_t mode)
{
	char path[FS_LINK];

	if (sys_fchmodat2(fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -1;
	if (fchmod(fd, mode) == 0)
		return 0;
	fs_link(path, "fd", fd);
	return chmod(path, mode);
}

/*
 * Without CAP_FSETID the kernel leaves S_ISGID out, and says nothing, for whom
 * the file's group is not his own (chmod(2)).
 */
static bool has_bits(int fd, mode_t mode)
{
	struct stat st;

	return !(mode & S_ISGID) ||
	       (fstat(fd, &st) == 0 && st.st_mode & S_ISGID);
}

int own_set_mode(struct own_ids *ids, int fd, mode_t mode)
{
	if (try_mode(fd, mode) < 0) {
		if (errno != EPERM)
			return -1;
	} else if (has_bits(fd, mode)) {
		return 0;
	}
	errno = EPERM;
	if (!own_ids_become_owner(ids, fd) || try_mode(fd, mode) < 0)
		return -1;
	errno = EPERM;
	return has_bits(fd, mode) ? 0 : -1;
}

static int give(int fd, uid_t uid, gid_t gid)
{
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
}

/*
 * The mode before the owner where it could not be changed afterwards: the group
 * first, so that what it may do is what it may do in the end.
 */
static const char *change_owner(const struct own_rules *rules,
				struct own_ids *ids, int fd, mode_t mode,
				struct stat *now)
{
	mode_t old = now->st_mode & ALL_BITS;
	mode_t both = old & (mode | SET_IDS);

	if (!S_ISLNK(now->st_mode) && both != old) {
		if (own_set_mode(ids, fd, both) < 0)
			return OWN_ACT_MODE;
		old = both;
	}
	if (!rules->late_mode && (mode & ~SET_IDS) != (old & ~SET_IDS)) {
		if (give(fd, (uid_t)-1, rules->gid) < 0)
			return "change the group of";
		if (own_set_mode(ids, fd, mode) < 0)
			return OWN_ACT_MODE;
		old = mode;
	}
	if (give(fd, rules->uid, rules->gid) < 0)
		return rules->uid == (uid_t)-1 ? "change the group of"
					       : "change the owner of";
	now->st_mode = (now->st_mode & S_IFMT) | old;
	return NULL;
}

/* To look at what a change left: the mode, and whether it was one at all. */
static bool needs_look(const struct stat *st, mode_t mode,
		       const struct own_counts *counts)
{
	return counts->of[OWN_WRONG] == 0 ||
	       (S_ISREG(st->st_mode) && (st->st_mode | mode) & SET_IDS);
}

static const char *change(const struct own_rules *rules, struct own_ids *ids,
			  int fd, const struct stat *st,
			  struct own_counts *counts)
{
	bool capabilities = false;
	mode_t mode = wanted_mode(rules, st);
	struct stat now = *st;

	if (owner_differs(rules, st)) {
		const char *failed;

		capabilities = has_capabilities(st, fd);
		failed = change_owner(rules, ids, fd, mode, &now);
		if (failed)
			return failed;
		if (needs_look(st, mode, counts)) {
			if (fstat(fd, &now) < 0)
				return "examine";
			errno = 0;
			if (owner_differs(rules, &now))
				return "change the owner of";
		}
	}
	if ((now.st_mode & ALL_BITS) != mode && own_set_mode(ids, fd, mode) < 0)
		return OWN_ACT_MODE;
	counts->of[OWN_CAPABILITIES] += capabilities;
	counts->of[OWN_SET_IDS] +=
		S_ISREG(st->st_mode) && st->st_mode & ~mode & SET_IDS;
	return NULL;
}

const char *own_change(const struct own_rules *rules, struct own_ids *ids,
		       int fd, struct stat *st, struct own_counts *counts)
{
	enum own_verdict verdict;
	const char *failed;

	if (fstat(fd, st) < 0)
		return "examine";
	verdict = own_judge(rules, st);
	if (verdict == OWN_WRONG) {
		failed = change(rules, ids, fd, st, counts);
		if (failed)
			return failed;
	}
	counts->of[verdict]++;
	return NULL;
}
