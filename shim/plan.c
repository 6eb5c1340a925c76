#include "plan.h"

#include <string.h>

#include "fault.h"
#include "inherit.h"
#include "names.h"
#include "overlap.h"
#include "parse.h"
#include "pool.h"
#include "who.h"

/* Copy a part of the command line; false if it is too long to be a name. */
static bool copy_word(char *out, size_t size, const char *text, size_t length)
{
	if (length >= size)
		return false;
	memcpy(out, text, length);
	out[length] = '\0';
	return true;
}

/* The part before ':': fills uid, name and home, and gid if there is an entry. */
static int resolve_user(struct plan *plan, const char *word, bool has_group,
			const char *file, struct fault *f)
{
	struct target *t = &plan->target;
	struct names_user entry;
	uid_t uid = 0;
	bool number = parse_is_number(word);
	int found;

	if (number && !parse_id(word, &uid))
		return fault_set(f, EXIT_USAGE, 0,
				 "--user %s: %s is not a uid (0 to 4294967294)",
				 plan->user, word);
	found = *word ? names_find_user(file, number ? NULL : word, uid, &entry)
		      : 0;
	if (found < 0)
		return who_unreadable(file, f);
	if (found) {
		t->uid = entry.uid;
		t->gid = entry.gid;
		strcpy(t->name, entry.name);
		strcpy(t->home, entry.home[0] ? entry.home : "/");
		return 0;
	}
	if (!number) {
		fault_set(f, EXIT_USAGE, 0, "--user %s: no user '%s' in %s",
			  plan->user, word, file);
		return fault_hint(f,
				  "add the user to the image, or give numbers: --user=4242:4242");
	}
	if (!has_group) {
		fault_set(f, EXIT_USAGE, 0,
			  "--user %s: uid %s has no entry in %s that would tell its group",
			  plan->user, word, file);
		return fault_hint(f, "name the group too: --user=%s:%s", word,
				  word);
	}
	t->uid = uid;
	strcpy(t->home, "/");
	return 0;
}

/* USER[:GROUP] */
static int resolve_ids(struct plan *plan, const char *passwd,
		       const char *group, struct fault *f)
{
	const char *colon = strchr(plan->user, ':');
	size_t length = colon ? (size_t)(colon - plan->user)
			      : strlen(plan->user);
	char word[USER_NAME_MAX + 1];

	if (!copy_word(word, sizeof(word), plan->user, length))
		return fault_set(f, EXIT_USAGE, 0,
				 "--user %s: the name is longer than %d bytes",
				 plan->user, USER_NAME_MAX);
	if (resolve_user(plan, word, colon, passwd, f) < 0)
		return -1;
	if (!colon)
		return 0;
	return who_group("user", plan->user, colon + 1, group,
			     &plan->target.gid, f);
}

/* Keep each group once, and not the one that is the primary group anyway. */
static int add_group(struct plan *plan, gid_t gid, struct fault *f)
{
	struct target *t = &plan->target;

	if (gid == t->gid)
		return 0;
	for (size_t i = 0; i < t->ngroups; i++)
		if (t->groups[i] == gid)
			return 0;
	if (t->ngroups == PLAN_MAX_GROUPS)
		return fault_set(f, EXIT_USAGE, 0, "more than %d groups",
				 PLAN_MAX_GROUPS);
	t->groups[t->ngroups++] = gid;
	return 0;
}

/* The groups that /etc/group gives the user; a nameless uid has none. */
static int add_own_groups(struct plan *plan, const char *file, struct fault *f)
{
	gid_t groups[1024];
	ssize_t count;

	if (!plan->target.name[0])
		return 0;
	count = names_groups_of(file, plan->target.name, groups,
				ARRAY_LEN(groups));
	if (count < 0)
		return who_unreadable(file, f);
	if ((size_t)count > ARRAY_LEN(groups))
		return fault_set(f, EXIT_USAGE, 0,
				 "%s: %s is in %zd groups, more than %zu",
				 file, plan->target.name, count,
				 ARRAY_LEN(groups));
	for (ssize_t i = 0; i < count; i++)
		if (add_group(plan, groups[i], f) < 0)
			return -1;
	return 0;
}

static int resolve_groups(struct plan *plan, const char *file, struct fault *f)
{
	const char *at = plan->groups;

	if (!at)
		return add_own_groups(plan, file, f);
	if (strcmp(at, "none") == 0)
		return 0;
	for (;;) {
		size_t length = strcspn(at, ",");
		char word[USER_NAME_MAX + 1];
		gid_t gid;

		if (!copy_word(word, sizeof(word), at, length))
			return fault_set(f, EXIT_USAGE, 0,
					 "--groups %s: a name is longer than %d bytes",
					 plan->groups, USER_NAME_MAX);
		if (who_group("groups", plan->groups, word, file, &gid,
				  f) < 0 ||
		    add_group(plan, gid, f) < 0)
			return -1;
		if (!at[length])
			return 0;
		at += length + 1;
	}
}

/* Whose a socket with a path shall be: the target's, unless it says otherwise. */
static int resolve_listener(struct listener *l, const struct target *t,
			    const char *passwd, const char *group,
			    struct fault *f)
{
	char word[USER_NAME_MAX + 1];

	l->uid = t->uid;
	l->gid = t->gid;
	if (l->user.length &&
	    (!parse_copy(l->user, word, sizeof(word)) ||
	     who_user("listen", l->url, word, passwd, &l->uid, f) < 0))
		return -1;
	if (l->group.length &&
	    (!parse_copy(l->group, word, sizeof(word)) ||
	     who_group("listen", l->url, word, group, &l->gid, f) < 0))
		return -1;
	return 0;
}

/* UID[:GID] of --own=...,from= */
static int resolve_from(struct tree *t, const char *passwd, const char *group,
			struct fault *f)
{
	const char *colon = strchr(t->from, ':');
	char word[USER_NAME_MAX + 1];

	if (!copy_word(word, sizeof(word), t->from,
		       colon ? (size_t)(colon - t->from) : strlen(t->from)))
		return fault_set(f, EXIT_USAGE, 0,
				 "--own %s,from=%s: the name is longer than %d bytes",
				 t->path, t->from, USER_NAME_MAX);
	if (who_user("own", t->path, word, passwd, &t->from_uid, f) < 0)
		return -1;
	if (!colon)
		return 0;
	return who_group("own", t->path, colon + 1, group, &t->from_gid, f);
}

/* Whose each tree shall be; the default is the target, so this comes last. */
static int resolve_trees(struct plan *plan, const char *passwd,
			 const char *group, struct fault *f)
{
	for (size_t i = 0; i < plan->ntrees; i++) {
		struct tree *t = &plan->trees[i];

		t->uid = t->fsgroup ? (uid_t)-1 : plan->target.uid;
		t->gid = plan->target.gid;
		t->from_uid = (uid_t)-1;
		t->from_gid = (gid_t)-1;
		if ((t->user && who_user("own", t->path, t->user, passwd,
					 &t->uid, f) < 0) ||
		    (t->group && who_group("own", t->path, t->group, group,
					   &t->gid, f) < 0) ||
		    (t->from && resolve_from(t, passwd, group, f) < 0))
			return -1;
	}
	return 0;
}

int plan_resolve(struct plan *plan, const char *passwd, const char *group,
		 struct fault *f)
{
	struct names_user root;
	int found;

	if (!plan->user) {
		fault_set(f, EXIT_USAGE, 0, "--user is missing");
		return fault_hint(f,
				  "say who the application shall be: --user=4242:4242 or a name");
	}
	if (resolve_ids(plan, passwd, group, f) < 0)
		return -1;
	found = names_find_user(passwd, NULL, 0, &root);
	if (found < 0)
		return who_unreadable(passwd, f);
	strcpy(plan->root_home, found ? root.home : "/root");
	for (size_t i = 0; i < plan->nlisteners; i++)
		if (resolve_listener(&plan->listeners[i], &plan->target,
				     passwd, group, f) < 0)
			return -1;
	if (resolve_groups(plan, group, f) < 0)
		return -1;
	return resolve_trees(plan, passwd, group, f);
}

/* What is said to a parent is a mistake where none stays. */
static int check_init(const struct init *init, struct fault *f)
{
	bool any_rewrite = false;

	for (size_t i = 0; i < ARRAY_LEN(init->rewrite); i++)
		any_rewrite = any_rewrite || init->rewrite[i];
	if (init->drain && init->no_subreaper)
		return fault_set(f, EXIT_USAGE, 0,
				 "--drain: with --no-subreaper what is left would be another process's to reap");
	if (init->wanted)
		return 0;
	if (!init->signal_group && !init->no_subreaper && !any_rewrite &&
	    !init->stop_timeout && !init->drain && !init->nexits)
		return 0;
	return fault_set(f, EXIT_USAGE, 0, "--%s: only with --init",
			 init->signal_group ? "signal-group" :
			 init->no_subreaper ? "no-subreaper" :
			 any_rewrite ? "rewrite" :
			 init->stop_timeout ? "stop-timeout" :
			 init->drain ? "drain" : "map-exit");
}

int plan_check(const struct plan *plan, struct fault *f)
{
	if (!plan->command || !plan->command[0]) {
		fault_set(f, EXIT_USAGE, 0, "no command to run");
		return fault_hint(f,
				  "put it after the options: stepdown --user=4242:4242 -- nginx -g 'daemon off;'");
	}
	if (!plan->command[0][0])
		return fault_set(f, EXIT_USAGE, 0, "the command is empty");
	if (plan->target.uid == 0 && !plan->allow_root) {
		fault_set(f, EXIT_USAGE, 0, "--user %s: that is root",
			  plan->user);
		return fault_hint(f,
				  "name an unprivileged user, or add --allow-root if root is meant");
	}
	if (check_init(&plan->init, f) < 0)
		return -1;
	if (inherit_check(&plan->inherited, f) < 0)
		return -1;
	if (pool_check(plan, f) < 0)
		return -1;
	return overlap_check(plan, f);
}
