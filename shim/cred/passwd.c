#include "cred/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "base/sys.h"

/*
 * passwd(5) is name:password:uid:gid:gecos:home:shell, and group(5) is
 * name:password:gid:members.
 */
enum { ID_SIZE = 16, FILE_MAX = 4 << 20 };

/*
 * Read a file. Returns 1; 0 if it is missing or empty; -1 with errno. Podman
 * makes an unreadable /etc where the image has none. For root EACCES is an
 * error: the groups that /etc/group gives root must not pass for the runtime's.
 */
static int load(const char *path, struct slice *text)
{
	static char room[FILE_MAX + 1] SYS_LARGE;
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int err;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       (errno == EACCES && geteuid() != 0) ? 0 : -1;
	length = fs_read_all(fd, room, sizeof(room));
	err = length == FILE_MAX ? EFBIG : errno;
	close(fd);
	errno = err;
	*text = (struct slice){ room, length > 0 ? (size_t)length : 0 };
	return length < 0 || length == FILE_MAX ? -1 : length > 0;
}

/*
 * Take the next line that has a name, an id and another field. The id is the
 * entry's uid and gid; *line becomes what follows it. Returns false at the end.
 */
static bool next_entry(struct slice *rest, struct slice *line,
		       struct passwd_entry *e)
{
	char id[ID_SIZE];

	while (rest->at) {
		struct slice name;

		*line = str_cut(rest, '\n');
		if (memchr(line->at, '\0', line->length))
			continue;
		name = str_cut(line, ':');
		str_cut(line, ':');
		if (str_copy(str_cut(line, ':'), id, sizeof(id)) && line->at &&
		    name.length && !strchr("#+-", *name.at) &&
		    str_id(id, &e->uid) &&
		    str_copy(name, e->name, sizeof(e->name))) {
			e->gid = e->uid;
			return true;
		}
	}
	return false;
}

/* Read the rest of a user's line; false if it is incomplete. */
static bool read_user(struct slice line, struct passwd_entry *e)
{
	struct slice id = str_cut(&line, ':'), home, shell;
	char gid[ID_SIZE];

	str_cut(&line, ':');
	home = str_cut(&line, ':');
	shell = str_cut(&line, ':');
	return shell.at && str_copy(id, gid, sizeof(gid)) &&
	       str_id(gid, &e->gid) &&
	       str_copy(home, e->home, sizeof(e->home)) &&
	       str_copy(shell, e->shell, sizeof(e->shell));
}

int passwd_find(const char *file, enum passwd_kind kind, const char *name,
		uint32_t id, struct passwd_entry *entry)
{
	struct passwd_entry e = { .home = "" };
	struct slice rest, line;
	int result = load(file, &rest);

	/* Another user namespace's file, closed to us, has no entry by id. */
	if (result < 0 && !name && errno == EACCES)
		return 0;
	if (result <= 0)
		return result;
	while (next_entry(&rest, &line, &e)) {
		if ((name ? strcmp(e.name, name) == 0 : e.uid == id) &&
		    (kind == PASSWD_GROUP || read_user(line, &e))) {
			*entry = e;
			return 1;
		}
	}
	return 0;
}

static bool has_member(struct slice members, const char *user)
{
	while (members.at)
		if (str_is(str_cut(&members, ','), user))
			return true;
	return false;
}

ssize_t passwd_groups_of(const char *group, const char *user, gid_t *groups,
			 size_t size)
{
	struct slice rest, line;
	struct passwd_entry e;
	size_t count = 0;
	int result = load(group, &rest);

	if (result <= 0)
		return result;
	while (next_entry(&rest, &line, &e)) {
		if (!has_member(str_cut(&line, ':'), user))
			continue;
		if (count < size)
			groups[count] = e.uid;
		count++;
	}
	return (ssize_t)count;
}
