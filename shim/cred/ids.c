#include "cred/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "cred/passwd.h"
#include "plan.h"

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
static int find_id(const struct ids_word *w, const char *kind, const char *file,
		struct slice name, uint32_t *id, struct fault *f)
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

/* Let list[at] sink until neither of its children is greater. */
static void sink(gid_t *list, size_t at, size_t count)
{
	gid_t gid = list[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && list[child + 1] > list[child])
			child++;
		if (list[child] <= gid)
			break;
		list[at] = list[child];
	}
	list[at] = gid;
}

/* A heap sort: that of the C library is a fortieth of the whole binary. */
void ids_sort(gid_t *list, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sink(list, i, count);
	while (count > 1) {
		gid_t last = list[--count];

		list[count] = list[0];
		list[0] = last;
		sink(list, 0, count);
	}
}

size_t ids_unique(gid_t *list, size_t count)
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

bool ids_have(const gid_t *list, size_t count, gid_t gid)
{
	size_t first = 0;

	while (first < count) {
		size_t middle = first + (count - first) / 2;

		if (list[middle] == gid)
			return true;
		if (list[middle] < gid)
			first = middle + 1;
		else
			count = middle;
	}
	return false;
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
		t->ngroups = ids_unique(t->groups, t->ngroups);
	if (t->ngroups == IDS_MAX_GROUPS)
		return ids_have(t->groups, t->ngroups, gid) ? 0
							       : too_many(f);
	t->groups[t->ngroups++] = gid;
	return 0;
}

/* The groups that the file lists a name in, to the end of a list. */
static int collect(const char *file, const char *name, gid_t *list,
		   size_t *count, struct fault *f)
{
	size_t room = IDS_MAX_GROUPS - *count;
	ssize_t found = passwd_groups_of(file, name, list + *count, room);

	if (found < 0)
		return ids_unreadable(file, f);
	if ((size_t)found > room)
		return too_many(f);
	*count += (size_t)found;
	return 0;
}

/* What /etc/group gives the user; a uid without a name has none there. */
static int add_init(struct plan *plan, const char *file, struct fault *f)
{
	struct target *t = &plan->target;

	if (!t->name[0])
		return 0;
	t->ngroups = ids_unique(t->groups, t->ngroups);
	return collect(file, t->name, t->groups, &t->ngroups, f);
}

/*
 * An engine starts the first process as root with what the image's /etc/group
 * gives root (disk, wheel, ...), and adds what the operator asked for:
 * --group-add, fsGroup, supplementalGroups. Only the latter are meant for the
 * application.
 */
static int add_runtime(struct plan *plan, const char *root, const char *file,
		       struct fault *f)
{
	gid_t *roots = plan->start.roots;
	const struct start *s = &plan->start;
	size_t count = 0;

	if (s->ngroups == 0)
		return 0;
	if (collect(file, root, roots, &count, f) < 0)
		return -1;
	count = ids_unique(roots, count);
	for (size_t i = 0; i < s->ngroups; i++)
		if (s->groups[i] != 0 &&
		    !ids_have(roots, count, s->groups[i]) &&
		    add(&plan->target, s->groups[i], f) < 0)
			return -1;
	return 0;
}

static int add_word(struct plan *plan, struct slice word, const char *root,
		    const char *file, struct fault *f)
{
	const struct ids_word w = { "groups", plan->groups, NULL, file };
	bool is_auto = str_is(word, "auto");
	gid_t gid;

	if (is_auto || str_is(word, "runtime")) {
		if (is_auto && plan->named &&
		    add_init(plan, file, f) < 0)
			return -1;
		return add_runtime(plan, root, file, f);
	}
	if (str_is(word, "init"))
		return add_init(plan, file, f);
	if (ids_group(&w, word, &gid, f) < 0)
		return -1;
	return add(&plan->target, gid, f);
}

/* Each word of the list, which has at least one, perhaps an empty one. */
static int add_words(struct plan *plan, const char *list, const char *root,
		     const char *file, struct fault *f)
{
	struct slice rest = str_word(list);
	struct slice word;

	do {
		word = str_cut(&rest, ',');
		if (add_word(plan, word, root, file, f) < 0)
			return -1;
	} while (word.at[word.length]);
	return 0;
}

int ids_resolve_groups(struct plan *plan, const char *root, const char *file,
		   struct fault *f)
{
	struct target *t = &plan->target;
	const char *list = plan->groups ? plan->groups : "auto";
	size_t kept = 0;

	t->ngroups = 0;
	if (strcmp(list, "none") == 0)
		return 0;
	if (add_words(plan, list, root, file, f) < 0)
		return -1;
	t->ngroups = ids_unique(t->groups, t->ngroups);
	for (size_t i = 0; i < t->ngroups; i++)
		if (t->groups[i] != t->gid)
			t->groups[kept++] = t->groups[i];
	t->ngroups = kept;
	return 0;
}

/* 340 lines of three numbers, since Linux 4.15; five of them before. */
enum { MAP_SIZE = 340 * 34 + 1 };

/* The number of the first user namespace (include/linux/proc_ns.h). */
static const ino_t first_namespace = 0xEFFFFFFDu;

/* Read a file of /proc, which may come in parts. -1 with errno. */
static ssize_t read_whole(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -1;
	while (got > 0 && length < size) {
		got = read(fd, buffer + length, size - length);
		if (got > 0)
			length += (size_t)got;
	}
	close(fd);
	return got < 0 ? -1 : (ssize_t)length;
}

/* The next number of a line, or false at its end. */
static bool next_number(const char **at, const char *end, uint64_t *number)
{
	bool found = false;

	*number = 0;
	while (*at < end && **at == ' ')
		(*at)++;
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		*number = *number * 10 + (uint64_t)(**at - '0');
		found = true;
	}
	return found;
}

bool ids_map_holds(const char *map, size_t length, uint32_t id)
{
	const char *end = map + length;

	while (map < end) {
		const char *line_end = memchr(map, '\n', (size_t)(end - map));
		uint64_t first, outside, count;

		if (!line_end)
			line_end = end;
		if (next_number(&map, line_end, &first) &&
		    next_number(&map, line_end, &outside) &&
		    next_number(&map, line_end, &count) && id >= first &&
		    id - first < count)
			return true;
		map = line_end + 1;
	}
	return false;
}

static int unmapped(const char *kind, uint32_t id, const char *file,
		    struct fault *f)
{
	fault_set(f, EXIT_STEP, 0,
		  "%s %u is not mapped (%s)", kind, id,
		  file);
	return fault_hint(f,
			  "map it: podman run --%smap, /etc/sub%s, dockerd --userns-remap",
			  kind, kind);
}

/* Each of the ids must be in the map; without a map nothing is known. */
static int check_map(const char *kind, const char *file, const uint32_t *ids,
		     size_t count, struct fault *f)
{
	char map[MAP_SIZE];
	ssize_t length = read_whole(file, map, sizeof(map));

	for (size_t i = 0; length >= 0 && i < count; i++)
		if (!ids_map_holds(map, (size_t)length, ids[i]))
			return unmapped(kind, ids[i], file, f);
	return 0;
}

/*
 * A process without privilege may map one gid only if it gives setgroups(2) up
 * for its namespace (CVE-2014-8989).
 */
static int check_setgroups(struct fault *f)
{
	char word[8];
	ssize_t length = read_whole("/proc/self/setgroups", word, sizeof(word));

	if (length < 4 || memcmp(word, "deny", 4) != 0)
		return 0;
	fault_set(f, EXIT_STEP, EPERM,
		  "set the groups (/proc/self/setgroups says deny)");
	return fault_hint(f,
			  "rootless engines need newgidmap and /etc/subgid");
}

int ids_check_maps(const struct target *t, const struct start *s,
		   struct fault *f)
{
	struct stat st;

	if (stat("/proc/self/ns/user", &st) < 0 || st.st_ino == first_namespace)
		return 0;
	if (t->uid != s->uid &&
	    check_map("uid", "/proc/self/uid_map", &t->uid, 1, f) < 0)
		return -1;
	if (t->gid != s->gid &&
	    check_map("gid", "/proc/self/gid_map", &t->gid, 1, f) < 0)
		return -1;
	if (ids_same(t->groups, t->ngroups, s->groups, s->ngroups))
		return 0;
	if (check_map("gid", "/proc/self/gid_map", t->groups, t->ngroups, f) < 0)
		return -1;
	return check_setgroups(f);
}
