#include "options.h"

#include <string.h>
#include <strings.h>

#include "base/report.h"
#include "base/str.h"

static const struct option *find_name(struct slice name)
{
	for (size_t i = 0; i < option_count; i++)
		if (str_is(name, option_table[i].name))
			return &option_table[i];
	return NULL;
}

/*
 * Find the option of a word, and the value that is part of it: "--name=value",
 * "-nvalue". *value is NULL when there is none.
 */
static const struct option *find_option(const char *word, const char **value)
{
	struct slice rest = str_word(word + 2);
	struct slice name = str_cut(&rest, '=');

	if (word[1] == '-') {
		*value = rest.at;
		return find_name(name);
	}
	*value = word[2] ? word + 2 : NULL;
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].letter == word[1])
			return &option_table[i];
	return NULL;
}

/* Expand ${VAR} into the plan's own text. */
static int expand(struct plan *plan, const struct option *o,
		  const char **value, char *const env[], struct fault *f)
{
	const char *start = plan->text.start + plan->text.length;

	if (!strstr(*value, "${"))
		return 0;
	if (expand_value(o, *value, env, &plan->text, f) < 0)
		return -1;
	*value = start;
	return 0;
}

/* Word i of those that may occur in an option's value. */
static struct slice value_word(const void *option, size_t i)
{
	const struct option *o = option;
	struct slice rest, word;

	if (o->near)
		return o->near(NULL, i);
	rest = str_word(o->words ? o->words : "");
	for (i++; i-- > 0;)
		word = str_cut(&rest, ' ');
	word.length = word.at ? strcspn(word.at, "=[ ") : 0;
	return word.length ? word : (struct slice){ NULL, 0 };
}

/* Store a value as struct option says; false if it is not what .help says. */
static bool keep(struct plan *plan, const struct option *o, const char *value)
{
	char *at = (char *)plan + o->at;
	struct slice word;

	if (o->action)
		plan->action = o->action;
	if (o->read)
		return o->read(value, at);
	for (unsigned int i = 0; (word = value_word(o, i)).at; i++)
		if (str_is(word, value)) {
			*(unsigned int *)(void *)at = i;
			return true;
		}
	if (value_word(o, 0).at)
		return false;
	if (o->value)
		*(const char **)(void *)at = value;
	else if (!o->action)
		*(bool *)at = true;
	return true;
}

/*
 * After a value was refused, hint at the word that was meant. Before the first
 * separator is a path or an address, none of the option's words.
 */
static int hint_value(const struct option *o, const char *value,
		      struct fault *f)
{
	const char *at = value_word(o, 0).at ? value : NULL;

	if (at && o->separators)
		at = strchr(value, o->separators[0]);
	while (at && *at) {
		struct slice part, found;

		at += strncasecmp(at, "SIG", 3) == 0  ? 3 :
		      strncasecmp(at, "cap_", 4) == 0 ? 4 : 0;
		part = (struct slice){ at, strcspn(at, ":=,?&") };
		found = str_nearest(part, value_word, o);
		if (found.at && (found.length != part.length ||
				 strncasecmp(found.at, at, part.length) != 0))
			return fault_hint(f, "did you mean %.*s?",
					  (int)found.length, found.at);
		at += part.length + (at[part.length] != '\0');
	}
	return expand_hint(value, f);
}

/* seen: bit n is set once option_table[n] was given. */
static int apply(struct plan *plan, const struct option *o, const char *value,
		 char *const env[], uint64_t *seen, struct fault *f)
{
	uint64_t bit = UINT64_C(1) << (o - option_table);

	if (!o->value && value)
		return fault_set(f, EXIT_USAGE, 0, "--%s takes no value",
				 o->name);
	if (o->value && !value)
		return fault_set(f, EXIT_USAGE, 0, "--%s: %s is missing",
				 o->name, o->value);
	if (!o->many && (*seen & bit))
		return fault_set(f, EXIT_USAGE, 0, "--%s: given twice",
				 o->name);
	*seen |= bit;
	if (!plan->text.start)
		text_start(&plan->text, plan->words, sizeof(plan->words));
	plan->topics |= 1u << o->topic;
	if (o->topic == INIT &&
	    (o->value || o->at != offsetof(struct plan, init.wanted)))
		plan->init_option = o->name;
	if (value && expand(plan, o, &value, env, f) < 0)
		return -1;
	if (o->set) {
		if (o->set(plan, value, f) == 0)
			return 0;
	} else {
		if (keep(plan, o, value))
			return 0;
		fault_set(f, EXIT_USAGE, 0, "--%s %s: expected %s: %s", o->name,
			  o->secret ? "..." : value, o->value, o->help);
	}
	return hint_value(o, value, f);
}

/* Options of Docker, gosu, tini and setpriv, and what they are called here. */
static const char *const foreign[][2] = {
	{ "--uid", "--user=UID:GID" }, { "--gid", "--user=UID:GID" },
	{ "--reuid", "--user=UID:GID" }, { "--regid", "--user=UID:GID" },
	{ "--chown", "--own=PATH" }, { "--clear-groups", "--groups=none" },
	{ "--port", "--listen=tcp://*:PORT" }, { "-w", "--chdir=DIR" },
	{ "--volume", "--own=PATH, which gives a volume to --user" },
	{ "-e", "--env=NAME=VALUE, or --map-exit=N:0 for tini's -e" },
	{ "-g", "--user=USER:GROUP, or --signal-group for tini's -g" },
	{ "-p", "--listen=tcp://*:PORT, or --pdeathsig for tini's -p" },
};

static int unknown(const char *word, struct fault *f)
{
	struct slice rest = str_word(word);
	struct slice name = str_cut(&rest, '=');
	struct slice found;

	fault_set(f, EXIT_USAGE, 0, "unknown option %s", word);
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		if (str_is(name, foreign[i][0]))
			return fault_hint(f, "did you mean %s?", foreign[i][1]);
	fault_hint(f, "see --help; COMMAND's options go after it");
	if (word[1] != '-')
		return -1;
	name.at += 2;
	name.length -= 2;
	found = str_nearest(name, value_word, find_name(str_word("help")));
	return !found.at ? -1 : fault_hint(f, "did you mean --%.*s?",
					   (int)found.length, found.at);
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
	if (word[1] != '-' && *value && **value == '=' && (*o)->value) {
		fault_set(f, EXIT_USAGE, 0, "%s: a short option has no '='",
			  word);
		return fault_hint(f, "did you mean --%s%s?", (*o)->name,
				  *value);
	}
	if (!*value)
		*value = (*o)->without;
	if ((*o)->value && !*value && **at)
		*value = *(*at)++;
	return 1;
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
		if (plan->action >= ACTION_HELP)
			return 0;
	}
	plan->exec.command = at;
	return found;
}

int options_set(struct plan *plan, const char *name, const char *value,
		char *const env[], uint64_t *seen, struct fault *f)
{
	const struct option *o = find_name(str_word(name));

	if (!o || o->argv_only)
		return fault_set(f, EXIT_USAGE, 0,
				 "%s: not an option of a config file", name);
	return apply(plan, o, value ? value : o->without, env, seen, f);
}

void options_help(unsigned int topic)
{
	static const char *const titles[] = {
		"Who COMMAND is", "Sockets", "Files", "What COMMAND gets",
		"Staying as its parent", "Finding out"
	};
	const struct option *one = &option_table[topic];
	char buffer[16384];
	struct text out;
	struct slice word;

	if (one->action == ACTION_HELP)
		one = NULL;
	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "%s", one ? "" :
		 "usage: stepdown [OPTION...] [--] COMMAND [ARG...]\n"
		 "  ENTRYPOINT [\"stepdown\", \"--user=4242:4242\", \"--own=/data\", \"--\", \"server\"]\n"
		 "  stepdown --user=app --listen=tcp://*:80 --init -- server\n"
		 "  stepdown --check --user=4242:4242 --own=/data -- server\n"
		 "${VAR} and ${VAR:-default} are expanded in values. Exit status: 100 usage,\n"
		 "111 a step failed, 126 or 127 no COMMAND, else COMMAND's own.\n");
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		size_t at, column = 80;

		if (one && o->topic != one->topic)
			continue;
		if (i == 0 || o->topic != o[-1].topic)
			text_add(&out, "%s%s:\n", one ? "" : "\n",
				 titles[o->topic]);
		at = out.length + 27;
		text_add(&out, o->letter ? "  -%c, " : "      ", o->letter);
		text_add(&out, "--%s%s%s%s%s", o->name, o->without ? "[" : "",
			 o->value ? "=" : "", o->value ? o->value : "",
			 o->without ? "]" : "");
		text_add(&out, "%*s %s\n", out.length < at ?
			 (int)(at - out.length) : 0, "", o->help);
		for (at = 0; one && (word = value_word(o, at)).at; at++) {
			word.length = strcspn(word.at, " ");
			if (column + word.length >= 80) {
				text_add(&out, at ? "\n%27s" : "%27s", "");
				column = 27;
			}
			text_add(&out, " %.*s", (int)word.length, word.at);
			column += word.length + 1;
		}
		text_add(&out, at ? "\n" : "");
	}
	report_text(&out);
}
