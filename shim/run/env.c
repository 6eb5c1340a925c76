#include "run/exec.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "run/plan.h"

/* Added at most: HOME, USER, LOGNAME, SHELL and those of the handoff. */
enum { ROOM_FOR_OURS = 16 };

static bool has_name(const char *entry, const char *name, size_t length)
{
	return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

/* name: NAME or NAME=VALUE */
static void unset(struct environment *e, const char *name)
{
	const size_t length = strcspn(name, "=");
	size_t kept = 0;

	for (size_t i = 0; i < e->count; i++)
		if (!has_name(e->list[i], name, length))
			e->list[kept++] = e->list[i];
	e->count = kept;
	e->list[kept] = NULL;
}

/* entry: NAME=VALUE, kept by pointer. There is room, see env_build(). */
static void put_entry(struct environment *e, const char *entry)
{
	unset(e, entry);
	e->list[e->count++] = (char *)(uintptr_t)entry;
	e->list[e->count] = NULL;
}

void env_start(struct environment *e, struct text *entry, size_t most)
{
	const size_t room = sizeof(e->store) - e->stored;

	text_start(entry, e->store + e->stored, room < most ? room : most);
}

int env_put(struct environment *e, const struct text *entry, struct fault *f)
{
	e->stored += entry->length + 1;
	if (strlen(entry->start) < entry->length)
		return fault_set(f, EXIT_STEP, 0, "set %.*s: it has a NUL byte",
				 (int)strcspn(entry->start, "="), entry->start);
	if (entry->cut || e->stored == sizeof(e->store) ||
	    e->count + 1 >= ARRAY_LEN(e->list))
		return fault_set(f, EXIT_STEP, E2BIG, "set %.*s",
				 (int)strcspn(entry->start, "="), entry->start);
	put_entry(e, entry->start);
	return 0;
}

bool env_is_roots_home(const char *home, const char *root_home)
{
	return strcmp(home, "/root") == 0 || strcmp(home, "/") == 0 ||
	       strcmp(home, root_home) == 0;
}

/* Set HOME, USER and so on; remove one that the user does not have. */
static int set_or_unset(struct environment *e, const char *name,
			const char *value, struct fault *f)
{
	struct text entry;

	if (!*value) {
		unset(e, name);
		return 0;
	}
	env_start(e, &entry, sizeof(e->store));
	text_add(&entry, "%s%s", name, value);
	return env_put(e, &entry, f);
}

/*
 * HOME, USER, LOGNAME and SHELL belong together: if HOME is somebody's choice
 * for the application, so are the others.
 */
static int set_person(struct environment *e, const char *wanted,
		      const struct target *t, const char *root_home,
		      struct fault *f)
{
	const char *home = str_variable(e->list, "HOME", 4);
	const bool of_entry = wanted && strcmp(wanted, "passwd") == 0;
	const bool chosen = !of_entry && home &&
			    !env_is_roots_home(home, root_home);

	if (of_entry)
		wanted = NULL;
	if (wanted ? wanted[0] == '/' : !chosen)
		if (set_or_unset(e, "HOME=", wanted ? wanted : t->home, f) < 0)
			return -1;
	if (chosen)
		return 0;
	if (set_or_unset(e, "USER=", t->name, f) < 0 ||
	    set_or_unset(e, "LOGNAME=", t->name, f) < 0)
		return -1;
	return set_or_unset(e, "SHELL=", t->shell, f);
}

int env_build(struct environment *e, char *const given[],
	      const struct env_spec *s, const struct target *t,
	      const char *root_home, struct fault *f)
{
	static const char *const announcing[] = {
		"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
		"LISTEN_PIDFDID", "NGINX"
	};

	e->count = 0;
	e->stored = 0;
	for (; *given; given++) {
		if (s->clear && !has_name(*given, "PATH", 4) &&
		    !has_name(*given, "TERM", 4))
			continue;
		if (e->count + s->nset + ROOM_FOR_OURS == ARRAY_LEN(e->list))
			return fault_set(f, EXIT_STEP, E2BIG,
					 "pass on more than %d variables",
					 ENV_MAX);
		e->list[e->count++] = *given;
	}
	e->list[e->count] = NULL;
	for (size_t i = 0; t && i < ARRAY_LEN(announcing); i++)
		unset(e, announcing[i]);
	if (t && set_person(e, s->home, t, root_home, f) < 0)
		return -1;
	for (size_t i = 0; i < s->nunset; i++)
		unset(e, s->unset[i]);
	for (size_t i = 0; i < s->nset; i++)
		put_entry(e, s->set[i]);
	return 0;
}
