/*
 * parse: words to values. Pure: no system call, no global state.
 *
 * Each function returns true and fills its result, or returns false and leaves
 * it as it was. A number is decimal digits and nothing else: no sign, no space,
 * no base prefix, no exponent; what strtoul(3) lets through has let more than
 * one setuid helper run a command as root.
 */
#ifndef STEPDOWN_PARSE_H
#define STEPDOWN_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listener;

/* Decimal digits, lowest <= value <= highest. */
bool parse_number(const char *text, uint64_t lowest, uint64_t highest,
		  uint64_t *value);

/*
 * A uid or gid: 0 to 4294967294. 4294967295 is (uid_t)-1, which setresuid(2)
 * takes for "leave as it is", so it is no id at all.
 */
bool parse_id(const char *text, uint32_t *id);

/* As strstr(3), which is a fiftieth of the binary. */
const char *parse_find(const char *text, const char *word);

/* All digits, and at least one: a number, never a name. */
bool parse_is_number(const char *text);

/* Any of [A-Za-z0-9_]. */
bool parse_is_name_byte(char c);

/* The name of an environment variable: [A-Za-z_][A-Za-z0-9_]*, of length bytes. */
bool parse_is_variable(const char *text, size_t length);

/* What parse_listener() takes, for messages. */
#define PARSE_LISTENER_FORM "[NAME=]tcp://ADDRESS:PORT"

/*
 * [NAME=]tcp://ADDRESS:PORT, where ADDRESS is a.b.c.d, [v6] or *. On failure
 * *wrong points to a constant that says what is wrong with the text.
 */
bool parse_listener(const char *text, struct listener *listener,
		    const char **wrong);

#endif
