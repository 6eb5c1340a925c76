#include "steps.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "cred/caps.h"
#include "listen/listen.h"
#include "own/own.h"
#include "plan.h"

static const char ok[] = "ok";
static const char will_warn[] = "will warn";
static const char will_fail[] = "will fail";

struct check {
	const struct plan *plan;
	const char *step;
	size_t count;
	bool failed;
	char detail[2048];	/* of the next object, or empty */
};

/* What is no printable ASCII becomes the code point of its byte. */
static void add_json(struct text *out, const char *name, const char *words)
{
	if (!*words)
		return;
	text_add(out, ", \"%s\": \"", name);
	for (; *words; words++) {
		unsigned char c = (unsigned char)*words;

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			text_add(out, "\\u%04x", c);
		else
			text_add(out, "%c", *words);
	}
	text_add(out, "\"");
}

static void print_hint(const char *kind, const char *words)
{
	if (*words)
		report_line("%21s hint: %s%s", "", kind, words);
}

/* result: a fact about the start, or what will be; f: why it will not be ok. */
static void print(struct check *c, const char *object, const char *result,
		  const struct fault *f)
{
	static const struct fault none;
	char buffer[32768], why[1024];
	struct text out;
	bool is_bad = result == will_warn || result == will_fail;

	c->failed |= result == will_fail;
	f = is_bad ? f : &none;
	text_start(&out, why, sizeof(why));
	text_add(&out, "%s%s%s", f->what, f->err ? ": " : "",
		 f->err ? strerror(f->err) : "");
	if (!c->plan->check_format) {
		if (is_bad || result == ok)
			report_line("%-10s %-10s %s%s%s", result, c->step,
				    is_bad ? why : object,
				    c->detail[0] ? ": " : "", c->detail);
		else
			report_line("%-21s %s", object, result);
		print_hint("", f->hint);
		print_hint("docker: ", f->docker);
		print_hint("kubernetes: ", f->kubernetes);
		return;
	}
	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "%s\n  {\"step\": \"%s\"", c->count++ ? "," : "",
		 c->step);
	add_json(&out, "object", object);
	add_json(&out, "result", result);
	add_json(&out, "detail", c->detail);
	add_json(&out, "reason", why);
	add_json(&out, "hint", f->hint);
	add_json(&out, "docker", f->docker);
	add_json(&out, "kubernetes", f->kubernetes);
	text_add(&out, "}");
	report_text(&out);
}

/* The rest of the line that name is in, or of the first; a set by its names. */
static void print_file(struct check *c, const char *object, const char *path,
		       const char *name)
{
	char content[4096], set[1024];
	char *at;
	struct text out;

	fs_read(AT_FDCWD, path, content, sizeof(content));
	at = strstr(content, name);
	at = at ? at + strlen(name) : content + strlen(content);
	at += strspn(at, " \t");
	at[strcspn(at, "\n")] = '\0';
	for (char *tab = at; (tab = strchr(tab, '\t'));)
		*tab = ' ';
	text_start(&out, set, sizeof(set));
	if (*at && strncmp(name, "\nCap", 4) == 0)
		caps_describe(strtoull(at, NULL, 16), &out);
	print(c, object, out.length ? set : *at ? at : "none or unknown", NULL);
}

static void print_start(struct check *c)
{
	static const struct {
		const char *object, *path, *name;
	} files[] = {
		{ "kernel", "/proc/sys/kernel/osrelease", "" },
		{ "uids", "/proc/self/status", "\nUid:" },
		{ "gids", "/proc/self/status", "\nGid:" },
		{ "groups", "/proc/self/status", "\nGroups:" },
		{ "uid_map", "/proc/self/uid_map", "" },
		{ "gid_map", "/proc/self/gid_map", "" },
		{ "inheritable", "/proc/self/status", "\nCapInh:" },
		{ "permitted", "/proc/self/status", "\nCapPrm:" },
		{ "effective", "/proc/self/status", "\nCapEff:" },
		{ "bounding", "/proc/self/status", "\nCapBnd:" },
		{ "ambient", "/proc/self/status", "\nCapAmb:" },
		{ "no_new_privs", "/proc/self/status", "\nNoNewPrivs:" },
		{ "seccomp", "/proc/self/status", "\nSeccomp:" },
		{ "lsm", "/sys/kernel/security/lsm", "" },
		{ "first_open_port",
		  "/proc/sys/net/ipv4/ip_unprivileged_port_start", "" },
	};

	c->step = "start";
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		print_file(c, files[i].object, files[i].path, files[i].name);
	/* landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION */
	print(c, "landlock", syscall(444, NULL, 0L, 1L) > 0 ? "yes" : "no",
	      NULL);
}

/* The file of a unix socket would have to be made, and is left to the run. */
static void look_listen(struct check *c)
{
	const struct listen_spec *spec = &c->plan->listen;
	struct fault f;

	for (size_t i = 0; i < spec->count; i++) {
		const struct listener *l = &spec->listeners[i];
		int fd = listener_has_path(l)
				 ? -1 : listen_open(l, spec->handoff, &f);

		print(c, l->url,
		      fd >= 0 || listener_has_path(l) ? ok :
		      listener_has(l, LISTENER_TRY) ? will_warn : will_fail,
		      &f);
		close(fd);
	}
	if (c->plan->bind.wanted)
		print(c, c->plan->bind.low_port
				 ? "keep CAP_NET_BIND_SERVICE in one thread"
				 : "keep no capability", ok, NULL);
}

/* Append what is there: its owner and mode, its mount, and those below. */
static void add_place(const char *path, const struct stat *top,
		      struct text *out)
{
	char mounts[FS_MOUNTS], names[1024];
	struct fs_mount m;
	struct text below;

	text_start(&below, names, sizeof(names));
	m = fs_mount_of(path, mounts, &below);
	text_add(out, "%u:%u %04o, on %s of type %s", top->st_uid, top->st_gid,
		 top->st_mode & 07777, m.point, m.type);
	if (below.length)
		text_add(out, ", other mounts below:%s", names);
}

static void look_own(struct check *c)
{
	for (size_t i = 0; i < c->plan->own.ntrees; i++) {
		const struct own_tree *t = &c->plan->own.trees[i];
		struct stat st = { 0 };
		struct statvfs fs = { 0 };
		struct text detail;
		struct fault f;
		int err = 0;

		text_start(&detail, c->detail, sizeof(c->detail));
		if (lstat(t->path, &st) < 0 || statvfs(t->path, &fs) < 0)
			err = errno;
		else if (fs.f_flag & ST_RDONLY)
			text_add(&detail, "read-only, ");
		if (fs.f_flag & ST_RDONLY && st.st_uid != t->uid)
			err = EROFS;
		if (st.st_mode)
			add_place(t->path, &st, &detail);
		if (err == ENOENT && (t->create || t->if_exists))
			err = 0;
		fault_set(&f, EXIT_STEP, err, "own %s", t->path);
		own_hint(t, &f);
		print(c, t->path,
		      !err ? ok : t->may_fail ? will_warn : will_fail, &f);
		c->detail[0] = '\0';
	}
}

/* May the target execute it, by its mode bits? */
static bool may_execute(const struct target *t, const struct stat *st)
{
	mode_t bit = st->st_gid == t->gid ? S_IXGRP : S_IXOTH;

	for (size_t i = 0; i < t->ngroups; i++)
		if (t->groups[i] == st->st_gid)
			bit = S_IXGRP;
	return st->st_mode & (st->st_uid == t->uid ? S_IXUSR : bit);
}

/* Has it no interpreter, or is e_machine (bytes 18, 19) not that of ours? */
static bool is_unfit(const char *file, struct fault *f)
{
	char head[256] = "", ours[256] = "";
	char *path;

	fs_read(AT_FDCWD, file, head, sizeof(head));
	if (memcmp(head, "#!", 2) == 0) {
		path = head + 2 + strspn(head + 2, " \t");
		path[strcspn(path, " \t\n")] = '\0';
		if (access(path, F_OK) == 0)
			return false;
		fault_set(f, EXIT_NOEXEC, ENOENT, "execute %s: its #! names %s",
			  file, path);
		return true;
	}
	if (memcmp(head, ELFMAG, SELFMAG) != 0 ||
	    !fs_read(AT_FDCWD, "/proc/self/exe", ours, sizeof(ours)) ||
	    memcmp(head + 18, ours + 18, 2) == 0)
		return false;
	fault_set(f, EXIT_NOEXEC, ENOEXEC,
		  "execute %s: it is for another machine", file);
	return true;
}

static void look_exec(struct check *c)
{
	const struct plan *plan = c->plan;
	char file[PATH_MAX];
	struct stat st;
	struct fault f;
	int err = 0;

	if (!drop_find_command(plan->exec.command[0], plan_path(plan), file) ||
	    stat(file, &st) < 0)
		err = ENOENT;
	else if (S_ISDIR(st.st_mode))
		err = EISDIR;
	else if (!may_execute(&plan->target, &st))
		err = EACCES;
	if (err)
		fault_set(&f, EXIT_NOEXEC, err, "execute %s",
			  plan->exec.command[0]);
	else if (!is_unfit(file, &f)) {
		print(c, file, ok, NULL);
		if (getpid() == 1 && !plan->init.wanted)
			print(c, "TERM needs a handler or --init", ok, NULL);
		return;
	}
	print(c, plan->exec.command[0], will_fail, &f);
}

static void check_step(struct check *c, const struct step *step)
{
	char lines[2048];
	struct text out;
	struct fault f;

	text_start(&out, lines, sizeof(lines));
	step->describe(c->plan, &out);
	if (!out.length)
		return;
	c->step = step->name;
	if (step->check && step->check(c->plan, &f) < 0)
		print(c, step->name, will_fail, &f);
	else if (strcmp(step->name, "listen") == 0)
		look_listen(c);
	else if (strcmp(step->name, "own") == 0)
		look_own(c);
	else if (strcmp(step->name, "exec") == 0)
		look_exec(c);
	else
		for (char *line = strtok(lines, "\n"); line;
		     line = strtok(NULL, "\n"))
			print(c, line, ok, NULL);
}

int check_run(const struct plan *plan)
{
	struct check c = { .plan = plan };
	struct fault f;

	if (plan->check_format)
		report_line("{\"version\": 2, \"checks\": [");
	print_start(&c);
	c.step = "needs";
	print(&c, "capabilities",
	      needs_check(plan, &f) < 0 ? will_fail : ok, &f);
	for (size_t i = 0; i < steps_count; i++)
		check_step(&c, &steps[i]);
	if (plan->check_format)
		report_line("]}");
	return c.failed ? EXIT_STEP : 0;
}
