#include "cred/account.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "cred/fsids.h"

#define DEFAULT_SHELL "/sbin/nologin"

static bool is_account_name(const char *name)
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

static bool split(const char *value, struct account_spec *a)
{
	struct slice rest = str_word(value);

	if (!str_copy(str_cut(&rest, ':'), a->name, sizeof(a->name)) ||
	    !str_copy(str_cut(&rest, ':'), a->home, sizeof(a->home)) ||
	    !str_copy(str_cut(&rest, ':'), a->shell, sizeof(a->shell)) ||
	    rest.length)
		return false;
	if (!a->home[0])
		strcpy(a->home, "/");
	if (!a->shell[0])
		strcpy(a->shell, DEFAULT_SHELL);
	return is_account_name(a->name) && is_path(a->home) && is_path(a->shell);
}

bool account_is(const char *value)
{
	struct account_spec a;

	return split(value, &a);
}

/* Can the entry be added? If another id has that name, say so. */
static bool is_free(const char *name, const char *file, int taken)
{
	struct fault f;

	if (taken) {
		fault_set(&f, EXIT_STEP, 0,
			  "account: %s belongs to another id in %s", name,
			  file);
		report_warning(&f);
	}
	return !taken;
}

int account_resolve(struct account_spec *a, struct target *t,
		    const char *passwd, const char *group, struct fault *f)
{
	struct passwd_entry user;
	gid_t gid;
	int taken;

	if (!a->value || !split(a->value, a))
		return 0;
	if (!t->name[0]) {
		taken = passwd_find_user(passwd, a->name, 0, &user);
		if (taken < 0)
			return ids_unreadable(passwd, f);
		a->add_user = is_free(a->name, passwd, taken);
		if (a->add_user) {
			strcpy(t->name, a->name);
			strcpy(t->home, a->home);
			strcpy(t->shell, a->shell);
		}
	}
	taken = passwd_find_gid(group, t->gid);
	if (taken < 0)
		return ids_unreadable(group, f);
	if (taken)
		return 0;
	taken = passwd_find_group(group, a->name, &gid);
	if (taken < 0)
		return ids_unreadable(group, f);
	a->add_group = is_free(a->name, group, taken);
	return 0;
}

void account_describe(const struct account_spec *a, struct text *out)
{
	if (!a->value)
		return;
	text_add(out, "%s for%s%s", a->value,
		 a->add_user ? " the uid in " PASSWD_USERS : "",
		 a->add_group ? " the gid in " PASSWD_GROUPS : "");
	if (!a->add_user && !a->add_group)
		text_add(out, " nothing, there are entries");
}

/*
 * Append a line that begins with a newline, which the last line of the file may
 * lack. It is one write(2), and a part of it is taken back: of a half line
 * another program would read half a gid. Returns 0, or errno.
 */
static int append_line(int fd, const char *line)
{
	struct rlimit limit;
	struct stat st, now;
	char last = '\n';
	size_t length;
	ssize_t written;

	if (fstat(fd, &st) < 0 || getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EINVAL;
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		return EIO;
	line += last == '\n';
	length = strlen(line);
	/* Past the limit write(2) would end us by SIGXFSZ. */
	if (limit.rlim_cur != RLIM_INFINITY &&
	    (rlim_t)st.st_size + length > limit.rlim_cur)
		return EFBIG;
	written = write(fd, line, length);
	if (written < 0)
		return errno;
	if (written == (ssize_t)length)
		return 0;
	if (fstat(fd, &now) == 0 && now.st_size == st.st_size + written &&
	    ftruncate(fd, st.st_size) < 0)
		return errno;
	return ENOSPC;
}

/*
 * Add a line to a file, or warn. No symbolic link is followed: whoever may
 * write the directory could point it at any file. Only root makes the file
 * where the image has none, so that it is nobody else's at any time.
 */
static void add_line(const char *file, const struct text *line, bool root)
{
	int fd = open(file,
		      O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
			      O_CLOEXEC | (root ? O_CREAT : 0),
		      0644);
	int err = fd < 0 ? errno :
		  line->cut ? ENAMETOOLONG : append_line(fd, line->start);
	struct fault f;

	if (fd >= 0 && close(fd) < 0 && !err)
		err = errno;
	if (!err)
		return;
	fault_set(&f, EXIT_STEP, err, "account: add a line to %s", file);
	if (err == ENOSPC || err == EDQUOT || err == EFBIG)
		fault_hint(&f, "it is as it was; its filesystem or "
			   "RLIMIT_FSIZE has no room");
	else
		fault_hint(&f, "add it to the image, or run chgrp 0 and "
			   "chmod g=u there");
	report_warning(&f);
}

/* The caller's limit is not about these files. Returns what to go back to. */
static struct rlimit raise_limit(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit before = none;
	struct rlimit most;

	if (getrlimit(RLIMIT_FSIZE, &before) == 0 &&
	    setrlimit(RLIMIT_FSIZE, &none) < 0) {
		most = (struct rlimit){ before.rlim_max, before.rlim_max };
		setrlimit(RLIMIT_FSIZE, &most);
	}
	return before;
}

int account_run(const struct account_spec *a, const struct target *t,
		struct fault *f)
{
	char user[3 * USER_PATH_MAX];
	char group[2 * ACCOUNT_NAME_MAX];
	struct text user_line, group_line;
	struct rlimit limit;
	struct fsids before;
	mode_t mask;
	bool root;

	if (!a->add_user && !a->add_group)
		return 0;
	text_start(&user_line, user, sizeof(user));
	text_add(&user_line, "\n%s:x:%u:%u::%s:%s\n", a->name, t->uid, t->gid,
		 a->home, a->shell);
	text_start(&group_line, group, sizeof(group));
	text_add(&group_line, "\n%s:x:%u:\n", a->name, t->gid);
	limit = raise_limit();
	mask = umask(022);
	root = fsids_enter(0, 0, &before) == 0;
	if (a->add_user)
		add_line(PASSWD_USERS, &user_line, root);
	if (a->add_group)
		add_line(PASSWD_GROUPS, &group_line, root);
	umask(mask);
	setrlimit(RLIMIT_FSIZE, &limit);
	if (root && fsids_leave(&before) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "account: leave the filesystem ids of root");
	return 0;
}
