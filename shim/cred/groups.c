#include "cred/groups.h"

#include <string.h>

#include "base/fault.h"
#include "base/str.h"
#include "cred/passwd.h"
#include "cred/who.h"
#include "plan.h"

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
void groups_sort(gid_t *list, size_t count)
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

size_t groups_unique(gid_t *list, size_t count)
{
	size_t kept = 0;

	groups_sort(list, count);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || list[kept - 1] != list[i])
			list[kept++] = list[i];
	return kept;
}

bool groups_same(const gid_t *a, size_t na, const gid_t *b, size_t nb)
{
	return na == nb && memcmp(a, b, na * sizeof(*a)) == 0;
}

bool groups_have(const gid_t *list, size_t count, gid_t gid)
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
			 PLAN_MAX_GROUPS);
}

/* The list is sorted at the end, and when duplicates may have filled it. */
static int add(struct target *t, gid_t gid, struct fault *f)
{
	if (t->ngroups == PLAN_MAX_GROUPS)
		t->ngroups = groups_unique(t->groups, t->ngroups);
	if (t->ngroups == PLAN_MAX_GROUPS)
		return groups_have(t->groups, t->ngroups, gid) ? 0
							       : too_many(f);
	t->groups[t->ngroups++] = gid;
	return 0;
}

/* The groups that the file lists a name in, to the end of a list. */
static int collect(const char *file, const char *name, gid_t *list,
		   size_t *count, struct fault *f)
{
	size_t room = PLAN_MAX_GROUPS - *count;
	ssize_t found = names_groups_of(file, name, list + *count, room);

	if (found < 0)
		return who_unreadable(file, f);
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
	t->ngroups = groups_unique(t->groups, t->ngroups);
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
	count = groups_unique(roots, count);
	for (size_t i = 0; i < s->ngroups; i++)
		if (s->groups[i] != 0 &&
		    !groups_have(roots, count, s->groups[i]) &&
		    add(&plan->target, s->groups[i], f) < 0)
			return -1;
	return 0;
}

static int add_word(struct plan *plan, struct slice word, const char *root,
		    const char *file, struct fault *f)
{
	const struct who w = { "groups", plan->groups, NULL, file };
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
	if (who_group(&w, word, &gid, f) < 0)
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

int groups_resolve(struct plan *plan, const char *root, const char *file,
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
	t->ngroups = groups_unique(t->groups, t->ngroups);
	for (size_t i = 0; i < t->ngroups; i++)
		if (t->groups[i] != t->gid)
			t->groups[kept++] = t->groups[i];
	t->ngroups = kept;
	return 0;
}
