#include "steps.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "cred/caps.h"
#include "listen/listen.h"
#include "own/own.h"
#include "run/exec.h"
#include "run/plan.h"

static const char ok[] = "ok";
static const char will_warn[] = "will warn";
static const char will_fail[] = "will fail";

struct check {
	const struct plan *plan;
	const char *step;
	size_t count;
	int status;		/* of the first fault */
	char detail[2048];	/* of the next object, or empty */
};

/*
 * Print one check. result: what will be, with the reason in f if that is not
 * ok; or a fact about the start, without f. The table holds the members of the
 * JSON object, and the lines of text. --dry-run prints what will fail.
 */
static void print(struct check *c, const char *object, const char *result,
		  const struct fault *f)
{
	static const struct fault none;
	const struct fault *why = f && result != ok ? f : &none;
	static char buffer[32768] SYS_LARGE;
	char reason[1024];
	const char *const said[][2] = {
		{ "step", c->step },	{ "object", object },
		{ "result", result },	{ "detail", c->detail },
		{ "reason", reason },	{ "hint", why->hint },
		{ "docker", why->docker }, { "kubernetes", why->kubernetes }
	};
	struct text out;

	if (result == will_fail && !c->status)
		c->status = f->status;
	if (c->plan->action == ACTION_DRY_RUN) {
		if (result == will_fail)
			report_fault(f);
		return;
	}
	text_start(&out, reason, sizeof(reason));
	text_add(&out, "%s%s%s", why->what, why->err ? ": " : "",
		 why->err ? strerror(why->err) : "");
	if (c->plan->check_format) {
		text_start(&out, buffer, sizeof(buffer));
		text_add(&out, "%s\n  {", c->count++ ? "," : "");
		for (size_t i = 0; i < ARRAY_LEN(said); i++) {
			if (!*said[i][1])
				continue;
			text_add(&out, "%s\"%s\": \"", i ? ", " : "",
				 said[i][0]);
			text_add_printable(&out, said[i][1], true);
			text_add(&out, "\"");
		}
		text_add(&out, "}");
		report_text(&out);
	} else if (f) {
		report_line("%-10s %-10s %s%s%s", result, c->step,
			    *reason ? reason : object,
			    *c->detail ? ": " : "", c->detail);
		for (size_t i = 5; i < ARRAY_LEN(said); i++)
			if (*said[i][1])
				report_line("%21s hint: %s%s%s", "",
					    i > 5 ? said[i][0] : "",
					    i > 5 ? ": " : "", said[i][1]);
	} else {
		report_line("%-26s %s", object, result);
	}
}

/*
 * Each line of a file is a fact; in /proc/self/status only those of the names,
 * where sets of capabilities are said by name.
 */
static void print_file(struct check *c, const char *path)
{
	static const char names[] = "Uid Gid Groups CapInh CapPrm CapEff "
				    "CapBnd CapAmb NoNewPrivs Seccomp";
	char content[16384], words[1024];
	char *line, *word, *rest = content;
	struct text out;

	if (!fs_read(AT_FDCWD, path, content, sizeof(content)))
		strcpy(content, "unknown");
	while ((line = strsep(&rest, "\n"))) {
		const char *object = strrchr(path, '/') + 1;
		const bool is_status = strcmp(object, "status") == 0;

		if (is_status)
			object = strsep(&line, ":");
		if (!line || !*line || (is_status && !strstr(names, object)))
			continue;
		text_start(&out, words, sizeof(words));
		if (strncmp(object, "Cap", 3) == 0)
			caps_describe(strtoull(line, NULL, 16), &out);
		else
			while ((word = strsep(&line, " \t")))
				text_add(&out, "%s%s", out.length && *word
						       ? " " : "", word);
		print(c, object, out.length ? words : "none", NULL);
	}
}

static void print_start(struct check *c)
{
	static const char *const files[] = {
		"/proc/sys/kernel/osrelease", "/proc/self/status",
		"/proc/self/uid_map", "/proc/self/gid_map",
		"/proc/sys/net/ipv4/ip_unprivileged_port_start",
		"/sys/kernel/security/lsm"
	};
	char abi[24];

	c->step = "start";
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		print_file(c, files[i]);
	snprintf(abi, sizeof(abi), "ABI %d", sys_landlock_abi());
	print(c, "landlock", strcmp(abi, "ABI -1") ? abi : "no", NULL);
}

/* Open each socket, except those with a file, which only a run creates. */
static void look_listen(struct check *c)
{
	const struct listen_spec *spec = &c->plan->listen;
	struct fault f;

	for (size_t i = 0; i < spec->count; i++) {
		const struct listener *l = &spec->listeners[i];
		bool left = listener_has_path(l);
		int fd = left ? -1 : listen_open(l, &f);

		print(c, l->url,
		      left || fd >= 0 ? ok :
		      listener_has(l, LISTENER_TRY) &&
		      listen_without_address(f.err) ? will_warn : will_fail,
		      &f);
		close(fd);
	}
	if (spec->handoff == HANDOFF_BIND)
		print(c, spec->low_port
				 ? "keep CAP_NET_BIND_SERVICE in one thread"
				 : "keep no capability", ok, &f);
}

/* Of what is there say its owner and mode, its mount, and those below. */
static void look_own(struct check *c, const struct own_tree *t)
{
	char names[1024];
	struct text detail, below;
	struct fs_mount m;
	struct statvfs fs;
	struct stat st;
	struct fault f;
	int err = 0;

	text_start(&detail, c->detail, sizeof(c->detail));
	if (lstat(t->path, &st) < 0 || statvfs(t->path, &fs) < 0) {
		if (errno != ENOENT || !(t->create || t->if_exists))
			err = errno;
	} else {
		if (fs.f_flag & ST_RDONLY && st.st_uid != t->uid)
			err = EROFS;
		text_start(&below, names, sizeof(names));
		m = fs_mount_of(t->path, &below);
		text_add(&detail, "%s%u:%u %04o, on %s of type %s%s%s",
			 fs.f_flag & ST_RDONLY ? "read-only, " : "", st.st_uid,
			 st.st_gid, st.st_mode & 07777, m.point, m.type,
			 below.length ? ", other mounts below:" : "", names);
	}
	fault_set(&f, EXIT_STEP, err, "own %s", t->path);
	own_hint(t, &f);
	print(c, t->path, !err ? ok : t->may_fail ? will_warn : will_fail, &f);
	c->detail[0] = '\0';
}

/* Predict the errno of execve(2): by the path, the machine, the #! line. */
static int foresee(const char *file)
{
	extern const char __ehdr_start[];	/* our own ELF header */
	char head[256];
	char *interpreter;

	if (access(file, X_OK) < 0)
		return errno;
	errno = ENOEXEC;	/* if it is empty; unread, it may work */
	if (!fs_read(AT_FDCWD, file, head, sizeof(head)))
		return errno == EACCES ? 0 : errno;
	/* Its e_machine is bytes 18 and 19. */
	if (memcmp(head, ELFMAG, SELFMAG) == 0)
		return memcmp(head + 18, __ehdr_start + 18, 2) ? ENOEXEC : 0;
	interpreter = fs_interpreter(head);
	return interpreter && access(interpreter, F_OK) < 0 ? errno : 0;
}

/*
 * The last step: become the user, which lets the kernel judge, and enter
 * --chdir. What is missing for that has been said.
 */
static void look_exec(struct check *c)
{
	const struct plan *plan = c->plan;
	const char *command = plan->exec.command[0], *at = command;
	char file[PATH_MAX];
	struct fault f;
	int err;

	drop_ids(&plan->target, &plan->start, &f);
	if (limits_chdir(&plan->limits, &f) < 0) {
		print(c, plan->limits.chdir, will_fail, &f);
		return;
	}
	if (!strchr(command, '/'))
		at = drop_find_command(command, plan_path(plan), file)
			     ? file : NULL;
	err = at ? foresee(at) : ENOENT;
	if (err)
		exec_refused(command, at, err, &f);
	print(c, at ? at : command, err ? will_fail : ok, &f);
	if (!err && getpid() == 1 && !plan->init.wanted)
		print(c, "TERM needs a handler or --init", ok, &f);
}

/* --dry-run opens no socket, and may run where COMMAND is missing. */
static void look(struct check *c, enum step step)
{
	const bool is_dry = c->plan->action == ACTION_DRY_RUN;
	char lines[2048];
	struct text out;
	struct fault f;

	text_start(&out, lines, sizeof(lines));
	steps_describe(step, c->plan, &out);
	if (!out.length)
		return;
	c->step = steps_names[step];
	if (steps_look(step, c->plan, &f) < 0)
		print(c, c->step, will_fail, &f);
	else if (step == STEP_LISTEN && !is_dry)
		look_listen(c);
	else if (step == STEP_OWN)
		for (size_t i = 0; i < c->plan->own.ntrees; i++)
			look_own(c, &c->plan->own.trees[i]);
	else if (step == STEP_EXEC && !is_dry)
		look_exec(c);
	else
		for (char *line = strtok(lines, "\n"); line;
		     line = strtok(NULL, "\n"))
			print(c, line, ok, &f);
}

int check_run(const struct plan *plan)
{
	struct check c = { .plan = plan };
	struct fault f;

	if (plan->action == ACTION_DRY_RUN)
		start_tell(&plan->who, &plan->start);
	if (plan->check_format)
		report_line("{\"version\": 3, \"checks\": [");
	print_start(&c);
	c.step = "needs";
	print(&c, "capabilities",
	      needs_check(plan, &f) < 0 ? will_fail : ok, &f);
	for (enum step step = 0; step < STEPS; step++)
		look(&c, step);
	if (plan->check_format)
		report_line("]}");
	return c.status && plan->action == ACTION_CHECK ? EXIT_STEP : c.status;
}
