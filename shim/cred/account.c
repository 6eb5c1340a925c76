#include "cred/account.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "cred/caps.h"

#define DEFAULT_SHELL "/sbin/nologin"

#define DIGITS "0123456789"

enum { FILE_SIZE = 65536 };	/* of the largest file to change */

static const char *const files[] = {
	[PASSWD_USER] = PASSWD_USERS, [PASSWD_GROUP] = PASSWD_GROUPS
};

/* Is it an absolute path on one line? An empty one becomes the default. */
static bool is_path(struct slice *path, const char *by_default)
{
	if (!path->length)
		*path = str_word(by_default);
	return path->at[0] == '/' && path->length < USER_PATH_MAX &&
	       !memchr(path->at, '\n', path->length) &&
	       !memchr(path->at, '\r', path->length);
}

bool account_read(const char *value, void *spec)
{
	const char *comma = strrchr(value, ',');
	struct slice rest = str_word(value);
	struct account_spec *a = spec;

	a->value = value;
	a->move = comma && strcmp(comma, ",move") == 0;
	if (a->move)
		rest.length = (size_t)(comma - value);
	if (!str_copy(str_cut(&rest, ':'), a->name, sizeof(a->name)))
		return false;
	a->home = str_cut(&rest, ':');
	a->shell = str_cut(&rest, ':');
	return !rest.length && str_is_variable(a->name, 1) &&
	       !a->name[strspn(a->name, STR_NAME_BYTES "-.")] &&
	       is_path(&a->home, "/") && is_path(&a->shell, DEFAULT_SHELL);
}

/*
 * Decide what to do in one of the files. named: gets the entry of the name, if
 * there is one. A name that belongs to another id is no reason to fail.
 */
static int plan_entry(struct account_spec *a, enum passwd_kind kind,
		      const struct target *t, struct passwd_entry *named,
		      struct fault *f)
{
	const uint32_t id = kind == PASSWD_USER ? t->uid : t->gid;
	const char *file = files[kind];
	struct passwd_entry own;
	int known = passwd_find(file, kind, NULL, id, &own);
	int found = passwd_find(file, kind, a->name, 0, named);

	if (known < 0 || found < 0)
		return ids_unreadable(file, f);
	if (found && a->move && named->uid != 0) {
		if (named->uid != id || named->gid != t->gid)
			a->act[kind] = ACCOUNT_MOVE;
	} else if (!known && !found) {
		a->act[kind] = ACCOUNT_ADD;
	} else if (!known) {
		fault_set(f, EXIT_STEP, 0,
			  "account: %s belongs to another id in %s", a->name,
			  file);
		report_warning(f);
	}
	return 0;
}

int account_resolve(struct account_spec *a, struct target *t, struct fault *f)
{
	struct passwd_entry user = { .uid = 0 }, group = { .uid = 0 };

	if (!a->value)
		return 0;
	if (plan_entry(a, PASSWD_USER, t, &user, f) < 0 ||
	    plan_entry(a, PASSWD_GROUP, t, &group, f) < 0)
		return -1;
	if (a->act[PASSWD_USER] == ACCOUNT_ADD) {
		strcpy(t->name, a->name);
		str_copy(a->home, t->home, sizeof(t->home));
		str_copy(a->shell, t->shell, sizeof(t->shell));
	} else if (a->move && user.uid != 0) {
		ids_describe(&user, t);
	}
	return 0;
}

void account_describe(const struct account_spec *a, struct text *out)
{
	static const char *const did[] = { NULL, "added to", "changed in" };

	for (size_t kind = 0; kind < ARRAY_LEN(files); kind++)
		if (a->act[kind])
			text_add(out, "%s%s %s %s", out->length ? ", " : "",
				 a->value, did[a->act[kind]], files[kind]);
}

/* Return where the ids in the entry of a name begin, or NULL. */
static char *find_ids(char *text, const char *name)
{
	size_t length = strlen(name);

	while (text && (strncmp(text, name, length) || text[length] != ':')) {
		text = strchr(text, '\n');
		text += text ? 1 : 0;
	}
	text = text ? strchr(text + length + 1, ':') : NULL;
	return text ? text + 1 : NULL;
}

/*
 * Append a line to a file, whose last line may lack its newline, or replace the
 * ids in the entry of a name, by one write(2). If that is cut short, the old
 * text is written back: of half a line, another program would read half a gid.
 * Returns 0, or an errno.
 */
static int edit(int fd, const struct account_spec *a, enum passwd_kind kind,
		const struct target *t)
{
	static char old[FILE_SIZE] SYS_LARGE;
	static char new[FILE_SIZE + 3 * USER_PATH_MAX] SYS_LARGE;
	const bool add = a->act[kind] == ACCOUNT_ADD;
	const bool user = kind == PASSWD_USER;
	ssize_t size = pread(fd, old, sizeof(old) - 1, 0);
	struct text line;
	char *at, *rest;
	int err;

	if (size < 0 || (size_t)size == sizeof(old) - 1)
		return size < 0 ? errno : EFBIG;
	old[size] = '\0';
	at = add ? old + size : find_ids(old, a->name);
	if (!at || strlen(old) != (size_t)size)
		return EINVAL;
	rest = at + strspn(at, DIGITS);
	if (user && *rest == ':')
		rest += 1 + strspn(rest + 1, DIGITS);
	text_start(&line, new, sizeof(new));
	if (add)
		text_add(&line, "%s%s:x:",
			 at > old && at[-1] != '\n' ? "\n" : "", a->name);
	if (user)
		text_add(&line, "%u:", t->uid);
	text_add(&line, "%u", t->gid);
	if (!add)
		text_add(&line, "%s", rest);
	else if (user)
		text_add(&line, "::%.*s:%.*s\n", (int)a->home.length,
			 a->home.at, (int)a->shell.length, a->shell.at);
	else
		text_add(&line, ":\n");
	errno = ENOSPC;
	if (pwrite(fd, new, line.length, at - old) == (ssize_t)line.length &&
	    (add || ftruncate(fd, at - old + (off_t)line.length) == 0))
		return 0;
	err = errno;
	if (pwrite(fd, at, strlen(at), at - old) < 0 ||
	    ftruncate(fd, size) < 0)
		err = errno;
	return err;
}

/*
 * Add or change an entry of a file, or warn. No symbolic link is followed:
 * whoever may write to the directory could point it at any file. Only root
 * creates a missing file, so that it never belongs to anyone else.
 */
static void write_entry(const struct account_spec *a, enum passwd_kind kind,
			const struct target *t, bool root)
{
	const bool add = a->act[kind] == ACCOUNT_ADD;
	struct fault f;
	int fd, err;

	if (a->act[kind] == ACCOUNT_STAYS)
		return;
	fd = open(files[kind], O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
		  O_CLOEXEC | (add ? O_APPEND : 0) |
		  (add && root ? O_CREAT : 0), 0644);
	err = fd < 0 ? errno : edit(fd, a, kind, t);
	if (fd >= 0)
		close(fd);
	if (!err)
		return;
	fault_set(&f, EXIT_STEP, err, "account: %s %s",
		  add ? "add a line to" : "change an entry of", files[kind]);
	if (err == ENOSPC || err == EDQUOT || err == EFBIG)
		fault_hint(&f, "it is as it was; its filesystem or "
			   "RLIMIT_FSIZE has no room");
	else
		fault_hint(&f, "add it to the image, or %s",
			   err == EROFS ? "mount a writable file there"
					: "run chgrp 0 and chmod g=u there");
	report_warning(&f);
}

int account_run(const struct account_spec *a, const struct target *t,
		struct fault *f)
{
	struct rlimit limit = { 0 };
	void (*signal_before)(int);
	struct fsids before;
	mode_t mask;
	bool root;

	if (!a->act[PASSWD_USER] && !a->act[PASSWD_GROUP])
		return 0;
	/* The caller's limit is not meant for these files. */
	getrlimit(RLIMIT_FSIZE, &limit);
	setrlimit(RLIMIT_FSIZE,
		  &(struct rlimit){ limit.rlim_max, limit.rlim_max });
	signal_before = signal(SIGXFSZ, SIG_IGN);
	mask = umask(022);
	root = fsids_enter(0, 0, &before) == 0;
	write_entry(a, PASSWD_USER, t, root);
	write_entry(a, PASSWD_GROUP, t, root);
	umask(mask);
	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, signal_before);
	if (root && fsids_leave(&before) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "account: leave the filesystem ids of root");
	return 0;
}
