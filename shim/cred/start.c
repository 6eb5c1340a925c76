#include "cred/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"

/* The inode of the first user namespace (include/linux/proc_ns.h). */
static const ino_t first_namespace = 0xEFFFFFFDu;

int start_read(struct start *s, struct fault *f)
{
	static gid_t groups[IDS_MAX_GROUPS] SYS_LARGE;
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	int count = getgroups(IDS_MAX_GROUPS, groups);

	if (count < 0 || bits < 0 ||
	    getresuid(&s->uid, &s->euid, &s->suid) < 0 ||
	    getresgid(&s->gid, &s->egid, &s->sgid) < 0 ||
	    caps_held(&s->permitted, &s->effective) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "read our ids and capabilities");
	ids_sort(groups, (size_t)count);
	s->groups = groups;
	s->ngroups = (size_t)count;
	s->securebits = (unsigned int)bits;
	s->secure = getauxval(AT_SECURE) != 0;
	/* With CAP_SETPCAP it will be emptied: save 41 calls here. */
	if (!start_has(s, CAP_SETPCAP))
		s->bounding = caps_bounding(0);
	return 0;
}

/*
 * The file's privileges are meant for --user, but any process of the container
 * may execute the file. Another user must get nothing from it, no volume and no
 * port, and may still start the image as it starts without them.
 */
static int renounce(struct start *s, struct fault *f)
{
	if (setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "give up the setuid file's ids");
	return s->uid != 0 && caps_leave(0, f) < 0 ? -1 : start_read(s, f);
}

long start_first_port(void)
{
	char digits[8];

	if (!fs_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start",
		     digits, sizeof(digits)))
		return -1;
	return strtol(digits, NULL, 10);
}

/* Ignore the primary gid among the groups: some engines put it there. */
static bool are_the_groups(const struct target *t, const struct start *s)
{
	size_t at = 0;

	for (size_t i = 0; i < s->ngroups; i++)
		if (s->groups[i] != t->gid &&
		    (at == t->ngroups || t->groups[at++] != s->groups[i]))
			return false;
	return at == t->ngroups;
}

static int adapt(const struct start_spec *spec, struct start *s,
		 struct target *t, struct fault *f)
{
	struct passwd_entry user = { .uid = s->uid };

	if (s->uid == 0 && !spec->allow_root)
		return fault_set(f, EXIT_USAGE, 0,
				 "started as uid %u with root as real uid",
				 s->euid);
	if (t->uid == s->uid && start_has(s, CAP_SETGID))
		return 0;
	s->adapted = t->uid != s->uid || t->gid != s->gid ||
		     !are_the_groups(t, s);
	t->gid = s->gid;
	t->ngroups = s->ngroups;
	t->groups = s->groups;
	if (t->uid == s->uid)
		return 0;
	if (passwd_find(PASSWD_USERS, PASSWD_USER, NULL, s->uid, &user) < 0)
		return ids_unreadable(PASSWD_USERS, f);
	t->uid = s->uid;
	ids_describe(&user, t);
	return 0;
}

int start_settle(const struct start_spec *spec, struct start *s,
		 struct target *t, uint64_t *keep_caps, struct fault *f)
{
	const uint64_t bind = CAPS_BIT(CAP_NET_BIND_SERVICE);

	if (s->secure && s->uid != t->uid && renounce(s, f) < 0)
		return -1;
	/* File capabilities may be permitted but not effective. */
	if (s->permitted != s->effective &&
	    caps_set_effective(s->permitted) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "raise the file capabilities");
	if (s->euid == 0)
		return 0;
	if (spec->unprivileged == UNPRIVILEGED_FAIL) {
		fault_set(f, EXIT_USAGE, 0,
			  "--unprivileged fail: started as uid %u, not as root",
			  s->euid);
		return fault_lines(f, "--user=0",
				   "securityContext.runAsUser: 0");
	}
	if (adapt(spec, s, t, f) < 0)
		return -1;
	if ((*keep_caps & bind & ~s->permitted) && start_first_port() == 0)
		*keep_caps &= ~bind;
	return 0;
}

/*
 * The rules are those of execve(2) in capabilities(7). Under no_new_privs a
 * file gives only capabilities that the caller has: containerd and CRI-O start
 * a user with capabilities.add, podman and Docker with none. Those that were
 * given (secure) and are gone were given up by renounce().
 */
static void tell_of_lost_file_caps(const struct start_spec *spec,
				   const struct start *s)
{
	const char *file = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	struct statvfs fs;

	if (s->permitted || !file ||
	    getxattr(file, "security.capability", NULL, 0) <= 0)
		return;
	if (s->secure)
		report_note("file capabilities were given up: they are for "
			    "--user %s", spec->user);
	else if (statvfs(file, &fs) == 0 && (fs.f_flag & ST_NOSUID))
		report_note("file capabilities were not given: %s is on a "
			    "mount with nosuid", file);
	else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		report_note(
			"file capabilities were not given: under no_new_privs (allowPrivilegeEscalation: false) they must be in capabilities.add, and podman and Docker give none at all");
	else
		report_note("file capabilities were not given: the bounding "
			    "set lacks them; --cap-add, or capabilities.add");
}

void start_tell(const struct start_spec *spec, const struct start *s)
{
	if (s->euid == 0)
		return;
	if (s->adapted)
		report_note("not root: uid %u, gid %u and groups stay, "
			    "not --user %s", s->uid, s->gid, spec->user);
	tell_of_lost_file_caps(spec, s);
}

bool start_setgroups_denied(void)
{
	char word[8];

	return fs_read(AT_FDCWD, "/proc/self/setgroups", word, sizeof(word)) &&
	       strncmp(word, "deny", 4) == 0;
}

/*
 * fchown(2) reports EINVAL for an id that the user namespace does not map,
 * before it asks whether the caller may change the owner of fd at all.
 */
static int check_mapped(int fd, const char *kind, uid_t uid, gid_t gid,
			struct fault *f)
{
	if (fchown(fd, uid, gid) == 0 || errno != EINVAL)
		return 0;
	fault_set(f, EXIT_STEP, 0, "%s %u is not mapped (/proc/self/%s_map)",
		  kind, uid == (uid_t)-1 ? gid : uid, kind);
	return fault_hint(f, "map it: podman run --%smap, /etc/sub%s, "
			  "dockerd --userns-remap", kind, kind);
}

int start_check_maps(const struct target *t, const struct start *s,
		     struct fault *f)
{
	const bool same = ids_same(t->groups, t->ngroups, s->groups,
				   s->ngroups);
	int fd, result = 0;
	struct stat st;

	/* There, all are mapped. */
	if (stat("/proc/self/ns/user", &st) == 0 &&
	    st.st_ino == first_namespace)
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->uid != s->uid)
		result = check_mapped(fd, "uid", t->uid, (gid_t)-1, f);
	if (result == 0 && t->gid != s->gid)
		result = check_mapped(fd, "gid", (uid_t)-1, t->gid, f);
	for (size_t i = 0; result == 0 && !same && i < t->ngroups; i++)
		result = check_mapped(fd, "gid", (uid_t)-1, t->groups[i], f);
	close(fd);
	if (result < 0 || same || !start_setgroups_denied())
		return result;
	fault_set(f, EXIT_STEP, EPERM,
		  "set the groups (/proc/self/setgroups says deny)");
	return fault_hint(f,
			  "rootless engines need newgidmap and /etc/subgid");
}
