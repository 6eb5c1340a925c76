#include "run/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "drop/drop.h"
#include "drop/limits.h"
#include "run/plan.h"
#include "run/signals.h"

/* Append a word, quoted for a shell and on one line. */
static void add_word(const char *word, struct text *out)
{
	const size_t plain = strspn(word, STR_NAME_BYTES "%+,-./:=@");
	const char *quote = plain && !word[plain] ? "" : "'";

	for (text_add(out, " %s", quote); *word; word++)
		if (*word == '\'' || *word == '\n')
			text_add(out, *word == '\n' ? "'$'\\n''" : "'\\''");
		else
			text_add(out, "%c", *word);
	text_add(out, "%s", quote);
}

void exec_describe(const struct exec_spec *s, struct text *out)
{
	text_add(out, "execve");
	for (char *const *word = s->command; *word; word++)
		add_word(*word, out);
	if (s->argv0)
		text_add(out, ", called %s", s->argv0);
}

/* ---- its place among processes ---- */

int exec_take_place(const struct plan *plan, const struct run *run,
		    struct fault *f)
{
	if (!plan->exec.setsid || setsid() >= 0 || getsid(0) == getpid())
		return exec_tie_to_parent(plan, run, f);
	fault_set(f, EXIT_STEP, errno, "start a session");
	return fault_hint(f, "a leader of a process group cannot; "
			     "with --init the child does");
}

/* A parent that has ended already sends no signal: send it here. */
int exec_tie_to_parent(const struct plan *plan, const struct run *run,
		       struct fault *f)
{
	const int number = plan->exec.pdeathsig;

	if (!number)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, number, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "set --pdeathsig %d",
				 number);
	if (getppid() != run->parent)
		kill(getpid(), number);
	return 0;
}

/* ---- execve ---- */

int exec_refused(const char *command, const char *path, int err,
		 struct fault *f)
{
	const char *hint = NULL, *interpreter;
	int status = EXIT_NOEXEC;
	char head[256];
	struct stat st;

	if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		err = EISDIR;
	if (err == ENOENT && path && access(path, F_OK) == 0) {
		fs_read(AT_FDCWD, path, head, sizeof(head));
		interpreter = fs_interpreter(head);
		hint = interpreter && strchr(interpreter, '\r')
			? "its #! line ends in CR LF, as on Windows: write it "
			  "with LF (dos2unix)"
			: "the interpreter or dynamic loader that it names is "
			  "missing";
	} else if (err == ENOENT || err == ENOTDIR) {
		status = EXIT_NOTFOUND;
		path = command;
		if (strchr(command, ' '))
			hint = "there is a blank in it: COMMAND and each "
			       "ARGUMENT stand apart";
		else if (!strchr(command, '/'))
			hint = "not in PATH, as far as the user may search; in "
			       "place of a shell's cd, export, ulimit: --chdir, "
			       "--env, --rlimit, and of exec: nothing";
	} else if (err == EACCES) {
		hint = "the user needs x on it and on the directories above "
		       "(chmod 755 in the image), and no noexec mount";
	} else if (err == EAGAIN) {
		hint = "--rlimit=nproc counts this uid in other containers too";
	} else if (err == ENOEXEC) {
		hint = "no program for this machine, or a script without #!";
	}
	fault_set(f, status, err, "execute %s", path ? path : command);
	return hint ? fault_hint(f, "%s", hint) : -1;
}

/*
 * As execvp(3), but without handing an unknown file format to a shell. argv is
 * this process's own memory, so argv[0] can be replaced in it.
 */
static int execute(const struct exec_spec *s, char *const env[],
		   struct fault *f)
{
	const char *command = s->command[0];
	const char *path = str_variable(env, "PATH", 4);
	char **argv = (char **)(uintptr_t)s->command;
	char found[PATH_MAX];
	const char *file = strchr(command, '/') ? command : found;

	if (file == found && !drop_find_command(command, path, found))
		return exec_refused(command, NULL, ENOENT, f);
	if (s->argv0)
		argv[0] = (char *)(uintptr_t)s->argv0;
	execve(file, argv, env);
	return exec_refused(command, file, errno, f);
}

/*
 * Announce the sockets and secrets to the application. LISTEN_PID is the
 * process that calls execve: this one.
 */
static int announce(const struct listen_spec *spec,
		    const struct sockets *sockets, struct environment *e,
		    struct fault *f)
{
	const pid_t pid = spec->no_listen_pid ? 0 : getpid();
	struct text entry;

	for (size_t n = 0; sockets->count; n++) {
		env_start(e, &entry, LISTEN_VALUE_SIZE);
		if (!sockets_variable(sockets, spec->handoff, pid, n, &entry))
			break;
		if (entry.length && env_put(e, &entry, f) < 0)
			return -1;
	}
	return 0;
}

/*
 * "/" is the HOME of a uid without an entry. An application that may not write
 * there fails at its first dot file, with no word of the cause. With signals
 * blocked, a background process can write the note to a terminal too (tostop).
 */
static void warn_of_home(const struct plan *plan, const struct environment *e)
{
	const char *wanted = plan->env.home;
	const char *home = str_variable(e->list, "HOME", 4);

	/* In the store it is the target's: not inherited, not from --env. */
	if (home && home >= e->store && home < e->store + e->stored &&
	    strcmp(home, "/") == 0 && (!wanted || wanted[0] != '/') &&
	    !plan->target.name[0] && access("/", W_OK) < 0) {
		const uint64_t mask = signals_block();

		report_note("HOME is /, which uid %u may not write: "
			    "give --home=DIR, or --home=/ if that is meant",
			    plan->target.uid);
		signals_restore(mask);
	}
}

/* Sockets that an init was given are for the application: adapt LISTEN_PID. */
static int pass_listen_pid(pid_t parent, struct environment *e,
			   struct fault *f)
{
	const char *pid = str_variable(e->list, "LISTEN_PID", 10);
	struct text entry;
	uint64_t number;

	if (!pid || !str_number(pid, 1, INT_MAX, &number) ||
	    (pid_t)number != parent)
		return 0;
	env_start(e, &entry, 32);
	text_add(&entry, "LISTEN_PID=%d", (int)getpid());
	return env_put(e, &entry, f);
}

int exec_application(const struct plan *plan, struct run *run,
		     struct fault *f)
{
	const struct target *t = plan->keeps ? NULL : &plan->target;
	struct environment *e = &run->environment;

	if (limits_chdir(&plan->limits, f) < 0 ||
	    env_build(e, environ, &plan->env, t, plan->root_home, f) < 0)
		return -1;
	if (!t)
		return pass_listen_pid(run->parent, e, f) < 0
			       ? -1 : execute(&plan->exec, e->list, f);
	if (announce(&plan->listen, &run->sockets, e, f) < 0 ||
	    sockets_arrange(&run->sockets, f) < 0 ||
	    verify_descriptors(run->sockets.count, f) < 0)
		return -1;
	warn_of_home(plan, e);
	return execute(&plan->exec, e->list, f);
}
