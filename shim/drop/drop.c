#include "drop/drop.h"

#include <endian.h>
#include <errno.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "cred/caps.h"
#include "cred/ids.h"
#include "cred/start.h"

static bool changes_uid(const struct target *t, const struct start *s)
{
	return s->uid != t->uid || s->euid != t->uid || s->suid != t->uid;
}

bool drop_read_bounding(const char *value, void *at)
{
	struct drop_spec *spec = at;

	spec->bounding_given = true;
	spec->bounding = UINT64_MAX;
	return strcmp(value, "keep") == 0 || caps_read(value, &spec->bounding);
}

uint64_t drop_bounding(const struct drop_spec *spec, uid_t uid)
{
	if (spec->bounding_given)
		return spec->keep_caps | spec->bounding;
	return spec->allow_new_privs && uid != 0 ? UINT64_MAX
						 : spec->keep_caps;
}

/* mode: as for access(2). A directory is no command. */
static bool search(const char *name, const char *path, int mode,
		   char file[PATH_MAX])
{
	for (const char *at = path ? path : DROP_DEFAULT_PATH;; at++) {
		int length = (int)strcspn(at, ":");
		struct stat st;
		struct text t;

		text_start(&t, file, PATH_MAX);
		text_add(&t, "%.*s%s%s", length, at, length ? "/" : "", name);
		if (!t.cut && access(file, mode) == 0 &&
		    stat(file, &st) == 0 && !S_ISDIR(st.st_mode))
			return true;
		at += length;
		if (!*at)
			return false;
	}
}

bool drop_find_command(const char *name, const char *path, char file[PATH_MAX])
{
	if (strchr(name, '/'))
		return name[0] == '/' &&
		       str_copy(str_word(name), file, PATH_MAX);
	return search(name, path, X_OK, file) || search(name, path, F_OK, file);
}

/*
 * What a file with the effective flag must get to be executed (capabilities(7),
 * "Safety checking for capability-dumb binaries"). Version 3 of the attribute
 * is longer, belongs to another user namespace and has no effect.
 */
static uint64_t file_caps(const char *file)
{
	struct vfs_cap_data data = { 0 };
	struct statvfs fs;

	if (getxattr(file, "security.capability", &data, sizeof(data)) <= 0 ||
	    !(le32toh(data.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE) ||
	    statvfs(file, &fs) < 0 || (fs.f_flag & ST_NOSUID))
		return 0;
	return le32toh(data.data[0].permitted) |
	       (uint64_t)le32toh(data.data[1].permitted) << 32;
}

int drop_check(const struct drop_spec *spec, uid_t uid, const char *command,
	       const char *path, struct fault *f)
{
	char file[PATH_MAX], names[256];
	uint64_t needed;
	struct text out;

	if (spec->allow_new_privs) {
		fault_set(f, EXIT_STEP, 0,
			  "--allow-new-privs: setuid programs work, and one of root has %s",
			  drop_bounding(spec, uid) == UINT64_MAX
				  ? "all capabilities of the container "
				    "(--bounding=LIST for fewer)"
				  : "those of --bounding and --keep-caps");
		report_warning(f);
	}
	if (!drop_find_command(command, path, file))
		return 0;
	needed = file_caps(file);
	needed &= ~(caps_bounding(~needed) & drop_bounding(spec, uid));
	if (!needed)
		return 0;
	text_start(&out, names, sizeof(names));
	caps_describe(needed, &out);
	fault_set(f, EXIT_NOEXEC, EPERM,
		  "execute %s: its file capabilities are %s=ep", file, names);
	return fault_hint(f,
			  "--bounding=%s starts it without them, --keep-caps=%s with them (and --cap-add where the container lacks them), or setcap -r %s in the image",
			  names, names, file);
}

void drop_describe(const struct drop_spec *spec, const struct target *t,
		   const struct start *s, struct text *out)
{
	text_add(out, "uid %u%s%s%s, gid %u, groups ", t->uid,
		 t->name[0] ? " (" : "", t->name, t->name[0] ? ")" : "",
		 t->gid);
	for (size_t i = 0; i < t->ngroups; i++)
		text_add(out, "%s%u", i ? "," : "", t->groups[i]);
	text_add(out, "%s, capabilities ", t->ngroups ? "" : "none");
	caps_describe(spec->keep_caps, out);
	if (!start_has(s, CAP_SETPCAP))
		text_add(out,
			 ", bounding set and securebits as they are (no CAP_SETPCAP)");
	else if (drop_bounding(spec, t->uid) != spec->keep_caps)
		text_add(out, ", more in the bounding set");
	if (changes_uid(t, s) && !spec->keep_keyring)
		text_add(out, ", a new session keyring");
	text_add(out, spec->allow_new_privs ? "" : ", no_new_privs");
}

/*
 * The session keyring survives a change of uid and execve(2), and its holder
 * may read its keys (session-keyring(7)). The new one counts against the quota
 * of root, a thousand times that of others. ENOSYS, EPERM: the kernel or a
 * seccomp profile refuses keyctl(2) to the application as well.
 */
static int leave_keyring(struct fault *f)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 ||
	    errno == ENOSYS || errno == EPERM)
		return 0;
	fault_set(f, EXIT_STEP, errno, "join a new session keyring");
	return fault_hint(f,
			  "raise kernel.keys.maxkeys of the host, or add --keep-keyring");
}

/* number: an id, or a count of ids; cap: what the call needs. */
static int not_set(const struct target *t, const struct start *s,
		   const char *what, size_t number, int cap, struct fault *f)
{
	int err = errno;

	if (start_check_maps(t, s, f) < 0)
		return -1;
	fault_set(f, EXIT_STEP, err, "set %s %zu", what, number);
	return caps_hint(f, cap);
}

/*
 * Set the groups whenever possible, even if getgroups(2) reported the right
 * ones: a filter may answer that call. Otherwise leave right groups alone,
 * because a process that is not root may not set them, nor may one in a user
 * namespace that denies it (user_namespaces(7)).
 */
static int change_groups(const struct target *t, const struct start *s,
			 struct fault *f)
{
	bool same = ids_same(t->groups, t->ngroups, s->groups, s->ngroups);

	if ((same && !start_has(s, CAP_SETGID)) ||
	    setgroups(t->ngroups, t->groups) == 0 ||
	    (same && errno == EPERM && start_setgroups_denied()))
		return 0;
	return not_set(t, s, "supplementary groups:", t->ngroups, CAP_SETGID,
		       f);
}

/*
 * Groups before gid before uid: each call needs the privilege that the next
 * one gives away (credentials(7)). The capabilities go last: setgroups() and
 * setresgid() need CAP_SETGID, setresuid() needs CAP_SETUID. setres*id() set
 * the filesystem ids as well.
 */
int drop_ids(const struct target *t, const struct start *s, struct fault *f)
{
	bool changes_gid = s->gid != t->gid || s->egid != t->gid ||
			   s->sgid != t->gid;

	if (change_groups(t, s, f) < 0)
		return -1;
	if (changes_gid && setresgid(t->gid, t->gid, t->gid) < 0)
		return not_set(t, s, "gid", t->gid, CAP_SETGID, f);
	if (changes_uid(t, s) && setresuid(t->uid, t->uid, t->uid) < 0)
		return not_set(t, s, "uid", t->uid, CAP_SETUID, f);
	return 0;
}

/*
 * Leaving uid 0 clears the permitted set too, unless PR_SET_KEEPCAPS is set
 * (capabilities(7), "Effect of user ID changes"). CAP_SETPCAP must stay until
 * it has emptied the bounding set. no_new_privs is last: it needs no privilege,
 * and restricts whatever is left.
 */
int drop_run(const struct drop_spec *spec, const struct target *t,
	     const struct start *s, uint64_t held, struct fault *f)
{
	bool keeps = changes_uid(t, s) &&
		     !(s->securebits & SECBIT_NO_SETUID_FIXUP);

	if (changes_uid(t, s) && !spec->keep_keyring && leave_keyring(f) < 0)
		return -1;
	if (keeps && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "keep capabilities");
	if (drop_ids(t, s, f) < 0 ||
	    caps_reduce(spec->keep_caps, held, drop_bounding(spec, t->uid),
			spec->allow_new_privs, f) < 0)
		return -1;
	if (keeps && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "unset KEEP_CAPS");
	if (!spec->allow_new_privs &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "set no_new_privs");
	return 0;
}
