#include "options.h"

#include <string.h>

#include "base/str.h"

/* An expansion in progress. */
struct expansion {
	const struct option *option;
	char *const *env;
	struct text *out;
	struct text why;	/* what is wrong */
	struct slice unset;	/* a variable without a value; or .at is NULL */
};

/*
 * The value of a variable is one part of the option's value, whatever its
 * bytes: a separator in it is escaped where the option knows how, else refused.
 */
static bool add_found(struct expansion *e, struct slice name, const char *found)
{
	const char *separators = e->option->separators;
	size_t plain;

	while (separators && found[plain = strcspn(found, separators)]) {
		if (!strchr(separators, '\\'))
			return str_no(&e->why,
				      "'%c' in the value of %.*s would add an option",
				      found[plain], (int)name.length, name.at);
		text_add(e->out, "%.*s\\%c", (int)plain, found, found[plain]);
		found += plain + 1;
	}
	text_add(e->out, "%s", found);
	return true;
}

/* Expand one reference: what is between "${" and "}". */
static bool add_variable(struct expansion *e, struct slice inner)
{
	const char *colon = memchr(inner.at, ':', inner.length);
	struct slice rest = inner;
	const struct slice name = str_cut(&rest, ':');
	const char *found = str_variable(e->env, name.at, name.length);

	if (colon && memmem(rest.at, rest.length, "${", 2))
		return str_no(&e->why,
			      "a ${...} inside the default of ${%.*s}: nesting is not supported",
			      (int)name.length, name.at);
	if (!str_is_variable(name.at, name.length) ||
	    (colon && (rest.length == 0 || rest.at[0] != '-')))
		return str_no(&e->why,
			      "${%.*s} is neither ${VAR} nor ${VAR:-default}",
			      (int)inner.length, inner.at);
	if (colon && (!found || !*found)) {
		text_add(e->out, "%.*s", (int)rest.length - 1, rest.at + 1);
		return true;
	}
	if (found)
		return add_found(e, name, found);
	e->unset = name;
	return str_no(&e->why, "the variable %.*s is not set",
		      (int)name.length, name.at);
}

static bool add_value(struct expansion *e, const char *at)
{
	const char *next;

	while ((next = strstr(at, "${"))) {
		const char *end = strchr(next, '}');

		if (next > at && next[-1] == '$') {
			text_add(e->out, "%.*s${", (int)(next - at) - 1, at);
			at = next + 2;
			continue;
		}
		text_add(e->out, "%.*s", (int)(next - at), at);
		if (!end)
			return str_no(&e->why, "${ without a closing }");
		next += 2;
		if (!add_variable(e, (struct slice){ next,
						     (size_t)(end - next) }))
			return false;
		at = end + 1;
	}
	text_add(e->out, "%s%c", at, '\0');
	return !e->out->cut || str_no(&e->why,
				      "expanded to more than %zu bytes",
				      e->out->size);
}

static int hint_unset(const struct expansion *e, struct fault *f)
{
	const int length = (int)e->unset.length;
	const char *name = e->unset.at;

	fault_hint(f, "%s ${%.*s:-default}",
		   e->env ? "set it, or write" :
		   "not trusted with file capabilities or setuid; write",
		   length, name);
	return !e->env ? -1 : fault_lines(f, "-e %.*s=VALUE",
					  "env: [{name: %.*s, value: VALUE}]",
					  length, name);
}

int expand_value(const struct option *o, const char *value, char *const env[],
		 struct text *out, struct fault *f)
{
	char why[sizeof(f->what)];
	struct expansion e = { .option = o, .env = env, .out = out };

	text_start(&e.why, why, sizeof(why));
	if (add_value(&e, value))
		return 0;
	fault_set(f, EXIT_USAGE, 0, "--%s %s: %s", o->name,
		  o->secret ? "..." : value, why);
	return e.unset.at ? hint_unset(&e, f) : -1;
}

int expand_hint(const char *value, struct fault *f)
{
	const char *name = value ? strchr(value, '$') : NULL;
	const size_t length = name ? strspn(++name, STR_NAME_BYTES) : 0;

	if (!name || !str_is_variable(name, length))
		return -1;
	return fault_hint(f, "no shell expands $%.*s here; write ${%.*s}",
			  (int)length, name, (int)length, name);
}
