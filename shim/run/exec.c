#include "run/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"
#include "drop/command.h"
#include "drop/limits.h"
#include "drop/verify.h"
#include "listen/listen.h"
#include "plan.h"
#include "run/env.h"

void launch_describe(const struct plan *plan, struct text *out)
{
	text_add(out, "execve");
	for (char *const *word = plan->command; *word; word++)
		text_add(out, " %s", *word);
	listen_describe_handoff(&plan->listen, out);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/*
 * ENOENT for a file that is there speaks of the interpreter that its first
 * line or its ELF header names.
 */
static int not_started(const char *command, const char *path, int err,
		       struct fault *f)
{
	const char *hint = NULL;
	int status = EXIT_NOEXEC;

	if (err == ENOENT && path && is_there(path)) {
		hint = "the interpreter or dynamic loader that it names is missing";
	} else if (err == ENOENT || err == ENOTDIR) {
		status = EXIT_NOTFOUND;
		path = command;
		if (strchr(command, ' '))
			hint = "there is a blank in it: COMMAND and each ARGUMENT stand apart";
		else if (!strchr(command, '/'))
			hint = "not in PATH, as far as the user may search";
	} else if (err == EACCES) {
		hint = "the user needs x on it and on the folders above (chmod 755 in the image), and no noexec mount";
	} else if (err == EAGAIN) {
		hint = "--rlimit=nproc counts this uid in other containers too";
	} else if (err == ENOEXEC) {
		hint = "no program for this machine, or a script without #!";
	}
	fault_set(f, status, err, "execute %s", path ? path : command);
	return hint ? fault_hint(f, "%s", hint) : -1;
}

/*
 * As execvp(3), but without handing an unknown file format to a shell. A file
 * that is there and may not be executed is remembered while better is looked
 * for in the folders that follow; a folder that may not be searched has none.
 */
static int execute_in_path(const char *path, char *const argv[],
			   char *const env[], struct fault *f)
{
	char denied[PATH_MAX] = "";

	for (const char *at = path;; at++) {
		size_t length = strcspn(at, ":");
		char file[PATH_MAX];
		struct text t;
		int err;

		text_start(&t, file, sizeof(file));
		text_add_bytes(&t, at, length);
		text_add(&t, "%s%s", length ? "/" : "", argv[0]);
		at += length;
		if (!t.cut) {
			execve(file, argv, env);
			err = errno;
			if (!is_there(file))
				;
			else if (err != EACCES)
				return not_started(argv[0], file, err, f);
			else if (!denied[0])
				strcpy(denied, file);
		}
		if (!*at)
			break;
	}
	if (denied[0])
		return not_started(argv[0], denied, EACCES, f);
	return not_started(argv[0], NULL, ENOENT, f);
}

static int execute(char *const argv[], struct environment *e, struct fault *f)
{
	const char *path = environ_get(e, "PATH");

	if (!strchr(argv[0], '/'))
		return execute_in_path(path ? path : COMMAND_DEFAULT_PATH, argv,
				       e->list, f);
	execve(argv[0], argv, e->list);
	return not_started(argv[0], argv[0], errno, f);
}

/* Tell the application of its sockets. */
static int announce(const struct listen_spec *spec,
		    const struct sockets *sockets, struct environment *e,
		    struct fault *f)
{
	const pid_t pid = spec->no_listen_pid ? 0 : getpid();
	char value[SOCKETS_NAMES_SIZE];

	for (unsigned int n = 0;; n++) {
		struct text t;
		const char *name;

		text_start(&t, value, sizeof(value));
		name = sockets_variable(sockets, spec->handoff, pid, n, &t);
		if (!name)
			return 0;
		if (environ_set(e, f, name, "%s", value) < 0)
			return -1;
	}
}

int launch(const struct plan *plan, struct run *run, char *const given[],
	   struct fault *f)
{
	struct environment *e = &run->environment;

	if (limits_chdir(&plan->limits, plan->target.uid, f) < 0 ||
	    environ_build(e, given, plan, f) < 0 ||
	    announce(&plan->listen, &run->sockets, e, f) < 0 ||
	    sockets_arrange(&run->sockets, f) < 0 ||
	    verify_descriptors(run->sockets.count, f) < 0)
		return -1;
	return execute(plan->command, e, f);
}
