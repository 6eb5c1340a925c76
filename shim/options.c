#include "options.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/text.h"
#include "cred/account.h"
#include "cred/caps.h"
#include "drop/limits.h"
#include "expand.h"
#include "listen/url.h"
#include "own/spec.h"
#include "plan.h"
#include "run/signals.h"

/* What a handler returns, besides 0 and -1: the value is not what help says. */
enum { MALFORMED = 1 };

/*
 * A row with .at keeps its value there, a bool for a flag and a pointer to the
 * word for others; .is says whether the value is good, NULL that any is. A row
 * without .at has a handler: 0, -1 with a fault, or MALFORMED.
 */
struct option {
	const char *name;
	const char *value;	/* what its value is called, NULL for a flag */
	const char *help;	/* one line; also what a wrong value is told */
	union {
		bool (*is)(const char *value);
		int (*set)(struct plan *plan, const char *value,
			   struct fault *f);
	};
	uint32_t at;		/* offset in struct plan, or 0 */
	char letter;		/* the short form, or 0 */
	bool many;		/* may be given more than once */
};

static int too_many(const char *option, const char *value, int limit,
		    struct fault *f)
{
	return fault_set(f, EXIT_USAGE, 0, "--%s %s: more than %d", option,
			 value, limit);
}

static int repeated(const char *option, const char *value, struct fault *f)
{
	return fault_set(f, EXIT_USAGE, 0, "--%s %s: this was given before",
			 option, value);
}

/* Which of these words it is, or -1. */
static int find_word(const char *const words[], size_t count,
		     const char *value)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], value) == 0)
			return (int)i;
	return -1;
}

/* --- who the application is and what it finds */

static int set_unprivileged(struct plan *plan, const char *value,
			    struct fault *f)
{
	static const char *const words[] = {
		[UNPRIVILEGED_ADAPT] = "adapt",
		[UNPRIVILEGED_FAIL] = "fail",
	};
	int found = find_word(words, ARRAY_LEN(words), value);

	(void)f;
	if (found < 0)
		return MALFORMED;
	plan->unprivileged = (enum unprivileged)found;
	return 0;
}

static bool is_absolute(const char *value)
{
	return value[0] == '/';
}

static bool is_home(const char *value)
{
	return is_absolute(value) || strcmp(value, "keep") == 0;
}

/* To the end of a list of PLAN_MAX_VARIABLES. */
static int append(const char **list, size_t *count, const char *option,
		  const char *value, struct fault *f)
{
	if (*count == PLAN_MAX_VARIABLES)
		return too_many(option, value, PLAN_MAX_VARIABLES, f);
	list[(*count)++] = value;
	return 0;
}

static int set_unset_env(struct plan *plan, const char *value, struct fault *f)
{
	struct surroundings *s = &plan->surroundings;

	if (!value[0] || strchr(value, '='))
		return MALFORMED;
	return append(s->unset, &s->nunset, "unset-env", value, f);
}

static int set_env(struct plan *plan, const char *value, struct fault *f)
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return MALFORMED;
	return append(plan->variables, &plan->nvariables, "env", value, f);
}

static int set_rlimit(struct plan *plan, const char *value, struct fault *f)
{
	(void)f;
	return limit_set_rlimit(&plan->limits, value) ? 0 : MALFORMED;
}

/* It was read before, see options_config(). */
static int set_config(struct plan *plan, const char *value, struct fault *f)
{
	(void)plan;
	(void)value;
	(void)f;
	return 0;
}

/* --- sockets, folders, capabilities */

static int set_listen(struct plan *plan, const char *value, struct fault *f)
{
	char why[512];
	struct text wrong;

	text_start(&wrong, why, sizeof(why));
	if (plan->nlisteners == PLAN_MAX_LISTENERS)
		return too_many("listen", value, PLAN_MAX_LISTENERS, f);
	if (!url_parse(value, plan->listeners + plan->nlisteners, &wrong))
		return fault_set(f, EXIT_USAGE, 0, "--listen %s: %s", value,
				 why);
	plan->nlisteners++;
	return 0;
}

static int set_handoff(struct plan *plan, const char *value, struct fault *f)
{
	static const char *const words[] = {
		[HANDOFF_SYSTEMD] = "systemd",
		[HANDOFF_NGINX] = "nginx",
		[HANDOFF_BIND] = "bind",
		[HANDOFF_BIND_OWN] = "bind-own",
	};
	int found = find_word(words, ARRAY_LEN(words), value);

	(void)f;
	if (found < 0)
		return MALFORMED;
	plan->handoff = (enum handoff)found;
	/* Somebody must be there to answer. */
	if (plan_brokers(plan))
		plan->init.wanted = true;
	return 0;
}

static int set_keep_caps(struct plan *plan, const char *value, struct fault *f)
{
	return caps_parse(value, &plan->keep_caps, f);
}

/* --- the parent that stays */

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
		return MALFORMED;
	if (plan->init.rewrite[from])
		return repeated("rewrite", value, f);
	plan->init.rewrite[from] = (int8_t)to;
	return 0;
}

static int set_stop_timeout(struct plan *plan, const char *value,
			    struct fault *f)
{
	(void)f;
	return str_duration(value, &plan->init.stop_timeout) ? 0 : MALFORMED;
}

static int set_drain(struct plan *plan, const char *value, struct fault *f)
{
	(void)f;
	return str_duration(value, &plan->init.drain) ? 0 : MALFORMED;
}

static int set_map_exit(struct plan *plan, const char *value, struct fault *f)
{
	struct init *init = &plan->init;
	uint8_t from;
	uint8_t to;

	if (!str_pair(value, &from, &to))
		return MALFORMED;
	if (init->nexits == INIT_MAX_EXITS)
		return too_many("map-exit", value, INIT_MAX_EXITS, f);
	for (size_t i = 0; i < init->nexits; i++)
		if (init->exits[i].from == from)
			return repeated("map-exit", value, f);
	init->exits[init->nexits].from = from;
	init->exits[init->nexits++].to = to;
	return 0;
}

static int set_pdeathsig(struct plan *plan, const char *value, struct fault *f)
{
	(void)f;
	plan->pdeathsig = signals_parse(value, strlen(value));
	return plan->pdeathsig ? 0 : MALFORMED;
}

/* --- what stepdown does */

static int set_dry_run(struct plan *plan, const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	plan->action = ACTION_DRY_RUN;
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

#define AT(field) .at = offsetof(struct plan, field)

static const struct option options[] = {
	{ .name = "user", .letter = 'u', .value = "USER[:GROUP]",
	  .help = "who COMMAND is, names or numbers",
	  AT(user) },
	{ .name = "groups", .value = "LIST",
	  .help = "names, numbers, init, runtime, auto or none",
	  AT(groups) },
	{ .name = "allow-root",
	  .help = "let --user be root",
	  AT(allow_root) },
	{ .name = "unprivileged", .value = "WHAT",
	  .help = "when not root: adapt (default) or fail",
	  .set = set_unprivileged },
	{ .name = "strict",
	  .help = "fail if the bounding set stays",
	  AT(strict) },
	{ .name = "allow-new-privs",
	  .help = "let setuid programs work",
	  AT(allow_new_privs) },
	{ .name = "account", .value = "NAME[:HOME[:SHELL]]",
	  .help = "a plain name for the uid, absolute paths",
	  AT(account.value), .is = account_is },
	{ .name = "home", .value = "DIR",
	  .help = "its HOME, an absolute path, or keep",
	  AT(surroundings.home), .is = is_home },
	{ .name = "unset-env", .many = true, .value = "NAME",
	  .help = "remove an environment variable",
	  .set = set_unset_env },
	{ .name = "clear-env",
	  .help = "begin with PATH and TERM only",
	  AT(surroundings.clear) },
	{ .name = "chdir", .value = "DIR",
	  .help = "enter this absolute path, as the user",
	  AT(limits.chdir), .is = is_absolute },
	{ .name = "umask", .value = "MASK",
	  .help = "octal, 0 to 777",
	  AT(limits.umask), .is = limit_is_umask },
	{ .name = "rlimit", .many = true, .value = "NAME=SOFT[:HARD]",
	  .help = "as in nofile=64 or core=0:9, SOFT <= HARD",
	  .set = set_rlimit },
	{ .name = "nice", .value = "N",
	  .help = "scheduling priority, -20 to 19",
	  AT(limits.nice), .is = limit_is_nice },
	{ .name = "oom-score-adj", .value = "N",
	  .help = "for the OOM killer, -1000 to 1000",
	  AT(limits.oom_score_adj), .is = limit_is_oom },
	{ .name = "cpu-affinity", .value = "LIST",
	  .help = "CPUs below 1024, as in 0-3,7",
	  AT(limits.cpus), .is = limit_is_cpus },
	{ .name = "config", .value = "FILE",
	  .help = "read options from it, one a line",
	  .set = set_config },
	{ .name = "listen", .letter = 'l', .many = true,
	  .value = "[NAME=]URL",
	  .help = "hand over a socket: tcp://*:80, unix:/PATH, ...",
	  .set = set_listen },
	{ .name = "handoff", .value = "HOW",
	  .help = "systemd (default), nginx, bind or bind-own",
	  .set = set_handoff },
	{ .name = "no-listen-pid",
	  .help = "leave LISTEN_PID out",
	  AT(no_listen_pid) },
	{ .name = "inherit-sockets",
	  .help = "pass our own LISTEN_FDS on",
	  AT(inherited.wanted) },
	{ .name = "own", .letter = 'o', .many = true,
	  .value = "PATH[,OPTION...]",
	  .help = "give it all below PATH",
	  .set = own_option_parse },
	{ .name = "own-stdio",
	  .help = "give it the pipes and terminals of fd 0 to 2",
	  AT(own_stdio) },
	{ .name = "keep-caps", .value = "LIST",
	  .help = "capabilities to keep, joined by commas",
	  .set = set_keep_caps },
	{ .name = "env", .many = true, .value = "NAME=VALUE",
	  .help = "set an environment variable",
	  .set = set_env },
	{ .name = "init",
	  .help = "stay as parent: forward signals, reap",
	  AT(init.wanted) },
	{ .name = "signal-group",
	  .help = "forward signals to its process group",
	  AT(init.signal_group) },
	{ .name = "rewrite", .many = true, .value = "FROM:TO",
	  .help = "forward a signal (not KILL, STOP) as another",
	  .set = set_rewrite },
	{ .name = "stop-timeout", .value = "DURATION",
	  .help = "TERM to KILL, as 500ms or 10s",
	  .set = set_stop_timeout },
	{ .name = "drain", .value = "DURATION",
	  .help = "for what is left, as 500ms or 10s",
	  .set = set_drain },
	{ .name = "map-exit", .many = true, .value = "FROM:TO",
	  .help = "change an exit status (0 to 255), as in 143:0",
	  .set = set_map_exit },
	{ .name = "no-subreaper",
	  .help = "leave orphans to others",
	  AT(init.no_subreaper) },
	{ .name = "setsid",
	  .help = "a session of its own",
	  AT(setsid) },
	{ .name = "pdeathsig", .value = "SIGNAL",
	  .help = "at our parent's end, as TERM or 15",
	  .set = set_pdeathsig },
	{ .name = "dry-run",
	  .help = "say what would be done",
	  .set = set_dry_run },
	{ .name = "verbose", .letter = 'v',
	  .help = "say what is done",
	  AT(verbose) },
	{ .name = "version", .letter = 'V',
	  .help = "print the version",
	  .set = set_version },
	{ .name = "help", .letter = 'h',
	  .help = "print this",
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
				 "--%s %s: expanded to more than %zu bytes",
				 o->name, *value, sizeof(plan->text));
	text_start(&out, plan->text + plan->text_length,
		   sizeof(plan->text) - plan->text_length);
	if (expand_value(o->name, *value, env, &out, f) < 0)
		return -1;
	*value = out.start;
	plan->text_length += out.length + 1;
	return 0;
}

/* Does it have a value where it takes one? */
static int check_value(const struct option *o, const char *value,
		       struct fault *f)
{
	if (!o->value && value)
		return fault_set(f, EXIT_USAGE, 0, "--%s takes no value",
				 o->name);
	if (o->value && !value)
		return fault_set(f, EXIT_USAGE, 0, "--%s: %s is missing",
				 o->name, o->value);
	return 0;
}

/* As a handler. */
static int keep(struct plan *plan, const struct option *o, const char *value)
{
	char *at = (char *)plan + o->at;

	if (!o->value)
		*(bool *)at = true;
	else
		*(const char **)(void *)at = value;
	return o->is && !o->is(value) ? MALFORMED : 0;
}

/* seen: bit n is set once options[n] was given. */
static int apply(struct plan *plan, const struct option *o, const char *value,
		 char *const env[], uint64_t *seen, struct fault *f)
{
	uint64_t bit = UINT64_C(1) << (o - options);
	int result;

	_Static_assert(ARRAY_LEN(options) <= 64, "a bit for each option");
	if (!o->many && (*seen & bit))
		return fault_set(f, EXIT_USAGE, 0, "--%s: given twice",
				 o->name);
	*seen |= bit;
	if (value && expand(plan, o, &value, env, f) < 0)
		return -1;
	result = o->at ? keep(plan, o, value) : o->set(plan, value, f);
	if (result != MALFORMED)
		return result;
	return fault_set(f, EXIT_USAGE, 0, "--%s %s: expected %s: %s", o->name,
			 value, o->value, o->help);
}

static int unknown(const char *word, struct fault *f)
{
	fault_set(f, EXIT_USAGE, 0, "unknown option %s", word);
	return fault_hint(f,
			  "see --help; COMMAND's options go after it");
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
	if ((*o)->value && !*value && **at)
		*value = *(*at)++;
	return check_value(*o, *value, f) < 0 ? -1 : 1;
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
			return fault_set(f, EXIT_USAGE, 0, "--%s: given twice",
					 o->name);
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
	if (check_value(o, value, f) < 0)
		return -1;
	return apply(plan, o, value, env, seen, f);
}

static void add_help(struct text *out, const struct option *o)
{
	size_t start = out->length;
	size_t width;

	if (o->letter)
		text_add(out, "  -%c, --%s", o->letter, o->name);
	else
		text_add(out, "      --%s", o->name);
	if (o->value)
		text_add(out, "=%s", o->value);
	width = out->length - start;
	text_add(out, "%*s%s\n", width < 27 ? 28 - (int)width : 1, "",
		 o->help);
}

void options_help(struct text *out)
{
	text_add(out, "usage: stepdown [OPTION...] [--] COMMAND [ARG...]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		add_help(out, &options[i]);
	text_add(out,
		 "\n${VAR} and ${VAR:-default} are expanded in values. Exit status: 100 usage,\n"
		 "111 a step failed, 126 or 127 no COMMAND, else COMMAND's own.\n");
}
