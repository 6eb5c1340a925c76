#include "compat/names.h"

#include "config.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "cred/ids.h"
#include "cred/passwd.h"
#include "cred/start.h"
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
		text_add(&out, "%s: ", p->name == gosu ? "error" : p->name);
	text_add(&out, "%s%s%s\n", what, why ? ": " : "", why ? why : "");
	(void)!write(STDERR_FILENO, out.start, out.length);
	return 1;
}

static int usage(const struct peer *p, int fd, int status)
{
	char buffer[256];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "Usage: %s %s command [args]\n"
		       "(stepdown " PACKAGE_VERSION ")\n", p->name,
		 p->name == gosu || p->name == su_exec ? "user-spec"
						       : "[options]");
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
				 user);
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

	if (!str_copy(word, name, sizeof(name)))
		return fail_as(p, "the group's name is too long", NULL);
	if (!*name || str_id(name, &p->gid))
		return 0;
	found = passwd_find_group(PASSWD_GROUPS, name, &p->gid);
	if (found < 0)
		return fail_as(p, PASSWD_GROUPS, strerror(errno));
	return found ? 0 : fail_as(p, "no matching entries in group file",
				   NULL);
}

/* Groups before gid before uid, read back; and root must not come back. */
static int change_to(struct peer *p)
{
	bool was_root = geteuid() == 0;
	struct start now;
	struct fault ignored;

	if (setgroups(p->ngroups, p->groups) < 0 ||
	    setresgid(p->gid, p->gid, p->gid) < 0 ||
	    setresuid(p->uid, p->uid, p->uid) < 0)
		return fail_as(p, "change ids", strerror(errno));
	if (was_root && p->uid != 0 && setresuid(0, 0, 0) == 0)
		return fail_as(p, "root came back after the drop", NULL);
	ids_sort(p->groups, p->ngroups);
	return start_read(&now, &ignored) == 0 && now.gid == p->gid &&
	       now.egid == p->gid && now.sgid == p->gid && now.euid == p->uid &&
	       ids_same(now.groups, now.ngroups, p->groups, p->ngroups)
	       ? 0 : fail_as(p, "the ids are not what was set", NULL);
}

static int run(struct peer *p, char *const *argv)
{
	struct passwd_entry user;
	struct slice group = str_word(argv[0] ? argv[0] : "");
	struct slice word = str_cut(&group, ':');
	size_t count = 0;

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
	if (find_user(p, word, group, &user) != 0 || find_group(p, group) != 0)
		return 1;
	if (p->name == su_exec)
		p->groups[p->ngroups++] = p->gid;
	if (change_to(p) != 0)
		return 1;
	p->spec = NULL;
	/* HOME is set in any case, as the peers do; nothing else is. */
	for (char **at = environ; *at; at++) {
		if (count == ARRAY_LEN(p->env) - 2)
			return fail_as(p, "environment", strerror(E2BIG));
		p->env[count] = *at;
		count += strncmp(*at, "HOME=", 5) != 0;
	}
	p->env[count++] = p->home;
	p->env[count] = NULL;
	execvpe(argv[1], argv + 1, p->env);
	return fail_as(p, argv[1], strerror(errno));
}

/* Returns false if the value is none. */
static bool take_option(const struct names *n, char letter, const char *value)
{
	uint64_t status;

	n->init->no_subreaper &= letter != 's';
	n->init->signal_group |= letter == 'g';
	*n->verbose |= letter == 'v' || letter == 'w';
	if (letter == 'p')
		n->exec->pdeathsig = signals_parse(value, strlen(value));
	if (letter == 'e' && str_number(value, 0, 255, &status))
		n->init->exits[status] = 1;
	else if (letter == 'e')
		return false;
	return letter != 'p' || n->exec->pdeathsig;
}

/* Options as getopt(3) reads them; they end at the first other word. */
static int run_init(const struct peer *p, const char *letters,
		    char *const *at, const struct names *n)
{
	const char *word = "", *known, *value;
	int reaps = 0;

	n->init->wanted = true;
	n->init->no_subreaper = *letters == 's' &&
				!str_variable(environ, "TINI_SUBREAPER", 14);
	if (str_variable(environ, "TINI_KILL_PROCESS_GROUP", 23))
		n->init->signal_group = true;
	while (*word || (*at && **at == '-' && (*at)[1])) {
		if (!*word && strcmp(word = *at++, "--") == 0)
			break;
		if (strcmp(word, "--version") == 0) {	/* docker asks */
			report_line("tini version %s", PACKAGE_VERSION);
			return 0;
		}
		word += *word == '-';
		known = strchr(letters, *word++);
		value = known && known[1] == ':' ? word : NULL;
		if (value)
			word = "";
		if (value && !*value && *at)
			value = *at++;
		if (!known || *known == ':' ||
		    !take_option(n, *known, value))
			return usage(p, STDERR_FILENO, 1);
	}
	n->exec->command = at;
	if (!*at)
		return usage(p, STDERR_FILENO, 1);
	prctl(PR_GET_CHILD_SUBREAPER, &reaps, 0, 0, 0);
	if (n->init->no_subreaper && getpid() != 1 && !reaps)
		report_note("not process 1, no -s: zombie reaping won't work");
	return -1;
}

int names_run(char *const argv[], const struct names *n)
{
	static const char *const peers[][2] = {
		{ gosu, NULL }, { su_exec, NULL },
		{ "tini", "svwge:p:" }, { "docker-init", "svwge:p:" },
		{ "catatonit", "g" }, { "podman-init", "gs" }
	};
	static struct peer peer;	/* large, and mostly untouched */
	const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argv[0];
	size_t i = 0;

	if (name && argv[1] && strncmp(argv[1], "--as=", 5) == 0)
		name = *++argv + 5;
	while (name && i < ARRAY_LEN(peers) && strcmp(name, peers[i][0]) != 0)
		i++;
	if (!name || i == ARRAY_LEN(peers))
		return -1;
	peer.name = peers[i][0];
	if (getauxval(AT_SECURE))
		return fail_as(&peer, "never with setuid or file capabilities",
			       NULL);
	if (peers[i][1])
		return run_init(&peer, peers[i][1], argv + 1, n);
	signals_restore(n->signals);
	return run(&peer, argv + 1);
}

int names_keep(const struct init_spec *s, const struct launch *l,
	       struct fault *f)
{
	if (l->verbose)
		report_note("no --user: ids, capabilities, descriptors stay");
	return limits_run(l->limits, f) < 0 ? -1 : init_run(s, l, f);
}
