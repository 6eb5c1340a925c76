#include "own/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "own/links.h"
#include "own/mode.h"
#include "plan.h"

enum {
	/* What the kubelet gives the group: pkg/volume/volume_linux.go. */
	FSGROUP_FILE = 0660,
	FSGROUP_FOLDER = S_ISGID | 0770,
	ANY_X = S_IXUSR | S_IXGRP | S_IXOTH
};

static uid_t wanted_uid(const struct tree *t, const struct stat *st)
{
	return t->uid == (uid_t)-1 ? st->st_uid : t->uid;
}

static bool owner_differs(const struct tree *t, const struct stat *st)
{
	return st->st_uid != wanted_uid(t, st) || st->st_gid != t->gid;
}

/* Linux has no mode of a symbolic link. */
static mode_t wanted_mode(const struct own_rules *rules, const struct stat *st)
{
	const struct tree *t = rules->tree;
	mode_t mode = st->st_mode & 07777;
	bool folder = S_ISDIR(st->st_mode);

	if (S_ISLNK(st->st_mode))
		return mode;
	if (t->fsgroup)
		return mode | (folder ? FSGROUP_FOLDER : FSGROUP_FILE);
	return own_mode_apply(t->clauses, t->nclauses, mode, folder,
			      rules->mask);
}

static bool mode_differs(const struct own_rules *rules, const struct stat *st)
{
	return wanted_mode(rules, st) != (st->st_mode & 07777);
}

static bool is_foreign(const struct tree *t, const struct stat *st)
{
	return (t->from_uid != (uid_t)-1 && st->st_uid != t->from_uid) ||
	       (t->from_gid != (gid_t)-1 && st->st_gid != t->from_gid);
}

enum own_verdict own_judge(const struct own_rules *rules,
			   const struct stat *st)
{
	if (!owner_differs(rules->tree, st) && !mode_differs(rules, st))
		return OWN_RIGHT;
	if (is_foreign(rules->tree, st))
		return OWN_FOREIGN;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return OWN_DEVICE;
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1 &&
	    !rules->links->protected)
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

/* chown(2): cleared for all but folders; S_ISGID without S_IXGRP stays. */
static mode_t cleared_bits(const struct stat *st)
{
	mode_t bits = S_ISUID;

	if (!S_ISREG(st->st_mode))
		return 0;
	if (st->st_mode & S_IXGRP)
		bits |= S_ISGID;
	return st->st_mode & bits;
}

/*
 * fchmod(2) refuses O_PATH descriptors. Without fchmodat2(2) the link in /proc
 * leads to the same file, whatever names it has by now.
 */
static int change_mode(const struct stat *st, int fd, mode_t mode)
{
	char path[FS_LINK];

	if (S_ISDIR(st->st_mode) && fchmod(fd, mode) == 0)
		return 0;
	if (sys_fchmodat2(fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -1;
	fs_link(path, "fd", fd);
	return chmod(path, mode);
}

static const char *change_owner(const struct own_rules *rules, int fd,
				struct stat *st, struct own_counts *counts)
{
	const struct tree *t = rules->tree;
	mode_t cleared = cleared_bits(st);
	bool capabilities = has_capabilities(st, fd);

	if (fchownat(fd, "", t->uid, t->gid, AT_EMPTY_PATH) < 0)
		return t->uid == (uid_t)-1 ? "change the group of"
					   : "change the owner of";
	counts->of[OWN_SET_IDS] += cleared != 0;
	counts->of[OWN_CAPABILITIES] += capabilities;
	st->st_mode &= ~cleared;
	return NULL;
}

/*
 * The owner first: it clears what the mode may ask for. The mode is worked out
 * again from what is left.
 */
const char *own_change(const struct own_rules *rules, int fd, int folder,
		       const char *name, mode_t *type,
		       struct own_counts *counts)
{
	enum own_verdict verdict;
	const char *failed;
	struct stat st;
	int only = 1;

	if (fstat(fd, &st) < 0)
		return "examine";
	*type = st.st_mode & S_IFMT;
	verdict = own_judge(rules, &st);
	if (verdict == OWN_WRONG)
		only = links_is_only(rules->links, fd, &st, folder, name);
	if (only < 0)
		return OWN_ACT_LINKS;
	if (only == 0)
		verdict = OWN_LINKED;
	if (verdict == OWN_WRONG) {
		if (owner_differs(rules->tree, &st)) {
			failed = change_owner(rules, fd, &st, counts);
			if (failed)
				return failed;
		}
		if (mode_differs(rules, &st) &&
		    change_mode(&st, fd, wanted_mode(rules, &st)) < 0)
			return OWN_ACT_MODE;
	}
	counts->of[verdict]++;
	return NULL;
}
