#include "drop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "caps.h"
#include "fault.h"
#include "plan.h"
#include "text.h"

void drop_describe(const struct plan *plan, struct text *out)
{
	const struct target *t = &plan->target;

	text_add(out, "uid %u", t->uid);
	if (t->name[0])
		text_add(out, " (%s)", t->name);
	text_add(out, ", gid %u, groups ", t->gid);
	for (size_t i = 0; i < t->ngroups; i++)
		text_add(out, "%s%u", i ? "," : "", t->groups[i]);
	text_add(out, "%s, capabilities ", t->ngroups ? "" : "none");
	caps_describe(plan->keep_caps, out);
	text_add(out, ", securebits locked, no_new_privs");
}

/*
 * A user namespace may know neither the id nor the call. EINVAL: the id has no
 * mapping (user_namespaces(7)).
 */
static int refused(struct fault *f, int cap)
{
	if (f->err == EINVAL)
		return fault_hint(f,
				  "this user namespace does not map that id (/proc/self/uid_map, gid_map); choose a mapped one or map more ids");
	return caps_hint(f, cap);
}

/*
 * Groups before gid before uid: each call needs the privilege that the next
 * one gives away (credentials(7)). The capabilities go last: setgroups() and
 * setresgid() need CAP_SETGID, setresuid() needs CAP_SETUID. setres*id() set
 * the filesystem ids as well.
 */
static int change_ids(const struct target *t, struct fault *f)
{
	if (setgroups(t->ngroups, t->groups) < 0) {
		fault_set(f, EXIT_STEP, errno, "set %zu supplementary groups",
			  t->ngroups);
		return refused(f, CAP_SETGID);
	}
	if (setresgid(t->gid, t->gid, t->gid) < 0) {
		fault_set(f, EXIT_STEP, errno, "set gid %u", t->gid);
		return refused(f, CAP_SETGID);
	}
	if (setresuid(t->uid, t->uid, t->uid) < 0) {
		fault_set(f, EXIT_STEP, errno, "set uid %u", t->uid);
		return refused(f, CAP_SETUID);
	}
	return 0;
}

/*
 * Leaving uid 0 clears the permitted set too, unless PR_SET_KEEPCAPS says
 * otherwise (capabilities(7), "Effect of user ID changes"). It must survive
 * until CAP_SETPCAP has emptied the bounding set. no_new_privs is last: it
 * needs nothing, and binds whatever is left.
 */
int drop_run(const struct plan *plan, struct run *run, struct fault *f)
{
	(void)run;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "keep capabilities over the change of uid");
	if (change_ids(&plan->target, f) < 0 ||
	    caps_reduce(plan->keep_caps, plan_supervisor_caps(plan), f) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "set no_new_privs");
	return 0;
}
