#include "own_option.h"

#include <limits.h>
#include <string.h>

#include "fault.h"
#include "own_mode.h"
#include "parse.h"
#include "plan.h"
#include "text.h"

#define EXPECTED \
	"expected user=, group=, mode=, create[=MODE], shallow, fsgroup, if-root-differs, from=UID[:GID], try, cross-mounts, force or threads=N"

/* These themselves; what an image puts below them may be the application's. */
static const char *const system_folders[] = {
	"/", "/bin", "/dev", "/etc", "/etc/group", "/etc/passwd",
	"/etc/shadow", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
	"/root", "/sbin", "/usr", "/usr/bin", "/usr/lib", "/usr/lib32",
	"/usr/lib64", "/usr/libexec", "/usr/libx32", "/usr/local",
	"/usr/local/bin", "/usr/local/lib", "/usr/local/sbin", "/usr/sbin",
	"/usr/share", "/var", "/var/lib"
};

/* These and all below them: the kernel's files, and what starts the machine. */
static const char *const system_trees[] = { "/boot", "/proc", "/sys" };

/* Without "//", "." and "..", which is exact where no link is followed. */
static bool clean_path(struct text *out, const char *path)
{
	for (;;) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 0)
			break;
		if (length == 2 && memcmp(path, "..", 2) == 0) {
			while (out->length > 0 &&
			       out->start[--out->length] != '/')
				;
			out->start[out->length] = '\0';
		} else if (length != 1 || path[0] != '.') {
			text_add(out, "/%.*s", (int)length, path);
		}
		path += length;
	}
	if (out->length == 0)
		text_add(out, "/");
	return !out->cut;
}

bool own_option_is_system(const char *path)
{
	char buffer[PATH_MAX];
	struct text clean;

	text_start(&clean, buffer, sizeof(buffer));
	if (!clean_path(&clean, path))
		return false;	/* it is too long to be opened, too */
	for (size_t i = 0; i < ARRAY_LEN(system_folders); i++)
		if (strcmp(buffer, system_folders[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(system_trees); i++) {
		size_t length = strlen(system_trees[i]);

		if (strncmp(buffer, system_trees[i], length) == 0 &&
		    (!buffer[length] || buffer[length] == '/'))
			return true;
	}
	return false;
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

static bool set_flag(struct tree *t, const char *word)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "shallow", &t->shallow },
		{ "create", &t->create },
		{ "if-root-differs", &t->if_root_differs },
		{ "fsgroup", &t->fsgroup },
		{ "try", &t->may_fail },
		{ "cross-mounts", &t->cross_mounts },
		{ "force", &t->force },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcmp(word, flags[i].name) == 0)
			return *flags[i].flag = true;
	return false;
}

static bool set_mode(struct tree *t, const char *value)
{
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

	if (!parse_number(value, 1, TREE_MAX_THREADS, &number))
		return false;
	t->threads = (unsigned int)number;
	return true;
}

static bool set_word(struct tree *t, const char *word)
{
	const struct {
		const char *name;
		const char **text;
		bool (*set)(struct tree *t, const char *value);
	} values[] = {
		{ "user", &t->user, NULL },
		{ "group", &t->group, NULL },
		{ "from", &t->from, NULL },
		{ "mode", &t->mode, set_mode },
		{ "create", NULL, set_create },
		{ "threads", NULL, set_threads },
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		const char *value = value_of(word, values[i].name);

		if (!value)
			continue;
		if (values[i].text)
			*values[i].text = value;
		return !values[i].set || values[i].set(t, value);
	}
	return set_flag(t, word);
}

static int check(const struct tree *t, const char *value, struct fault *f)
{
	if (t->path[0] != '/')
		return fault_set(f, EXIT_USAGE, 0,
				 "--own %s: expected an absolute path", value);
	if (t->fsgroup && (t->user || t->mode))
		return fault_set(f, EXIT_USAGE, 0,
				 "--own %s: fsgroup leaves the owner and makes the mode, so user= and mode= contradict it",
				 value);
	if (t->force || !own_option_is_system(t->path))
		return 0;
	fault_set(f, EXIT_USAGE, 0, "--own %s: that is a folder of the system",
		  value);
	return fault_hint(f,
			  "name the application's own folder; if the application shall really own this one, add ,force");
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
		return fault_set(f, EXIT_USAGE, 0,
				 "--own %s: the values take more than %zu bytes",
				 value, sizeof(plan->text));
	t->path = next_word(&at);
	while (at) {
		const char *word = next_word(&at);

		if (!set_word(t, word))
			return fault_set(f, EXIT_USAGE, 0,
					 "--own %s: %s: " EXPECTED, value,
					 word);
	}
	return check(t, value, f);
}
