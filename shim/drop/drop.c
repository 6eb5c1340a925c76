#include "drop/drop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "cred/caps.h"
#include "cred/ids.h"
#include "cred/start.h"
#include "plan.h"

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
	if (start_has(&plan->start, CAP_SETPCAP))
		text_add(out, ", securebits locked");
	else
		text_add(out,
			 ", bounding set and securebits as they are (no CAP_SETPCAP)");
	text_add(out, plan->allow_new_privs ? "" : ", no_new_privs");
}

static bool changes_uid(const struct target *t, const struct start *s)
{
	return s->uid != t->uid || s->euid != t->uid || s->suid != t->uid;
}

static bool changes_gid(const struct target *t, const struct start *s)
{
	return s->gid != t->gid || s->egid != t->gid || s->sgid != t->gid;
}

/* number: an id, or how many they are; cap: what it takes. */
static int not_set(const struct plan *plan, const char *what, size_t number,
		   int cap, struct fault *f)
{
	int err = errno;

	if (ids_check_maps(plan, f) < 0)
		return -1;
	fault_set(f, EXIT_STEP, err, "set %s %zu", what, number);
	return caps_hint(f, cap);
}

/*
 * Groups before gid before uid: each call needs the privilege that the next
 * one gives away (credentials(7)). The capabilities go last: setgroups() and
 * setresgid() need CAP_SETGID, setresuid() needs CAP_SETUID. setres*id() set
 * the filesystem ids as well. What is right already is left alone, because a
 * process that is not root may not set even that.
 */
static int change_ids(const struct plan *plan, struct fault *f)
{
	const struct target *t = &plan->target;
	const struct start *s = &plan->start;

	if (!ids_same(t->groups, t->ngroups, s->groups, s->ngroups) &&
	    setgroups(t->ngroups, t->groups) < 0)
		return not_set(plan, "supplementary groups:", t->ngroups,
			       CAP_SETGID, f);
	if (changes_gid(t, s) && setresgid(t->gid, t->gid, t->gid) < 0)
		return not_set(plan, "gid", t->gid, CAP_SETGID, f);
	if (changes_uid(t, s) && setresuid(t->uid, t->uid, t->uid) < 0)
		return not_set(plan, "uid", t->uid, CAP_SETUID, f);
	return 0;
}

static int set_keepcaps(bool keep, struct fault *f)
{
	if (prctl(PR_SET_KEEPCAPS, keep, 0, 0, 0) == 0)
		return 0;
	return fault_set(f, EXIT_STEP, errno, "set PR_SET_KEEPCAPS");
}

static void warn_of_new_privs(struct fault *f)
{
	fault_set(f, EXIT_STEP, 0,
		  "--allow-new-privs: setuid programs can give privileges back");
	report_warning(f);
}

/*
 * Leaving uid 0 clears the permitted set too, unless PR_SET_KEEPCAPS says
 * otherwise (capabilities(7), "Effect of user ID changes"). It must survive
 * until CAP_SETPCAP has emptied the bounding set. no_new_privs is last: it
 * needs nothing, and binds whatever is left.
 */
int drop_run(const struct plan *plan, struct run *run, struct fault *f)
{
	const struct start *s = &plan->start;
	bool keeps = changes_uid(&plan->target, s) &&
		     !(s->securebits & SECBIT_NO_SETUID_FIXUP);

	(void)run;
	if (keeps && set_keepcaps(true, f) < 0)
		return -1;
	if (change_ids(plan, f) < 0 ||
	    caps_reduce(plan->keep_caps, plan_supervisor_caps(plan),
			plan->allow_new_privs, f) < 0)
		return -1;
	/* Locking the securebits has done that already. */
	if (keeps && !start_has(s, CAP_SETPCAP) && set_keepcaps(false, f) < 0)
		return -1;
	if (plan->allow_new_privs)
		warn_of_new_privs(f);
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "set no_new_privs");
	return 0;
}
