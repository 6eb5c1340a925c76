#include "cred/start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/report.h"
#include "cred/caps.h"
#include "cred/ids.h"
#include "cred/passwd.h"
#include "plan.h"

static uint64_t bit(int cap)
{
	return UINT64_C(1) << cap;
}

bool start_has(const struct start *s, int cap)
{
	return s->permitted & bit(cap);
}

int start_read(struct start *s, struct fault *f)
{
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	int count = getgroups((int)ARRAY_LEN(s->groups), s->groups);

	if (count < 0 || bits < 0 ||
	    getresuid(&s->uid, &s->euid, &s->suid) < 0 ||
	    getresgid(&s->gid, &s->egid, &s->sgid) < 0 ||
	    caps_held(&s->permitted, &s->effective) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "read our ids and capabilities");
	ids_sort(s->groups, (size_t)count);
	s->ngroups = (size_t)count;
	s->securebits = (unsigned int)bits;
	s->secure = getauxval(AT_SECURE) != 0;
	s->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	/* With it the set will be emptied, and 41 calls can be saved here. */
	if (!start_has(s, CAP_SETPCAP))
		s->bounding = caps_bounding();
	return 0;
}

/*
 * The file's privileges are meant for --user. Whoever else may execute it (any
 * process of the container may) must get nothing from it: no ownership of a
 * volume, no port. He may still start the image as it starts without them.
 */
static int renounce(struct start *s, struct fault *f)
{
	if (setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "give up the setuid file's ids");
	if (s->uid != 0 && caps_give_up(f) < 0)
		return -1;
	return start_read(s, f);
}

/* Who are we, if the uid stays? */
static int take_own_name(struct plan *plan, const char *passwd,
			 struct fault *f)
{
	struct target *t = &plan->target;
	struct passwd_entry entry;
	int found = passwd_find_user(passwd, NULL, plan->start.uid, &entry);

	if (found < 0)
		return ids_unreadable(passwd, f);
	t->uid = plan->start.uid;
	ids_describe(found ? &entry : NULL, t);
	return 0;
}

/*
 * A folder that we own or may write is as it should be: fsGroup, an emptyDir, a
 * group 0 that may write. access(2) asks for the real uid, which is what stays.
 */
static bool is_usable(const char *path, uid_t uid)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	return st.st_uid == uid ||
	       access(path, S_ISDIR(st.st_mode) ? W_OK | X_OK : W_OK) == 0;
}

static void pass_over_trees(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->ntrees; i++) {
		if (!is_usable(plan->trees[i].path, plan->target.uid))
			plan->trees[kept++] = plan->trees[i];
		else if (plan->verbose)
			report_note("own %s: passed over, uid %u may write it",
				 plan->trees[i].path, plan->target.uid);
	}
	plan->ntrees = kept;
}

/* Engines open low ports to everybody in the network of a container. */
static bool ports_are_open(void)
{
	char first[2];

	return fs_read(AT_FDCWD,
			   "/proc/sys/net/ipv4/ip_unprivileged_port_start",
			   first, sizeof(first)) &&
	       first[0] == '0';
}

/* The gid among the groups, where some engines put it too, means nothing. */
static bool are_the_groups(const struct target *t, const struct start *s)
{
	size_t at = 0;

	for (size_t i = 0; i < s->ngroups; i++)
		if (s->groups[i] != t->gid &&
		    (at == t->ngroups || t->groups[at++] != s->groups[i]))
			return false;
	return at == t->ngroups;
}

static int adapt(struct plan *plan, const char *passwd, struct fault *f)
{
	struct start *s = &plan->start;
	struct target *t = &plan->target;
	const uint64_t bind = bit(CAP_NET_BIND_SERVICE);

	if (s->uid == 0 && !plan->allow_root)
		return fault_set(f, EXIT_USAGE, 0,
				 "started as uid %u with root as real uid",
				 s->euid);
	if (t->uid != s->uid || !start_has(s, CAP_SETGID)) {
		s->adapted = t->uid != s->uid || t->gid != s->gid ||
			     !are_the_groups(t, s);
		t->gid = s->gid;
		t->ngroups = s->ngroups;
		memcpy(t->groups, s->groups,
		       s->ngroups * sizeof(s->groups[0]));
	}
	if (t->uid != s->uid && take_own_name(plan, passwd, f) < 0)
		return -1;
	if (!start_has(s, CAP_CHOWN))
		pass_over_trees(plan);
	if ((plan->drop.keep_caps & bind) && !(s->permitted & bind) &&
	    ports_are_open()) {
		plan->drop.keep_caps &= ~bind;
		if (plan->verbose)
			report_note("keep-caps: no port needs net_bind_service here");
	}
	return 0;
}

int start_settle(struct plan *plan, const char *passwd, struct fault *f)
{
	struct start *s = &plan->start;

	if (s->secure && s->uid != plan->target.uid) {
		if (renounce(s, f) < 0)
			return -1;
		if (plan->verbose)
			report_note("the file's privileges are for --user %s: given up",
				 plan->user);
	}
	if (s->euid == 0)
		return 0;
	if (plan->unprivileged == UNPRIVILEGED_FAIL) {
		fault_set(f, EXIT_USAGE, 0,
			  "--unprivileged fail: started as uid %u, not as root",
			  s->euid);
		return fault_hint(f, "%s", CAPS_START_AS_ROOT);
	}
	return adapt(plan, passwd, f);
}

/*
 * With no_new_privs a bounding set that cannot be emptied gives nothing. Without
 * it, a setuid program of root gets all of it, whoever the user is.
 */
static bool must_be_emptied(const struct plan *plan)
{
	return plan->strict || plan->drop.allow_new_privs;
}

/* What changes anything outside of this process comes before the drop. */
static bool has_side_effects(const struct plan *plan)
{
	return plan->listen.count > 0 || plan->ntrees > 0 || plan->own_stdio ||
	       plan->account.value;
}

int start_check(const struct plan *plan, struct fault *f)
{
	const struct start *s = &plan->start;

	if (caps_check(plan->drop.keep_caps, s->permitted, f) < 0)
		return -1;
	if (!start_has(s, CAP_SETPCAP) && 
	    (s->bounding & ~drop_bounding(&plan->drop, plan->target.uid)) &&
	    must_be_emptied(plan)) {
		fault_set(f, EXIT_STEP, EPERM, "empty the bounding set");
		return caps_hint(f, CAP_SETPCAP);
	}
	/* A look into /proc costs more than all else that is checked here. */
	if (has_side_effects(plan) || plan->action == ACTION_DRY_RUN)
		return ids_check_maps(&plan->target, s, f);
	return 0;
}

/* File capabilities that the kernel did not give have a reason. */
static void tell_of_lost_file_caps(const struct start *s)
{
	const char *file = (const char *)(uintptr_t)getauxval(AT_EXECFN);

	if (s->permitted || !file ||
	    getxattr(file, "security.capability", NULL, 0) <= 0)
		return;
	report_note("file capabilities were not given: %s",
		 s->no_new_privs
			 ? "no_new_privs is set (no-new-privileges, allowPrivilegeEscalation: false)"
			 : "bounding set, nosuid or another user");
}

void start_tell(const struct plan *plan)
{
	const struct start *s = &plan->start;

	if (s->euid == 0)
		return;
	if (s->adapted)
		report_note("not root: uid %u, gid %u and groups stay, not --user %s",
			 s->uid, s->gid, plan->user);
	tell_of_lost_file_caps(s);
}

int start_raise(const struct plan *plan, struct fault *f)
{
	const struct start *s = &plan->start;

	return s->permitted == s->effective ? 0 : caps_raise(s->permitted, f);
}
