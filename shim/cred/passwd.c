#include "cred/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* passwd(5) is name:password:uid:gid:gecos:home:shell, */
enum { NAME, PASSWORD, ID, GID, GECOS, HOME, SHELL, USER_FIELDS };
/* and group(5) is name:password:gid:members. */
enum { GROUP_HEAD = GID, END_OF_FILE = -1 };

/* A stream of fields, so that lines and files may be of any length. */
struct reader {
	int fd;
	int err;	/* errno of a failed read, or 0 */
	int ended;	/* what ended the last field: ':', '\n' or the end */
	size_t at, length;
	char buffer[4096];
	/* The line: at most USER_FIELDS fields, each cut to its room. */
	size_t fields;
	bool has_nul;
	size_t size[USER_FIELDS];	/* before it was cut */
	char field[USER_FIELDS][USER_PATH_MAX];
};

/*
 * Returns 1, 0 if there is no such file, or -1 with errno. A closed file counts
 * as none for who is not root: podman makes a closed /etc where the image has
 * none. For root it is an error, also where the id is known without it: the
 * groups that /etc/group gives root must not pass for the runtime's.
 */
static int open_file(struct reader *r, const char *path)
{
	r->err = 0;
	r->ended = '\n';
	r->at = r->length = 0;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd >= 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR ||
	    (errno == EACCES && geteuid() != 0))
		return 0;
	return -1;
}

/* Returns the result, or -1 with errno if a read failed on the way. */
static ssize_t close_file(struct reader *r, ssize_t result)
{
	close(r->fd);
	errno = r->err;
	return r->err ? -1 : result;
}

static int next_byte(struct reader *r)
{
	ssize_t got;

	if (r->at < r->length)
		return (unsigned char)r->buffer[r->at++];
	do {
		got = read(r->fd, r->buffer, sizeof(r->buffer));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		r->err = errno;
	if (got <= 0)
		return END_OF_FILE;
	r->at = 1;
	r->length = (size_t)got;
	return (unsigned char)r->buffer[0];
}

/*
 * Read the first fields of the next line, at most that many. Returns false at
 * the end of the file, which is where nothing follows the last newline.
 */
static bool next_line(struct reader *r, size_t most)
{
	int c = r->ended;

	while (c != '\n' && c != END_OF_FILE)
		c = next_byte(r);
	r->fields = 0;
	r->has_nul = false;
	for (r->ended = c == '\n' ? ':' : c;
	     r->ended == ':' && r->fields < most; r->fields++) {
		char *out = r->field[r->fields];
		size_t size = 0;

		while ((c = next_byte(r)) != ':' && c != '\n' &&
		       c != END_OF_FILE) {
			r->has_nul |= c == '\0';
			if (size < USER_PATH_MAX - 1)
				out[size] = (char)c;
			size++;
		}
		out[size < USER_PATH_MAX ? size : USER_PATH_MAX - 1] = '\0';
		r->size[r->fields] = size;
		r->ended = c;
	}
	return r->fields > 1 || r->ended != END_OF_FILE;
}

/* Long zeroes before a number are no number either. */
static bool is_id(const struct reader *r, size_t field, uint32_t *id)
{
	return r->size[field] < 16 && str_id(r->field[field], id);
}

/* Are these all the fields of an entry, with a name, and an id there? */
static bool is_entry(const struct reader *r, size_t fields, uint32_t *id)
{
	return r->fields == fields && !r->has_nul &&
	       r->size[NAME] <= USER_NAME_MAX && r->size[NAME] > 0 &&
	       !strchr("#+-", r->field[NAME][0]) && is_id(r, ID, id);
}

int passwd_find_user(const char *passwd, const char *name, uid_t uid,
		     struct passwd_entry *user)
{
	struct reader r;
	int opened = open_file(&r, passwd);
	bool found = false;

	/* For an id the closed file of another user namespace tells nothing. */
	if (opened < 0 && !name && errno == EACCES)
		return 0;
	if (opened <= 0)
		return opened;
	while (!found && next_line(&r, USER_FIELDS))
		found = is_entry(&r, USER_FIELDS, &user->uid) &&
			(name ? strcmp(r.field[NAME], name) == 0
			      : user->uid == uid) &&
			is_id(&r, GID, &user->gid) &&
			r.size[HOME] < USER_PATH_MAX &&
			r.size[SHELL] < USER_PATH_MAX;
	if (found) {
		strcpy(user->name, r.field[NAME]);
		strcpy(user->home, r.field[HOME]);
		strcpy(user->shell, r.field[SHELL]);
	}
	return (int)close_file(&r, found);
}

int passwd_find_group(const char *group, const char *name, gid_t *gid)
{
	struct reader r;
	int opened = open_file(&r, group);
	bool found = false;
	gid_t id = 0;

	if (opened <= 0)
		return opened;
	while (!found && next_line(&r, GROUP_HEAD))
		found = is_entry(&r, GROUP_HEAD, &id) && r.ended == ':' &&
			(name ? strcmp(r.field[NAME], name) == 0 : id == *gid);
	if (found)
		*gid = id;
	return (int)close_file(&r, found);
}

/* Read the members, which end the line; is user one of them? */
static bool has_member(struct reader *r, const char *user)
{
	bool found = false;

	do {
		const char *at = user;
		bool same = true;

		while ((r->ended = next_byte(r)) != END_OF_FILE &&
		       r->ended != '\n' && r->ended != ':' && r->ended != ',') {
			same = same && r->ended && (char)r->ended == *at;
			at += same;
		}
		if (same && !*at)
			found = true;
	} while (r->ended == ',');
	return found;
}

ssize_t passwd_groups_of(const char *group, const char *user, gid_t *groups,
			 size_t size)
{
	struct reader r;
	size_t count = 0;
	int opened = open_file(&r, group);
	gid_t gid;

	if (opened <= 0)
		return opened;
	while (next_line(&r, GROUP_HEAD)) {
		if (!is_entry(&r, GROUP_HEAD, &gid) || r.ended != ':' ||
		    !has_member(&r, user))
			continue;
		if (count < size)
			groups[count] = gid;
		count++;
	}
	return close_file(&r, (ssize_t)count);
}
