#include "plan.h"

#include <string.h>

#include "fault.h"
#include "names.h"
#include "parse.h"
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
	return resolve_groups(plan, group, f);
}

static int check_listeners(const struct plan *plan, struct fault *f)
{
	for (size_t i = 0; i < plan->nlisteners; i++)
		for (size_t j = 0; j < i; j++) {
			const struct listener *a = &plan->listeners[i];
			const struct listener *b = &plan->listeners[j];

			if (a->dual == b->dual &&
			    a->address_size == b->address_size &&
			    memcmp(&a->address, &b->address,
				   a->address_size) == 0)
				return fault_set(f, EXIT_USAGE, 0,
						 "--listen %s: given twice",
						 a->url);
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
	if (plan->handoff == HANDOFF_NGINX && plan->nlisteners == 0)
		return fault_set(f, EXIT_USAGE, 0,
				 "--handoff nginx: there is no --listen whose socket could be handed over");
	if (check_init(&plan->init, f) < 0)
		return -1;
	return check_listeners(plan, f);
}
