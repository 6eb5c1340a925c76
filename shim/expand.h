/*
 * expand: ${VAR} in option values.
 *
 * ENTRYPOINT's JSON form has no shell, so images that take PUID and PGID from
 * the environment would need one for nothing else. Pure.
 */
#ifndef STEPDOWN_EXPAND_H
#define STEPDOWN_EXPAND_H

#include <stdbool.h>

struct fault;
struct text;

/* Does the value hold anything to expand? Most do not, and need no copy. */
bool expand_needed(const char *value);

/*
 * Append value to out with each ${VAR} replaced by its value in env and each
 * ${VAR:-default} by the default where VAR is unset or empty. "$${" stands for
 * a literal "${"; any other '$' is itself. The result is never expanded again
 * nor split into words.
 *
 * option: the option's name, for the message. env: as environ(7), or NULL if
 * it is not to be trusted: then no variable is set.
 * Returns 0, or -1 with a usage fault: unset variable, no closing brace, a bad
 * name, or no room in out (out then holds a part).
 */
int expand_value(const char *option, const char *value, char *const env[],
		 struct text *out, struct fault *f);

#endif
