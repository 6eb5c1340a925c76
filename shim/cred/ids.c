#include "cred/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "base/sys.h"

int ids_unreadable(const char *path, struct fault *f)
{
	return fault_set(f, EXIT_STEP, errno, "read %s", path);
}

bool ids_is_owner(struct slice word)
{
	return word.length > 3 && memcmp(word.at, "of:/", 4) == 0;
}

static int find_owner(const struct ids_word *w, struct slice word,
		      struct stat *st, struct fault *f)
{
	const struct slice name = { word.at + 3, word.length - 3 };
	char path[PATH_MAX];
	int fd;

	errno = ENAMETOOLONG;
	/* Not by a link that the application made in an earlier run. */
	fd = !str_copy(name, path, sizeof(path)) ? -1 :
	     fs_open_path(path, FS_ROOTS_LINKS);
	if (fd >= 0 && fstat(fd, st) == 0)
		return close(fd);
	fault_set(f, EXIT_STEP, errno, "--%s %s: find the owner", w->option,
		  w->value);
	fault_hint(f, "mount it first; links on the way must be root's");
	return fault_mount(f, path);
}

/*
 * Find the entry of a name, or of a number, which needs none. A group's number
 * is not looked up. Returns 0, or -1 with a fault.
 */
static int look_up(const struct ids_word *w, enum passwd_kind kind,
		   struct slice name, struct passwd_entry *e, struct fault *f)
{
	const bool is_group = kind == PASSWD_GROUP;
	const char *file = is_group ? w->group : w->passwd;
	char word[USER_NAME_MAX + 1];
	uint32_t id = 0;
	bool is_number;
	int found = 0;

	if (!str_copy(name, word, sizeof(word)))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: a name is longer than %d bytes",
				 w->option, w->value, USER_NAME_MAX);
	is_number = str_is_number(word);
	if (is_number && !str_id(word, &id))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: %s is not a %cid (0 to 4294967294)",
				 w->option, w->value, word,
				 is_group ? 'g' : 'u');
	*e = (struct passwd_entry){ .uid = id,
				    .gid = is_group ? id : IDS_NO_GID };
	if (*word && !(is_group && is_number))
		found = passwd_find(file, kind, is_number ? NULL : word, id, e);
	if (found < 0)
		return ids_unreadable(file, f);
	if (found || is_number)
		return 0;
	fault_set(f, EXIT_USAGE, 0, "--%s %s: no %s '%s' in %s", w->option,
		  w->value, is_group ? "group" : "user", word, file);
	return fault_hint(f, "add it to the image, or give its number");
}

int ids_user(const struct ids_word *w, struct slice name,
	     struct passwd_entry *user, struct fault *f)
{
	struct stat st;

	if (!ids_is_owner(name))
		return look_up(w, PASSWD_USER, name, user, f);
	if (find_owner(w, name, &st, f) < 0)
		return -1;
	*user = (struct passwd_entry){ .uid = st.st_uid, .gid = st.st_uid };
	if (passwd_find(w->passwd, PASSWD_USER, NULL, st.st_uid, user) < 0)
		return ids_unreadable(w->passwd, f);
	/* A file's gid 0 must not put the application into root's group. */
	if (st.st_gid != 0)
		user->gid = st.st_gid;
	return 0;
}

int ids_group(const struct ids_word *w, struct slice name, gid_t *gid,
	      struct fault *f)
{
	struct passwd_entry group;
	struct stat st;

	if (!ids_is_owner(name)) {
		if (look_up(w, PASSWD_GROUP, name, &group, f) < 0)
			return -1;
		*gid = group.gid;
		return 0;
	}
	if (find_owner(w, name, &st, f) < 0)
		return -1;
	*gid = st.st_gid;
	if (*gid != 0)
		return 0;
	fault_set(f, EXIT_USAGE, 0, "--%s %s: %.*s is of gid 0", w->option,
		  w->value, (int)name.length, name.at);
	return fault_hint(f, "give it a group of its own, or name 0");
}

/* An empty home or shell has a meaning, see passwd(5) and login(1). */
void ids_describe(const struct passwd_entry *user, struct target *t)
{
	strcpy(t->name, user->name);
	strcpy(t->home, user->home[0] ? user->home : "/");
	strcpy(t->shell, !user->name[0] || user->shell[0] ? user->shell
							  : "/bin/sh");
}

static int compare(const void *a, const void *b)
{
	gid_t one = *(const gid_t *)a;
	gid_t other = *(const gid_t *)b;

	return (one > other) - (one < other);
}

void ids_sort(gid_t *list, size_t count)
{
	qsort(list, count, sizeof(*list), compare);
}

/* Sort a list and remove duplicates. Returns the new length. */
static size_t unique(gid_t *list, size_t count)
{
	size_t kept = 0;

	ids_sort(list, count);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || list[kept - 1] != list[i])
			list[kept++] = list[i];
	return kept;
}

bool ids_same(const gid_t *a, size_t na, const gid_t *b, size_t nb)
{
	return na == nb && memcmp(a, b, na * sizeof(*a)) == 0;
}

/* Skip the primary gid. Remove duplicates only when the list is full. */
static int add_group(struct target *t, gid_t gid, struct fault *f)
{
	if (gid == t->gid)
		return 0;
	if (t->ngroups == IDS_MAX_GROUPS)
		t->ngroups = unique(t->groups, t->ngroups);
	if (t->ngroups == IDS_MAX_GROUPS)
		return fault_set(f, EXIT_USAGE, 0,
				 "--groups: more than %d groups",
				 IDS_MAX_GROUPS);
	t->groups[t->ngroups++] = gid;
	return 0;
}

/*
 * Add the groups of "init", those that /etc/group gives the user (a uid without
 * a name has none), or of "runtime": an engine starts the first process as root
 * with what the image's /etc/group gives root (disk, wheel, ...), and adds what
 * the operator asked for: --group-add, fsGroup, supplementalGroups. Only the
 * latter are meant for the application.
 *
 * gid 0 is left out: neither a line of the image nor the engine must put the
 * application into root's group.
 */
static int add_listed(const struct ids_groups_spec *spec, struct target *t,
		      bool runtime, struct fault *f)
{
	static gid_t listed[IDS_MAX_GROUPS] SYS_LARGE;
	const char *name = runtime ? spec->root : t->name;
	const gid_t *groups = runtime ? spec->runtime : listed;
	ssize_t count = 0;
	size_t end;

	if (runtime ? spec->nruntime > 0 : *name)
		count = passwd_groups_of(spec->file, name, listed,
					 IDS_MAX_GROUPS);
	if (count < 0)
		return ids_unreadable(spec->file, f);
	if (count > IDS_MAX_GROUPS)
		return fault_set(f, EXIT_USAGE, 0,
				 "%s: %s has more than %d groups", spec->file,
				 name, IDS_MAX_GROUPS);
	ids_sort(listed, (size_t)count);
	end = runtime ? spec->nruntime : (size_t)count;
	for (size_t i = 0; i < end; i++)
		if (groups[i] != 0 &&
		    !(runtime && bsearch(&groups[i], listed, (size_t)count,
					 sizeof(gid_t), compare)) &&
		    add_group(t, groups[i], f) < 0)
			return -1;
	return 0;
}

int ids_resolve_groups(const struct ids_groups_spec *spec, struct target *t,
		       struct fault *f)
{
	static gid_t room[IDS_MAX_GROUPS] SYS_LARGE;
	const struct ids_word w = { .option = "groups", .value = spec->list,
				    .group = spec->file };
	struct slice rest = str_word(spec->list ? spec->list : "auto");
	gid_t gid;

	t->groups = room;
	t->ngroups = 0;
	if (str_is(rest, "none"))
		return 0;
	while (rest.at) {
		struct slice word = str_cut(&rest, ',');
		bool is_auto = str_is(word, "auto");
		bool init = str_is(word, "init") || (is_auto && spec->named);
		bool runtime = str_is(word, "runtime") || is_auto;

		if ((init && add_listed(spec, t, false, f) < 0) ||
		    (runtime && add_listed(spec, t, true, f) < 0))
			return -1;
		if (!init && !runtime && (ids_group(&w, word, &gid, f) < 0 ||
					  add_group(t, gid, f) < 0))
			return -1;
	}
	t->ngroups = unique(t->groups, t->ngroups);
	return 0;
}
