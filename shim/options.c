#include "options.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "account.h"
#include "caps.h"
#include "expand.h"
#include "fault.h"
#include "limit.h"
#include "own_option.h"
#include "parse.h"
#include "plan.h"
#include "signals.h"
#include "text.h"
#include "url.h"

struct option {
	const char *name;
	char letter;		/* the short form, or 0 */
	bool many;		/* may be given more than once */
	const char *value;	/* what its value is called, NULL for a flag */
	const char *help;	/* lines joined by '\n' */
	int (*set)(struct plan *plan, const char *value, struct fault *f);
};

static int set_user(struct plan *plan, const char *value, struct fault *f)
{
	(void)f;
	plan->user = value;
	return 0;
}

static int set_groups(struct plan *plan, const char *value, struct fault *f)
{
	(void)f;
	plan->groups = value;
	return 0;
}

static int set_allow_root(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->allow_root = true;
	return 0;
}

/* --- who the application is and what it finds */

static int set_unprivileged(struct plan *plan, const char *value,
			    struct fault *f)
{
	if (strcmp(value, "adapt") == 0)
		plan->unprivileged = UNPRIVILEGED_ADAPT;
	else if (strcmp(value, "fail") == 0)
		plan->unprivileged = UNPRIVILEGED_FAIL;
	else
		return fault_set(f, EXIT_USAGE, 0,
				 "--unprivileged %s: expected adapt or fail",
				 value);
	return 0;
}

static int set_strict(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->strict = true;
	return 0;
}

static int set_allow_new_privs(struct plan *plan, const char *value,
			       struct fault *f)
{
	(void)value;
	(void)f;
	plan->allow_new_privs = true;
	return 0;
}

static int set_account(struct plan *plan, const char *value, struct fault *f)
{
	plan->account.value = value;
	return account_check(value, f);
}

static int not_absolute(const char *option, const char *value, struct fault *f)
{
	return fault_set(f, EXIT_USAGE, 0,
			 "--%s %s: expected an absolute path", option, value);
}

static int set_home(struct plan *plan, const char *value, struct fault *f)
{
	plan->surroundings.home = value;
	if (value[0] == '/' || strcmp(value, "keep") == 0)
		return 0;
	return fault_set(f, EXIT_USAGE, 0,
			 "--home %s: expected an absolute path or keep", value);
}

static int set_unset_env(struct plan *plan, const char *value, struct fault *f)
{
	struct surroundings *s = &plan->surroundings;

	if (!value[0] || strchr(value, '='))
		return fault_set(f, EXIT_USAGE, 0,
				 "--unset-env %s: expected a name", value);
	if (s->nunset == PLAN_MAX_VARIABLES)
		return fault_set(f, EXIT_USAGE, 0,
				 "--unset-env %s: more than %d variables",
				 value, PLAN_MAX_VARIABLES);
	s->unset[s->nunset++] = value;
	return 0;
}

static int set_clear_env(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->surroundings.clear = true;
	return 0;
}

static int set_chdir(struct plan *plan, const char *value, struct fault *f)
{
	plan->limits.chdir = value;
	return value[0] == '/' ? 0 : not_absolute("chdir", value, f);
}

static int set_umask(struct plan *plan, const char *value, struct fault *f)
{
	return limit_set_umask(&plan->limits, value, f);
}

static int set_rlimit(struct plan *plan, const char *value, struct fault *f)
{
	return limit_set_rlimit(&plan->limits, value, f);
}

static int set_nice(struct plan *plan, const char *value, struct fault *f)
{
	return limit_set_nice(&plan->limits, value, f);
}

static int set_oom(struct plan *plan, const char *value, struct fault *f)
{
	return limit_set_oom(&plan->limits, value, f);
}

static int set_cpus(struct plan *plan, const char *value, struct fault *f)
{
	return limit_set_cpus(&plan->limits, value, f);
}

/* It was read before, see options_config(). */
static int set_config(struct plan *plan, const char *value, struct fault *f)
{
	(void)plan;
	(void)value;
	(void)f;
	return 0;
}

/* --- */

static int set_listen(struct plan *plan, const char *value, struct fault *f)
{
	char why[512];
	struct text wrong;

	text_start(&wrong, why, sizeof(why));
	if (plan->nlisteners == PLAN_MAX_LISTENERS)
		return fault_set(f, EXIT_USAGE, 0,
				 "--listen %s: more than %d sockets", value,
				 PLAN_MAX_LISTENERS);
	if (!url_parse(value, plan->listeners + plan->nlisteners, &wrong))
		return fault_set(f, EXIT_USAGE, 0, "--listen %s: %s", value,
				 why);
	plan->nlisteners++;
	return 0;
}

static int set_handoff(struct plan *plan, const char *value, struct fault *f)
{
	if (strcmp(value, "systemd") == 0)
		plan->handoff = HANDOFF_SYSTEMD;
	else if (strcmp(value, "nginx") == 0)
		plan->handoff = HANDOFF_NGINX;
	else if (strcmp(value, "bind") == 0)
		plan->handoff = HANDOFF_BIND;
	else if (strcmp(value, "bind-own") == 0)
		plan->handoff = HANDOFF_BIND_OWN;
	else
		return fault_set(f, EXIT_USAGE, 0,
				 "--handoff %s: expected systemd, nginx, bind or bind-own",
				 value);
	/* Somebody must be there to answer. */
	if (plan_brokers(plan))
		plan->init.wanted = true;
	return 0;
}

static int set_no_listen_pid(struct plan *plan, const char *value,
			     struct fault *f)
{
	(void)value;
	(void)f;
	plan->no_listen_pid = true;
	return 0;
}

static int set_inherit_sockets(struct plan *plan, const char *value,
			       struct fault *f)
{
	(void)value;
	(void)f;
	plan->inherited.wanted = true;
	return 0;
}

static int set_own(struct plan *plan, const char *value, struct fault *f)
{
	return own_option_parse(plan, value, f);
}

static int set_own_stdio(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->own_stdio = true;
	return 0;
}

static int set_keep_caps(struct plan *plan, const char *value, struct fault *f)
{
	return caps_parse(value, &plan->keep_caps, f);
}

static int set_env(struct plan *plan, const char *value, struct fault *f)
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return fault_set(f, EXIT_USAGE, 0,
				 "--env %s: expected NAME=VALUE", value);
	if (plan->nvariables == PLAN_MAX_VARIABLES)
		return fault_set(f, EXIT_USAGE, 0,
				 "--env %s: more than %d variables", value,
				 PLAN_MAX_VARIABLES);
	plan->variables[plan->nvariables++] = value;
	return 0;
}

static int set_dry_run(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->action = ACTION_DRY_RUN;
	return 0;
}

static int set_verbose(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->verbose = true;
	return 0;
}

static int set_version(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->action = ACTION_VERSION;
	return 0;
}

static int set_help(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->action = ACTION_HELP;
	return 0;
}

static int set_init(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->init.wanted = true;
	return 0;
}

static int set_signal_group(struct plan *plan, const char *value,
			    struct fault *f)
{
	(void)value;
	(void)f;
	plan->init.signal_group = true;
	return 0;
}

/* SIGKILL and SIGSTOP never come to us, and so cannot become another one. */
static int set_rewrite(struct plan *plan, const char *value, struct fault *f)
{
	size_t length = strcspn(value, ":");
	int from = signals_parse(value, length);
	const char *to_text = value + length + 1;
	int to = SIGNAL_DROP;

	if (value[length] && *to_text)
		to = signals_parse(to_text, strlen(to_text));
	if (!value[length] || !from || from == SIGKILL || from == SIGSTOP ||
	    !to)
		return fault_set(f, EXIT_USAGE, 0,
				 "--rewrite %s: expected FROM:TO, signals but KILL and STOP, or FROM: to drop it",
				 value);
	if (plan->init.rewrite[from])
		return fault_set(f, EXIT_USAGE, 0,
				 "--rewrite %s: '%.*s' was given before", value,
				 (int)length, value);
	plan->init.rewrite[from] = (int8_t)to;
	return 0;
}

static int set_duration(const char *name, const char *value, uint32_t *result,
			struct fault *f)
{
	if (parse_duration(value, result))
		return 0;
	return fault_set(f, EXIT_USAGE, 0,
			 "--%s %s: expected 1ms to 24 days, as in 500ms, 10s, 5m or 1h",
			 name, value);
}

static int set_stop_timeout(struct plan *plan, const char *value,
			    struct fault *f)
{
	return set_duration("stop-timeout", value, &plan->init.stop_timeout,
			    f);
}

static int set_drain(struct plan *plan, const char *value, struct fault *f)
{
	return set_duration("drain", value, &plan->init.drain, f);
}

static int set_map_exit(struct plan *plan, const char *value, struct fault *f)
{
	struct init *init = &plan->init;
	uint8_t from;
	uint8_t to;

	if (!parse_pair(value, &from, &to))
		return fault_set(f, EXIT_USAGE, 0,
				 "--map-exit %s: expected FROM:TO, each from 0 to 255",
				 value);
	if (init->nexits == INIT_MAX_EXITS)
		return fault_set(f, EXIT_USAGE, 0,
				 "--map-exit %s: more than %d", value,
				 INIT_MAX_EXITS);
	for (size_t i = 0; i < init->nexits; i++)
		if (init->exits[i].from == from)
			return fault_set(f, EXIT_USAGE, 0,
					 "--map-exit %s: %u was given before",
					 value, from);
	init->exits[init->nexits].from = from;
	init->exits[init->nexits++].to = to;
	return 0;
}

static int set_no_subreaper(struct plan *plan, const char *value,
			    struct fault *f)
{
	(void)value;
	(void)f;
	plan->init.no_subreaper = true;
	return 0;
}

static int set_setsid(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->setsid = true;
	return 0;
}

static int set_pdeathsig(struct plan *plan, const char *value, struct fault *f)
{
	plan->pdeathsig = signals_parse(value, strlen(value));
	if (!plan->pdeathsig)
		return fault_set(f, EXIT_USAGE, 0,
				 "--pdeathsig %s: expected a signal, as in TERM or 15",
				 value);
	return 0;
}

static const struct option options[] = {
	{ .name = "user", .letter = 'u', .value = "USER[:GROUP]",
	  .help = "who the application is, names or numbers",
	  .set = set_user },
	{ .name = "groups", .value = "LIST",
	  .help = "supplementary groups, joined by commas: names,\n"
		  "numbers, init (of /etc/group), runtime (given to\n"
		  "the container), auto (the default: runtime, and\n"
		  "init for a name); or none",
	  .set = set_groups },
	{ .name = "allow-root",
	  .help = "let --user be root",
	  .set = set_allow_root },
	{ .name = "unprivileged", .value = "WHAT",
	  .help = "when not started as root: adapt (the default: stay\n"
		  "who we are, do what can be done) or fail",
	  .set = set_unprivileged },
	{ .name = "strict",
	  .help = "fail where the bounding set cannot be emptied",
	  .set = set_strict },
	{ .name = "allow-new-privs",
	  .help = "let setuid programs and file capabilities work later",
	  .set = set_allow_new_privs },
	{ .name = "account", .value = "NAME[:HOME[:SHELL]]",
	  .help = "give uid and gid entries in /etc/passwd and\n"
		  "/etc/group if they have none",
	  .set = set_account },
	{ .name = "home", .value = "DIR",
	  .help = "set HOME to DIR, or keep it as it is (keep)",
	  .set = set_home },
	{ .name = "unset-env", .many = true, .value = "NAME",
	  .help = "remove an environment variable",
	  .set = set_unset_env },
	{ .name = "clear-env",
	  .help = "begin with an environment of PATH and TERM only",
	  .set = set_clear_env },
	{ .name = "chdir", .value = "DIR",
	  .help = "enter this folder, as the user",
	  .set = set_chdir },
	{ .name = "umask", .value = "MASK",
	  .help = "file mode creation mask, octal",
	  .set = set_umask },
	{ .name = "rlimit", .many = true, .value = "NAME=SOFT[:HARD]",
	  .help = "resource limit: a name of getrlimit(2), as nofile;\n"
		  "numbers or unlimited; SOFT alone is both",
	  .set = set_rlimit },
	{ .name = "nice", .value = "N",
	  .help = "scheduling priority, -20 to 19",
	  .set = set_nice },
	{ .name = "oom-score-adj", .value = "N",
	  .help = "how soon the OOM killer comes, -1000 to 1000",
	  .set = set_oom },
	{ .name = "cpu-affinity", .value = "LIST",
	  .help = "CPUs to run on, as in 0-3,7",
	  .set = set_cpus },
	{ .name = "config", .value = "FILE",
	  .help = "read options from FILE, one a line, without dashes;\n"
		  "the command line wins (default: /etc/stepdown.conf,\n"
		  "if it is there)",
	  .set = set_config },
	{ .name = "listen", .letter = 'l', .many = true,
	  .value = "[NAME=]URL",
	  .help = "bind and listen, and hand over as 3, 4, ...: tcp://\n"
		  "or udp://ADDRESS:PORT (a.b.c.d, [v6], or * for both\n"
		  "families), or unix:, unix-dgram: or unix-seqpacket:\n"
		  "with /PATH or @NAME; options after '?', see the\n"
		  "manual",
	  .set = set_listen },
	{ .name = "handoff", .value = "HOW",
	  .help = "how the application gets its sockets: systemd\n"
		  "(LISTEN_FDS, the default), nginx (NGINX), or as\n"
		  "answers to its bind(2): bind, bind-own",
	  .set = set_handoff },
	{ .name = "no-listen-pid",
	  .help = "leave LISTEN_PID out, for a server behind one more\n"
		  "wrapper",
	  .set = set_no_listen_pid },
	{ .name = "inherit-sockets",
	  .help = "pass the sockets that stepdown itself was started\n"
		  "with (LISTEN_FDS) on, in front of those of --listen",
	  .set = set_inherit_sockets },
	{ .name = "own", .letter = 'o', .many = true,
	  .value = "PATH[,OPTION...]",
	  .help = "give PATH and all that is below it to the user;\n"
		  "never through a symbolic link or into another mount;\n"
		  "options: user=, group=, mode=, create[=MODE],\n"
		  "shallow, fsgroup, if-root-differs, from=UID[:GID],\n"
		  "try, cross-mounts, force, threads=N",
	  .set = set_own },
	{ .name = "own-stdio",
	  .help = "give pipes and terminals among stdin, stdout and\n"
		  "stderr to the user, so that it can open /dev/stdout",
	  .set = set_own_stdio },
	{ .name = "keep-caps", .value = "LIST",
	  .help = "capabilities the application keeps, joined by commas",
	  .set = set_keep_caps },
	{ .name = "env", .many = true, .value = "NAME=VALUE",
	  .help = "set an environment variable of the application",
	  .set = set_env },
	{ .name = "init",
	  .help = "stay as the parent, unprivileged too: forward\n"
		  "signals, reap orphans, return the exit status",
	  .set = set_init },
	{ .name = "signal-group",
	  .help = "forward signals to the application's process group",
	  .set = set_signal_group },
	{ .name = "rewrite", .many = true, .value = "FROM:TO",
	  .help = "forward signal FROM as TO; FROM: drops it",
	  .set = set_rewrite },
	{ .name = "stop-timeout", .value = "DURATION",
	  .help = "KILL to all that long after a TERM, INT or QUIT",
	  .set = set_stop_timeout },
	{ .name = "drain", .value = "DURATION",
	  .help = "when the application has ended: TERM to what is\n"
		  "left, that long to end, then KILL",
	  .set = set_drain },
	{ .name = "map-exit", .many = true, .value = "FROM:TO",
	  .help = "exit with TO where it would be FROM, as in 143:0",
	  .set = set_map_exit },
	{ .name = "no-subreaper",
	  .help = "not process 1: leave orphans to whoever gets them",
	  .set = set_no_subreaper },
	{ .name = "setsid",
	  .help = "a session of its own for the application",
	  .set = set_setsid },
	{ .name = "pdeathsig", .value = "SIGNAL",
	  .help = "the signal to get when the parent process ends",
	  .set = set_pdeathsig },
	{ .name = "dry-run",
	  .help = "print what would be done, and do nothing",
	  .set = set_dry_run },
	{ .name = "verbose", .letter = 'v',
	  .help = "say on stderr what is done",
	  .set = set_verbose },
	{ .name = "version", .letter = 'V',
	  .help = "print the version and end",
	  .set = set_version },
	{ .name = "help", .letter = 'h',
	  .help = "print this and end",
	  .set = set_help },
};

static const struct option *find_name(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strlen(options[i].name) == length &&
		    memcmp(options[i].name, name, length) == 0)
			return &options[i];
	return NULL;
}

static const struct option *find_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].letter && options[i].letter == letter)
			return &options[i];
	return NULL;
}

/*
 * Find the option of a word, and the value that is part of it: "--name=value",
 * "-nvalue". *value is NULL when there is none.
 */
static const struct option *find_option(const char *word, const char **value)
{
	const char *equals;

	*value = NULL;
	if (word[1] != '-') {
		if (word[2])
			*value = word + 2;
		return find_letter(word[1]);
	}
	equals = strchr(word, '=');
	if (equals)
		*value = equals + 1;
	return find_name(word + 2, equals ? (size_t)(equals - word) - 2
					  : strlen(word + 2));
}

/* Expand ${VAR} into the plan's own text. */
static int expand(struct plan *plan, const struct option *o,
		  const char **value, char *const env[], struct fault *f)
{
	struct text out;

	if (!expand_needed(*value))
		return 0;
	if (plan->text_length == sizeof(plan->text))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: the expanded values take more than %zu bytes",
				 o->name, *value, sizeof(plan->text));
	text_start(&out, plan->text + plan->text_length,
		   sizeof(plan->text) - plan->text_length);
	if (expand_value(o->name, *value, env, &out, f) < 0)
		return -1;
	*value = out.start;
	plan->text_length += out.length + 1;
	return 0;
}

/* seen: bit n is set once options[n] was given. */
static int apply(struct plan *plan, const struct option *o, const char *value,
		 char *const env[], uint64_t *seen, struct fault *f)
{
	uint64_t bit = UINT64_C(1) << (o - options);

	_Static_assert(ARRAY_LEN(options) <= 64, "a bit for each option");
	if (!o->many && (*seen & bit))
		return fault_set(f, EXIT_USAGE, 0, "--%s: given twice",
				 o->name);
	*seen |= bit;
	if (value && expand(plan, o, &value, env, f) < 0)
		return -1;
	return o->set(plan, value, f);
}

static int unknown(const char *word, struct fault *f)
{
	fault_set(f, EXIT_USAGE, 0, "unknown option %s", word);
	return fault_hint(f,
			  "stepdown --help lists the options; the application's own go after its name");
}

/*
 * Take one option and its value from argv. Returns 1; 0 where the options end,
 * *at is then the command; or -1 with a fault.
 */
static int next_option(char *const **at, const struct option **o,
		       const char **value, struct fault *f)
{
	const char *word = **at;

	if (!word || word[0] != '-' || !word[1])
		return 0;
	(*at)++;
	if (strcmp(word, "--") == 0)
		return 0;
	*o = find_option(word, value);
	if (!*o)
		return unknown(word, f);
	if (!(*o)->value && *value)
		return fault_set(f, EXIT_USAGE, 0, "%s: --%s takes no value",
				 word, (*o)->name);
	if ((*o)->value && !*value) {
		*value = **at;
		if (!*value)
			return fault_set(f, EXIT_USAGE, 0,
					 "--%s: its value %s is missing",
					 (*o)->name, (*o)->value);
		(*at)++;
	}
	return 1;
}

/* --help and --version end the reading. */
static bool is_last(const struct plan *plan)
{
	return plan->action == ACTION_HELP || plan->action == ACTION_VERSION;
}

int options_parse(struct plan *plan, char *const argv[], char *const env[],
		  struct fault *f)
{
	uint64_t seen = 0;
	char *const *at = argv[0] ? argv + 1 : argv;
	const struct option *o;
	const char *value;
	int found;

	while ((found = next_option(&at, &o, &value, f)) > 0) {
		if (apply(plan, o, value, env, &seen, f) < 0)
			return -1;
		if (is_last(plan))
			return 0;
	}
	plan->command = at;
	return found;
}

int options_config(struct plan *plan, char *const argv[], char *const env[],
		   const char **path, struct fault *f)
{
	char *const *at = argv[0] ? argv + 1 : argv;
	const struct option *o;
	const char *value;

	*path = NULL;
	while (next_option(&at, &o, &value, f) > 0) {
		if (o->set == set_help || o->set == set_version)
			return 1;
		if (o->set != set_config)
			continue;
		if (*path)
			return fault_set(f, EXIT_USAGE, 0,
					 "--config: given twice");
		if (expand(plan, o, &value, env, f) < 0)
			return -1;
		*path = value;
	}
	return 0;
}

int options_set(struct plan *plan, const char *name, const char *value,
		char *const env[], uint64_t *seen, struct fault *f)
{
	const struct option *o = find_name(name, strlen(name));

	if (!o || o->set == set_config || o->set == set_help ||
	    o->set == set_version)
		return fault_set(f, EXIT_USAGE, 0,
				 "%s: not an option of a config file", name);
	if (!o->value && value)
		return fault_set(f, EXIT_USAGE, 0, "--%s takes no value",
				 name);
	if (o->value && !value)
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s: its value %s is missing", name,
				 o->value);
	return apply(plan, o, value, env, seen, f);
}

static void add_help(struct text *out, const struct option *o)
{
	const char *line = o->help;
	size_t start = out->length;
	size_t width;

	text_add(out, "  ");
	if (o->letter)
		text_add(out, "-%c, ", o->letter);
	else
		text_add(out, "    ");
	text_add(out, "--%s%s%s", o->name, o->value ? "=" : "",
		 o->value ? o->value : "");
	width = out->length - start;
	if (width > 26) {
		text_add(out, "\n");
		width = 0;
	}
	while (*line) {
		size_t length = strcspn(line, "\n");

		text_add(out, "%*s%.*s\n", (int)(28 - width), "", (int)length,
			 line);
		line += length;
		if (*line)
			line++;
		width = 0;
	}
}

void options_help(struct text *out)
{
	text_add(out, "usage: stepdown [OPTION...] [--] COMMAND [ARG...]\n"
		      "Do what needs root, give root away for good, run COMMAND.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		add_help(out, &options[i]);
	text_add(out,
		 "\nIn a value, ${VAR} is the variable's value and ${VAR:-default} a default.\n"
		 "Exit status: 100 wrong usage, 111 a step failed, 126 or 127 COMMAND could not\n"
		 "be executed or found, otherwise COMMAND's own.\n");
}
