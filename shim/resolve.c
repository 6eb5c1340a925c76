#include "resolve.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/str.h"
#include "cred/ids.h"
#include "cred/passwd.h"
#include "expand.h"
#include "plan.h"

/* The colon is where people put a blank, a comma or the dot of chown(1). */
static int hint_colon(const char *value, struct fault *f)
{
	size_t uid = strspn(value, "0123456789");
	const char *gid = value + uid + 1;

	if (!uid || !value[uid] || !strchr(" ,.", value[uid]) ||
	    !str_is_number(gid))
		return expand_hint(value, f);
	return fault_hint(f, "did you mean --user=%.*s:%s?", (int)uid, value,
			  gid);
}

/* USER[:GROUP], or of:PATH */
static int resolve_ids(struct plan *plan, const struct ids_word *w,
		       struct fault *f)
{
	struct target *t = &plan->target;
	struct slice group = str_word(plan->who.user);
	struct slice user = str_cut(&group, ids_is_owner(group) ? '\0' : ':');
	bool has_group = user.at[user.length];
	struct passwd_entry entry;

	if (has_group && !group.length) {
		fault_set(f, EXIT_USAGE, 0,
			  "--user %s: no group stands after the colon",
			  plan->who.user);
		return fault_hint(f, "name one, or leave the colon out for "
				  "the group of /etc/passwd");
	}
	if (ids_user(w, user, &entry, f) < 0)
		return f->status == EXIT_USAGE ? hint_colon(plan->who.user, f) : -1;
	plan->named = str_is(user, entry.name);
	t->uid = entry.uid;
	t->gid = entry.gid;
	ids_describe(&entry, t);
	if (has_group)
		return ids_group(w, group, &t->gid, f);
	if (t->gid != IDS_NO_GID)
		return 0;
	fault_set(f, EXIT_USAGE, 0, "--user %s: no group, and no entry in %s",
		  plan->who.user, w->passwd);
	return fault_hint(f, "name the group too: --user=%u:%u", t->uid,
			  t->uid);
}

static int resolve_uid(const struct ids_word *w, struct slice name, uid_t *uid,
		       struct fault *f)
{
	struct passwd_entry user;

	if (ids_user(w, name, &user, f) < 0)
		return -1;
	*uid = user.uid;
	return 0;
}

/* The owner of a socket with a path: the target, unless it says otherwise. */
static int resolve_listener(struct listener *l, const struct target *t,
			    struct ids_word *w, struct fault *f)
{
	w->option = "listen";
	w->value = l->url;
	l->uid = t->uid;
	l->gid = t->gid;
	if (l->user.length && resolve_uid(w, l->user, &l->uid, f) < 0)
		return -1;
	return l->group.length ? ids_group(w, l->group, &l->gid, f) : 0;
}

/* UID[:GID] of --own=...,from= */
static int resolve_from(struct own_tree *t, const struct ids_word *w,
			struct fault *f)
{
	struct slice group = str_word(t->from);
	struct slice user = str_cut(&group, ':');

	if (resolve_uid(w, user, &t->from_uid, f) < 0)
		return -1;
	return user.at[user.length] ? ids_group(w, group, &t->from_gid, f) : 0;
}

static int resolve_tree(struct own_tree *t, const struct target *target,
			struct ids_word *w, struct fault *f)
{
	w->option = "own";
	w->value = t->path;
	t->uid = t->fsgroup ? (uid_t)-1 : target->uid;
	t->gid = target->gid;
	t->from_uid = (uid_t)-1;
	t->from_gid = (gid_t)-1;
	if (t->user && resolve_uid(w, str_word(t->user), &t->uid, f) < 0)
		return -1;
	if (t->group && strcmp(t->group, "keep") == 0)
		t->gid = (gid_t)-1;
	else if (t->group && ids_group(w, str_word(t->group), &t->gid, f) < 0)
		return -1;
	return t->from ? resolve_from(t, w, f) : 0;
}

int resolve_target(struct plan *plan, const char *passwd, const char *group,
		 struct fault *f)
{
	const struct ids_word w = { "user", plan->who.user, passwd, group };
	struct passwd_entry root;
	struct ids_groups_spec groups;
	int found;

	if (!plan->who.user) {
		fault_set(f, EXIT_USAGE, 0, "--user is missing");
		return fault_hint(f, "give --user=4242:4242, or a name");
	}
	if (resolve_ids(plan, &w, f) < 0)
		return -1;
	found = passwd_find_user(passwd, NULL, 0, &root);
	if (found < 0)
		return ids_unreadable(passwd, f);
	strcpy(plan->root_home, found ? root.home : "/root");
	groups = (struct ids_groups_spec){
		.list = plan->groups,
		.named = plan->named,
		.root = found ? root.name : "root",
		.file = group,
		.runtime = plan->start.groups,
		.nruntime = plan->start.ngroups,
		.roots = plan->start.roots
	};
	return ids_resolve_groups(&groups, &plan->target, f);
}

/*
 * A directory that we own or may write is as it should be: fsGroup, an
 * emptyDir, a group 0 that may write. access(2) asks for the real uid, which is
 * the one that stays.
 */
static bool is_usable(const char *path, uid_t uid)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	return st.st_uid == uid ||
	       access(path, S_ISDIR(st.st_mode) ? W_OK | X_OK : W_OK) == 0;
}

/* Who may not change owners needs none changed where the owner is right. */
static void pass_over_trees(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->own.ntrees; i++) {
		if (!is_usable(plan->own.trees[i].path, plan->target.uid))
			plan->own.trees[kept++] = plan->own.trees[i];
		else if (plan->verbose)
			report_note("own %s: passed over, uid %u may write it",
				    plan->own.trees[i].path, plan->target.uid);
	}
	plan->own.ntrees = kept;
}

int resolve_owners(struct plan *plan, const char *passwd,
			const char *group, struct fault *f)
{
	struct ids_word w = { .passwd = passwd, .group = group };

	if (plan->start.euid != 0 && !start_has(&plan->start, CAP_CHOWN))
		pass_over_trees(plan);
	for (size_t i = 0; i < plan->listen.count; i++)
		if (resolve_listener(&plan->listen.listeners[i], &plan->target,
				     &w, f) < 0)
			return -1;
	for (size_t i = 0; i < plan->own.ntrees; i++)
		if (resolve_tree(&plan->own.trees[i], &plan->target, &w, f) < 0)
			return -1;
	return 0;
}
