#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/fault.h"
#include "base/near.h"
#include "base/str.h"
#include "base/text.h"
#include "expand.h"
#include "option_table.h"
#include "plan.h"

static const struct option *find_name(const char *name, size_t length)
{
	for (size_t i = 0; i < option_count; i++)
		if (strlen(option_table[i].name) == length &&
		    memcmp(option_table[i].name, name, length) == 0)
			return &option_table[i];
	return NULL;
}

static const struct option *find_letter(char letter)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].letter && option_table[i].letter == letter)
			return &option_table[i];
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
	const struct expansion e = { .option = o->name, .value = *value,
				     .shown = o->secret ? "..." : *value,
				     .separators = o->separators
							   ? o->separators
							   : "",
				     .env = env };
	struct text out;

	if (!expand_needed(*value))
		return 0;
	if (plan->text_length == sizeof(plan->text))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: expanded to more than %zu bytes",
				 o->name, e.shown, sizeof(plan->text));
	text_start(&out, plan->text + plan->text_length,
		   sizeof(plan->text) - plan->text_length);
	if (expand_value(&e, &out, f) < 0)
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

/* Keep a value as struct option says. Returns as .set does. */
static int keep(struct plan *plan, const struct option *o, const char *value,
		struct fault *f)
{
	char *at = (char *)plan + o->at;

	if (o->set)
		return o->set(plan, value, f);
	if (o->read)
		return o->read(value, at) ? 0 : OPTION_MALFORMED;
	if (o->action)
		plan->action = o->action;
	else if (!o->value)
		*(bool *)at = true;
	if (!value)
		return 0;
	if (!o->words)
		*(const char **)(void *)at = value;
	else
		for (unsigned int i = 0; o->words[i]; i++)
			if (strcmp(o->words[i], value) == 0) {
				*(unsigned int *)(void *)at = i;
				return 0;
			}
	return o->words ? OPTION_MALFORMED : 0;
}

static struct slice word_of(const void *list, size_t i)
{
	const char *const *words = list;

	return words[i] ? str_word(words[i]) : (struct slice){ NULL, 0 };
}

/*
 * After a value was refused: was another of the option's words meant? What
 * stands before the first separator, a path or an address, is none of them.
 */
static int hint_value(const struct option *o, const char *value,
		      struct fault *f)
{
	near_words *words = o->words ? word_of : o->near;
	const char *at = value;

	if (words && o->separators)
		at = strchr(value, o->separators[0]);
	while (words && at && *at) {
		size_t length = strcspn(at, ":=,?&");
		struct slice part = { at, length };
		struct slice found;

		if (part.length > 3 && (strncasecmp(at, "SIG", 3) == 0)) {
			part.at += 3;
			part.length -= 3;
		} else if (part.length > 4 && strncasecmp(at, "cap_", 4) == 0) {
			part.at += 4;
			part.length -= 4;
		}
		found = near_find(part, words, o->words);
		if (found.at && (found.length != part.length ||
				 strncasecmp(found.at, part.at, part.length)))
			return fault_hint(f, "did you mean %.*s?",
					  (int)found.length, found.at);
		at += length + (at[length] != '\0');
	}
	return expand_hint(value, f);
}

/* seen: bit n is set once option_table[n] was given. */
static int apply(struct plan *plan, const struct option *o, const char *value,
		 char *const env[], uint64_t *seen, struct fault *f)
{
	uint64_t bit = UINT64_C(1) << (o - option_table);
	int result;

	if (!o->many && (*seen & bit))
		return fault_set(f, EXIT_USAGE, 0, "--%s: given twice",
				 o->name);
	*seen |= bit;
	if (value && expand(plan, o, &value, env, f) < 0)
		return -1;
	result = keep(plan, o, value, f);
	if (result == OPTION_MALFORMED) {
		fault_set(f, EXIT_USAGE, 0, "--%s %s: expected %s: %s", o->name,
			  o->secret ? "..." : value, o->value, o->help);
	}
	return result ? hint_value(o, value, f) : 0;
}

static struct slice option_name(const void *list, size_t i)
{
	(void)list;
	return i < option_count ? str_word(option_table[i].name)
				: (struct slice){ NULL, 0 };
}

/* What such an option of Docker, gosu, tini or setpriv is called here. */
static const char *foreign(struct slice word)
{
	static const char *const words[][2] = {
		{ "--uid", "--user=UID:GID" }, { "--gid", "--user=UID:GID" },
		{ "--reuid", "--user=UID:GID" },
		{ "--regid", "--user=UID:GID" },
		{ "--clear-groups", "--groups=none" },
		{ "--init-groups", "--groups=init" },
		{ "--keep-groups", "--groups=runtime" },
		{ "--bounding-set", "--keep-caps=LIST" },
		{ "--inh-caps", "--keep-caps=LIST" },
		{ "--ambient-caps", "--keep-caps=LIST" },
		{ "--cap-add", "--keep-caps=LIST" },
		{ "--chown", "--own=PATH" },
		{ "--volume", "--own=PATH, which gives a volume to --user" },
		{ "--port", "--listen=tcp://*:PORT" },
		{ "--publish", "--listen=tcp://*:PORT" },
		{ "--workdir", "--chdir=DIR" }, { "-w", "--chdir=DIR" },
		{ "-e", "--env=NAME=VALUE, or --map-exit=N:0 for tini's -e" },
		{ "-g", "--user=USER:GROUP, or --signal-group for tini's -g" },
		{ "-p", "--listen=tcp://*:PORT, or --pdeathsig for tini's -p" },
		{ "-s", "--init, which is a subreaper" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(word, words[i][0]))
			return words[i][1];
	return NULL;
}

static int unknown(const char *word, struct fault *f)
{
	bool is_long = word[1] == '-';
	struct slice name = { word, is_long ? strcspn(word, "=") : 2 };
	const char *ours = foreign(name);

	fault_set(f, EXIT_USAGE, 0, "unknown option %s", word);
	if (ours)
		return fault_hint(f, "did you mean %s?", ours);
	fault_hint(f, "see --help; COMMAND's options go after it");
	if (!is_long)
		return -1;
	name.at += 2;
	name.length -= 2;
	return near_hint(f, "--", name, option_name, NULL);
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
	plan->exec.command = at;
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
		if (o->action == ACTION_HELP || o->action == ACTION_VERSION)
			return 1;
		if (strcmp(o->name, "config") != 0)
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

	if (!o || o->argv_only)
		return fault_set(f, EXIT_USAGE, 0,
				 "%s: not an option of a config file", name);
	if (!value)
		value = o->without;
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
		text_add(out, o->without ? "[=%s]" : "=%s", o->value);
	width = out->length - start;
	text_add(out, "%*s%s\n", width < 27 ? 28 - (int)width : 1, "",
		 o->help);
}

void options_help(struct text *out)
{
	static const char *const titles[TOPICS] = {
		[TOPIC_WHO] = "Who COMMAND is",
		[TOPIC_SOCKETS] = "Sockets",
		[TOPIC_FILES] = "Files",
		[TOPIC_PROCESS] = "What COMMAND gets",
		[TOPIC_INIT] = "Staying as its parent",
		[TOPIC_ABOUT] = "Finding out",
	};

	text_add(out, "usage: stepdown [OPTION...] [--] COMMAND [ARG...]\n");
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];

		if (i == 0 || o->topic != o[-1].topic)
			text_add(out, "\n%s:\n", titles[o->topic]);
		add_help(out, o);
	}
	text_add(out,
		 "\n${VAR} and ${VAR:-default} are expanded in values. Exit status: 100 usage,\n"
		 "111 a step failed, 126 or 127 no COMMAND, else COMMAND's own.\n");
}
