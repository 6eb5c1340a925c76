#include "check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/report.h"
#include "base/text.h"
#include "cred/caps.h"
#include "cred/ids.h"
#include "drop/command.h"
#include "listen/socket.h"
#include "needs.h"
#include "plan.h"
#include "steps.h"

enum verdict { WILL_WORK, WILL_WARN, WILL_FAIL };

struct check {
	const struct plan *plan;
	const char *step;
	size_t count;
	bool json;
	bool failed;
};

/* --- printing ------------------------------------------------------------- */

/* What is no printable ASCII becomes the code point of its byte. */
static void add_json(struct text *out, const char *words)
{
	text_add(out, "\"");
	for (; *words; words++) {
		unsigned char c = (unsigned char)*words;

		if (c == '"' || c == '\\')
			text_add(out, "\\%c", c);
		else if (c < ' ' || c > '~')
			text_add(out, "\\u%04x", c);
		else
			text_add_bytes(out, words, 1);
	}
	text_add(out, "\"");
}

static void add_member(struct text *out, const char *name, const char *words)
{
	text_add(out, ", \"%s\": ", name);
	add_json(out, words);
}

/* What was found about one thing; f: why it will warn or fail. */
static void found(struct check *c, const char *object, enum verdict v,
		  const struct fault *f)
{
	static const char *const verdicts[] = { "ok", "will warn",
						"will fail" };
	char buffer[16384];
	char why[1024] = "";
	struct text out;

	c->failed |= v == WILL_FAIL;
	text_start(&out, why, sizeof(why));
	if (v != WILL_WORK)
		text_add(&out, "%s%s%s", f->what, f->err ? ": " : "",
			 f->err ? strerror(f->err) : "");
	if (!c->json) {
		report_line("%-10s %-10s %s", verdicts[v], c->step,
			    v == WILL_WORK ? object : why);
		if (v != WILL_WORK && f->hint[0])
			report_line("%21s hint: %s", "", f->hint);
		return;
	}
	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "%s\n  {\"step\": \"%s\"", c->count++ ? "," : "",
		 c->step);
	add_member(&out, "object", object);
	add_member(&out, "result", verdicts[v]);
	if (v != WILL_WORK)
		add_member(&out, "reason", why);
	if (v != WILL_WORK && f->hint[0])
		add_member(&out, "hint", f->hint);
	text_add(&out, "}");
	report_text(&out);
}

static void say(struct check *c, const char *name, const char *words)
{
	char buffer[16384];
	struct text out;

	if (!c->json) {
		report_line("%-21s %s", name, words);
		return;
	}
	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "%s\n  \"%s\": ", c->count++ ? "," : "", name);
	add_json(&out, words);
	report_text(&out);
}

/* --- how stepdown was started --------------------------------------------- */

/* The first line of a file, its blanks as one each. */
static void say_file(struct check *c, const char *name, const char *path)
{
	char content[256];
	char words[256];
	size_t length = 0;

	fs_read(AT_FDCWD, path, content, sizeof(content));
	for (const char *at = content; *at && *at != '\n'; at++)
		if (*at != ' ' || (length && words[length - 1] != ' '))
			words[length++] = *at;
	words[length] = '\0';
	say(c, name, length ? words : "unknown");
}

/* A line of /proc/self/status. */
static const char *field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : "";
}

static void say_set(struct check *c, const char *name, const char *hex)
{
	char buffer[1024];
	uint64_t set = strtoull(hex, NULL, 16);
	uint64_t all = 0;
	struct text out;

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		all |= UINT64_C(1) << cap;
	text_start(&out, buffer, sizeof(buffer));
	if (!*hex)
		text_add(&out, "unknown");
	else if (set == all)
		text_add(&out, "all");
	else
		caps_describe(set, &out);
	say(c, name, buffer);
}

static void say_start(struct check *c)
{
	const struct start *s = &c->plan->start;
	char status[4096];
	char words[512];
	struct utsname kernel;
	struct text out;

	uname(&kernel);
	text_start(&out, words, sizeof(words));
	text_add(&out, "%s %s %s", kernel.sysname, kernel.release,
		 kernel.machine);
	say(c, "kernel", words);
	text_start(&out, words, sizeof(words));
	text_add(&out, "uid %u (real %u, saved %u), gid %u (real %u, saved %u)",
		 s->euid, s->uid, s->suid, s->egid, s->gid, s->sgid);
	say(c, "ids", words);
	text_start(&out, words, sizeof(words));
	for (size_t i = 0; i < s->ngroups; i++)
		text_add(&out, "%s%u", i ? " " : "", s->groups[i]);
	say(c, "groups", words);
	say_file(c, "uid_map", "/proc/self/uid_map");
	say_file(c, "gid_map", "/proc/self/gid_map");
	fs_read(AT_FDCWD, "/proc/self/status", status, sizeof(status));
	say_set(c, "permitted", field(status, "CapPrm:\t"));
	say_set(c, "effective", field(status, "CapEff:\t"));
	say_set(c, "inheritable", field(status, "CapInh:\t"));
	say_set(c, "ambient", field(status, "CapAmb:\t"));
	say_set(c, "bounding", field(status, "CapBnd:\t"));
	say(c, "no_new_privs", s->no_new_privs ? "1" : "0");
	text_start(&out, words, sizeof(words));
	text_add_bytes(&out, field(status, "Seccomp:\t"),
		       strcspn(field(status, "Seccomp:\t"), "\n"));
	say(c, "seccomp", words[0] ? words : "unknown");
	say_file(c, "lsm", "/sys/kernel/security/lsm");
	text_start(&out, words, sizeof(words));
	/* landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION */
	text_add(&out, "%ld", syscall(444, NULL, 0L, 1L));
	say(c, "landlock_abi", words[0] == '-' ? "none" : words);
	say_file(c, "unprivileged_port",
		 "/proc/sys/net/ipv4/ip_unprivileged_port_start");
}

/* --- a look at what each step is about ------------------------------------ */

/* The file of a unix socket would have to be made, and is left to the run. */
static void look_listen(struct check *c)
{
	const struct listen_spec *spec = &c->plan->listen;
	struct fault f;

	for (size_t i = 0; i < spec->count; i++) {
		const struct listener *l = &spec->listeners[i];
		int fd = -1;

		if (!listener_has_path(l))
			fd = listen_open(l, spec->handoff, &l->address.any,
					 l->address_size, &f);
		if (fd >= 0)
			close(fd);
		found(c, l->url,
		      fd >= 0 || listener_has_path(l) ? WILL_WORK :
		      listener_has(l, LISTENER_TRY) ? WILL_WARN : WILL_FAIL,
		      &f);
	}
}

/* How many mounts are below a path; a walk leaves them alone. */
static size_t count_mounts(const char *path)
{
	static char mounts[65536];
	size_t length = strlen(path);
	size_t count = 0;

	fs_read(AT_FDCWD, "/proc/self/mountinfo", mounts, sizeof(mounts));
	for (const char *at = mounts; (at = strchr(at, '/')); ) {
		const char *point = strchr(at, ' ');

		if (!point)
			break;
		count += strncmp(point + 1, path, length) == 0 &&
			 point[1 + length] == '/';
		at = point + strcspn(point, "\n");
	}
	return count;
}

static void look_own(struct check *c)
{
	for (size_t i = 0; i < c->plan->ntrees; i++) {
		const struct own_tree *t = &c->plan->trees[i];
		enum verdict bad = t->may_fail ? WILL_WARN : WILL_FAIL;
		struct stat st;
		struct statvfs fs;
		struct fault f;

		if (lstat(t->path, &st) < 0 || statvfs(t->path, &fs) < 0) {
			fault_set(&f, EXIT_STEP, errno, "own %s", t->path);
			found(c, t->path,
			      errno == ENOENT && (t->create || t->if_exists)
				      ? WILL_WORK : bad, &f);
		} else if (fs.f_flag & ST_RDONLY) {
			fault_set(&f, EXIT_STEP, EROFS, "own %s", t->path);
			fault_hint(&f, "mount it writable, or leave it out");
			found(c, t->path, st.st_uid == t->uid ? WILL_WARN : bad,
			      &f);
		} else if (!t->cross_mounts && count_mounts(t->path)) {
			fault_set(&f, EXIT_STEP, 0,
				  "own %s: %zu other mounts below it are left alone",
				  t->path, count_mounts(t->path));
			fault_hint(&f,
				   "an --own of its own for each, or cross-mounts");
			found(c, t->path, WILL_WARN, &f);
		} else {
			found(c, t->path, WILL_WORK, NULL);
		}
	}
}

static void look_account(struct check *c)
{
	struct fault f;

	if (!c->plan->account.value)
		return;
	fault_set(&f, EXIT_STEP, errno, "account: write %s", PASSWD_USERS);
	found(c, c->plan->account.value,
	      access(PASSWD_USERS, W_OK) < 0 ? WILL_WARN : WILL_WORK, &f);
}

/* May the target execute it, by its mode bits? */
static bool may_execute(const struct target *t, const struct stat *st)
{
	if (st->st_uid == t->uid)
		return st->st_mode & S_IXUSR;
	if (st->st_gid == t->gid)
		return st->st_mode & S_IXGRP;
	for (size_t i = 0; i < t->ngroups; i++)
		if (t->groups[i] == st->st_gid)
			return st->st_mode & S_IXGRP;
	return st->st_mode & S_IXOTH;
}

/* e_machine is at the same place in both classes. */
static int read_machine(const char *file)
{
	Elf64_Ehdr head = { 0 };
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || read(fd, &head, sizeof(head)) < 20 ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		head.e_machine = EM_NONE;
	if (fd >= 0)
		close(fd);
	return head.e_machine;
}

/* Without /proc it is not known which machine this is. */
static bool is_foreign(int machine)
{
	int ours = read_machine("/proc/self/exe");

	return machine != EM_NONE && ours != EM_NONE && machine != ours;
}

/* As the kernel reads it: "#!", blanks, a path. */
static bool lacks_interpreter(const char *file, char path[256])
{
	char line[256];
	const char *at = line + 2;

	if (!fs_read(AT_FDCWD, file, line, sizeof(line)) ||
	    strncmp(line, "#!", 2) != 0)
		return false;
	at += strspn(at, " \t");
	line[sizeof(line) - 1] = '\0';
	str_copy((struct slice){ at, strcspn(at, " \t\n") }, path, 256);
	return access(path, F_OK) < 0;
}

static void look_exec(struct check *c)
{
	const struct plan *plan = c->plan;
	const char *name = plan->exec.command[0];
	char file[PATH_MAX];
	char interpreter[256];
	struct stat st;
	struct fault f;

	if (!command_find(name,
			  command_path(plan->env.set, plan->env.nset,
				       environ),
			  file) ||
	    stat(file, &st) < 0)
		fault_set(&f, EXIT_NOTFOUND, ENOENT, "execute %s", name);
	else if (S_ISDIR(st.st_mode))
		fault_set(&f, EXIT_NOEXEC, EISDIR, "execute %s", file);
	else if (!may_execute(&plan->target, &st))
		fault_set(&f, EXIT_NOEXEC, EACCES, "execute %s", file);
	else if (lacks_interpreter(file, interpreter))
		fault_set(&f, EXIT_NOEXEC, ENOENT, "execute %s: its #! names %s",
			  file, interpreter);
	else if (is_foreign(read_machine(file)))
		fault_set(&f, EXIT_NOEXEC, ENOEXEC,
			  "execute %s: it is of another machine", file);
	else {
		found(c, file, WILL_WORK, NULL);
		return;
	}
	found(c, name, WILL_FAIL, &f);
}

/* --- all of it ------------------------------------------------------------ */

static void check_step(struct check *c, const struct step *step)
{
	static const struct {
		const char *step;
		void (*look)(struct check *c);
	} looks[] = {
		{ "listen", look_listen }, { "own", look_own },
		{ "account", look_account }, { "exec", look_exec },
	};
	char first[128];
	struct text out;
	struct fault f;

	text_start(&out, first, sizeof(first));
	step->describe(c->plan, &out);
	if (!out.length)
		return;
	c->step = step->name;
	if (step->check && step->check(c->plan, &f) < 0) {
		found(c, step->name, WILL_FAIL, &f);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		if (strcmp(looks[i].step, step->name) == 0) {
			looks[i].look(c);
			return;
		}
	found(c, first, WILL_WORK, NULL);
}

int check_run(const struct plan *plan)
{
	struct check c = { .plan = plan, .json = plan->check_format };
	char words[] = "{\"version\": 1, \"start\": {";
	char middle[] = "\n}, \"checks\": [";
	char end[] = "\n]}\n";
	struct fault f;

	if (c.json)
		report_text(&(struct text){ words, sizeof(words),
					    sizeof(words) - 1, false });
	say_start(&c);
	c.count = 0;
	if (c.json)
		report_text(&(struct text){ middle, sizeof(middle),
					    sizeof(middle) - 1, false });
	c.step = "needs";
	if (needs_check(plan, &f) < 0)
		found(&c, "capabilities", WILL_FAIL, &f);
	else
		found(&c, "capabilities", WILL_WORK, NULL);
	for (size_t i = 0; i < steps_count; i++)
		check_step(&c, &steps[i]);
	if (c.json)
		report_text(&(struct text){ end, sizeof(end), sizeof(end) - 1,
					    false });
	return c.failed ? EXIT_STEP : 0;
}
