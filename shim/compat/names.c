#include "compat/names.h"

#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/sys.h"
#include "cred/start.h"
#include "drop/drop.h"
#include "drop/verify.h"
#include "run/init.h"
#include "run/plan.h"
#include "run/signals.h"

/* The options of each init, as for getopt(3). */
static const char tini[] = "+svwge:p:hlV", catatonit[] = "+sghLPV",
		  dumb_init[] = "+hvVcr:";

static const struct peer {
	const char *name;
	const char *letters;	/* NULL: not an init */
} peers[] = {
	{ "gosu", NULL }, { "su-exec", NULL }, { "tini", tini },
	{ "docker-init", tini }, { "catatonit", catatonit },
	{ "podman-init", catatonit }, { "dumb-init", dumb_init }
};

static const struct option long_options[] = {
	{ "single-child", no_argument, NULL, 'c' },
	{ "rewrite", required_argument, NULL, 'r' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static bool is_set(const char *variable, const char *value)
{
	const char *set = getenv(variable);

	return set && strcmp(set, value) == 0;
}

/* Print version and usage, on stdout if asked. Returns as names_run(). */
static int about(const struct peer *peer, bool asked)
{
	const char *letters = peer->letters;

	dprintf(asked ? STDOUT_FILENO : STDERR_FILENO,
		"%s" PACKAGE_VERSION " - stepdown, MIT license\n"
		"Usage: %s %s command [args]\n",
		letters == dumb_init ? "dumb-init v" :
		letters ? "tini version " : "",
		peer->name, letters ? "[options]" : "user-spec");
	return 1 + !asked;
}

/* ---- inits ---- */

/* catatonit -P: let the kernel reap until a signal asks to end. */
static int reap_only(void)
{
	siginfo_t info;

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	fs_close_from(STDERR_FILENO + 1);
	while (!signals_wait(SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGINT), &info,
			     -1))
		;
	return 1;
}

/* Take the value of -e, -p or -r; false if it is malformed. */
static bool take_value(struct plan *plan, int letter, const char *value)
{
	char exits[16];

	if (letter == 'r')
		return init_rewrite(value, &plan->init);
	snprintf(exits, sizeof(exits), "%s:0", value);
	if (letter == 'e')
		return init_map_exits(exits, &plan->init);
	plan->exec.pdeathsig = signals_parse(value, strlen(value));
	return plan->exec.pdeathsig;
}

/* given: set for each letter that was. Returns as names_run(). */
static int read_options(const struct peer *peer, struct plan *plan,
			char **argv, bool given[128])
{
	int count = 0, letter;

	while (argv[count])
		count++;
	opterr = 0;
	while ((letter = getopt_long(count, argv, peer->letters, long_options,
				     NULL)) != -1) {
		if (!strchr(peer->letters, letter))
			return about(peer, false);
		if (strchr("hlLV", letter))
			return about(peer, true);
		if (letter == 'P')
			return reap_only();
		given[letter] = true;
		if (strchr("epr", letter) &&
		    !take_value(plan, letter, optarg)) {
			report_note("-%c %s: no such signal or status", letter,
				    optarg);
			return about(peer, false);
		}
	}
	plan->exec.command = argv + optind;
	return argv[optind] ? 0 : about(peer, false);
}

static int run_init(const struct peer *peer, struct plan *plan, char **argv,
		    struct fault *f)
{
	static const int stops[] = { SIGTSTP, SIGTTIN, SIGTTOU };
	struct init_spec *init = &plan->init;
	bool given[128] = { false };
	int reaps = 0, result = read_options(peer, plan, argv - 1, given);

	if (result != 0)
		return result;
	init->wanted = true;
	init->signal_group = given['g'];
	plan->verbose = given['v'] || given['w'];
	if (peer->letters == tini) {
		init->signal_group |= !!getenv("TINI_KILL_PROCESS_GROUP");
		init->no_subreaper = !given['s'] && !getenv("TINI_SUBREAPER");
		plan->verbose |= is_set("TINI_VERBOSITY", "2") ||
				 is_set("TINI_VERBOSITY", "3");
	}
	if (peer->letters == dumb_init) {
		plan->verbose |= is_set("DUMB_INIT_DEBUG", "1");
		plan->exec.setsid = init->signal_group =
			!given['c'] && !is_set("DUMB_INIT_SETSID", "0");
	}
	for (size_t i = 0; plan->exec.setsid && i < ARRAY_LEN(stops); i++)
		if (!init->rewrite[stops[i]])
			init->rewrite[stops[i]] = SIGSTOP;
	prctl(PR_GET_CHILD_SUBREAPER, &reaps, 0, 0, 0);
	if (init->no_subreaper && getpid() != 1 && !reaps)
		report_note("not process 1, no -s: zombie reaping won't work");
	if (plan->strict && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "set no_new_privs");
	return 0;
}

const struct peer *names_find(char ***argv)
{
	char *const *word = *argv;
	bool as = word[0] && word[1] && !strncmp(word[1], "--as=", 5);
	const char *name = as ? word[1] + 5 : program_invocation_short_name;

	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		if (strcmp(name, peers[i].name) == 0) {
			*argv += as ? 2 : 1;
			return &peers[i];
		}
	return NULL;
}

/* ---- gosu and su-exec ---- */

/*
 * Without a user it is our own uid. Without a group, the gid is that of the
 * entry, else our own, and the groups are all that /etc/group lists, gid 0 too.
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

static int run_as(const struct peer *peer, struct plan *plan, char **argv,
		  struct fault *f)
{
	static gid_t groups[IDS_MAX_GROUPS] SYS_LARGE;
	static struct target t SYS_LARGE;
	static char home[5 + sizeof(t.home)] SYS_LARGE;
	const bool gosu = peer == peers;
	const struct start *start = &plan->start;
	const char *spec = argv[0];

	if (!spec || !argv[1])
		return about(peer, !gosu || (spec && *spec == '-'));
	plan->exec.command = argv + 1;
	if (plan->strict) {
		plan->who.user = spec;
		return 0;
	}
	t.groups = groups;
	if (find_user(&t, spec, f) < 0)
		return -1;
	if (!gosu)
		t.groups[t.ngroups++] = t.gid;
	ids_sort(t.groups, t.ngroups);
	if (drop_ids(&t, start, f) < 0 ||
	    verify_who(&(struct verify_spec){ .uid = t.uid, .gid = t.gid,
			.ngroups = t.ngroups, .groups = t.groups }, f) < 0)
		return -1;
	if (start->euid == 0 && t.uid != 0 && setresuid(0, 0, 0) == 0)
		return fault_set(f, EXIT_STEP, 0, "root came back");
	/* HOME is set in any case, as the peers do; nothing else is. */
	snprintf(home, sizeof(home), "HOME=%s", t.home);
	plan->env.set[plan->env.nset++] = home;
	return 0;
}

int names_run(const struct peer *peer, struct plan *plan, char **argv,
	      struct fault *f)
{
	if (plan->start.secure)
		return fault_set(f, EXIT_USAGE, 0,
				 "never with setuid or file capabilities");
	return peer->letters ? run_init(peer, plan, argv, f)
			     : run_as(peer, plan, argv, f);
}
