#include "run/init.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/str.h"
#include "base/text.h"
#include "run/exec.h"
#include "run/tty.h"

enum {
	FORK_TRIES = 20,
	PAUSE = 50		/* milliseconds */
};

void init_describe(const struct init_spec *s, struct text *out)
{
	text_add(out, "fork; the parent forwards signals, reaps");
	if (s->stop_timeout)
		text_add(out, ", kills %u ms after a signal to stop",
			 s->stop_timeout);
	if (s->drain)
		text_add(out, ", gives what is left %u ms", s->drain);
}

static bool read_status(struct slice word, uint64_t *status)
{
	char copy[4];

	return str_copy(word, copy, sizeof(copy)) &&
	       str_number(copy, 0, 255, status);
}

bool init_map_exits(struct init_spec *s, const char *value, bool *again)
{
	struct slice to = str_word(value);
	struct slice list = str_cut(&to, ':');
	uint64_t from, status;

	*again = false;
	if (!list.length || list.at[list.length - 1] == ',' ||
	    !read_status(to, &status))
		return false;
	while (list.length) {
		if (!read_status(str_cut(&list, ','), &from))
			return false;
		*again = *again || s->exits[from];
		s->exits[from] = (int16_t)(status + 1);
	}
	s->maps_exits = true;
	return true;
}

/*
 * A signal that the terminal itself sends goes to the foreground group. If it
 * is to be rewritten it must come to this process: then the child's group is
 * not the foreground group, unless it reads. That keeps SIGWINCH, by which
 * nginx ends its workers when its sockets were inherited, from it.
 */
static bool rewrites_the_terminal(const struct init_spec *s)
{
	return s->rewrite[SIGINT] || s->rewrite[SIGQUIT] ||
	       s->rewrite[SIGTSTP] || s->rewrite[SIGWINCH];
}

static void look_at_terminal(const struct init_spec *s,
			     const struct init_start *start,
			     struct supervisor *v)
{
	const pid_t foreground = tty_foreground();

	v->spec = s;
	v->verbose = start->verbose;
	v->first = getpid() == 1;
	v->status = EXIT_STEP;
	v->terminal = !start->exec->setsid && foreground >= 0;
	v->lends = v->terminal && !rewrites_the_terminal(s);
	v->lent = v->lends && foreground == getpgrp();
}

/*
 * A process that is not dumpable can neither be traced nor looked at in /proc
 * by others of its uid (ptrace(2), "access mode checking"); after the change of
 * uid no process is dumpable until execve(2). A guarded parent stays so. Any
 * other becomes dumpable, so that the application may open /proc/1/fd/1, as it
 * may below other inits.
 *
 * An orphan must come to this process from the first one on, so this is before
 * the fork.
 */
static int set_attributes(const struct init_start *start,
			  const struct init_spec *s,
			  const struct supervisor *v, struct fault *f)
{
	if (prctl(PR_SET_DUMPABLE, !start->guarded, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "set whether the application may look at "
				 "its parent");
	if (v->first || s->no_subreaper)
		return 0;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		fault_set(f, EXIT_STEP, errno,
			  "become a subreaper: orphans go to others");
		report_warning_now(f);
	} else if (start->verbose) {
		report_note_now("init: not process 1, so a subreaper");
	}
	return 0;
}

/* ---- the child ---- */

struct child {
	const struct init_start *start;
	bool take_foreground;
	bool ignored_chld;	/* as this program was given it */
	int terminal;		/* for the session of --setsid to take, or -1 */
	pid_t parent;
};

/* With all signals blocked, SIGTTOU cannot stop it here. */
static int become(const struct child *c, struct fault *f)
{
	const struct init_start *start = c->start;

	if (start->exec->setsid) {
		if (exec_start_session(start->exec, f) < 0)
			return -1;
		if (c->terminal >= 0)
			tty_take(c->terminal);
	} else {
		setpgid(0, 0);
		if (c->take_foreground)
			tty_give(0);
	}
	if (exec_tie_to_parent(start->exec, c->parent, f) < 0)
		return -1;
	if (c->ignored_chld)
		signal(SIGCHLD, SIG_IGN);
	return start->child(start->argument, f);
}

/*
 * It must not wait for a reader of stderr to say why it fails, nor be stopped
 * as one that writes to a terminal from the background.
 */
static void __attribute__((noreturn)) child_main(const struct child *c)
{
	struct fault f = { 0 };

	become(c, &f);
	signals_block();
	report_fault_now(&f);
	_exit(f.status);
}

/* EAGAIN and ENOMEM may pass: a limit on processes, a busy machine. */
static pid_t spawn(const struct child *c, struct fault *f)
{
	for (int tries = 1;; tries++) {
		pid_t pid = fork();

		if (pid == 0)
			child_main(c);
		if (pid > 0)
			return pid;
		if ((errno != EAGAIN && errno != ENOMEM) ||
		    tries == FORK_TRIES)
			break;
		poll(NULL, 0, PAUSE);
	}
	fault_set(f, EXIT_STEP, errno, "fork");
	return fault_hint(f,
			  "no memory, or a limit "
			  "(--rlimit=nproc, --pids-limit)");
}

/* ---- the parent ---- */

/*
 * The parent may not fail from here on. The application may read
 * /proc/PID/environ, so nothing stays there that --unset-env takes away; a
 * working directory could not be unmounted.
 */
static void release_resources(char *const env[])
{
	for (; *env; env++)
		memset(*env, 0, strlen(*env));
	(void)!chdir("/");
}

int init_run(const struct init_spec *s, const struct init_start *start,
	     struct fault *f)
{
	struct supervisor v = { 0 };
	struct child c = { .start = start, .terminal = -1,
			   .parent = getpid() };

	look_at_terminal(s, start, &v);
	if (set_attributes(start, s, &v, f) < 0 ||
	    exec_tie_to_parent(start->exec, start->parent, f) < 0 ||
	    start->before(start->argument, f) < 0)
		return -1;
	c.take_foreground = v.lent;
	if (start->exec->setsid)
		c.terminal = tty_leave();
	/* If SIGCHLD is ignored the kernel reaps, and the status is lost. */
	c.ignored_chld = signal(SIGCHLD, SIG_DFL) == SIG_IGN;
	v.child = spawn(&c, f);
	if (v.child < 0)
		return -1;
	if (c.terminal > STDIN_FILENO)
		close(c.terminal);
	start->after(start->argument);
	release_resources(start->env);
	supervise(&v);
	/*
	 * A thread may wait for another process before it can end, as for the
	 * server of a FUSE file system, and the kernel kills the processes of
	 * the pid namespace only when all threads of its first have ended.
	 */
	if (v.first)
		kill(-1, SIGKILL);
	else if (v.lent)
		tty_give(0);
	return s->exits[v.status] ? s->exits[v.status] - 1 : v.status;
}
