#include "steps.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/str.h"
#include "cred/caps.h"
#include "cred/ids.h"
#include "run/plan.h"

struct missing {
	const struct start *start;
	uint64_t caps;			/* bit n is capability n */
	struct text why;
};

/* Each capability is named once, with the first thing that needs it. */
static void need(struct missing *m, int cap, const char *verb,
		 const char *what)
{
	char name[CAPS_NAME_MAX];

	if (start_has(m->start, cap) || (m->caps & CAPS_BIT(cap)))
		return;
	caps_name(cap, name);
	text_add(&m->why, "%sCAP_%s to %s %s", m->caps ? ", " : "", name, verb,
		 what);
	m->caps |= CAPS_BIT(cap);
}

static void need_for_files(struct missing *m, const struct plan *plan)
{
	long open = plan->listen.count ? start_first_port() : 0;
	struct stat st;

	for (size_t i = 0; i < plan->listen.count; i++) {
		const struct listener *l = &plan->listen.listeners[i];

		if (l->address.any.sa_family != AF_UNIX &&
		    listener_port(l) < open)
			need(m, CAP_NET_BIND_SERVICE, "listen on", l->url);
		if (!start_has(m->start, CAP_NET_RAW) &&
		    (listener_has(l, LISTENER_TRANSPARENT) ||
		     listener_has(l, LISTENER_MARK)))
			need(m, CAP_NET_ADMIN, "listen on", l->url);
	}
	for (size_t i = 0; i < plan->own.ntrees; i++) {
		const struct own_tree *t = &plan->own.trees[i];

		if (!t->may_fail && !t->from.at && t->uid != (uid_t)-1 &&
		    lstat(t->path, &st) == 0 && st.st_uid != t->uid)
			need(m, CAP_CHOWN, "own", t->path);
	}
}

static void need_for_process(struct missing *m, const struct plan *plan)
{
	const struct start *s = m->start;
	const struct target *t = &plan->target;
	struct rlimit now;

	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (plan->limits.typed[i] && getrlimit(i, &now) == 0 &&
		    plan->limits.rlimits[i].rlim_max > now.rlim_max)
			need(m, CAP_SYS_RESOURCE, "raise",
			     plan->limits.typed[i]);
	if (t->gid != s->gid && t->gid != s->egid && t->gid != s->sgid)
		need(m, CAP_SETGID, "set", "the gid");
	if (!ids_same(t->groups, t->ngroups, s->groups, s->ngroups))
		need(m, CAP_SETGID, "set", "the groups");
	if (t->uid != s->uid && t->uid != s->euid && t->uid != s->suid)
		need(m, CAP_SETUID, "set", "the uid");
}

/*
 * With no_new_privs, a bounding set that cannot be reduced gives nothing.
 * Without it, a setuid-root program gets all of the set, whoever the user is.
 */
static int need_for_caps(struct missing *m, const struct plan *plan,
			 struct fault *f)
{
	uint64_t stays = plan->strict || plan->drop.allow_new_privs
				 ? drop_bounding(&plan->drop, plan->target.uid)
				 : UINT64_MAX;

	for (int cap = 0; cap < 64; cap++) {
		if (!(plan->drop.keep_caps >> cap & 1))
			continue;
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			return fault_set(f, EXIT_USAGE, 0,
					 "--keep-caps %d: no such capability "
					 "in this kernel", cap);
		need(m, cap, "keep", "it");
	}
	if (m->start->bounding & ~stays)
		need(m, CAP_SETPCAP, "empty", "the bounding set");
	return 0;
}

int needs_check(const struct plan *plan, struct fault *f)
{
	char why[sizeof(f->what)];
	struct missing m = { .start = &plan->start };

	text_start(&m.why, why, sizeof(why));
	need_for_files(&m, plan);
	need_for_process(&m, plan);
	if (need_for_caps(&m, plan, f) < 0)
		return -1;
	if (!m.caps)
		return 0;
	fault_set(f, EXIT_STEP, 0, "missing capabilities: %s", why);
	caps_missing(f, m.caps);
	return m.caps & CAPS_BIT(CAP_SYS_RESOURCE)
		       ? fault_hint(f, "docker run --ulimit raises one too")
		       : -1;
}
