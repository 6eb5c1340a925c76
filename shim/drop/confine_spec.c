#include "drop/confine_spec.h"

#include <string.h>

#include "base/str.h"

static bool add_path(struct confine_spec *spec, const char *value,
		     bool writable)
{
	if (value[0] != '/' || spec->npaths == CONFINE_MAX_PATHS)
		return false;
	spec->some_readable |= !writable;
	spec->paths[spec->npaths].path = value;
	spec->paths[spec->npaths++].writable = writable;
	return true;
}

bool confine_read_writable(const char *value, void *spec)
{
	return add_path(spec, value, true);
}

bool confine_read_readable(const char *value, void *spec)
{
	return add_path(spec, value, false);
}

bool confine_read_ports(const char *value, void *at)
{
	struct confine_spec *spec = at;
	struct slice rest = str_word(value);
	struct slice word;

	spec->connects = true;
	if (strcmp(value, "none") == 0)
		return true;
	do {
		char number[8];
		uint64_t port;

		word = str_cut(&rest, ',');
		if (spec->nports == CONFINE_MAX_PORTS ||
		    !str_copy(word, number, sizeof(number)) ||
		    !str_number(number, 1, 65535, &port))
			return false;
		spec->ports[spec->nports++] = (uint16_t)port;
	} while (word.at[word.length]);
	return true;
}
