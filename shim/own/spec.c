#include "own/spec.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/text.h"
#include "own/mode.h"
#include "plan.h"

/* These themselves; what an image puts below them may be the application's. */
static const char system_folders[] =
	"/\0/bin\0/dev\0/etc\0/etc/group\0/etc/passwd\0/etc/shadow\0/home\0"
	"/lib\0/lib32\0/lib64\0/libx32\0/opt\0/root\0/sbin\0/usr\0/usr/bin\0"
	"/usr/lib\0/usr/lib32\0/usr/lib64\0/usr/libexec\0/usr/libx32\0"
	"/usr/local\0/usr/local/bin\0/usr/local/lib\0/usr/local/sbin\0"
	"/usr/sbin\0/usr/share\0/var\0/var/lib\0";

/* These and all below them: the kernel's files, and what starts the machine. */
static const char system_trees[] = "/boot\0/proc\0/sys\0";

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

/* Is the path, or with below a folder above it, among these? */
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

bool own_option_is_system(const char *path)
{
	char buffer[PATH_MAX];
	struct text clean;

	text_start(&clean, buffer, sizeof(buffer));
	return clean_path(&clean, path) &&	/* else too long to be opened */
	       (is_among(system_folders, buffer, false) ||
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

/* The value of "NAME=VALUE" if the word is one. */
static const char *value_of(const char *word, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) == 0 && word[length] == '=' &&
	    word[length + 1])
		return word + length + 1;
	return NULL;
}

static bool set_user(struct tree *t, const char *value)
{
	t->user = value;
	return true;
}

static bool set_group(struct tree *t, const char *value)
{
	t->group = value;
	return true;
}

static bool set_from(struct tree *t, const char *value)
{
	t->from = value;
	return true;
}

static bool set_mode(struct tree *t, const char *value)
{
	t->mode = value;
	t->nclauses = own_mode_parse(value, t->clauses, TREE_MAX_CLAUSES);
	return t->nclauses > 0;
}

static bool set_create(struct tree *t, const char *value)
{
	struct mode_clause clause;

	if (*value < '0' || *value > '7' ||
	    own_mode_parse(value, &clause, 1) != 1)
		return false;
	t->create = true;
	t->create_mode = clause.bits;
	return true;
}

static bool set_threads(struct tree *t, const char *value)
{
	uint64_t number;

	if (!str_number(value, 1, TREE_MAX_THREADS, &number))
		return false;
	t->threads = (unsigned int)number;
	return true;
}

static const struct {
	char name[16];
	size_t flag;
} flags[] = {
	{ "shallow", offsetof(struct tree, shallow) },
	{ "create", offsetof(struct tree, create) },
	{ "if-root-differs", offsetof(struct tree, if_root_differs) },
	{ "fsgroup", offsetof(struct tree, fsgroup) },
	{ "try", offsetof(struct tree, may_fail) },
	{ "cross-mounts", offsetof(struct tree, cross_mounts) },
	{ "force", offsetof(struct tree, force) },
};

static const struct {
	char name[8];
	bool (*set)(struct tree *t, const char *value);
} values[] = {
	{ "user", set_user }, { "group", set_group }, { "from", set_from },
	{ "mode", set_mode }, { "create", set_create },
	{ "threads", set_threads },
};

static bool set_word(struct tree *t, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcmp(word, flags[i].name) == 0)
			return *((bool *)t + flags[i].flag) = true;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		const char *value = value_of(word, values[i].name);

		if (value)
			return values[i].set(t, value);
	}
	return false;
}

void own_option_describe(const struct tree *t, struct text *out)
{
	text_add(out, "%s%s to ", t->path,
		 t->shallow ? "" : " and all below it");
	if (t->uid != (uid_t)-1)
		text_add(out, "%u", t->uid);
	text_add(out, ":%u", t->gid);
	if (t->mode)
		text_add(out, ", mode=%s", t->mode);
	if (t->from)
		text_add(out, ", from=%s", t->from);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (*((const bool *)t + flags[i].flag))
			text_add(out, ", %s", flags[i].name);
}

/* A usage fault. Returns -1. */
static int refuse(const char *value, const char *why, struct fault *f)
{
	return fault_set(f, EXIT_USAGE, 0, "--own %s: %s", value, why);
}

static int check(const struct tree *t, const char *value, struct fault *f)
{
	if (t->path[0] != '/')
		return refuse(value, "expected an absolute path", f);
	if (t->fsgroup && (t->user || t->mode))
		return refuse(value, "fsgroup excludes user= and mode=", f);
	if (t->force || !own_option_is_system(t->path))
		return 0;
	refuse(value, "that is a folder of the system", f);
	return fault_hint(f,
			  "name the application's own folder, or add ,force");
}

/* A copy in the plan's text, to be cut into words; NULL if there is no room. */
static char *copy(struct plan *plan, const char *value)
{
	size_t size = strlen(value) + 1;
	char *out = plan->text + plan->text_length;

	if (size > sizeof(plan->text) - plan->text_length)
		return NULL;
	memcpy(out, value, size);
	plan->text_length += size;
	return out;
}

int own_option_parse(struct plan *plan, const char *value, struct fault *f)
{
	struct tree *t = plan->trees + plan->ntrees;
	char *at;

	if (plan->ntrees == PLAN_MAX_TREES)
		return fault_set(f, EXIT_USAGE, 0,
				 "--own %s: more than %d paths", value,
				 PLAN_MAX_TREES);
	plan->ntrees++;
	t->create_mode = 0755;
	t->path = value;
	if (!strpbrk(value, ",\\"))
		return check(t, value, f);
	at = copy(plan, value);
	if (!at)
		return refuse(value, "too long", f);
	t->path = next_word(&at);
	while (at) {
		const char *word = next_word(&at);

		if (!set_word(t, word))
			return fault_set(f, EXIT_USAGE, 0,
					 "--own %s: %s: unknown or malformed, see --help",
					 value, word);
	}
	return check(t, value, f);
}
