#include "expand.h"

#include <string.h>

#include "base/str.h"

/*
 * The value of a variable is one part of the option's value, whatever bytes it
 * has: a separator in it is escaped where the option knows how, else refused.
 */
static int add_found(const struct expansion *e, struct slice name,
		     const char *found, struct text *out, struct fault *f)
{
	bool escapes = strchr(e->separators, '\\');
	size_t plain;

	while (found[plain = strcspn(found, e->separators)]) {
		if (!escapes)
			return fault_set(f, EXIT_USAGE, 0,
					 "--%s %s: '%c' in the value of %.*s would add an option",
					 e->option, e->shown, found[plain],
					 (int)name.length, name.at);
		text_add(out, "%.*s", (int)plain, found);
		text_add(out, "\\%c", found[plain]);
		found += plain + 1;
	}
	text_add(out, "%.*s", (int)plain, found);
	return 0;
}

/* One reference: the bytes between "${" and "}". */
static int add_variable(const struct expansion *e, const char *inner,
			size_t length, struct text *out, struct fault *f)
{
	const char *colon = memchr(inner, ':', length);
	size_t name_length = colon ? (size_t)(colon - inner) : length;
	const char *found;

	if (colon && memmem(colon, length - name_length, "${", 2))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: a ${...} inside the default of ${%.*s}: nesting is not supported",
				 e->option, e->shown, (int)name_length, inner);
	if (!str_is_variable(inner, name_length) ||
	    (colon && (name_length + 1 == length || colon[1] != '-')))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: ${%.*s} is neither ${VAR} nor ${VAR:-default}",
				 e->option, e->shown, (int)length, inner);
	found = str_variable(e->env, inner, name_length);
	if (colon && (!found || !*found)) {
		text_add(out, "%.*s", (int)(length - name_length) - 2,
			 colon + 2);
		return 0;
	}
	if (!found) {
		fault_set(f, EXIT_USAGE, 0,
			  "--%s %s: the variable %.*s is not set", e->option,
			  e->shown, (int)name_length, inner);
		fault_hint(f, "%s ${%.*s:-default}",
			   e->env ? "set it, or write"
				  : "not trusted with file capabilities or "
				    "setuid; write",
			   (int)name_length, inner);
		return !e->env ? -1
			       : fault_lines(f, "-e %.*s=VALUE",
					     "env: [{name: %.*s, value: VALUE}]",
					     (int)name_length, inner);
	}
	return add_found(e, (struct slice){ inner, name_length }, found, out,
			 f);
}

int expand_value(const struct expansion *e, struct text *out, struct fault *f)
{
	const char *at = e->value;
	const char *next;

	while ((next = strstr(at, "${"))) {
		const char *end;

		if (next > at && next[-1] == '$') {
			text_add(out, "%.*s${", (int)(next - at) - 1, at);
			at = next + 2;
			continue;
		}
		text_add(out, "%.*s", (int)(next - at), at);
		end = strchr(next, '}');
		if (!end)
			return fault_set(f, EXIT_USAGE, 0,
					 "--%s %s: ${ without a closing }",
					 e->option, e->shown);
		if (add_variable(e, next + 2, (size_t)(end - next) - 2, out,
				 f) < 0)
			return -1;
		at = end + 1;
	}
	text_add(out, "%s", at);
	if (out->cut)
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: expanded to more than %zu bytes",
				 e->option, e->shown, out->size);
	return 0;
}

int expand_hint(const char *value, struct fault *f)
{
	const char *name = value ? strchr(value, '$') : NULL;
	size_t length = 0;

	while (name && str_is_name_byte(name[1 + length]))
		length++;
	if (!name || !str_is_variable(++name, length))
		return -1;
	return fault_hint(f, "no shell expands $%.*s here; write ${%.*s}",
			  (int)length, name, (int)length, name);
}
