/*
 * expand: ${VAR} in option values.
 *
 * ENTRYPOINT's JSON form has no shell, so images that take PUID and PGID from
 * the environment would need one for nothing else. Pure.
 */
#ifndef STEPDOWN_EXPAND_H
#define STEPDOWN_EXPAND_H

struct fault;
struct text;

/* What is expanded, and by which rules. */
struct expansion {
	const char *option;	/* its name, for messages */
	const char *value;	/* as typed */
	const char *shown;	/* what messages show of it */
	/*
	 * The bytes that cut the option's value into parts. A variable fills
	 * one part and adds none: such a byte in a variable's value gets a
	 * backslash if '\\' is one of these bytes, and is a fault otherwise.
	 * Empty where a variable may hold several parts, as in a LIST.
	 */
	const char *separators;
	char *const *env;	/* as environ(7); NULL: not to be trusted, and
				   no variable is set */
};

/*
 * Append the value to out with each ${VAR} replaced by its value in the
 * environment, and each ${VAR:-default} by the default where VAR is unset or
 * empty. "$${" stands for a literal "${"; any other '$' is itself. The value of
 * a variable is not expanded again; a default is text of the option itself.
 *
 * Returns 0, or -1 with a usage fault: unset variable, no closing brace, a bad
 * name, a separator, or no room in out (out then holds a part).
 */
int expand_value(const struct expansion *e, struct text *out, struct fault *f);

/*
 * After a value was refused: if it has $VAR without braces, which a shell would
 * have expanded, say so in the hint. Returns -1 always.
 */
int expand_hint(const char *value, struct fault *f);

#endif
