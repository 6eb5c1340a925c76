/*
 * options: the command line, into the plan. Pure.
 */
#ifndef STEPDOWN_OPTIONS_H
#define STEPDOWN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "run/plan.h"

struct fault;
struct text;

/* The sections of --help, in their order. */
enum topic { WHO, SOCKETS, FILES, GETS, INIT, ABOUT };

/*
 * An option, with its help and the way its value is read. --help, the config
 * file and shell completion all come from the table of them.
 *
 * The value is stored at offset .at of the plan: a flag as a bool, one of
 * .words by its index, what .read takes in the type that it knows, anything
 * else as the string. .read returns false if the value is not what .help says;
 * .set, instead of it, returns 0 or -1 with a fault of its own.
 */
struct option {
	enum topic topic;
	char letter;		/* the short form, or 0 */
	const char *name;
	const char *value;	/* the name of its value, NULL for a flag */
	const char *help;	/* one line; also says what was expected */
	size_t at;
	const char *words;	/* joined by blanks, in the order of an enum;
				   with .read or .set parts of the value */
	const char *without;	/* the value if there is no '=' */
	bool (*read)(const char *value, void *at);
	int (*set)(struct plan *plan, const char *value, struct fault *f);
	/*
	 * The bytes that cut the value into parts. A variable fills one part
	 * and adds none: such a byte in a variable's value gets a backslash if
	 * '\\' is one of these bytes, and is a fault otherwise. NULL where a
	 * variable may hold several parts, as in a LIST.
	 */
	const char *separators;
	str_words *near;	/* instead of .words: from a table */
	enum action action;	/* what stepdown does instead of a run, or 0 */
	bool many;		/* may be given more than once */
	bool argv_only;		/* not in a config file */
	bool secret;		/* no message shows the value */
};

extern const struct option option_table[];
extern const size_t option_count;

/*
 * Read argv (ended by NULL, the program's name first) into the plan, which
 * keeps pointers into it. Options end at "--" or at the first word that is not
 * one; the rest is the command. What the plan holds already, from a config
 * file, is replaced, or added to. env: as environ(7), for ${VAR}.
 *
 * Returns 0, or -1 with a usage fault; the plan is then not usable.
 */
int options_parse(struct plan *plan, char *const argv[], char *const env[],
		  struct fault *f);

/*
 * Set one option by its long name, as a line of a config file does. value: NULL
 * if there is none. seen: zero before the first of a file; records what was
 * given. Returns as options_parse().
 */
int options_set(struct plan *plan, const char *name, const char *value,
		char *const env[], uint64_t *seen, struct fault *f);

/*
 * Append a value, ended by NUL, with each ${VAR} replaced by its value in the
 * environment, and each ${VAR:-default} by the default where VAR is unset or
 * empty. "$${" stands for a literal "${"; any other '$' is itself. The value of
 * a variable is not expanded again; a default is text of the option itself.
 *
 * ENTRYPOINT's JSON form has no shell, and images that take PUID and PGID from
 * the environment would need one only for that. env: as environ(7); NULL if it
 * is not trusted: then every variable is unset.
 *
 * Returns 0, or -1 with a usage fault: unset variable, no closing brace, a bad
 * name, a separator, or no room in out (out then holds a part). Pure.
 */
int expand_value(const struct option *o, const char *value, char *const env[],
		 struct text *out, struct fault *f);

/*
 * After a value was refused: if it has $VAR without braces, which a shell would
 * have expanded, set the hint. Returns -1 always.
 */
int expand_hint(const char *value, struct fault *f);

/*
 * Print --help, or the options of one section with the words of their values.
 * topic: the index of an option of that section; that of "help" stands for all.
 */
void options_help(unsigned int topic);

#endif
