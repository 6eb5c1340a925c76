#include "expand.h"

#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/text.h"

/* As strstr(3) with "${", which is a tenth of its size. */
static const char *find_reference(const char *text)
{
	while ((text = strchr(text, '$')) && text[1] != '{')
		text++;
	return text;
}

bool expand_needed(const char *value)
{
	return find_reference(value) != NULL;
}

/* One reference: the bytes between "${" and "}". */
static int add_variable(const char *option, const char *value,
			const char *inner, size_t length, char *const env[],
			struct text *out, struct fault *f)
{
	const char *colon = memchr(inner, ':', length);
	size_t name_length = colon ? (size_t)(colon - inner) : length;
	const char *found;

	if (!str_is_variable(inner, name_length) ||
	    (colon && (name_length + 1 == length || colon[1] != '-')))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: ${%.*s} is neither ${VAR} nor ${VAR:-default}",
				 option, value, (int)length, inner);
	found = str_variable(env, inner, name_length);
	if (colon && (!found || !*found)) {
		text_add_bytes(out, colon + 2, length - name_length - 2);
		return 0;
	}
	if (!found) {
		fault_set(f, EXIT_USAGE, 0,
			  "--%s %s: the variable %.*s is not set", option,
			  value, (int)name_length, inner);
		return fault_hint(f, "%s ${%.*s:-default}",
				  env ? "docker run -e, env: in a manifest, or" :
					"not trusted with file capabilities or setuid; write",
				  (int)name_length, inner);
	}
	text_add_bytes(out, found, strlen(found));
	return 0;
}

int expand_value(const char *option, const char *value, char *const env[],
		 struct text *out, struct fault *f)
{
	const char *at = value;
	const char *next;

	while ((next = find_reference(at))) {
		const char *end;

		if (next > at && next[-1] == '$') {
			text_add_bytes(out, at, (size_t)(next - at) - 1);
			text_add_bytes(out, "${", 2);
			at = next + 2;
			continue;
		}
		text_add_bytes(out, at, (size_t)(next - at));
		end = strchr(next, '}');
		if (!end)
			return fault_set(f, EXIT_USAGE, 0,
					 "--%s %s: ${ without a closing }",
					 option, value);
		if (add_variable(option, value, next + 2,
				 (size_t)(end - next) - 2, env, out, f) < 0)
			return -1;
		at = end + 1;
	}
	text_add_bytes(out, at, strlen(at));
	if (out->cut)
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: expanded to more than %zu bytes",
				 option, value, out->size);
	return 0;
}
