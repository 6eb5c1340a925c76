#include "cred/account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/text.h"
#include "cred/ids.h"
#include "cred/passwd.h"
#include "plan.h"

/* A name as useradd(8) takes it, and long enough for anybody. */
enum { NAME_LIMIT = 32 };

#define DEFAULT_SHELL "/sbin/nologin"

/* The parts of NAME[:HOME[:SHELL]]. */
struct parts {
	char name[NAME_LIMIT + 1];
	char home[USER_PATH_MAX];
	char shell[USER_PATH_MAX];
};

static bool cut(struct slice *rest, char *out, size_t size)
{
	return str_copy(str_cut(rest, ':'), out, size);
}

static bool is_name(const char *name)
{
	if (!str_is_variable(name, 1))
		return false;
	for (; *name; name++)
		if (*name != '.' && *name != '-' && !str_is_name_byte(*name))
			return false;
	return true;
}

static bool is_path(const char *path)
{
	return path[0] == '/' && !path[strcspn(path, "\n\r")];
}

static bool split(const char *value, struct parts *p)
{
	struct slice at = str_word(value);

	if (!cut(&at, p->name, sizeof(p->name)) ||
	    !cut(&at, p->home, sizeof(p->home)) ||
	    !cut(&at, p->shell, sizeof(p->shell)) || at.length)
		return false;
	if (!p->home[0])
		strcpy(p->home, "/");
	if (!p->shell[0])
		strcpy(p->shell, DEFAULT_SHELL);
	return p->name[0] && is_name(p->name) && is_path(p->home) &&
	       is_path(p->shell);
}

bool account_is(const char *value)
{
	struct parts p;

	return split(value, &p);
}

/* Can the entry be added? If another id has that name, say so. */
static bool is_free(const char *name, const char *file, int taken,
		    struct fault *f)
{
	if (taken) {
		fault_set(f, EXIT_STEP, 0,
			  "account: %s belongs to another id in %s", name,
			  file);
		report_warning(f);
	}
	return !taken;
}

int account_resolve(struct plan *plan, const char *passwd, const char *group,
		    struct fault *f)
{
	struct account *a = &plan->account;
	struct target *t = &plan->target;
	struct passwd_entry user;
	struct parts p;
	gid_t gid;
	int taken;

	if (!a->value || !split(a->value, &p))
		return 0;
	if (!t->name[0]) {
		taken = passwd_find_user(passwd, p.name, 0, &user);
		if (taken < 0)
			return ids_unreadable(passwd, f);
		a->add_user = is_free(p.name, passwd, taken, f);
		if (a->add_user) {
			strcpy(t->name, p.name);
			strcpy(t->home, p.home);
			strcpy(t->shell, p.shell);
		}
	}
	taken = passwd_find_gid(group, t->gid);
	if (taken < 0)
		return ids_unreadable(group, f);
	if (taken)
		return 0;
	taken = passwd_find_group(group, p.name, &gid);
	if (taken < 0)
		return ids_unreadable(group, f);
	a->add_group = is_free(p.name, group, taken, f);
	return 0;
}

void account_describe(const struct plan *plan, struct text *out)
{
	const struct account *a = &plan->account;

	if (!a->value)
		return;
	text_add(out, "%s for%s%s", a->value,
		 a->add_user ? " the uid in " PASSWD_USERS : "",
		 a->add_group ? " the gid in " PASSWD_GROUPS : "");
	if (!a->add_user && !a->add_group)
		text_add(out, " nothing, there are entries");
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

/* Copy what is there, which may be nothing. */
static bool copy(int from, int to)
{
	char buffer[4096];
	ssize_t got;

	while ((got = read(from, buffer, sizeof(buffer))) > 0)
		if (!write_all(to, buffer, (size_t)got))
			return false;
	return got == 0;
}

/* line: begins with a newline, which the last line of the file may lack. */
static bool write_line(int fd, const char *line)
{
	char last = '\n';

	if (lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) != 1)
		last = '\n';
	line += last == '\n';
	return write_all(fd, line, strlen(line));
}

/*
 * The new file under another name, until it is whole. Only its owner may read
 * it until it has the mode and owner of the old one.
 */
static bool write_new(const char *name, int old, const struct stat *st,
		      const char *line)
{
	bool done;
	int fd;

	unlink(name);	/* of a run that was killed */
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	done = (old < 0 || copy(old, fd)) && write_line(fd, line) &&
	       (old < 0 || fchownat(fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) == 0) &&
	       fchmod(fd, old < 0 ? 0644
					    : st->st_mode & 07777) == 0 &&
	       fsync(fd) == 0;
	return close(fd) == 0 && done;
}

/* Returns 0, or errno, and leaves the old file as it was. */
static int replace(const char *file, const char *line)
{
	char name[64];
	struct text t;
	struct stat st;
	int old = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int err = 0;

	if (old < 0 && errno != ENOENT)
		return errno;
	text_start(&t, name, sizeof(name));
	text_add(&t, "%s.stepdown", file);
	errno = EINVAL;	/* the reason, if it is no regular file */
	if (t.cut ||
	    (old >= 0 && (fstat(old, &st) < 0 || !S_ISREG(st.st_mode))) ||
	    !write_new(name, old, &st, line) || rename(name, file) < 0)
		err = errno;
	if (err)
		unlink(name);
	if (old >= 0)
		close(old);
	return err;
}

/*
 * Where a file may be written and its folder may not: it is mounted there, as
 * engines do, or the image has made it writable for gid 0, as OpenShift asks.
 */
static bool append(const char *file, const char *line)
{
	int fd = open(file, O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write_line(fd, line);
	close(fd);
	return done;
}

static void add_line(const char *file, const char *line, struct fault *f)
{
	int err = replace(file, line);

	if (!err || append(file, line))
		return;
	fault_set(f, EXIT_STEP, err, "account: add a line to %s", file);
	fault_hint(f,
		   "add it to the image, or run chgrp 0 and chmod g=u there");
	report_warning(f);
}

int account_run(const struct plan *plan, struct run *run, struct fault *f)
{
	const struct account *a = &plan->account;
	const struct target *t = &plan->target;
	char line[3 * USER_PATH_MAX];
	struct text text;
	struct parts p;

	(void)run;
	if (!a->value || !split(a->value, &p))
		return 0;
	if (a->add_user) {
		text_start(&text, line, sizeof(line));
		text_add(&text, "\n%s:x:%u:%u::%s:%s\n", p.name, t->uid,
			 t->gid, p.home, p.shell);
		add_line(PASSWD_USERS, line, f);
	}
	if (a->add_group) {
		text_start(&text, line, sizeof(line));
		text_add(&text, "\n%s:x:%u:\n", p.name, t->gid);
		add_line(PASSWD_GROUPS, line, f);
	}
	return 0;
}
