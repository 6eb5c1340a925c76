#include "compat/names.h"

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/sys.h"
#include "cred/start.h"
#include "drop/drop.h"
#include "drop/verify.h"
#include "run/signals.h"

/* The options of each init. */
static const char tini[] = "svwgephlV", catatonit[] = "sghLPV",
		  dumb_init[] = "hvVcr";

static const struct peer {
	const char *name;
	const char *letters;	/* NULL: it drops */
} peers[] = {
	{ "gosu", NULL }, { "su-exec", NULL }, { "tini", tini },
	{ "docker-init", tini }, { "catatonit", catatonit },
	{ "podman-init", catatonit }, { "dumb-init", dumb_init }
};

/* Each behind its letter. */
static const char *const long_names[] = {
	"c" "single-child", "r" "rewrite", "v" "verbose", "h" "help",
	"V" "version"
};

/* What a letter is in our options, and NO + a letter: where it is not given. */
enum { NO = 128 };

static const struct row {
	const char *letters;	/* of the init */
	int letter;
	const char *name;
	const char *value;	/* of NO; of a letter: what ends theirs */
	const char *variable;	/* gives the letter, if it begins like this */
} rows[] = {
	{ tini, NO + 's', "no-subreaper", NULL, "TINI_SUBREAPER=" },
	{ tini, 'g', "signal-group", NULL, "TINI_KILL_PROCESS_GROUP=" },
	{ tini, 'v', "verbose", NULL, "TINI_VERBOSITY=2" },
	{ tini, 'w', "verbose", NULL, "TINI_VERBOSITY=3" },
	{ tini, 'e', "map-exit", ":0", NULL },
	{ tini, 'p', "pdeathsig", "", NULL },
	{ catatonit, 'g', "signal-group", NULL, NULL },
	{ dumb_init, 'v', "verbose", NULL, "DUMB_INIT_DEBUG=1" },
	{ dumb_init, 'r', "rewrite", "", NULL },
	{ dumb_init, NO + 'c', "setsid", NULL, "DUMB_INIT_SETSID=0" },
	{ dumb_init, NO + 'c', "signal-group", NULL, NULL },
	{ dumb_init, NO + 'c', "rewrite", "TSTP:STOP", NULL },
	{ dumb_init, NO + 'c', "rewrite", "TTIN:STOP", NULL },
	{ dumb_init, NO + 'c', "rewrite", "TTOU:STOP", NULL }
};

/* Give the plan what a letter is; theirs: its value. */
static int pass_on(const struct names *n, int letter, const char *theirs,
		   struct fault *f)
{
	char value[64];
	int result = 0;

	for (const struct row *r = rows; r < rows + ARRAY_LEN(rows); r++) {
		if (r->letters != n->peer->letters || r->letter != letter)
			continue;
		snprintf(value, sizeof(value), "%s%s", theirs,
			 r->value ? r->value : "");
		result |= n->set(n->plan, r->name, r->value ? value : NULL,
				 environ, NULL, f);
	}
	return result;
}

/* asked: it is no error. Returns as names_run(). */
static int about(const struct names *n, bool asked)
{
	const char *letters = n->peer->letters;

	dprintf(asked ? STDOUT_FILENO : STDERR_FILENO,
		"%s" PACKAGE_VERSION " - stepdown, MIT license\n"
		"Usage: %s %s command [args]\n",
		letters == dumb_init ? "dumb-init v" :
		letters ? "tini version " : "",
		n->peer->name, letters ? "[options]" : "user-spec");
	return 1 + !asked;
}

/* ---- inits ---- */

/* catatonit -P: nothing but reaping, which the kernel does, until the end. */
static int reap_only(void)
{
	struct fault ignored;
	siginfo_t info;

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	fs_close_from(STDERR_FILENO + 1, &ignored);
	while (!signals_wait(SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGINT), &info,
			     -1))
		;
	return 1;
}

/* The letter of "-xyz" at xyz, which *rest is moved over, or of "--name". */
static int next_letter(const char **rest)
{
	struct slice value = str_word(*rest + 1), name;

	if (**rest != '-')
		return *(*rest)++;
	name = str_cut(&value, '=');
	*rest = value.at ? value.at : "";
	for (size_t i = 0; i < ARRAY_LEN(long_names); i++)
		if (str_is(name, long_names[i] + 1))
			return *long_names[i];
	return '?';
}

/* given: which letters without a value were. Returns as names_run(). */
static int read_options(struct names *n, bool given[NO], struct fault *f)
{
	const char *rest = "";
	int letter;

	for (n->argv++; *rest || (*n->argv && **n->argv == '-'); ) {
		if (!*rest)
			rest = *n->argv++ + 1;
		if (strcmp(rest, "-") == 0)
			break;
		letter = next_letter(&rest);
		if (letter <= 0 || !strchr(n->peer->letters, letter))
			return about(n, false);
		if (strchr("hlLV", letter))
			return about(n, true);
		if (letter == 'P')
			return reap_only();
		given[letter] = !strchr("epr", letter);
		if (given[letter])
			continue;
		if (!*rest && *n->argv)
			rest = *n->argv++;
		if (pass_on(n, letter, rest, f) < 0)
			return -1;
		rest = "";
	}
	return *n->argv ? 0 : about(n, false);
}

static int run_init(struct names *n, struct fault *f)
{
	bool given[NO] = { false };
	int reaps = 0, result = read_options(n, given, f);

	if (result != 0)
		return result;
	for (const struct row *r = rows; r < rows + ARRAY_LEN(rows); r++)
		for (char **v = environ; r->variable && *v; v++)
			if (r->letters == n->peer->letters &&
			    strncmp(*v, r->variable, strlen(r->variable)) == 0)
				given[r->letter % NO] = true;
	/* A signal that was rewritten stays so: the second time is refused. */
	for (int letter = 0; letter < NO; letter++)
		pass_on(n, given[letter] ? letter : NO + letter, "", f);
	prctl(PR_GET_CHILD_SUBREAPER, &reaps, 0, 0, 0);
	if (n->peer->letters == tini && !given['s'] && getpid() != 1 && !reaps)
		report_note("not process 1, no -s: zombie reaping won't work");
	if (n->strict && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "set no_new_privs");
	return n->set(n->plan, "init", NULL, environ, NULL, f);
}

int names_find(struct names *n, struct fault *f)
{
	bool as = n->argv[0] && n->argv[1] && !strncmp(n->argv[1], "--as=", 5);
	const char *name = as ? n->argv[1] + 5 : program_invocation_short_name;

	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		if (strcmp(name, peers[i].name) == 0)
			n->peer = &peers[i];
	n->argv += n->peer && as;
	if (n->peer && n->start->secure)
		return fault_set(f, EXIT_USAGE, 0,
				 "never with setuid or file capabilities");
	return 0;
}

/* ---- gosu and su-exec ---- */

/*
 * No user is who we are, no group that of the entry, else the gid that we have,
 * and then the user is in all groups that /etc/group lists it in, gid 0 too.
 */
static int find_user(struct target *t, const char *spec, struct fault *f)
{
	const struct ids_word w = { "user", spec, PASSWD_USERS, PASSWD_GROUPS };
	struct slice group = str_word(spec), name = str_cut(&group, ':');
	struct passwd_entry entry;
	ssize_t count = 0;
	char own[16];

	snprintf(own, sizeof(own), "%u", getuid());
	if (ids_user(&w, name.length ? name : str_word(own), &entry, f) < 0)
		return -1;
	t->uid = entry.uid;
	t->gid = entry.gid == IDS_NO_GID ? getgid() : entry.gid;
	strcpy(t->home, entry.name[0] ? entry.home : "/");
	if (group.length)
		return ids_group(&w, group, &t->gid, f);
	if (entry.name[0])
		count = passwd_groups_of(PASSWD_GROUPS, entry.name, t->groups,
					 IDS_MAX_GROUPS - 1);
	if (count < 0 || count >= IDS_MAX_GROUPS)
		return ids_unreadable(PASSWD_GROUPS, f);
	t->ngroups = (size_t)count;
	return 0;
}

int names_run(struct names *n, struct fault *f)
{
	static gid_t groups[IDS_MAX_GROUPS] SYS_LARGE;
	static struct target t SYS_LARGE;
	static char home[5 + sizeof(t.home)] SYS_LARGE;
	const bool gosu = n->peer == peers;
	const char *spec = n->argv[1];

	if (n->peer->letters)
		return run_init(n, f);
	if (!spec || !n->argv[2])
		return about(n, !gosu || (spec && *spec == '-'));
	n->argv += 2;
	t.groups = groups;
	if (n->strict)
		return n->set(n->plan, "user", spec, environ, NULL, f);
	if (find_user(&t, spec, f) < 0)
		return -1;
	if (!gosu)
		t.groups[t.ngroups++] = t.gid;
	ids_sort(t.groups, t.ngroups);
	if (drop_ids(&t, n->start, f) < 0 ||
	    verify_who(&(struct verify_spec){ .uid = t.uid, .gid = t.gid,
			.ngroups = t.ngroups, .groups = t.groups }, f) < 0)
		return -1;
	if (n->start->euid == 0 && t.uid != 0 && setresuid(0, 0, 0) == 0)
		return fault_set(f, EXIT_STEP, 0, "root came back");
	/* HOME is set in any case, as the peers do; nothing else is. */
	snprintf(home, sizeof(home), "HOME=%s", t.home);
	return n->set(n->plan, "env", home, environ, NULL, f);
}
