#include "own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caps.h"
#include "compat.h"
#include "fault.h"
#include "plan.h"
#include "say.h"
#include "text.h"

struct walk {
	const char *path;	/* of --own, for messages */
	uid_t uid;
	gid_t gid;
	bool hardlinks_safe;
	size_t changed;
	size_t other_mounts;
	size_t hardlinks;
	struct fault *f;
};

void own_describe(const struct plan *plan, struct text *out)
{
	for (size_t i = 0; i < plan->ntrees; i++)
		text_add(out, "%s%s and all below it to %u:%u", i ? "\n" : "",
			 plan->trees[i].path, plan->target.uid,
			 plan->target.gid);
}

static int failed(struct walk *w, const char *act, const char *name)
{
	int err = errno;

	fault_set(w->f, EXIT_STEP, err, "own %s: %s %s", w->path, act, name);
	switch (err) {
	case EPERM:
		return caps_hint(w->f, CAP_CHOWN);
	case EACCES:
		return caps_hint(w->f, CAP_DAC_READ_SEARCH);
	case EROFS:
		return fault_hint(w->f,
				  "it is mounted read-only and belongs to somebody else; mount it writable or leave out this --own");
	case EINVAL:
		return fault_hint(w->f,
				  "this user namespace does not map %u:%u (/proc/self/uid_map, gid_map)",
				  w->uid, w->gid);
	default:
		return -1;
	}
}

/*
 * With fs.protected_hardlinks nobody can link a file into the volume that he
 * could not write anyway. Without it (or unknown) a file with several links
 * may be somebody else's file, so it is left alone.
 */
static bool hardlinks_are_protected(void)
{
	char value = '0';
	int fd = open("/proc/sys/fs/protected_hardlinks", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value == '1';
}

/*
 * Examine the entry behind an O_PATH descriptor and change it through the very
 * same descriptor. Device nodes are nobody's to give.
 */
static int give(struct walk *w, int fd, const char *name, mode_t *type)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(w, "examine", name);
	*type = st.st_mode & S_IFMT;
	if (st.st_uid == w->uid && st.st_gid == w->gid)
		return 0;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return 0;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !w->hardlinks_safe) {
		w->hardlinks++;
		return 0;
	}
	if (fchownat(fd, "", w->uid, w->gid, AT_EMPTY_PATH) < 0)
		return failed(w, "change the owner of", name);
	w->changed++;
	return 0;
}

static int give_below(struct walk *w, int folder, const char *name);

/* One name of a folder. An entry that has gone meanwhile is no failure. */
static int give_entry(struct walk *w, int folder, const char *name)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV |
			   RESOLVE_NO_MAGICLINKS
	};
	int fd = compat_openat2(folder, name, &how);
	mode_t type;
	int result;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == EXDEV) {
		w->other_mounts++;
		return 0;
	}
	if (fd < 0)
		return failed(w, "open", name);
	result = give(w, fd, name, &type);
	if (result == 0 && S_ISDIR(type))
		result = give_below(w, fd, name);
	close(fd);
	return result;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Everything in a folder, which is named by an O_PATH descriptor. */
static int give_below(struct walk *w, int folder, const char *name)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return failed(w, "read", name);
	}
	while (result == 0 && (errno = 0, entry = readdir(dir)))
		if (!is_dot(entry->d_name))
			result = give_entry(w, dirfd(dir), entry->d_name);
	if (result == 0 && errno)
		result = failed(w, "read", name);
	closedir(dir);
	return result;
}

static int give_tree(struct walk *w)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS
	};
	int fd = compat_openat2(AT_FDCWD, w->path, &how);
	mode_t type;
	int result;

	if (fd < 0) {
		fault_set(w->f, EXIT_STEP, errno, "own %s", w->path);
		if (w->f->err == ENOENT)
			return fault_hint(w->f,
					  "create it in the image, or mount a volume there");
		if (w->f->err == ELOOP)
			return fault_hint(w->f,
					  "a part of this path is a symbolic link, which is never followed; give the real path");
		return caps_hint(w->f, CAP_DAC_READ_SEARCH);
	}
	result = give(w, fd, w->path, &type);
	if (result == 0 && S_ISDIR(type))
		result = give_below(w, fd, w->path);
	close(fd);
	return result;
}

int own_run(const struct plan *plan, struct run *run, struct fault *f)
{
	(void)run;
	for (size_t i = 0; i < plan->ntrees; i++) {
		struct walk w = { .path = plan->trees[i].path,
				  .uid = plan->target.uid,
				  .gid = plan->target.gid,
				  .hardlinks_safe = hardlinks_are_protected(),
				  .f = f };

		if (give_tree(&w) < 0)
			return -1;
		if (plan->verbose)
			say_note("own %s: %zu changed; passed over: %zu in other mounts, %zu with several links",
				 w.path, w.changed, w.other_mounts,
				 w.hardlinks);
	}
	return 0;
}
