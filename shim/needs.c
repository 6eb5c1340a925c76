#include "needs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/text.h"
#include "cred/caps.h"
#include "cred/ids.h"
#include "plan.h"

struct needs {
	const struct start *start;
	uint64_t missing;	/* bit n is capability n */
	struct text why;	/* for what */
};

/* As an engine and a manifest take it. */
static void add_name(struct text *out, int cap)
{
	struct slice name = caps_word(NULL, (size_t)cap);

	if (!name.at)
		text_add(out, "%d", cap);
	for (size_t i = 0; name.at && i < name.length; i++)
		text_add(out, "%c", name.at[i] == '_' ? '_'
						      : name.at[i] - 'a' + 'A');
}

/* Each capability is named once, with the first thing that takes it. */
static void need(struct needs *n, int cap, const char *verb, const char *what)
{
	uint64_t bit = UINT64_C(1) << cap;

	if (start_has(n->start, cap) || (n->missing & bit))
		return;
	text_add(&n->why, "%sCAP_", n->missing ? ", " : "");
	add_name(&n->why, cap);
	text_add(&n->why, " to %s %s", verb, what);
	n->missing |= bit;
}

static void need_for_ports(struct needs *n, const struct plan *plan)
{
	long open = plan->listen.count ? start_first_port() : 0;

	for (size_t i = 0; i < plan->listen.count; i++) {
		const struct listener *l = &plan->listen.listeners[i];

		/* sin_port and sin6_port are at the same place. */
		if (l->address.any.sa_family != AF_UNIX &&
		    ntohs(l->address.in.sin_port) < open)
			need(n, CAP_NET_BIND_SERVICE, "listen on", l->url);
	}
}

static void need_for_trees(struct needs *n, const struct plan *plan)
{
	for (size_t i = 0; i < plan->ntrees; i++) {
		const struct own_tree *t = &plan->trees[i];
		struct stat st;

		if (!t->may_fail && !t->from && t->uid != (uid_t)-1 &&
		    lstat(t->path, &st) == 0 && st.st_uid != t->uid)
			need(n, CAP_CHOWN, "own", t->path);
	}
}

static void need_for_ids(struct needs *n, const struct plan *plan)
{
	const struct start *s = n->start;
	const struct target *t = &plan->target;

	if (t->gid != s->gid && t->gid != s->egid && t->gid != s->sgid)
		need(n, CAP_SETGID, "set", "the gid");
	if (!ids_same(t->groups, t->ngroups, s->groups, s->ngroups))
		need(n, CAP_SETGID, "set", "the groups");
	if (t->uid != s->uid && t->uid != s->euid && t->uid != s->suid)
		need(n, CAP_SETUID, "set", "the uid");
}

/*
 * With no_new_privs a bounding set that cannot be reduced gives nothing.
 * Without it, a setuid program of root gets all of it, whoever the user is.
 */
static int need_for_caps(struct needs *n, const struct plan *plan,
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
		need(n, cap, "keep", "it");
	}
	if (n->start->bounding & ~stays)
		need(n, CAP_SETPCAP, "empty", "the bounding set");
	return 0;
}

static int hint_root(uint64_t missing, struct fault *f)
{
	char buffer[512];
	struct text out;
	const char *between = "";

	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "docker run");
	for (int cap = 0; cap < 64; cap++)
		if (missing >> cap & 1) {
			text_add(&out, " --cap-add=");
			add_name(&out, cap);
		}
	text_add(&out, ", or securityContext.capabilities.add: [");
	for (int cap = 0; cap < 64; cap++)
		if (missing >> cap & 1) {
			text_add(&out, "%s\"", between);
			add_name(&out, cap);
			text_add(&out, "\"");
			between = ", ";
		}
	text_add(&out, "]%s",
		 missing >> CAP_NET_BIND_SERVICE & 1
			 ? "; for ports also --sysctl net.ipv4.ip_unprivileged_port_start=0"
			 : "");
	return fault_hint(f, "%s", buffer);
}

int needs_check(const struct plan *plan, struct fault *f)
{
	char why[sizeof(f->what)];
	struct needs n = { .start = &plan->start };

	text_start(&n.why, why, sizeof(why));
	need_for_ports(&n, plan);
	need_for_trees(&n, plan);
	need_for_ids(&n, plan);
	if (need_for_caps(&n, plan, f) < 0)
		return -1;
	if (!n.missing)
		return 0;
	fault_set(f, EXIT_STEP, 0, "missing capabilities: %s", why);
	/* Who is not root gets none of them from an engine. */
	if (plan->start.euid != 0)
		return caps_hint(f, __builtin_ctzll(n.missing));
	return hint_root(n.missing, f);
}
