#include "unit.h"

#include "base/str.h"
#include "options.h"
#include "run/init.h"

static struct plan plan;
static struct fault f;

static int parse(char *const *words)
{
	memset(&plan, 0, sizeof(plan));
	memset(&f, 0, sizeof(f));
	return options_parse(&plan, words,
			     WORDS("ID=4242", "PORT=80", "DIR=/data"), &f);
}

/* Options before a command. */
#define PARSE(...) parse(WORDS("stepdown", __VA_ARGS__))

/* A value that the option takes. */
static const char *value_for(const struct option *o)
{
	static const struct {
		const char *name;
		const char *value;
	} values[] = {
		{ "user", "4242:4242" }, { "groups", "1,2" },
		{ "listen", "tcp://*:80" }, { "handoff", "nginx" },
		{ "own", "/data" }, { "keep-caps", "chown" },
		{ "bounding", "keep" }, { "confine", "strict" },
		{ "writable", "/srv" }, { "readable", "/srv" },
		{ "connect", "443" }, { "secret", "A=/run/a" },
		{ "env", "A=b" },
		{ "rewrite", "TERM:QUIT" }, { "stop-timeout", "10s" },
		{ "drain", "500ms" }, { "map-exit", "143:0" },
		{ "pdeathsig", "TERM" }, { "argv0", "-sh" },
		{ "stop-signals", "TERM,QUIT" },
		{ "unprivileged", "adapt" },
		{ "account", "web:/srv" }, { "home", "/srv" },
		{ "unset-env", "A" }, { "chdir", "/srv" }, { "umask", "027" },
		{ "rlimit", "nofile=1:2" },
		{ "config", "/etc/web.conf" }, { "check", "json" },
		{ "help", "own" },
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (strcmp(values[i].name, o->name) == 0)
			return values[i].value;
	fail_msg("this test has no value for --%s", o->name);
	return NULL;
}

/* "--name", "--name=value", "-n" or "-nvalue" in buffer. */
static const char *word(char buffer[64], const struct option *o,
			const char *value, bool short_form)
{
	if (short_form)
		snprintf(buffer, 64, "-%c%s", o->letter, value ? value : "");
	else
		snprintf(buffer, 64, "--%s%s%s", o->name, value ? "=" : "",
			 value ? value : "");
	return buffer;
}

TEST(names_and_letters_are_unique)
{
	for (size_t i = 0; i < option_count; i++)
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(option_table[i].name,
						option_table[j].name);
			if (option_table[i].letter)
				assert_int_not_equal(option_table[i].letter,
						     option_table[j].letter);
		}
}

TEST(each_way_to_give_a_value_means_the_same)
{
	static struct plan first;

	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		char buffer[64];
		char letter[3] = { '-', o->letter, '\0' };
		const char *value;
		const char *name;

		if (!o->value || o->action == ACTION_HELP)
			continue;
		value = value_for(o);
		name = word(buffer, o, o->without ? value : NULL, false);
		assert_int_equal(o->without ? PARSE(name, "cmd") :
					      PARSE(name, value, "cmd"), 0);
		assert_string_equal(plan.exec.command[0], "cmd");
		first = plan;
		assert_int_equal(PARSE(word(buffer, o, value, false), "cmd"),
				 0);
		assert_string_equal(plan.exec.command[0], "cmd");
		assert_int_equal(plan.listen.count, first.listen.count);
		assert_int_equal(plan.own.ntrees, first.own.ntrees);
		assert_int_equal(plan.env.nset, first.env.nset);
		assert_int_equal(plan.drop.keep_caps, first.drop.keep_caps);
		assert_int_equal(plan.listen.handoff, first.listen.handoff);
		assert_int_equal(!plan.who.user, !first.who.user);
		assert_int_equal(!plan.groups, !first.groups);
		if (!o->letter)
			continue;
		assert_int_equal(PARSE(letter, value, "cmd"), 0);
		assert_string_equal(plan.exec.command[0], "cmd");
		assert_int_equal(PARSE(word(buffer, o, value, true), "cmd"), 0);
		assert_string_equal(plan.exec.command[0], "cmd");
		assert_int_equal(plan.listen.count, first.listen.count);
		assert_int_equal(plan.own.ntrees, first.own.ntrees);
		assert_int_equal(!plan.who.user, !first.who.user);
	}
}

TEST(a_missing_value_is_a_usage_fault)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		char buffer[64];

		if (!o->value || o->without)
			continue;
		assert_int_equal(PARSE(word(buffer, o, NULL, false)), -1);
		assert_fault(&f, EXIT_USAGE, "is missing");
		assert_has(f.what, o->name);
		if (o->letter) {
			assert_int_equal(PARSE(word(buffer, o, NULL, true)),
					 -1);
			assert_fault(&f, EXIT_USAGE, "is missing");
		}
	}
}

TEST(a_value_that_may_be_left_out_is_never_the_next_word)
{
	assert_int_equal(PARSE("--confine", "strict"), 0);
	assert_int_equal(plan.confine.mode, CONFINE_ON);
	assert_string_equal(plan.exec.command[0], "strict");
	assert_int_equal(PARSE("--confine=strict", "cmd"), 0);
	assert_int_equal(plan.confine.mode, CONFINE_STRICT);
	assert_int_equal(PARSE("--confine=", "cmd"), -1);
}

TEST(ports_to_connect_to_are_a_list)
{
	static const char *const bad[] = { "", "0", "65536", "1,", ",1", "a",
					   "1,,2", "none,1", "+1" };

	assert_int_equal(PARSE("--connect=443,1,65535", "cmd"), 0);
	assert_true(plan.confine.connects);
	assert_int_equal(plan.confine.nports, 3);
	assert_int_equal(plan.confine.ports[2], 65535);
	assert_int_equal(PARSE("--connect=none", "cmd"), 0);
	assert_true(plan.confine.connects);
	assert_int_equal(plan.confine.nports, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(PARSE("--connect", bad[i], "cmd"), -1);
}

TEST(check_prints_text_or_json)
{
	assert_int_equal(PARSE("--check", "json"), 0);
	assert_int_equal(plan.action, ACTION_CHECK);
	assert_int_equal(plan.check_format, 0);
	assert_string_equal(plan.exec.command[0], "json");
	assert_int_equal(PARSE("--check=json", "cmd"), 0);
	assert_int_equal(plan.check_format, 1);
	assert_int_equal(PARSE("--check=", "cmd"), -1);
	assert_fault(&f, EXIT_USAGE, "text or json");
}

TEST(a_flag_takes_no_value)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		char buffer[64];

		if (o->value)
			continue;
		assert_int_equal(PARSE(word(buffer, o, "x", false), "cmd"), -1);
		assert_fault(&f, EXIT_USAGE, "takes no value");
		assert_int_equal(PARSE(word(buffer, o, "", false), "cmd"),
				 -1);
		snprintf(buffer, sizeof(buffer), "--%s=", o->name);
		assert_int_equal(PARSE(buffer, "cmd"), -1);
		assert_fault(&f, EXIT_USAGE, "takes no value");
		if (o->letter) {
			assert_int_equal(PARSE(word(buffer, o, "x", true),
					       "cmd"), -1);
			assert_fault(&f, EXIT_USAGE, "takes no value");
		}
	}
}

TEST(what_is_given_twice_is_a_fault_unless_it_is_a_list)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		char buffer[64];
		const char *given = word(buffer, o,
					 o->value ? value_for(o) : NULL, false);
		int result = PARSE(given, given, "cmd");

		/* They end the reading, so nobody sees the second. */
		if (o->action == ACTION_HELP || o->action == ACTION_VERSION) {
			assert_int_equal(result, 0);
		} else if (strcmp(o->name, "rewrite") == 0 ||
			   strcmp(o->name, "map-exit") == 0) {
			assert_int_equal(result, -1);
			assert_fault(&f, EXIT_USAGE, "once");
		} else if (o->many) {
			assert_int_equal(result, 0);
			if (strcmp(o->name, "rlimit") == 0)
				continue;	/* of one name, the last counts */
			assert_int_equal(plan.listen.count + plan.own.ntrees +
					 plan.env.nset +
					 plan.env.nunset +
					 plan.confine.writable.count +
					 plan.confine.readable.count +
					 plan.secrets.count, 2);
		} else {
			assert_int_equal(result, -1);
			assert_fault(&f, EXIT_USAGE, "given twice");
			assert_has(f.what, o->name);
		}
	}
}

TEST(short_and_long_form_are_the_same_option)
{
	assert_int_equal(PARSE("-u", "1:1", "--user=2:2", "cmd"), -1);
	assert_fault(&f, EXIT_USAGE, "--user: given twice");
}

TEST(an_unknown_option_is_a_usage_fault_with_a_hint)
{
	static const char *const words[] = {
		"-x", "--x", "--use", "--use=1", "--users=1", "--User=1",
		"--user:1", "---", "---user=1", "--=", "--=1", "-=", "-?",
		"--help1", "--list", "-U1", "--\xff"
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		assert_int_equal(PARSE(words[i], "cmd"), -1);
		assert_fault(&f, EXIT_USAGE, "unknown option");
		assert_has(f.what, words[i]);
		if (!strstr(f.hint, "did you mean --"))
			assert_has(f.hint, "--help");
	}
}

static bool is_name(const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if (strcmp(option_table[i].name, name) == 0)
			return true;
	return false;
}

TEST(an_abbreviation_is_unknown)
{
	for (size_t i = 0; i < option_count; i++)
		for (size_t cut = 1; cut < strlen(option_table[i].name); cut++) {
			char buffer[64];
			size_t length = strlen(option_table[i].name) - cut;

			snprintf(buffer, sizeof(buffer), "--%.*s", (int)length,
				 option_table[i].name);
			if (is_name(buffer + 2))
				continue;	/* own-stdio, own */
			assert_int_equal(PARSE(buffer, "cmd"), -1);
			assert_fault(&f, EXIT_USAGE, "unknown option");
		}
}

TEST(options_end_at_the_first_word_that_is_none)
{
	assert_int_equal(PARSE("-v", "cmd", "--user=1", "-x", "--"), 0);
	assert_string_equal(plan.exec.command[0], "cmd");
	assert_string_equal(plan.exec.command[1], "--user=1");
	assert_null(plan.who.user);
	assert_int_equal(PARSE("-v", "-", "-v"), 0);
	assert_string_equal(plan.exec.command[0], "-");
	assert_int_equal(PARSE("-v", "", "-v"), 0);
	assert_string_equal(plan.exec.command[0], "");
}

TEST(options_end_at_two_dashes)
{
	assert_int_equal(PARSE("-v", "--", "--user=1"), 0);
	assert_string_equal(plan.exec.command[0], "--user=1");
	assert_null(plan.who.user);
	assert_int_equal(PARSE("--", "--", "cmd"), 0);
	assert_string_equal(plan.exec.command[0], "--");
	assert_int_equal(PARSE("--"), 0);
	assert_null(plan.exec.command[0]);
}

TEST(a_value_may_look_like_an_option)
{
	assert_int_equal(PARSE("--user", "--verbose", "cmd"), 0);
	assert_string_equal(plan.who.user, "--verbose");
	assert_false(plan.verbose);
	assert_int_equal(PARSE("--user", "--", "cmd"), 0);
	assert_string_equal(plan.who.user, "--");
	assert_int_equal(PARSE("-u-1", "cmd"), 0);
	assert_string_equal(plan.who.user, "-1");
	assert_int_equal(PARSE("--env=A=b=c", "cmd"), 0);
	assert_string_equal(plan.env.set[0], "A=b=c");
}

TEST(an_empty_argv_is_an_empty_command)
{
	char *const nothing[] = { NULL };

	assert_int_equal(parse(nothing), 0);
	assert_null(plan.exec.command[0]);
	assert_int_equal(parse(WORDS("stepdown")), 0);
	assert_null(plan.exec.command[0]);
}

TEST(each_wish_reaches_the_plan)
{
	assert_int_equal(PARSE("-u4242:4243", "--groups=1,2", "--allow-root",
			       "-l", "tcp://0.0.0.0:80", "-lw=tcp://[::]:80",
			       "--handoff=nginx", "-o/a", "-o", "/b",
			       "--own-stdio", "--keep-caps=chown", "--env=A=1",
			       "--dry-run", "-v", "cmd"), 0);
	assert_string_equal(plan.who.user, "4242:4243");
	assert_string_equal(plan.groups, "1,2");
	assert_true(plan.who.allow_root);
	assert_int_equal(plan.listen.count, 2);
	assert_string_equal(plan.listen.listeners[0].url, "tcp://0.0.0.0:80");
	assert_string_equal(plan.listen.listeners[1].url, "tcp://[::]:80");
	assert_int_equal(plan.listen.handoff, HANDOFF_NGINX);
	assert_int_equal(plan.own.ntrees, 2);
	assert_string_equal(plan.own.trees[0].path, "/a");
	assert_string_equal(plan.own.trees[1].path, "/b");
	assert_true(plan.own_stdio);
	assert_int_equal(plan.drop.keep_caps, 1);
	assert_int_equal(plan.env.nset, 1);
	assert_int_equal(plan.action, ACTION_DRY_RUN);
	assert_true(plan.verbose);
}

TEST(without_options_nothing_is_wished)
{
	assert_int_equal(PARSE("cmd"), 0);
	assert_int_equal(plan.action, ACTION_RUN);
	assert_int_equal(plan.listen.handoff, HANDOFF_SYSTEMD);
	assert_int_equal(plan.drop.keep_caps, 0);
	assert_false(plan.who.allow_root);
	assert_false(plan.own_stdio);
	assert_null(plan.who.user);
	assert_null(plan.groups);
}

TEST(help_and_version_end_the_reading)
{
	assert_int_equal(PARSE("--help", "--nonsense"), 0);
	assert_int_equal(plan.action, ACTION_HELP);
	assert_int_equal(PARSE("-V", "--nonsense"), 0);
	assert_int_equal(plan.action, ACTION_VERSION);
	assert_int_equal(PARSE("--nonsense", "--help"), -1);
}

static const struct {
	const char *option;
	const char *words;
} bad_values[] = {
	{ "--listen=80", "--listen 80: expected" },
	{ "--listen=", "--listen : expected" },
	{ "--handoff=", "expected HOW: systemd" },
	{ "--handoff=Nginx", "expected HOW: systemd" },
	{ "--handoff=nginxx", "expected HOW: systemd" },
	{ "--own=", "expected an absolute path" },
	{ "--own=a", "expected an absolute path" },
	{ "--own=./a", "expected an absolute path" },
	{ "--own=~/a", "expected an absolute path" },
	{ "--keep-caps=", "--keep-caps : expected LIST: capabilities" },
	{ "--bounding=root", "--bounding root: expected LIST: capabilities" },
	{ "--env=", "expected NAME=VALUE" },
	{ "--env=A", "expected NAME=VALUE" },
	{ "--env==b", "expected NAME=VALUE" },
	{ "--user=${NONE}", "NONE is not set" },
	{ "--user=${ID", "without a closing }" },
};

TEST(a_wrong_value_is_a_usage_fault_that_shows_it)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_values); i++) {
		assert_int_equal(PARSE(bad_values[i].option, "cmd"), -1);
		assert_fault(&f, EXIT_USAGE, bad_values[i].words);
	}
}

TEST(variables_are_expanded_in_every_value)
{
	assert_int_equal(PARSE("--user=${ID}:${GID:-7}",
			       "--listen", "tcp://*:${PORT}", "-o${DIR}",
			       "--env=X=$${ID}", "cmd", "${ID}"), 0);
	assert_string_equal(plan.who.user, "4242:7");
	assert_string_equal(plan.listen.listeners[0].url, "tcp://*:80");
	assert_string_equal(plan.own.trees[0].path, "/data");
	assert_string_equal(plan.env.set[0], "X=${ID}");
	assert_string_equal(plan.exec.command[1], "${ID}");
}

TEST(expanded_values_have_a_common_limit)
{
	static char value[PLAN_TEXT_SIZE + 8];
	size_t length = PLAN_TEXT_SIZE / 4 - 2;

	/*
	 * Two of them nearly fill it, NULs included: each is there as it was
	 * expanded, and once more to be cut into words.
	 */
	memset(value, 'a', sizeof(value));
	value[0] = '/';
	strcpy(value + length, "${N:-}");
	assert_int_equal(PARSE("-o", value, "-o", value, "cmd"), 0);
	assert_int_equal(plan.text.length, PLAN_TEXT_SIZE - 4);
	assert_int_equal(strlen(plan.own.trees[1].path), length);
	assert_int_equal(PARSE("-o", value, "-o", value, "-o/${N:-}", "cmd"),
			 -1);
	assert_fault(&f, EXIT_USAGE, "--own");
	assert_int_equal(PARSE("-o", value, "-o", value, "-o/a", "cmd"), 0);
	memset(value, 'a', sizeof(value));
	value[0] = '/';
	strcpy(value + length + 2, "${N:-}");
	assert_int_equal(PARSE("-o", value, "-o", value, "cmd"), -1);
	assert_fault(&f, EXIT_USAGE, "--own");
}

/* stepdown, count times the same option, cmd */
static int str_many(const char *option, size_t count)
{
	static const char *words[600];

	words[0] = "stepdown";
	for (size_t i = 1; i <= count; i++)
		words[i] = option;
	words[count + 1] = "cmd";
	words[count + 2] = NULL;
	return parse((char *const *)(uintptr_t)words);
}

TEST(a_list_that_is_too_long_is_a_usage_fault)
{
	static const struct {
		const char *option;
		size_t most;
		const char *words;
	} lists[] = {
		{ "-ltcp://*:80", LISTENERS_MAX, "more than 128" },
		{ "-o/a", OWN_MAX_TREES, "more than 128" },
		{ "--env=A=b", ENV_MAX_OPTIONS, "256 at most" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		assert_int_equal(str_many(lists[i].option, lists[i].most), 0);
		assert_int_equal(str_many(lists[i].option, lists[i].most + 1),
				 -1);
		assert_fault(&f, EXIT_USAGE, lists[i].words);
	}
}

TEST(what_an_init_shall_do_reaches_the_plan)
{
	assert_int_equal(PARSE("--init", "--signal-group", "--rewrite=TERM:QUIT",
			       "--rewrite=HUP:", "--stop-timeout=2s",
			       "--drain=300ms", "--map-exit=143:0",
			       "--map-exit=0:7", "--no-subreaper", "--setsid",
			       "--pdeathsig=KILL", "cmd"), 0);
	assert_true(plan.init.wanted);
	assert_true(plan.init.signal_group);
	assert_true(plan.init.no_subreaper);
	assert_int_equal(plan.init.rewrite[15], 3);
	assert_int_equal(plan.init.rewrite[1], SIGNAL_DROP);
	assert_int_equal(plan.init.rewrite[2], 0);
	assert_int_equal(plan.init.stop_timeout.ms, 2000);
	assert_int_equal(plan.init.drain.ms, 300);
	assert_int_equal(plan.init.exits[143], 1 + 0);
	assert_int_equal(plan.init.exits[0], 1 + 7);
	assert_int_equal(plan.init.exits[1], 0);
	assert_true(plan.exec.setsid);
	assert_int_equal(plan.exec.pdeathsig, 9);
}

TEST(every_exit_status_can_be_mapped_and_lists_too)
{
	static const char *const wrong[] = {
		"", ":", "1", "1:", ":1", "1,:0", ",1:0", "1,,2:0", "256:0",
		"1:256", "1:2:3", "1 :0", "-1:0", "0000:0", "1,x:0"
	};
	struct init_spec init = { 0 };
	char word[16];

	for (int i = 0; i < 256; i++) {
		snprintf(word, sizeof(word), "%d:%d", i, 255 - i);
		assert_true(init_map_exits(word, &init));
	}
	for (int i = 0; i < 256; i++)
		assert_int_equal(init.exits[i], 1 + 255 - i);
	memset(&init, 0, sizeof(init));
	assert_true(init_map_exits("143,130,0:255", &init));
	assert_int_equal(init.exits[143], 256);
	assert_int_equal(init.exits[0], 256);
	assert_false(init_map_exits("5,130:1", &init));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (init_map_exits(wrong[i], &init))
			fail_msg("'%s' was taken", wrong[i]);
}
