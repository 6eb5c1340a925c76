#include "plan.h"

#include <string.h>

#include "fault.h"
#include "groups.h"
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
	plan->named = !number;
	found = *word ? names_find_user(file, number ? NULL : word, uid, &entry)
		      : 0;
	if (found < 0)
		return who_unreadable(file, f);
	if (found) {
		t->uid = entry.uid;
		t->gid = entry.gid;
		who_describe(&entry, t);
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
	who_describe(NULL, t);
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
	return groups_resolve(plan, found ? root.name : "root", group, f);
}

int plan_resolve_owners(struct plan *plan, const char *passwd,
			const char *group, struct fault *f)
{
	for (size_t i = 0; i < plan->nlisteners; i++)
		if (resolve_listener(&plan->listeners[i], &plan->target,
				     passwd, group, f) < 0)
			return -1;
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

/* What is said to a parent is a mistake where none stays. */
static int check_init(const struct init *init, struct fault *f)
{
	const char *given = init->signal_group ? "signal-group" :
			    init->no_subreaper ? "no-subreaper" :
			    init->stop_timeout ? "stop-timeout" :
			    init->drain ? "drain" :
			    init->nexits ? "map-exit" : NULL;

	if (init->drain && init->no_subreaper)
		return fault_set(f, EXIT_USAGE, 0,
				 "--drain: not with --no-subreaper");
	for (size_t i = 0; !given && i < ARRAY_LEN(init->rewrite); i++)
		if (init->rewrite[i])
			given = "rewrite";
	if (init->wanted || !given)
		return 0;
	return fault_set(f, EXIT_USAGE, 0, "--%s: only with --init", given);
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
	if (plan->allow_new_privs && plan_brokers(plan))
		return fault_set(f, EXIT_USAGE, 0,
				 "--allow-new-privs: --handoff=bind and bind-own need no_new_privs for their seccomp filter");
	if (inherit_check(&plan->inherited, f) < 0)
		return -1;
	if (pool_check(plan, f) < 0)
		return -1;
	return overlap_check(plan, f);
}
