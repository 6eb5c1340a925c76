#include "cred/account.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "cred/caps.h"

#define DEFAULT_SHELL "/sbin/nologin"

/* The largest file to change; room for "UID:GID". */
enum { FILE_SIZE = 65536, ID_SIZE = 24 };

#define DIGITS "0123456789"

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
	for (const char *c = a->name; *c; c++)
		if (!str_is_name_byte(*c) && *c != '-' && *c != '.')
			return false;
	return !rest.length && str_is_variable(a->name, 1) &&
	       is_path(&a->home, "/") && is_path(&a->shell, DEFAULT_SHELL);
}

/*
 * found: the file has the name; other: with other ids; lacks: it has no entry
 * for the target. A name that belongs to another id is no reason to fail.
 */
static enum account_act chosen(const struct account_spec *a, const char *file,
			       bool found, bool of_root, bool other, bool lacks)
{
	struct fault f;

	if (found && a->move && !of_root)
		return other ? ACCOUNT_MOVE : ACCOUNT_STAYS;
	if (!lacks || !found)
		return lacks ? ACCOUNT_ADD : ACCOUNT_STAYS;
	fault_set(&f, EXIT_STEP, 0, "account: %s belongs to another id in %s",
		  a->name, file);
	report_warning(&f);
	return ACCOUNT_STAYS;
}

int account_resolve(struct account_spec *a, struct target *t, struct fault *f)
{
	struct passwd_entry user = { .uid = 0 };
	gid_t wanted = t->gid, gid = 0;
	int found, known;

	if (!a->value)
		return 0;
	found = passwd_find_user(PASSWD_USERS, a->name, 0, &user);
	if (found < 0)
		return ids_unreadable(PASSWD_USERS, f);
	a->user = chosen(a, PASSWD_USERS, found, user.uid == 0,
			 user.uid != t->uid || user.gid != t->gid,
			 !t->name[0]);
	if (a->user == ACCOUNT_ADD) {
		strcpy(t->name, a->name);
		str_copy(a->home, t->home, sizeof(t->home));
		str_copy(a->shell, t->shell, sizeof(t->shell));
	} else if (found && a->move && user.uid != 0) {
		ids_describe(&user, t);
	}
	known = passwd_find_group(PASSWD_GROUPS, NULL, &wanted);
	found = passwd_find_group(PASSWD_GROUPS, a->name, &gid);
	if (known < 0 || found < 0)
		return ids_unreadable(PASSWD_GROUPS, f);
	a->group = chosen(a, PASSWD_GROUPS, found, gid == 0, gid != t->gid,
			  !known);
	return 0;
}

void account_describe(const struct account_spec *a, struct text *out)
{
	if (!a->value)
		return;
	text_add(out, "%s for%s%s%s", a->value,
		 a->user ? " the uid in " PASSWD_USERS : "",
		 a->group ? " the gid in " PASSWD_GROUPS : "",
		 a->user || a->group ? "" : " nothing, there are entries");
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
static int edit(int fd, const struct account_spec *a, enum account_act act,
		const char *ids, const char *tail)
{
	static char old[FILE_SIZE] SYS_LARGE;
	static char new[FILE_SIZE + 3 * USER_PATH_MAX] SYS_LARGE;
	ssize_t size = pread(fd, old, sizeof(old) - 1, 0), length;
	char *at, *rest;
	int err;

	if (size < 0 || (size_t)size == sizeof(old) - 1)
		return size < 0 ? errno : EFBIG;
	old[size] = '\0';
	at = act == ACCOUNT_ADD ? old + size : find_ids(old, a->name);
	if (!at || strlen(old) != (size_t)size)
		return EINVAL;
	rest = at + strspn(at, DIGITS);
	if (strchr(ids, ':') && *rest == ':')
		rest += 1 + strspn(rest + 1, DIGITS);
	if (act == ACCOUNT_ADD)
		length = snprintf(new, sizeof(new), "%s%s:x:%s:%s\n",
				  at > old && at[-1] != '\n' ? "\n" : "",
				  a->name, ids, tail);
	else
		length = snprintf(new, sizeof(new), "%s%s", ids, rest);
	errno = ENOSPC;
	if (pwrite(fd, new, (size_t)length, at - old) == length &&
	    (act == ACCOUNT_ADD || ftruncate(fd, at - old + length) == 0))
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
static void write_entry(const struct account_spec *a, enum account_act act,
			const char *file, const char *ids, const char *tail,
			bool root)
{
	const int how = act == ACCOUNT_MOVE ? 0 :
			root ? O_APPEND | O_CREAT : O_APPEND;
	struct fault f;
	int fd, err;

	if (act == ACCOUNT_STAYS)
		return;
	fd = open(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
				O_CLOEXEC | how, 0644);
	err = fd < 0 ? errno : edit(fd, a, act, ids, tail);
	if (fd >= 0)
		close(fd);
	if (!err)
		return;
	fault_set(&f, EXIT_STEP, err, "account: %s %s",
		  act == ACCOUNT_MOVE ? "change an entry of" : "add a line to",
		  file);
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
	char uid[ID_SIZE], *gid, tail[2 * USER_PATH_MAX];
	struct rlimit limit = { 0 };
	void (*signal_before)(int);
	struct fsids before;
	mode_t mask;
	bool root;

	if (!a->user && !a->group)
		return 0;
	/* The caller's limit is not meant for these files. */
	getrlimit(RLIMIT_FSIZE, &limit);
	setrlimit(RLIMIT_FSIZE,
		  &(struct rlimit){ limit.rlim_max, limit.rlim_max });
	signal_before = signal(SIGXFSZ, SIG_IGN);
	mask = umask(022);
	root = fsids_enter(0, 0, &before) == 0;
	snprintf(uid, sizeof(uid), "%u:%u", t->uid, t->gid);
	gid = strchr(uid, ':') + 1;
	snprintf(tail, sizeof(tail), ":%.*s:%.*s", (int)a->home.length,
		 a->home.at, (int)a->shell.length, a->shell.at);
	write_entry(a, a->user, PASSWD_USERS, uid, tail, root);
	write_entry(a, a->group, PASSWD_GROUPS, gid, "", root);
	umask(mask);
	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, signal_before);
	if (root && fsids_leave(&before) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "account: leave the filesystem ids of root");
	return 0;
}
