#include "compat/names.h"

#include "config.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "base/text.h"
#include "cred/ids.h"
#include "cred/passwd.h"
#include "drop/limits.h"
#include "run/exec.h"
#include "run/init.h"

static const char gosu[] = "gosu", su_exec[] = "su-exec";

/* Who the command will be. */
struct peer {
	const char *name;	/* of the program: gosu or su_exec */
	const char *spec;	/* USER[:GROUP] as typed */
	uid_t uid;
	gid_t gid;
	char home[5 + USER_PATH_MAX];	/* HOME=... */
	size_t ngroups;
	gid_t groups[IDS_MAX_GROUPS];
	char *env[ENV_MAX];
};

/* In the peer's shape. Both end with 1, whatever failed. */
static int fail_as(const struct peer *p, const char *what, const char *why)
{
	char buffer[1024];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	if (p->name == gosu && p->spec)
		text_add(&out, "error: failed switching to '%s': ", p->spec);
	else
		text_add(&out, p->name == gosu ? "error: " : "su-exec: ");
	text_add(&out, "%s%s%s\n", what, why ? ": " : "", why ? why : "");
	(void)!write(STDERR_FILENO, out.start, out.length);
	return 1;
}

static int usage(const struct peer *p, int fd, int status)
{
	char buffer[256];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "Usage: %s user-spec command [args]\n"
		       "(stepdown " PACKAGE_VERSION ")\n", p->name);
	(void)!write(fd, out.start, out.length);
	return status;
}

/*
 * An empty user is who we are, an empty or missing group that of the user's
 * entry, else the gid that we have. Without a named group the user is in the
 * groups that /etc/group lists it in, gid 0 too.
 */
static int find_user(struct peer *p, struct slice word, struct slice group,
		     struct passwd_entry *user)
{
	char name[USER_NAME_MAX + 1];
	ssize_t count = 0;
	bool number;
	int found;

	if (!str_copy(word, name, sizeof(name)))
		return fail_as(p, "the user's name is too long", NULL);
	number = !*name || str_id(name, &p->uid);
	found = passwd_find_user(PASSWD_USERS, number ? NULL : name, p->uid,
				 user, NULL);
	if (found < 0)
		return fail_as(p, PASSWD_USERS, strerror(errno));
	if (!found && !number)
		return fail_as(p, "no matching entries in passwd file", NULL);
	strcpy(p->home, "HOME=");
	strcat(p->home, found ? user->home : "/");
	if (!found)
		return 0;
	p->uid = user->uid;
	p->gid = user->gid;
	if (!group.length)
		count = passwd_groups_of(PASSWD_GROUPS, user->name, p->groups,
					 IDS_MAX_GROUPS - 1);
	if (count < 0 || count >= IDS_MAX_GROUPS)
		return fail_as(p, PASSWD_GROUPS, strerror(errno));
	p->ngroups = (size_t)count;
	return 0;
}

static int find_group(struct peer *p, struct slice word)
{
	char name[USER_NAME_MAX + 1];
	int found;

	if (!word.length || (str_copy(word, name, sizeof(name)) &&
			     str_id(name, &p->gid)))
		return 0;
	found = word.length < sizeof(name)
			? passwd_find_group(PASSWD_GROUPS, name, &p->gid)
			: 0;
	if (found < 0)
		return fail_as(p, PASSWD_GROUPS, strerror(errno));
	return found ? 0 : fail_as(p, "no matching entries in group file",
				   NULL);
}

/* Groups before gid before uid; then root must not come back. */
static int change_to(const struct peer *p)
{
	bool was_root = geteuid() == 0;

	if (setgroups(p->ngroups, p->groups) < 0 ||
	    setresgid(p->gid, p->gid, p->gid) < 0 ||
	    setresuid(p->uid, p->uid, p->uid) < 0)
		return fail_as(p, "change ids", strerror(errno));
	if (was_root && p->uid != 0 && setresuid(0, 0, 0) == 0)
		return fail_as(p, "root came back after the drop", NULL);
	return 0;
}

/* HOME is set in any case, as the peers do; nothing else is. */
static int set_home(struct peer *p)
{
	size_t count = 0;

	for (char **at = environ; *at; at++)
		if (strncmp(*at, "HOME=", 5) != 0 &&
		    count < ARRAY_LEN(p->env) - 2)
			p->env[count++] = *at;
		else if (count == ARRAY_LEN(p->env) - 2)
			return -1;
	p->env[count] = p->home;
	return 0;
}

static int run(struct peer *p, char *const *argv)
{
	struct passwd_entry user;
	struct slice group, word;

	if (getauxval(AT_SECURE))
		return fail_as(p, "never with setuid or file capabilities",
			       NULL);
	if (argv[0] && (strcmp(argv[0], "--help") == 0 ||
			strcmp(argv[0], "-h") == 0))
		return usage(p, STDOUT_FILENO, 0);
	if (p->name == gosu && argv[0] && (strcmp(argv[0], "--version") == 0 ||
					   strcmp(argv[0], "-v") == 0)) {
		report_line("%s (stepdown)", PACKAGE_VERSION);
		return 0;
	}
	if (!argv[0] || !argv[1])
		return p->name == gosu ? usage(p, STDERR_FILENO, 1)
				       : usage(p, STDOUT_FILENO, 0);
	p->spec = argv[0];
	p->uid = getuid();
	p->gid = getgid();
	group = str_word(p->spec);
	word = str_cut(&group, ':');
	if (find_user(p, word, group, &user) != 0 || find_group(p, group) != 0)
		return 1;
	if (p->name == su_exec)
		p->groups[p->ngroups++] = p->gid;
	if (change_to(p) != 0)
		return 1;
	p->spec = NULL;
	if (set_home(p) < 0)
		return fail_as(p, "the environment", strerror(E2BIG));
	execvpe(argv[1], argv + 1, p->env);
	return fail_as(p, argv[1], strerror(errno));
}

int names_run(char *const argv[])
{
	static struct peer peer;	/* large, and mostly untouched */
	const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argv[0];

	if (name && argv[1] && strncmp(argv[1], "--as=", 5) == 0)
		name = *++argv + 5;
	if (!name)
		return -1;
	peer.name = strcmp(name, gosu) == 0 ? gosu :
		    strcmp(name, su_exec) == 0 ? su_exec : NULL;
	return peer.name ? run(&peer, argv + 1) : -1;
}

int names_keep(const struct init_spec *s, const struct launch *l,
	       struct fault *f)
{
	if (l->verbose)
		report_note("no --user: ids, capabilities and descriptors "
			    "stay");
	return limits_run(l->limits, f) < 0 ? -1 : init_run(s, l, f);
}
