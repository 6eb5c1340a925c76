#include "cred/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "cred/start.h"

#define UID_MAP "/proc/self/uid_map"
#define GID_MAP "/proc/self/gid_map"

/* Of a map: 340 lines, since Linux 4.15. */
enum { MAP_SIZE = 340 * 34 + 1 };

/* The inode of the first user namespace (include/linux/proc_ns.h). */
static const ino_t first_namespace = 0xEFFFFFFDu;

int ids_unreadable(const char *path, struct fault *f)
{
	return fault_set(f, EXIT_STEP, errno, "read %s", path);
}

int ids_missing(const struct ids_word *w, const char *kind, const char *word,
		const char *file, struct fault *f)
{
	fault_set(f, EXIT_USAGE, 0, "--%s %s: no %s '%s' in %s", w->option,
		  w->value, kind, word, file);
	return fault_hint(f, "add it to the image, or give its number");
}

int ids_read(const struct ids_word *w, const char *kind, struct slice name,
	     char word[USER_NAME_MAX + 1], uint32_t *id, struct fault *f)
{
	if (!str_copy(name, word, USER_NAME_MAX + 1))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: a name is longer than %d bytes",
				 w->option, w->value, USER_NAME_MAX);
	if (!str_is_number(word))
		return 0;
	if (str_id(word, id))
		return 1;
	return fault_set(f, EXIT_USAGE, 0,
			 "--%s %s: %s is not a %cid (0 to 4294967294)",
			 w->option, w->value, word, kind[0]);
}

/* kind, file: as of ids_read() and ids_missing(). */
static int find_id(const struct ids_word *w, const char *kind,
		   const char *file, struct slice name, uint32_t *id,
		   struct fault *f)
{
	char word[USER_NAME_MAX + 1];
	struct passwd_entry user;
	int found = ids_read(w, kind, name, word, id, f);

	if (found != 0)
		return found < 0 ? -1 : 0;
	if (!*word)
		return ids_missing(w, kind, word, file, f);
	if (kind[0] == 'g') {
		found = passwd_find_group(file, word, id);
	} else {
		found = passwd_find_user(file, word, 0, &user);
		if (found > 0)
			*id = user.uid;
	}
	if (found < 0)
		return ids_unreadable(file, f);
	return found ? 0 : ids_missing(w, kind, word, file, f);
}

int ids_user(const struct ids_word *w, struct slice name, uid_t *uid,
	     struct fault *f)
{
	return find_id(w, "user", w->passwd, name, uid, f);
}

int ids_group(const struct ids_word *w, struct slice name, gid_t *gid,
	      struct fault *f)
{
	return find_id(w, "group", w->group, name, gid, f);
}

/* An empty home or shell has a meaning, see passwd(5) and login(1). */
void ids_describe(const struct passwd_entry *entry, struct target *t)
{
	strcpy(t->name, entry ? entry->name : "");
	strcpy(t->home, entry && entry->home[0] ? entry->home : "/");
	strcpy(t->shell, !entry		   ? "" :
			 entry->shell[0] ? entry->shell :
					   "/bin/sh");
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

/* Sort a list and remove what is there twice. Returns the new length. */
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

/* Is a gid in a sorted list? */
static bool is_in(const gid_t *list, size_t count, gid_t gid)
{
	return bsearch(&gid, list, count, sizeof(gid), compare);
}

static int too_many(struct fault *f)
{
	return fault_set(f, EXIT_USAGE, 0, "--groups: more than %d groups",
			 IDS_MAX_GROUPS);
}

/* The list is sorted at the end, and when duplicates may have filled it. */
static int add(struct target *t, gid_t gid, struct fault *f)
{
	if (t->ngroups == IDS_MAX_GROUPS)
		t->ngroups = unique(t->groups, t->ngroups);
	if (t->ngroups == IDS_MAX_GROUPS)
		return is_in(t->groups, t->ngroups, gid) ? 0 : too_many(f);
	t->groups[t->ngroups++] = gid;
	return 0;
}

/*
 * Append the groups that the file lists a name in, but for gid 0: a line of
 * the image must not make the application a member of root's group.
 */
static int collect(const char *file, const char *name, gid_t *list,
		   size_t *count, struct fault *f)
{
	size_t room = IDS_MAX_GROUPS - *count;
	gid_t *added = list + *count;
	ssize_t found = passwd_groups_of(file, name, added, room);

	if (found < 0)
		return ids_unreadable(file, f);
	if ((size_t)found > room)
		return too_many(f);
	for (ssize_t i = 0; i < found; i++)
		if (added[i] != 0)
			list[(*count)++] = added[i];
	return 0;
}

/* What /etc/group gives the user; a uid without a name has none there. */
static int add_init(const char *file, struct target *t, struct fault *f)
{
	if (!t->name[0])
		return 0;
	t->ngroups = unique(t->groups, t->ngroups);
	return collect(file, t->name, t->groups, &t->ngroups, f);
}

/*
 * An engine starts the first process as root with what the image's /etc/group
 * gives root (disk, wheel, ...), and adds what the operator asked for:
 * --group-add, fsGroup, supplementalGroups. Only the latter are meant for the
 * application.
 */
static int add_runtime(const char *root, const char *file, struct start *s,
		       struct target *t, struct fault *f)
{
	size_t count = 0;

	if (s->ngroups == 0)
		return 0;
	if (collect(file, root, s->roots, &count, f) < 0)
		return -1;
	count = unique(s->roots, count);
	for (size_t i = 0; i < s->ngroups; i++)
		if (s->groups[i] != 0 &&
		    !is_in(s->roots, count, s->groups[i]) &&
		    add(t, s->groups[i], f) < 0)
			return -1;
	return 0;
}

int ids_resolve_groups(const char *list, bool named, const char *root,
		       const char *group, struct start *s, struct target *t,
		       struct fault *f)
{
	const struct ids_word w = { "groups", list, NULL, group };
	struct slice rest = str_word(list ? list : "auto");
	size_t kept = 0;
	int result = 0;
	gid_t gid;

	t->ngroups = 0;
	if (str_is(rest, "none"))
		return 0;
	while (result == 0 && rest.at) {
		struct slice word = str_cut(&rest, ',');
		bool is_auto = str_is(word, "auto");

		if (!word.at[word.length])
			rest.at = NULL;
		if ((is_auto && named) || str_is(word, "init"))
			result = add_init(group, t, f);
		if (result == 0 && (is_auto || str_is(word, "runtime")))
			result = add_runtime(root, group, s, t, f);
		else if (result == 0 && !str_is(word, "init"))
			result = ids_group(&w, word, &gid, f) < 0
					 ? -1
					 : add(t, gid, f);
	}
	if (result < 0)
		return -1;
	t->ngroups = unique(t->groups, t->ngroups);
	for (size_t i = 0; i < t->ngroups; i++)
		if (t->groups[i] != t->gid)
			t->groups[kept++] = t->groups[i];
	t->ngroups = kept;
	return 0;
}

/*
 * A map is lines of three numbers: first id inside, first outside, how many.
 * It is empty until somebody writes it.
 */
static bool is_mapped(const char *path, uint32_t id)
{
	char map[MAP_SIZE];
	char *at = map;

	if (!fs_read(AT_FDCWD, path, map, sizeof(map)))
		return access(path, F_OK) < 0;
	while (*at) {
		unsigned long first = strtoul(at, &at, 10);

		strtoul(at, &at, 10);
		if (id >= first && id - first < strtoul(at, &at, 10))
			return true;
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return false;
}

static int check_map(const char *kind, const char *path, uint32_t id,
		     struct fault *f)
{
	if (is_mapped(path, id))
		return 0;
	fault_set(f, EXIT_STEP, 0, "%s %u is not mapped (%s)", kind, id, path);
	return fault_hint(f, "map it: podman run --%smap, /etc/sub%s, "
			  "dockerd --userns-remap", kind, kind);
}

int ids_check_maps(const struct target *t, const struct start *s,
		     struct fault *f)
{
	struct stat st;
	char word[8];

	if (stat("/proc/self/ns/user", &st) < 0 || st.st_ino == first_namespace)
		return 0;
	if (t->uid != s->uid && check_map("uid", UID_MAP, t->uid, f) < 0)
		return -1;
	if (t->gid != s->gid && check_map("gid", GID_MAP, t->gid, f) < 0)
		return -1;
	if (ids_same(t->groups, t->ngroups, s->groups, s->ngroups))
		return 0;
	for (size_t i = 0; i < t->ngroups; i++)
		if (check_map("gid", GID_MAP, t->groups[i], f) < 0)
			return -1;
	/* Whoever maps one gid without privilege gives setgroups(2) up. */
	if (!fs_read(AT_FDCWD, "/proc/self/setgroups", word, sizeof(word)) ||
	    memcmp(word, "deny", 4) != 0)
		return 0;
	fault_set(f, EXIT_STEP, EPERM,
		  "set the groups (/proc/self/setgroups says deny)");
	return fault_hint(f,
			  "rootless engines need newgidmap and /etc/subgid");
}
