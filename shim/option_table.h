/*
 * option_table: each option, with its help and the function that reads its
 * value. --help, the config file and shell completion all come from this table.
 */
#ifndef STEPDOWN_OPTION_TABLE_H
#define STEPDOWN_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/near.h"
#include "plan.h"

struct fault;

/* The sections of --help, in their order. */
enum topic {
	TOPIC_WHO,
	TOPIC_SOCKETS,
	TOPIC_FILES,
	TOPIC_PROCESS,
	TOPIC_INIT,
	TOPIC_ABOUT,
	TOPICS
};

/* What .set returns, besides 0 and -1: the value is not what .help says. */
enum { OPTION_MALFORMED = 1 };

/*
 * The value is kept at offset .at of the plan: a flag as a bool, one of .words
 * as its number (an enum), what .read takes in the type that .read knows, and
 * anything else as the word itself. .read returns false if the value is not
 * what .help says. .set replaces all of that where a value is more than one
 * field; it returns 0, -1 with a fault, or OPTION_MALFORMED.
 */
struct option {
	const char *name;
	const char *value;	/* what its value is called, NULL for a flag */
	const char *help;	/* one line; also what a wrong value is told */
	size_t at;
	const char *const *words;	/* ended by NULL */
	bool (*read)(const char *value, void *at);
	int (*set)(struct plan *plan, const char *value, struct fault *f);
	const char *without;	/* the value if none follows a '=', or NULL */
	const char *separators;	/* cut the value; see expand_value() */
	near_words *near;	/* words that the value is made of */
	enum action action;	/* what stepdown does instead of a run, or 0 */
	enum topic topic;
	char letter;		/* the short form, or 0 */
	bool many;		/* may be given more than once */
	bool argv_only;		/* not in a config file */
	bool secret;		/* no message shows the value */
};

extern const struct option option_table[];
extern const size_t option_count;

#endif
