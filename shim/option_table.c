#include "options.h"

#include <signal.h>
#include <string.h>

#include "base/str.h"
#include "cred/account.h"
#include "cred/caps.h"
#include "drop/drop.h"
#include "drop/limits.h"
#include "listen/url.h"
#include "own/own.h"
#include "run/init.h"
#include "run/signals.h"

static bool keep_word(const char *value, void *at)
{
	*(const char **)at = value;
	return true;
}

static struct slice option_word(const void *list, size_t i)
{
	(void)list;
	return i < option_count ? str_word(option_table[i].name)
				: (struct slice){ NULL, 0 };
}

static bool read_path(const char *value, void *at)
{
	return value[0] == '/' && keep_word(value, at);
}

static bool read_home(const char *value, void *at)
{
	return strcmp(value, "keep") && strcmp(value, "passwd")
		       ? read_path(value, at) : keep_word(value, at);
}

static bool read_duration(const char *value, void *at)
{
	struct duration *d = at;

	d->typed = value;
	return str_duration(value, &d->ms);
}

static bool read_signal(const char *value, void *at)
{
	int number = signals_parse(value, strlen(value));

	*(int *)at = number;
	return number > 0;
}

static bool read_env(const char *value, void *at)
{
	struct env_spec *s = at;
	const char *equals = strchr(value, '=');

	if (!equals || equals == value || s->nset == ENV_MAX_OPTIONS)
		return false;
	s->set[s->nset++] = value;
	return true;
}

static bool read_unset_env(const char *value, void *at)
{
	struct env_spec *s = at;

	if (!value[0] || strchr(value, '=') || s->nunset == ENV_MAX_OPTIONS)
		return false;
	s->unset[s->nunset++] = value;
	return true;
}

/* Hint at the --listen that a port alone, or a URL, stands for, if any. */
static int hint_url(const char *value, struct fault *f)
{
	const bool udp = strncmp(value, "udp://", 6) == 0;
	const bool ours = udp || strncmp(value, "tcp://", 6) == 0;
	const char *scheme = strstr(value, "://");
	const char *at = scheme ? scheme + 3 : value;
	const char *colon = strrchr(at, ':');
	const char *port = colon ? colon + 1 : at;
	struct slice host = { at, colon ? (size_t)(colon - at) : 0 };
	char url[128], why[512];
	struct text meant, wrong;
	struct listener l;

	if (scheme && strchr(at, ',') && strstr(at, "://"))
		return fault_hint(f, "each socket has a --listen of its own");
	if (!str_is_number(port) || (scheme && !ours && *value != 'h'))
		return -1;
	if (host.length == 0)
		host = str_word("*");
	else if (str_is(host, "localhost"))
		host = str_word("127.0.0.1");
	text_start(&meant, url, sizeof(url));
	text_add(&meant, "%s://%.*s:%s", udp ? "udp" : "tcp", (int)host.length,
		 host.at, port);
	text_start(&wrong, why, sizeof(why));
	return !url_parse(url, &l, &wrong) ? -1 :
	       fault_hint(f, "did you mean --listen=%s?", url);
}

static int set_listen(struct plan *plan, const char *value, struct fault *f)
{
	char why[512];
	struct text wrong;

	text_start(&wrong, why, sizeof(why));
	if (plan->listen.count == LISTENERS_MAX)
		return fault_set(f, EXIT_USAGE, 0, "--listen: more than %d",
				 LISTENERS_MAX);
	plan->listen.listeners = plan->listeners;
	if (!url_parse(value, &plan->listen.listeners[plan->listen.count],
		       &wrong)) {
		fault_set(f, EXIT_USAGE, 0, "--listen %s: %s", value, why);
		return hint_url(value, f);
	}
	plan->listen.count++;
	return 0;
}

/* own_parse() cuts a copy of the value, which the plan keeps. */
static int set_own(struct plan *plan, const char *value, struct fault *f)
{
	char *words = plan->text.start + plan->text.length;

	if (plan->own.ntrees == OWN_MAX_TREES)
		return fault_set(f, EXIT_USAGE, 0, "--own: more than %d",
				 OWN_MAX_TREES);
	text_add(&plan->text, "%s%c", value, '\0');
	if (plan->text.cut)
		return fault_set(f, EXIT_USAGE, 0, "--own %s: too long", value);
	plan->own.trees = plan->trees;
	if (own_parse(&plan->own.trees[plan->own.ntrees++], value, words,
		      f) == 0)
		return 0;
	if (strstr(value, ",/"))
		return fault_hint(f, "each path has an --own of its own");
	if (strstr(value, ",recursive"))
		return fault_hint(f, "all below it is given anyway");
	return -1;
}

#define AT(field) .at = offsetof(struct plan, field)

const struct option option_table[] = {
	{ WHO, 'u', "user", "USER[:GROUP]",
	  "who COMMAND is: names, numbers, or of:PATH", AT(who.user) },
	{ WHO, 0, "groups", "LIST",
	  "names, numbers, init, runtime, auto, none, of:PATH", AT(groups) },
	{ WHO, 0, "allow-root", NULL, "let --user be root",
	  AT(who.allow_root) },
	{ WHO, 0, "unprivileged", "WHAT",
	  "when not root: adapt (default) or fail", AT(who.unprivileged),
	  .words = "adapt fail" },
	{ WHO, 0, "account", "NAME[:HOME[:SHELL]][,move]",
	  "a plain name, absolute paths", AT(account), .read = account_read,
	  .separators = "," },
	{ WHO, 0, "keep-caps", "LIST",
	  "capabilities to keep, as in chown,setuid, or none",
	  AT(drop.keep_caps), .read = caps_read, .near = caps_word },
	{ WHO, 0, "bounding", "LIST",
	  "capabilities left in the bounding set alone, or keep", AT(drop),
	  .read = drop_read_bounding, .near = caps_word },
	{ WHO, 0, "allow-new-privs", NULL, "let setuid programs work",
	  AT(drop.allow_new_privs) },
	{ WHO, 0, "keep-keyring", NULL, "leave it our session keyring",
	  AT(drop.keep_keyring) },
	{ WHO, 0, "strict", NULL, "fail if the bounding set stays",
	  AT(strict) },
	{ SOCKETS, 'l', "listen", "[NAME=]URL",
	  "hand over a socket: tcp://*:80, unix:/PATH, ...", .set = set_listen,
	  .separators = "?&", .near = url_word, .many = true },
	{ SOCKETS, 0, "handoff", "HOW", "systemd (default), nginx or bind",
	  AT(listen.handoff), .words = "systemd nginx bind" },
	{ SOCKETS, 0, "no-listen-pid", NULL, "leave LISTEN_PID out",
	  AT(listen.no_listen_pid) },
	{ SOCKETS, 0, "inherit-sockets", NULL, "pass our own LISTEN_FDS on",
	  AT(listen.inherited.wanted) },
	{ FILES, 'o', "own", "PATH[,OPTION...]", "give it all below PATH",
	  .set = set_own, .separators = ",\\", .many = true,
	  .words = OWN_OPTIONS },
	{ FILES, 0, "own-stdio", NULL,
	  "give it the pipes and terminals of fd 0 to 2", AT(own_stdio) },
	{ FILES, 0, "secret", "NAME=PATH[?OPTION]",
	  "a file of root's, as $NAME=/proc/self/fd/N", AT(secrets),
	  .read = secret_read, .separators = "?&", .words = "env try",
	  .many = true },
	{ FILES, 0, "confine", "HOW",
	  "refuse what the plan does not name: on, strict", AT(confine.mode),
	  .words = "off on strict", .without = "on" },
	{ FILES, 0, "writable", "PATH",
	  "with --confine: may be written; 64 at most",
	  AT(confine.writable), .read = confine_read_path, .many = true },
	{ FILES, 0, "readable", "PATH",
	  "with --confine: nothing else is read; 64 at most",
	  AT(confine.readable), .read = confine_read_path, .many = true },
	{ FILES, 0, "connect", "PORT,...",
	  "with --confine: to no other TCP port; or none", AT(confine),
	  .read = confine_read_ports },
	{ GETS, 0, "env", "NAME=VALUE",
	  "set an environment variable, 256 at most", AT(env), .many = true,
	  .secret = true, .read = read_env },
	{ GETS, 0, "unset-env", "NAME",
	  "remove an environment variable, 256 at most", AT(env),
	  .many = true, .read = read_unset_env },
	{ GETS, 0, "clear-env", NULL, "begin with PATH and TERM only",
	  AT(env.clear) },
	{ GETS, 0, "home", "DIR", "its HOME: an absolute path, keep, passwd",
	  AT(env.home), .read = read_home },
	{ GETS, 0, "chdir", "DIR", "enter this absolute path, as the user",
	  AT(limits.chdir), .read = read_path },
	{ GETS, 0, "umask", "MASK", "octal, 0 to 777", AT(limits),
	  .read = limits_read_umask },
	{ GETS, 0, "rlimit", "NAME=SOFT[:HARD]",
	  "as in nofile=64 or core=0:9, SOFT <= HARD", AT(limits),
	  .read = limits_read_rlimit, .near = limits_word, .many = true },
	{ GETS, 0, "argv0", "NAME", "COMMAND's name for itself",
	  AT(exec.argv0) },
	{ GETS, 0, "setsid", NULL, "a session of its own", AT(exec.setsid) },
	{ GETS, 0, "pdeathsig", "SIGNAL", "at our parent's end, as TERM or 15",
	  AT(exec.pdeathsig), .read = read_signal, .near = signals_word },
	{ INIT, 0, "init", NULL, "stay as parent: forward signals, reap",
	  AT(init.wanted) },
	{ INIT, 0, "signal-group", NULL,
	  "forward signals to its process group", AT(init.signal_group) },
	{ INIT, 0, "rewrite", "FROM:TO",
	  "forward a signal (not KILL, STOP) once as another", AT(init),
	  .near = signals_word, .many = true, .read = init_rewrite },
	{ INIT, 0, "stop-timeout", "DURATION", "TERM to KILL, as 500ms or 10s",
	  AT(init.stop_timeout), .read = read_duration },
	{ INIT, 0, "stop-signals", "LIST",
	  "what asks to stop, default TERM,INT", AT(init.stop_signals),
	  .read = signals_parse_set, .near = signals_word },
	{ INIT, 0, "drain", "DURATION", "for what is left, as 500ms or 10s",
	  AT(init.drain), .read = read_duration },
	{ INIT, 0, "map-exit", "FROM:TO",
	  "change exit statuses (0 to 255) once, as 143,130:0", AT(init),
	  .many = true, .read = init_map_exits },
	{ INIT, 0, "no-subreaper", NULL, "leave orphans to others",
	  AT(init.no_subreaper) },
	{ ABOUT, 0, "dry-run", NULL, "say what would be done",
	  .action = ACTION_DRY_RUN },
	{ ABOUT, 0, "check", "FORMAT",
	  "say what will work here, as text or json", AT(check_format),
	  .words = "text json", .without = "text", .action = ACTION_CHECK },
	{ ABOUT, 'v', "verbose", NULL, "say what is done", AT(verbose) },
	{ ABOUT, 0, "config", "FILE", "read options from it, one a line",
	  AT(config_file), .argv_only = true },
	{ ABOUT, 'V', "version", NULL, "print the version",
	  .action = ACTION_VERSION, .argv_only = true },
	{ ABOUT, 'h', "help", "OPTION",
	  "print this, or all about own, listen, init, ...", AT(topic),
	  .near = option_word, .without = "help",
	  .action = ACTION_HELP, .argv_only = true },
};

const size_t option_count = ARRAY_LEN(option_table);

_Static_assert(ARRAY_LEN(option_table) <= 64, "a bit for each option");
