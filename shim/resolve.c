#include "settle.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "cred/ids.h"
#include "cred/passwd.h"
#include "options.h"
#include "run/exec.h"
#include "run/plan.h"

/* Users type a blank, a comma or chown(1)'s dot instead of the colon. */
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
	struct passwd_entry entry;

	if (group.at && !group.length) {
		fault_set(f, EXIT_USAGE, 0,
			  "--user %s: no group stands after the colon",
			  plan->who.user);
		return fault_hint(f, "name one, or leave the colon out for "
				  "the group of /etc/passwd");
	}
	if (ids_user(w, user, &entry, f) < 0)
		return f->status == EXIT_USAGE
			       ? hint_colon(plan->who.user, f) : -1;
	plan->named = str_is(user, entry.name);
	t->uid = entry.uid;
	t->gid = entry.gid;
	ids_describe(&entry, t);
	if (group.at)
		return ids_group(w, group, &t->gid, f);
	if (t->gid != IDS_NO_GID)
		return 0;
	fault_set(f, EXIT_USAGE, 0, "--user %s: no group, and no entry in %s",
		  plan->who.user, w->passwd);
	return fault_hint(f, "name the group too: --user=%u:%u", t->uid,
			  t->uid);
}

/* A slice without .at was not given: its id stays as it is. */
static int resolve_pair(const struct ids_word *w, struct slice user,
			struct slice group, uid_t *uid, gid_t *gid,
			struct fault *f)
{
	struct passwd_entry entry;

	if (user.at) {
		if (ids_user(w, user, &entry, f) < 0)
			return -1;
		*uid = entry.uid;
	}
	return group.at ? ids_group(w, group, gid, f) : 0;
}

static int resolve_tree(struct own_tree *t, const struct target *target,
			struct ids_word *w, struct fault *f)
{
	struct slice group = t->from;
	const struct slice user = str_cut(&group, ':');

	w->option = "own";
	w->value = t->path;
	t->uid = t->fsgroup ? (uid_t)-1 : target->uid;
	t->gid = target->gid;
	t->from_uid = (uid_t)-1;
	t->from_gid = (gid_t)-1;
	if (resolve_pair(w, user, group, &t->from_uid, &t->from_gid, f) < 0)
		return -1;
	group = t->group;
	if (str_is(group, "keep")) {
		group.at = NULL;
		t->gid = (gid_t)-1;
	}
	return resolve_pair(w, t->user, group, &t->uid, &t->gid, f);
}

/*
 * Is root's entry needed? Its home tells root's HOME from one that was chosen
 * for the application, and its name finds root's groups in /etc/group. Most
 * starts have neither such a HOME nor such groups.
 */
static bool needs_root(const struct start *s)
{
	const char *home = str_variable(environ, "HOME", 4);

	return (s->ngroups && s->groups[s->ngroups - 1] != 0) ||
	       (home && !env_is_roots_home(home, "/root"));
}

int resolve_target(struct plan *plan, const char *passwd, const char *group,
		 struct fault *f)
{
	struct passwd_entry root = { .name = "root", .home = "/root" };
	const struct ids_word w = { "user", plan->who.user, passwd, group };
	struct ids_groups_spec groups;

	if (!plan->who.user) {
		fault_set(f, EXIT_USAGE, 0, "--user is missing");
		return fault_hint(f, "give --user=4242:4242, or a name");
	}
	if (resolve_ids(plan, &w, f) < 0)
		return -1;
	if (needs_root(&plan->start) &&
	    passwd_find(passwd, PASSWD_USER, NULL, 0, &root) < 0)
		return ids_unreadable(passwd, f);
	strcpy(plan->root_home, root.home);
	groups = (struct ids_groups_spec){
		.list = plan->groups,
		.named = plan->named,
		.root = root.name,
		.file = group,
		.runtime = plan->start.groups,
		.nruntime = plan->start.ngroups
	};
	return ids_resolve_groups(&groups, &plan->target, f);
}

/*
 * Without CAP_CHOWN, skip the trees that the user owns or may write: fsGroup,
 * an emptyDir, a group 0 that may write. access(2) checks the real uid, which
 * is the one that stays.
 */
static void pass_over_trees(struct own_spec *own, uid_t uid)
{
	size_t kept = 0;
	struct stat st;

	for (size_t i = 0; i < own->ntrees; i++) {
		const char *path = own->trees[i].path;

		if (stat(path, &st) < 0 ||
		    (st.st_uid != uid &&
		     access(path, S_ISDIR(st.st_mode) ? W_OK | X_OK : W_OK)))
			own->trees[kept++] = own->trees[i];
		else if (own->verbose)
			report_note("own %s: passed over, uid %u may write it",
				    path, uid);
	}
	own->ntrees = kept;
}

int resolve_owners(struct plan *plan, const char *passwd,
			const char *group, struct fault *f)
{
	struct ids_word w = { .passwd = passwd, .group = group };

	if (plan->start.euid != 0 && !start_has(&plan->start, CAP_CHOWN))
		pass_over_trees(&plan->own, plan->target.uid);
	w.option = "listen";
	for (size_t i = 0; i < plan->listen.count; i++) {
		struct listener *l = &plan->listen.listeners[i];

		w.value = l->url;
		l->uid = plan->target.uid;
		l->gid = plan->target.gid;
		if (resolve_pair(&w, l->word[LISTENER_USER],
				 l->word[LISTENER_GROUP], &l->uid, &l->gid,
				 f) < 0)
			return -1;
	}
	for (size_t i = 0; i < plan->own.ntrees; i++)
		if (resolve_tree(&plan->own.trees[i], &plan->target, &w, f) < 0)
			return -1;
	return 0;
}
