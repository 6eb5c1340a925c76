#include "own/spec.h"

#include <limits.h>
#include <string.h>

#include "base/fs.h"
#include "base/str.h"

/* These themselves; what an image puts below them may be the application's. */
static const char system_dirs[] =
	"/\0/bin\0/dev\0/etc\0/etc/group\0/etc/passwd\0/etc/shadow\0/home\0"
	"/lib\0/lib32\0/lib64\0/libx32\0/opt\0/root\0/sbin\0/usr\0/usr/bin\0"
	"/usr/lib\0/usr/lib32\0/usr/lib64\0/usr/libexec\0/usr/libx32\0"
	"/usr/local\0/usr/local/bin\0/usr/local/lib\0/usr/local/sbin\0"
	"/usr/sbin\0/usr/share\0/var\0/var/lib\0";

/* These and all below them: the kernel's files, and what starts the machine. */
static const char system_trees[] = "/boot\0/proc\0/sys\0";

#define OPTIONS_HINT \
	"PATH[,shallow|create[=MODE]|if-exists|if-root-differs|fsgroup|try|cross-mounts|force|user=|group=|mode=|from=UID[:GID]|exclude=|threads=1..8]"

/* Without "//", "." and "..", which is exact where no link is followed. */
static bool clean_path(struct text *out, const char *path)
{
	char name[NAME_MAX + 2];

	while (fs_next_part(&path, name)) {
		if (strcmp(name, "..") == 0) {
			while (out->length > 0 &&
			       out->start[--out->length] != '/')
				;
			out->start[out->length] = '\0';
		} else if (strcmp(name, ".") != 0) {
			text_add(out, "/%s", name);
		}
	}
	if (out->length == 0)
		text_add(out, "/");
	return !out->cut;
}

/* Is the path, or with below a directory above it, among these? */
static bool is_among(const char *paths, const char *path, bool below)
{
	for (; *paths; paths += strlen(paths) + 1) {
		size_t length = strlen(paths);

		if (strncmp(path, paths, length) == 0 &&
		    (!path[length] || (below && path[length] == '/')))
			return true;
	}
	return false;
}

bool own_is_system(const char *path)
{
	char buffer[PATH_MAX];
	struct text clean;

	text_start(&clean, buffer, sizeof(buffer));
	return clean_path(&clean, path) &&	/* else too long to be opened */
	       (is_among(system_dirs, buffer, false) ||
		is_among(system_trees, buffer, true));
}

/*
 * Cut the next word off in place. Returns it, and leaves *at behind the comma,
 * or NULL after the last one. The commas of a mode belong to it.
 */
static char *next_word(char **at)
{
	char *word = *at;
	char *out = word;
	char *in = word;
	bool mode = strncmp(word, "mode=", 5) == 0;

	for (; *in; in++) {
		if (*in == ',' && !(mode && own_mode_is_clause(in + 1)))
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
		  unsigned int depth, uint32_t paths, uint32_t *below)
{
	char part[NAME_MAX + 2];

	*below = 0;
	for (size_t i = 0; i < t->nexcludes; i++) {
		const char *at = t->excludes[i];
		bool is_path = strchr(at, '/');

		if (is_path && !(paths >> i & 1))
			continue;
		for (unsigned int d = 0; is_path && d < depth; d++)
			fs_next_part(&at, part);
		if (!fs_next_part(&at, part) || strcmp(part, name) != 0)
			continue;
		if (!at[strspn(at, "/")])
			return true;
		*below |= UINT32_C(1) << i;
	}
	return false;
}

/* Words of a tree that are either there or not. */
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

static bool set_value(struct own_tree *t, struct slice name, const char *value)
{
	struct mode_clause clause;
	uint64_t number = 0;

	if (str_is(name, "user"))
		t->user = value;
	else if (str_is(name, "group"))
		t->group = value;
	else if (str_is(name, "from"))
		t->from = value;
	else if (str_is(name, "exclude") && t->nexcludes < OWN_MAX_EXCLUDES)
		t->excludes[t->nexcludes++] = value;
	else if (str_is(name, "mode") &&
		 (t->nclauses = own_mode_parse(value, t->clauses,
					       OWN_MAX_CLAUSES)))
		t->mode = value;
	else if (str_is(name, "create") && *value >= '0' && *value <= '7' &&
		 own_mode_parse(value, &clause, 1) == 1)
		t->create_mode = clause.bits;
	else if (str_is(name, "threads") &&
		 str_number(value, 1, OWN_MAX_THREADS, &number))
		t->threads = (unsigned int)number;
	else
		return false;
	t->create |= str_is(name, "create");
	return true;
}

static bool set_word(struct own_tree *t, const char *word)
{
	struct slice value = str_word(word);
	struct slice name = str_cut(&value, '=');

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcmp(word, flags[i].name) == 0)
			return *((bool *)t + flags[i].flag) = true;
	return value.length > 0 && set_value(t, name, value.at);
}

static void describe(const struct own_tree *t, struct text *out)
{
	text_add(out, "%s%s to ", t->path,
		 t->shallow ? "" : " and all below it");
	if (t->uid != (uid_t)-1)
		text_add(out, "%u", t->uid);
	text_add(out, ":");
	if (t->gid != (gid_t)-1)
		text_add(out, "%u", t->gid);
	if (t->options)
		text_add(out, ", %s", t->options);
}

void own_describe(const struct own_spec *spec, struct text *out)
{
	for (size_t i = 0; i < spec->ntrees; i++) {
		text_add(out, "%s", i ? "\n" : "");
		describe(&spec->trees[i], out);
	}
}

static int check(const struct own_tree *t, const char *value, struct fault *f)
{
	const char *why = NULL;

	if (t->path[0] != '/' && (t->path[0] || !t->if_exists))
		why = "expected an absolute path";
	else if (t->fsgroup && (t->user || t->mode))
		why = "fsgroup excludes user= and mode=";
	if (why)
		return fault_set(f, EXIT_USAGE, 0, "--own %s: %s", value, why);
	if (t->force || !t->path[0] || !own_is_system(t->path))
		return 0;
	fault_set(f, EXIT_USAGE, 0,
		  "--own %s: that is a directory of the system", value);
	return fault_hint(f,
			  "name the application's own directory, or add ,force");
}

int own_parse(struct own_tree *t, const char *value, char *words,
	      struct fault *f)
{
	char *at = words;

	t->create_mode = 0755;
	t->path = words ? next_word(&at) : value;
	t->options = at ? value + (at - words) : NULL;
	while (at) {
		const char *word = next_word(&at);

		if (!set_word(t, word)) {
			fault_set(f, EXIT_USAGE, 0,
				  "--own %s: %s: unknown or malformed", value,
				  word);
			return fault_hint(f, "%s", OPTIONS_HINT);
		}
	}
	return check(t, value, f);
}
