#include "own/own.h"

#include <limits.h>
#include <string.h>

#include "base/fs.h"
#include "base/mode.h"
#include "base/str.h"

/*
 * These directories only: what an image puts below them may be the
 * application's. With a slash at the end, all below them too: files of the
 * kernel, and those that boot the machine.
 */
static const char system_dirs[] =
	"/bin\0/boot/\0/dev\0/etc\0/etc/group\0/etc/passwd\0/etc/shadow\0/home\0"
	"/lib\0/lib32\0/lib64\0/libx32\0/opt\0/proc/\0/root\0/sbin\0/sys/\0/usr\0"
	"/usr/bin\0/usr/lib\0/usr/lib32\0/usr/lib64\0/usr/libexec\0/usr/libx32\0"
	"/usr/local\0/usr/local/bin\0/usr/local/lib\0/usr/local/sbin\0"
	"/usr/sbin\0/usr/share\0/var\0/var/lib\0";

bool own_is_system(const char *path)
{
	char buffer[PATH_MAX + 1];
	char name[NAME_MAX + 2];
	struct text clean;

	text_start(&clean, buffer, sizeof(buffer));
	while (fs_next_part(&path, name)) {
		if (strcmp(name, "..") == 0)
			return true;
		if (strcmp(name, ".") != 0)
			text_add(&clean, "/%s", name);
	}
	text_add(&clean, "/");
	for (const char *dir = system_dirs; *dir; dir += strlen(dir) + 1) {
		size_t length = strlen(dir);

		if (strncmp(buffer, dir, length) == 0 &&
		    (dir[length - 1] == '/' || !buffer[length + 1]))
			return true;
	}
	return clean.length == 1;
}

/* Does it begin like a clause of a mode ("go=", "+x")? No option does. */
static bool is_clause(const char *word)
{
	word += strspn(word, "ugoa");
	return *word && strchr("-+=", *word);
}

/*
 * Cut the next word off in place and return it. *at becomes what follows the
 * comma, or NULL after the last word. The commas of a mode belong to it.
 */
static char *next_word(char **at)
{
	char *word = *at;
	char *out = word;
	char *in = word;
	bool mode = strncmp(word, "mode=", 5) == 0;

	for (; *in; in++) {
		if (*in == ',' && !(mode && is_clause(in + 1)))
			break;
		if (in[0] == '\\' && (in[1] == ',' || in[1] == '\\'))
			in++;
		*out++ = *in;
	}
	*at = *in ? in + 1 : NULL;
	*out = '\0';
	return word;
}

bool own_excludes(const struct own_tree *t, const char *name,
		  const char *rest[OWN_MAX_EXCLUDES])
{
	char part[NAME_MAX + 2];

	for (size_t i = 0; i < t->nexcludes; i++) {
		const char *at = rest[i];

		rest[i] = strchr(t->excludes[i], '/') ? NULL : t->excludes[i];
		if (!at || !fs_next_part(&at, part) || strcmp(part, name) != 0)
			continue;
		if (!at[strspn(at, "/")])
			return true;
		rest[i] = at;
	}
	return false;
}

/* Options without a value. */
static const struct {
	char name[16];
	size_t flag;
} flags[] = {
	{ "shallow", offsetof(struct own_tree, shallow) },
	{ "create", offsetof(struct own_tree, create) },
	{ "if-exists", offsetof(struct own_tree, if_exists) },
	{ "if-root-differs", offsetof(struct own_tree, if_root_differs) },
	{ "fsgroup", offsetof(struct own_tree, fsgroup) },
	{ "try", offsetof(struct own_tree, may_fail) },
	{ "cross-mounts", offsetof(struct own_tree, cross_mounts) },
	{ "force", offsetof(struct own_tree, force) },
};

static bool set_word(struct own_tree *t, const char *word)
{
	struct slice rest = str_word(word);
	struct slice name = str_cut(&rest, '=');
	const char *value = rest.at;
	uint64_t number = 0;
	mode_t mode = 0;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcmp(word, flags[i].name) == 0)
			return *((bool *)t + flags[i].flag) = true;
	if (rest.length == 0)
		return false;
	if (str_is(name, "user"))
		t->user = rest;
	else if (str_is(name, "group"))
		t->group = rest;
	else if (str_is(name, "from"))
		t->from = rest;
	else if (str_is(name, "exclude") && t->nexcludes < OWN_MAX_EXCLUDES)
		t->excludes[t->nexcludes++] = value;
	else if (str_is(name, "mode") && mode_apply(value, false, 0, &mode))
		t->mode = value;
	else if (str_is(name, "create") && str_is_number(value) &&
		 mode_apply(value, false, 0, &t->create_mode))
		t->create = true;
	else if (str_is(name, "threads") &&
		 str_number(value, 1, OWN_MAX_THREADS, &number))
		t->threads = (unsigned int)number;
	else
		return false;
	return true;
}

void own_describe(const struct own_spec *spec, struct text *out)
{
	for (size_t i = 0; i < spec->ntrees; i++) {
		const struct own_tree *t = &spec->trees[i];

		text_add(out, "%s%s%s to ", i ? "\n" : "", t->path,
			 t->shallow ? "" : " and all below it");
		if (t->uid != (uid_t)-1)
			text_add(out, "%u", t->uid);
		text_add(out, ":");
		if (t->gid != (gid_t)-1)
			text_add(out, "%u", t->gid);
		if (t->options)
			text_add(out, ", %s", t->options);
	}
}

int own_parse(struct own_tree *t, const char *value, char *words,
	      struct fault *f)
{
	char *at = words;

	t->create_mode = 0755;
	t->path = next_word(&at);
	t->options = at ? value + (at - words) : NULL;
	while (at) {
		const char *word = next_word(&at);

		if (set_word(t, word))
			continue;
		fault_set(f, EXIT_USAGE, 0,
			  "--own %s: %s: unknown or malformed", value, word);
		return fault_hint(f, "PATH,OPTION... of: " OWN_OPTIONS);
	}
	if (t->path[0] != '/' && (t->path[0] || !t->if_exists))
		return fault_set(f, EXIT_USAGE, 0,
				 "--own %s: expected an absolute path", value);
	if (t->fsgroup && (t->user.at || t->mode))
		return fault_set(f, EXIT_USAGE, 0,
				 "--own %s: fsgroup excludes user= and mode=",
				 value);
	if (t->force || !t->path[0] || !own_is_system(t->path))
		return 0;
	fault_set(f, EXIT_USAGE, 0,
		  "--own %s: that is a directory of the system", value);
	return fault_hint(f,
			  "name the application's own, without .., or add ,force");
}
