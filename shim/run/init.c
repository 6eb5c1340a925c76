#include "run/init.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "bind/broker.h"
#include "bind/declared.h"
#include "run/exec.h"
#include "run/plan.h"
#include "run/signals.h"

enum {
	FORK_TRIES = 20,
	PAUSE = 50		/* milliseconds */
};

void init_describe(const struct init_spec *s, struct text *out)
{
	if (!s->wanted)
		return;
	text_add(out, "fork; the parent forwards signals, reaps");
	if (s->stop_timeout.ms)
		text_add(out, ", kills %s after a signal to stop",
			 s->stop_timeout.typed);
	if (s->drain.ms)
		text_add(out, ", gives what is left %s", s->drain.typed);
	text_add(out, "\nchild: ");
}

static bool read_status(struct slice word, uint64_t *status)
{
	char copy[4];

	return str_copy(word, copy, sizeof(copy)) &&
	       str_number(copy, 0, 255, status);
}

bool init_map_exits(const char *value, void *spec)
{
	struct init_spec *s = spec;
	struct slice to = str_word(value);
	struct slice from = str_cut(&to, ':');
	uint64_t status, number;

	if (!read_status(to, &status))
		return false;
	while (from.at) {
		if (!read_status(str_cut(&from, ','), &number) ||
		    s->exits[number])
			return false;
		s->exits[number] = (int16_t)(status + 1);
	}
	return true;
}

/* Nobody can catch SIGKILL and SIGSTOP, so FROM cannot be one of them. */
bool init_rewrite(const char *value, void *at)
{
	struct init_spec *init = at;
	struct slice to = str_word(value);
	struct slice from = str_cut(&to, ':');
	int number = signals_parse(from.at, from.length);
	int other = to.length && !str_is(to, "0")
			    ? signals_parse(to.at, to.length) : SIGNAL_DROP;

	if (!from.at[from.length] || !number || number == SIGKILL ||
	    number == SIGSTOP || !other || init->rewrite[number])
		return false;
	init->rewrite[number] = (int8_t)other;
	return true;
}

/* ---- the child ---- */

/* terminal: for the session of --setsid to take, or -1. */
static int become(const struct plan *plan, struct run *run,
		  bool take_foreground, int terminal, struct fault *f)
{
	if (exec_take_place(plan, run, f) < 0)
		return -1;
	if (!plan->exec.setsid)
		setpgid(0, 0);
	if (take_foreground)
		tty_give(getpgrp());
	if (terminal >= 0)
		ioctl(terminal, TIOCSCTTY, 0);
	/* Only the application enters the domain, not its parent. */
	if (confine_run(&plan->confine, &run->seen, f) < 0)
		return -1;
	if (run->ignored_chld)
		signal(SIGCHLD, SIG_IGN);
	signals_restore(run->signals);
	return exec_application(plan, run, f);
}

/*
 * The child itself reports why it fails: it must not wait for a reader of
 * stderr, nor be stopped for writing to a terminal from the background.
 *
 * vfork(2) copies no page. The parent waits until execve(2), by when the child
 * has its group, and uses nothing that the child writes into its memory.
 */
static pid_t spawn(const struct plan *plan, struct run *run,
		   bool take_foreground, int terminal, struct fault *f)
{
	pid_t pid = vfork();

	if (pid == 0) {
		become(plan, run, take_foreground, terminal, f);
		signals_block();
		report_fault_now(f);
		_exit(f->status);
	}
	return pid;
}

/* ---- the parent ---- */

/*
 * The terminal sends its signals to the foreground group. One that is rewritten
 * must reach this process: then the child's group becomes the foreground group
 * only if it reads.
 */
static void look_at_terminal(struct supervisor *v, bool setsid)
{
	const int8_t *rewrite = v->spec->rewrite;
	const pid_t foreground = tty_foreground();

	v->shared = foreground >= 0 && !setsid;
	v->lends = v->shared && !rewrite[SIGINT] && !rewrite[SIGQUIT] &&
		   !rewrite[SIGTSTP] && !rewrite[SIGWINCH];
	v->lent = v->lends && foreground == getpgrp();
}

/*
 * After the change of uid a process is not dumpable until execve(2): others of
 * its uid can neither trace it nor examine it in /proc (ptrace(2), "access mode
 * checking"). A parent with something to guard stays so; any other becomes
 * dumpable, so that the application may open /proc/1/fd/1, as under any init.
 * All this is before the fork, so that the first orphan is a child, too.
 */
static int prepare_parent(const struct plan *plan, struct run *run,
			  bool subreaper, struct fault *f)
{
	const bool brokers = plan->listen.handoff == HANDOFF_BIND;
	const int dumpable = !brokers && !plan->start.secure;
	const struct verify_spec proof = plan_verify_spec(plan);

	if (prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "set PR_SET_DUMPABLE");
	if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		fault_set(f, EXIT_STEP, errno,
			  "become a subreaper: orphans go to others");
		report_warning(f);
	} else if (subreaper && plan->verbose) {
		report_note("init: not process 1, so a subreaper");
	}
	if (exec_tie_to_parent(plan, run, f) < 0)
		return -1;
	return brokers ? broker_start(&plan->listen, &proof, &run->seen, f)
		       : 0;
}

/*
 * The parent may not fail from here on. It keeps descriptors 0 to 2 and the
 * broker's, no socket, no directory; /proc/PID/environ shows its environment.
 */
static void let_go(struct plan *plan, struct run *run)
{
	(void)!chdir("/");
	for (char **entry = environ; *entry; entry++)
		memset(*entry, 0, strlen(*entry));
	if (plan->listen.handoff == HANDOFF_BIND) {
		for (size_t i = 0; i < run->sockets.count; i++)
			close(run->sockets.all[i].fd);
	} else {
		fs_close_from(STDERR_FILENO + 1);
		madvise(plan, sizeof(*plan) & ~(size_t)4095, MADV_DONTNEED);
	}
	/* The child has built its environment there, maybe with a secret. */
	if (madvise(run, sizeof(*run), MADV_DONTNEED) < 0)
		explicit_bzero(run, sizeof(*run));
}

int init_run(struct plan *plan, struct run *run, struct fault *f)
{
	struct init_spec spec = plan->init;
	struct supervisor v = { .spec = &spec, .first = getpid() == 1,
				.status = EXIT_STEP, .verbose = plan->verbose };
	int tries = 1, terminal;
	pid_t session = 0;

	/* It makes nginx end its workers if the sockets were inherited. */
	if (plan->listen.handoff == HANDOFF_NGINX && !spec.rewrite[SIGWINCH])
		spec.rewrite[SIGWINCH] = SIGNAL_DROP;
	look_at_terminal(&v, plan->exec.setsid);
	if (prepare_parent(plan, run, !v.first && !spec.no_subreaper, f) < 0)
		return -1;
	terminal = plan->exec.setsid ? tty_leave() : -1;
	run->parent = getpid();
	/* If SIGCHLD is ignored the kernel reaps, and the status is lost. */
	run->ignored_chld = signal(SIGCHLD, SIG_DFL) == SIG_IGN;
	/* A process limit or a busy machine may be temporary: try again. */
	while ((v.child = spawn(plan, run, v.lent, terminal, f)) < 0) {
		if ((errno != EAGAIN && errno != ENOMEM) ||
		    tries++ == FORK_TRIES) {
			fault_set(f, EXIT_STEP, errno, "fork");
			return fault_hint(f, "no memory, or a limit "
					     "(--rlimit=nproc, --pids-limit)");
		}
		poll(NULL, 0, PAUSE);
	}
	if (plan->exec.setsid && spec.signal_group)
		session = v.child;
	let_go(plan, run);
	supervise(&v);
	/* The session got every signal; SIGTERM tells its rest to end. */
	if (session)
		kill(-session, SIGTERM);
	if (v.lent)
		tty_give(getpgrp());
	return spec.exits[v.status] ? spec.exits[v.status] - 1 : v.status;
}
