#include "option_table.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/text.h"
#include "cred/account.h"
#include "cred/caps.h"
#include "drop/limits.h"
#include "listen/url.h"
#include "own/spec.h"
#include "run/signals.h"

/* --- values that are one field ------------------------------------------- */

static bool keep_word(const char *value, void *at)
{
	*(const char **)at = value;
	return true;
}

static bool read_path(const char *value, void *at)
{
	return value[0] == '/' && keep_word(value, at);
}

static bool read_home(const char *value, void *at)
{
	return strcmp(value, "keep") == 0 ? keep_word(value, at)
					  : read_path(value, at);
}

static bool read_account(const char *value, void *at)
{
	return account_is(value) && keep_word(value, at);
}

static bool read_duration(const char *value, void *at)
{
	return str_duration(value, at);
}

static bool read_signal(const char *value, void *at)
{
	int number = signals_parse(value, strlen(value));

	*(int *)at = number;
	return number > 0;
}

static bool read_signals(const char *value, void *at)
{
	return signals_parse_set(value, at);
}

static const char *const unprivileged_words[] = {
	[UNPRIVILEGED_ADAPT] = "adapt",
	[UNPRIVILEGED_FAIL] = "fail",
	NULL
};

static const char *const handoff_words[] = {
	[HANDOFF_SYSTEMD] = "systemd",
	[HANDOFF_NGINX] = "nginx",
	[HANDOFF_BIND] = "bind",
	NULL
};

static const char *const confine_words[] = {
	[CONFINE_OFF] = "off",
	[CONFINE_ON] = "on",
	[CONFINE_STRICT] = "strict",
	NULL
};

static const char *const check_words[] = { "text", "json", NULL };

/* --- values that are more ------------------------------------------------- */

static int too_many(const char *option, int limit, struct fault *f)
{
	return fault_set(f, EXIT_USAGE, 0, "--%s: more than %d of them",
			 option, limit);
}

static int repeated(const char *option, const char *value, struct fault *f)
{
	return fault_set(f, EXIT_USAGE, 0, "--%s %s: this was given before",
			 option, value);
}

/* To the end of a list of ENV_MAX_OPTIONS. */
static int append(const char **list, size_t *count, const char *option,
		  const char *value, struct fault *f)
{
	if (*count == ENV_MAX_OPTIONS)
		return too_many(option, ENV_MAX_OPTIONS, f);
	list[(*count)++] = value;
	return 0;
}

static int set_unset_env(struct plan *plan, const char *value, struct fault *f)
{
	struct env_spec *s = &plan->env;

	if (!value[0] || strchr(value, '='))
		return OPTION_MALFORMED;
	return append(s->unset, &s->nunset, "unset-env", value, f);
}

static int set_env(struct plan *plan, const char *value, struct fault *f)
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return OPTION_MALFORMED;
	return append(plan->env.set, &plan->env.nset, "env", value, f);
}

/* The file was read before; see options_config(). */
static int set_config(struct plan *plan, const char *value, struct fault *f)
{
	(void)plan;
	(void)value;
	(void)f;
	return 0;
}

/* A port alone, or a URL of HTTP, is meant so. */
static int hint_url(const char *value, struct fault *f)
{
	bool is_tcp = strncmp(value, "tcp://", 6) == 0;
	const char *scheme = strstr(value, "://");
	const char *at = scheme ? scheme + 3 : value;
	const char *colon = strrchr(at, ':');
	const char *port = colon ? colon + 1 : at;
	struct slice host = { at, colon ? (size_t)(colon - at) : 0 };

	if (scheme && strchr(at, ',') && strstr(at, "://"))
		return fault_hint(f,
				  "each socket has a --listen of its own");
	if (!str_is_number(port) || (scheme && !is_tcp && *value != 'h'))
		return -1;
	if (host.length == 0)
		host = str_word("*");
	else if (str_is(host, "localhost"))
		host = str_word("127.0.0.1");
	else if (is_tcp)
		return -1;
	return fault_hint(f, "did you mean --listen=tcp://%.*s:%s?",
			  (int)host.length, host.at, port);
}

static int set_listen(struct plan *plan, const char *value, struct fault *f)
{
	char why[512];
	struct text wrong;

	text_start(&wrong, why, sizeof(why));
	if (plan->listen.count == LISTENERS_MAX)
		return too_many("listen", LISTENERS_MAX, f);
	if (!url_parse(value, &plan->listen.listeners[plan->listen.count],
		       &wrong)) {
		fault_set(f, EXIT_USAGE, 0, "--listen %s: %s", value, why);
		return hint_url(value, f);
	}
	plan->listen.count++;
	return 0;
}

/* A path alone needs no copy; words are cut in one, which the plan keeps. */
static int set_own(struct plan *plan, const char *value, struct fault *f)
{
	size_t size = strlen(value) + 1;
	char *words = NULL;

	if (plan->ntrees == OWN_MAX_TREES)
		return too_many("own", OWN_MAX_TREES, f);
	if (strpbrk(value, ",\\")) {
		if (size > sizeof(plan->text) - plan->text_length)
			return fault_set(f, EXIT_USAGE, 0, "--own %s: too long",
					 value);
		words = plan->text + plan->text_length;
		memcpy(words, value, size);
		plan->text_length += size;
	}
	return own_parse(&plan->trees[plan->ntrees++], value, words, f);
}

static int set_keep_caps(struct plan *plan, const char *value, struct fault *f)
{
	return caps_parse("keep-caps", value, &plan->drop.keep_caps, f);
}

static int set_bounding(struct plan *plan, const char *value, struct fault *f)
{
	plan->drop.bounding_given = true;
	plan->drop.bounding = UINT64_MAX;
	return strcmp(value, "keep") == 0
		       ? 0
		       : caps_parse("bounding", value, &plan->drop.bounding, f);
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
		return OPTION_MALFORMED;
	if (plan->init.rewrite[from])
		return repeated("rewrite", value, f);
	plan->init.rewrite[from] = (int8_t)to;
	return 0;
}

static int set_map_exit(struct plan *plan, const char *value, struct fault *f)
{
	bool again;

	if (!init_map_exits(&plan->init, value, &again))
		return OPTION_MALFORMED;
	return again ? repeated("map-exit", value, f) : 0;
}

#define AT(field) .at = offsetof(struct plan, field)

const struct option option_table[] = {
	{ .topic = TOPIC_WHO, .name = "user", .letter = 'u',
	  .value = "USER[:GROUP]",
	  .help = "who COMMAND is, names or numbers",
	  AT(user) },
	{ .topic = TOPIC_WHO, .name = "groups", .value = "LIST",
	  .help = "names, numbers, init, runtime, auto or none",
	  AT(groups) },
	{ .topic = TOPIC_WHO, .name = "allow-root",
	  .help = "let --user be root",
	  AT(allow_root) },
	{ .topic = TOPIC_WHO, .name = "unprivileged", .value = "WHAT",
	  .help = "when not root: adapt (default) or fail",
	  .words = unprivileged_words, AT(unprivileged) },
	{ .topic = TOPIC_WHO, .name = "account",
	  .value = "NAME[:HOME[:SHELL]]",
	  .help = "a plain name for the uid, absolute paths",
	  .read = read_account, AT(account.value) },
	{ .topic = TOPIC_WHO, .name = "keep-caps", .value = "LIST",
	  .help = "capabilities to keep, joined by commas",
	  .near = caps_word,
	  .set = set_keep_caps },
	{ .topic = TOPIC_WHO, .name = "bounding", .value = "LIST",
	  .help = "left in the bounding set alone, or keep",
	  .set = set_bounding },
	{ .topic = TOPIC_WHO, .name = "allow-new-privs",
	  .help = "let setuid programs work",
	  AT(drop.allow_new_privs) },
	{ .topic = TOPIC_WHO, .name = "keep-keyring",
	  .help = "leave it our session keyring",
	  AT(drop.keep_keyring) },
	{ .topic = TOPIC_WHO, .name = "strict",
	  .help = "fail if the bounding set stays",
	  AT(strict) },
	{ .topic = TOPIC_SOCKETS, .name = "listen", .letter = 'l',
	  .many = true, .value = "[NAME=]URL", .separators = "?&",
	  .help = "hand over a socket: tcp://*:80, unix:/PATH, ...",
	  .near = url_word,
	  .set = set_listen },
	{ .topic = TOPIC_SOCKETS, .name = "handoff", .value = "HOW",
	  .help = "systemd (default), nginx or bind",
	  .words = handoff_words, AT(listen.handoff) },
	{ .topic = TOPIC_SOCKETS, .name = "no-listen-pid",
	  .help = "leave LISTEN_PID out",
	  AT(listen.no_listen_pid) },
	{ .topic = TOPIC_SOCKETS, .name = "inherit-sockets",
	  .help = "pass our own LISTEN_FDS on",
	  AT(listen.inherited.wanted) },
	{ .topic = TOPIC_FILES, .name = "own", .letter = 'o', .many = true,
	  .value = "PATH[,OPTION...]", .separators = ",\\",
	  .help = "give it all below PATH",
	  .set = set_own },
	{ .topic = TOPIC_FILES, .name = "own-stdio",
	  .help = "give it the pipes and terminals of fd 0 to 2",
	  AT(own_stdio) },
	{ .topic = TOPIC_FILES, .name = "secret", .many = true,
	  .value = "NAME=PATH[?OPTION]", .separators = "?&",
	  .help = "a file of root's, as $NAME=/proc/self/fd/N",
	  .read = secret_read, AT(secrets) },
	{ .topic = TOPIC_FILES, .name = "confine", .value = "HOW",
	  .without = "on",
	  .help = "refuse what the plan does not name: on, strict",
	  .words = confine_words, AT(confine.mode) },
	{ .topic = TOPIC_FILES, .name = "writable", .many = true,
	  .value = "PATH",
	  .help = "with --confine: may be written; 64 at most",
	  .read = confine_read_path, AT(confine.writable) },
	{ .topic = TOPIC_FILES, .name = "readable", .many = true,
	  .value = "PATH",
	  .help = "with --confine: nothing else is read; 64 at most",
	  .read = confine_read_path, AT(confine.readable) },
	{ .topic = TOPIC_FILES, .name = "connect", .value = "PORT,...",
	  .help = "with --confine: to no other TCP port; or none",
	  .read = confine_read_ports, AT(confine) },
	{ .topic = TOPIC_PROCESS, .name = "env", .many = true,
	  .value = "NAME=VALUE", .secret = true,
	  .help = "set an environment variable",
	  .set = set_env },
	{ .topic = TOPIC_PROCESS, .name = "unset-env", .many = true,
	  .value = "NAME",
	  .help = "remove an environment variable",
	  .set = set_unset_env },
	{ .topic = TOPIC_PROCESS, .name = "clear-env",
	  .help = "begin with PATH and TERM only",
	  AT(env.clear) },
	{ .topic = TOPIC_PROCESS, .name = "home", .value = "DIR",
	  .help = "its HOME, an absolute path, or keep",
	  .read = read_home, AT(env.home) },
	{ .topic = TOPIC_PROCESS, .name = "chdir", .value = "DIR",
	  .help = "enter this absolute path, as the user",
	  .read = read_path, AT(limits.chdir) },
	{ .topic = TOPIC_PROCESS, .name = "umask", .value = "MASK",
	  .help = "octal, 0 to 777",
	  .read = limits_read_umask, AT(limits) },
	{ .topic = TOPIC_PROCESS, .name = "rlimit", .many = true,
	  .value = "NAME=SOFT[:HARD]",
	  .help = "as in nofile=64 or core=0:9, SOFT <= HARD",
	  .near = limits_word,
	  .read = limits_read_rlimit, AT(limits) },
	{ .topic = TOPIC_PROCESS, .name = "argv0", .value = "NAME",
	  .help = "COMMAND's name for itself",
	  AT(exec.argv0) },
	{ .topic = TOPIC_PROCESS, .name = "setsid",
	  .help = "a session of its own",
	  AT(exec.setsid) },
	{ .topic = TOPIC_PROCESS, .name = "pdeathsig", .value = "SIGNAL",
	  .help = "at our parent's end, as TERM or 15",
	  .near = signals_word,
	  .read = read_signal, AT(exec.pdeathsig) },
	{ .topic = TOPIC_INIT, .name = "init",
	  .help = "stay as parent: forward signals, reap",
	  AT(init.wanted) },
	{ .topic = TOPIC_INIT, .name = "signal-group",
	  .help = "forward signals to its process group",
	  AT(init.signal_group) },
	{ .topic = TOPIC_INIT, .name = "rewrite", .many = true,
	  .value = "FROM:TO",
	  .help = "forward a signal (not KILL, STOP) as another",
	  .near = signals_word,
	  .set = set_rewrite },
	{ .topic = TOPIC_INIT, .name = "stop-timeout", .value = "DURATION",
	  .help = "TERM to KILL, as 500ms or 10s",
	  .read = read_duration, AT(init.stop_timeout) },
	{ .topic = TOPIC_INIT, .name = "stop-signals", .value = "LIST",
	  .help = "what asks to stop, default TERM,INT",
	  .read = read_signals, AT(init.stop_signals) },
	{ .topic = TOPIC_INIT, .name = "drain", .value = "DURATION",
	  .help = "for what is left, as 500ms or 10s",
	  .read = read_duration, AT(init.drain) },
	{ .topic = TOPIC_INIT, .name = "map-exit", .many = true,
	  .value = "FROM:TO",
	  .help = "change exit statuses (0 to 255), as in 143,130:0",
	  .set = set_map_exit },
	{ .topic = TOPIC_INIT, .name = "no-subreaper",
	  .help = "leave orphans to others",
	  AT(init.no_subreaper) },
	{ .topic = TOPIC_ABOUT, .name = "dry-run",
	  .help = "say what would be done",
	  .action = ACTION_DRY_RUN },
	{ .topic = TOPIC_ABOUT, .name = "check", .value = "FORMAT",
	  .without = "text",
	  .help = "say what will work here, as text or json",
	  .words = check_words, .action = ACTION_CHECK, AT(check_format) },
	{ .topic = TOPIC_ABOUT, .name = "verbose", .letter = 'v',
	  .help = "say what is done",
	  AT(verbose) },
	{ .topic = TOPIC_ABOUT, .name = "config", .value = "FILE",
	  .argv_only = true,
	  .help = "read options from it, one a line",
	  .set = set_config },
	{ .topic = TOPIC_ABOUT, .name = "version", .letter = 'V',
	  .argv_only = true,
	  .help = "print the version",
	  .action = ACTION_VERSION },
	{ .topic = TOPIC_ABOUT, .name = "help", .letter = 'h',
	  .argv_only = true,
	  .help = "print this",
	  .action = ACTION_HELP },
};

const size_t option_count = ARRAY_LEN(option_table);

_Static_assert(ARRAY_LEN(option_table) <= 64, "a bit for each option");
