#include "cred/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

/*
 * passwd(5) is name:password:uid:gid:gecos:home:shell, and group(5) is
 * name:password:gid:members.
 */
enum { NAME, ID = 2, GID, MEMBERS = 3, HOME = 5, SHELL, FIELDS, ID_SIZE = 16 };

/*
 * Map a file into memory. Returns 1, 0 if there is no such file or nothing in
 * it, or -1 with errno. A closed file counts as none for who is not root:
 * podman makes a closed /etc where the image has none. For root it is an error,
 * also where the id is known without it: the groups that /etc/group gives root
 * must not pass for the runtime's.
 */
static int map_file(const char *path, struct slice *text)
{
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int result = -1, err;
	void *at = NULL;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       (errno == EACCES && geteuid() != 0) ? 0 : -1;
	errno = EISDIR;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
		result = st.st_size > 0;
		at = result ? mmap(NULL, (size_t)st.st_size, PROT_READ,
				   MAP_PRIVATE, fd, 0) : NULL;
		*text = (struct slice){ at, (size_t)st.st_size };
	}
	err = errno;
	close(fd);
	errno = err;
	return at == MAP_FAILED ? -1 : result;
}

static int unmap_file(struct slice text, int result)
{
	munmap((void *)(uintptr_t)text.at, text.length);
	return result;
}

/* Is there a NUL between two fields' beginnings? */
static bool has_nul(const char *from, const char *to)
{
	return memchr(from, '\0', (size_t)(to - from));
}

/*
 * Cut the next line that has a name and an id, and a field behind them, into
 * its fields; one that it lacks has NULL as .at.
 */
static bool next_entry(struct slice *rest, struct slice field[FIELDS],
		       struct passwd_entry *e)
{
	char id[ID_SIZE];

	while (rest->at) {
		struct slice line = str_cut(rest, '\n');

		for (size_t i = 0; i < FIELDS; i++)
			field[i] = str_cut(&line, ':');
		if (field[GID].at && !has_nul(field[NAME].at, field[GID].at) &&
		    field[NAME].length && !strchr("#+-", *field[NAME].at) &&
		    str_copy(field[NAME], e->name, sizeof(e->name)) &&
		    str_copy(field[ID], id, sizeof(id)) && str_id(id, &e->uid))
			return true;
	}
	return false;
}

/* Read the rest of a user's line; false if that is not whole. */
static bool read_user(const struct slice field[FIELDS], struct passwd_entry *e)
{
	const struct slice shell = field[SHELL];
	char gid[ID_SIZE];

	return shell.at && !has_nul(field[GID].at, shell.at + shell.length) &&
	       str_copy(field[GID], gid, sizeof(gid)) && str_id(gid, &e->gid) &&
	       str_copy(field[HOME], e->home, sizeof(e->home)) &&
	       str_copy(shell, e->shell, sizeof(e->shell));
}

int passwd_find_user(const char *passwd, const char *name, uid_t uid,
		     struct passwd_entry *user)
{
	struct slice text, rest, field[FIELDS];
	struct passwd_entry e;
	int opened = map_file(passwd, &text);
	bool found = false;

	/* For an id the closed file of another user namespace tells nothing. */
	if (opened < 0 && !name && errno == EACCES)
		return 0;
	if (opened <= 0)
		return opened;
	rest = text;
	while (!found && next_entry(&rest, field, &e))
		found = (name ? strcmp(e.name, name) == 0 : e.uid == uid) &&
			read_user(field, &e);
	if (found)
		*user = e;
	return unmap_file(text, found);
}

int passwd_find_group(const char *group, const char *name, gid_t *gid)
{
	struct slice text, rest, field[FIELDS];
	struct passwd_entry e;
	int opened = map_file(group, &text);
	bool found = false;

	if (opened <= 0)
		return opened;
	rest = text;
	while (!found && next_entry(&rest, field, &e))
		found = name ? strcmp(e.name, name) == 0 : e.uid == *gid;
	if (found)
		*gid = e.uid;
	return unmap_file(text, found);
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
	struct slice text, rest, field[FIELDS];
	struct passwd_entry e;
	size_t count = 0;
	int opened = map_file(group, &text);

	if (opened <= 0)
		return opened;
	rest = text;
	while (next_entry(&rest, field, &e)) {
		if (!has_member(field[MEMBERS], user))
			continue;
		if (count < size)
			groups[count] = e.uid;
		count++;
	}
	return unmap_file(text, (int)count);
}
