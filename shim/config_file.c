#include "settle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "options.h"

#define BLANKS " \t\r"

/*
 * Only root's own regular file may control a program with privileges that its
 * caller lacks. The check is on the open descriptor, so that nobody can
 * exchange the file in between.
 */
static int check_trust(int fd, const char *path, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(f, EXIT_USAGE, errno, "examine %s", path);
	if (S_ISREG(st.st_mode) && st.st_uid == 0 &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	fault_set(f, EXIT_USAGE, 0,
		  "%s: not a file that root owns and nobody else may write",
		  path);
	return fault_hint(f, "in the image: chown 0:0 FILE && chmod 644 FILE");
}

/* Read the whole file, which must be text. */
static int read_text(int fd, const char *path, struct plan *plan,
		     struct fault *f)
{
	const ssize_t most = sizeof(plan->config) - 2;
	ssize_t length = fs_read_all(fd, plan->config, sizeof(plan->config));

	if (length < 0)
		return fault_set(f, EXIT_USAGE, errno, "read %s", path);
	if (length > most)
		return fault_set(f, EXIT_USAGE, 0, "%s: more than %zd bytes",
				 path, most);
	if (strlen(plan->config) != (size_t)length)
		return fault_set(f, EXIT_USAGE, 0, "%s: it holds a NUL", path);
	return 0;
}

/*
 * One line: NAME, NAME=VALUE or NAME VALUE, where NAME is a long option. Blanks
 * around it do not count. A '#' begins a comment only where a name would be,
 * because it is an ordinary byte in a value.
 */
static int set_line(struct plan *plan, char *line, char *const env[],
		    uint64_t *seen, struct fault *f)
{
	char *name = line + strspn(line, BLANKS);
	char *value = name + strcspn(name, "=" BLANKS);
	char *name_end = value;
	char *end = name + strlen(name);
	bool given;

	if (!*name || *name == '#')
		return 0;
	while (strchr(BLANKS, end[-1]))
		*--end = '\0';
	value += strspn(value, BLANKS);
	given = *value;
	if (*value == '=')
		value += 1 + strspn(value + 1, BLANKS);
	*name_end = '\0';
	return options_set(plan, name, given ? value : NULL, env, seen, f);
}

static int set_lines(struct plan *plan, const char *path, char *const env[],
		     struct fault *f)
{
	char what[sizeof(f->what)];
	char *rest = plan->config;
	char *line;
	uint64_t seen = 0;

	for (size_t number = 1; (line = strsep(&rest, "\n")); number++)
		if (set_line(plan, line, env, &seen, f) < 0) {
			struct text t;

			text_start(&t, what, sizeof(what));
			text_add(&t, "%s:%zu: %s", path, number, f->what);
			strcpy(f->what, what);
			return -1;
		}
	return 0;
}

/* Reset the plan: the command line is read again after the file, and wins. */
static void forget_options(struct plan *plan)
{
	const struct start start = plan->start;

	memset(plan, 0, offsetof(struct plan, text));
	plan->start = start;
}

/*
 * needed: it must exist. trusted: it must be root's. env: NULL, if hostile.
 * Returns 1, 0 if there is none, or -1 with a fault.
 */
static int read_file(struct plan *plan, const char *path, bool needed,
		     bool trusted, char *const env[], struct fault *f)
{
	/* If it is a FIFO, do not wait for a writer. */
	int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int result;

	if (fd < 0) {
		if (!needed && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		return fault_set(f, EXIT_USAGE, errno, "read %s", path);
	}
	forget_options(plan);
	result = trusted ? check_trust(fd, path, f) : 0;
	if (result == 0)
		result = read_text(fd, path, plan, f);
	close(fd);
	return result < 0 || set_lines(plan, path, env, f) < 0 ? -1 : 1;
}

/*
 * Whoever executes this program chose the arguments and the environment, but
 * may choose only the command: it runs with nothing but what the file says.
 */
static int read_secure(struct plan *plan, const char *standard,
		       char *const argv[], struct fault *f)
{
	char *const *at = argv[0] ? argv + 1 : argv;
	int result;

	if (*at && (*at)[0] == '-' && strcmp(*at, "--") != 0)
		result = fault_set(f, EXIT_USAGE, 0,
				   "%s: options are not taken here", *at);
	else
		result = read_file(plan, standard, true, true, NULL, f);
	plan->exec.command = *at && strcmp(*at, "--") == 0 ? at + 1 : at;
	if (result > 0)
		return 0;
	return f->hint[0] ? -1 : fault_hint(f,
			  "with file capabilities or setuid, options come from %s alone",
			  standard);
}

int settings_read(struct plan *plan, const char *standard, char *const argv[],
		  char *const env[], struct fault *f)
{
	const char *path;
	int found;

	if (plan->start.secure)
		return read_secure(plan, standard, argv, f);
	if (options_parse(plan, argv, env, f) < 0)
		return -1;
	if (plan->action >= ACTION_HELP)
		return 0;
	path = plan->config_file;
	found = read_file(plan, path ? path : standard, path, !path, env, f);
	return found > 0 ? options_parse(plan, argv, env, f) : found;
}
