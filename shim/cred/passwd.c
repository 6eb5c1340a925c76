#include "cred/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

struct reader {
	int fd;
	int err;	/* errno of a failed read, or 0 */
	bool valid;	/* no field of the line was too long or held a NUL */
	size_t at;
	size_t length;
	char buffer[4096];
};

enum { END_OF_FILE = -1, ID_SIZE = 16 };

/*
 * Returns 1, 0 if there is no such file, or -1 with errno. A process that is
 * not root and may not read the file is no worse off than without it: podman
 * makes a closed /etc where the image has none. For root it is an error, also
 * where the id is known without the file: the groups that /etc/group gives root
 * must not pass for the runtime's.
 */
static int reader_open(struct reader *r, const char *path)
{
	r->err = 0;
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
static ssize_t reader_close(struct reader *r, ssize_t result)
{
	close(r->fd);
	if (r->err == 0)
		return result;
	errno = r->err;
	return -1;
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
 * Read the next field, up to ':' or the line's end. ended: what ended the field
 * before it; without ':' there is no next one, and the line is not valid.
 * Returns what ended it. With text NULL the field is passed over.
 */
static int next_field(struct reader *r, int ended, char *text, size_t size)
{
	size_t length = 0;
	int c = ended;

	if (ended != ':') {
		r->valid = false;
		return ended;
	}
	while ((c = next_byte(r)) != END_OF_FILE && c != '\n' && c != ':') {
		if (c == '\0' || (text && length + 1 >= size))
			r->valid = false;
		else if (text)
			text[length++] = (char)c;
	}
	if (text)
		text[length] = '\0';
	return c;
}

/*
 * Not a comment, and none of NIS' lines ("+", "+name", "-name"): glibc passes
 * over those too, and a line that was commented out must not lend its gid to
 * the uid in it.
 */
static bool is_entry_name(const char *text)
{
	return text[0] && !strchr("#+-", text[0]);
}

static int skip_line(struct reader *r, int ended)
{
	while (ended != '\n' && ended != END_OF_FILE) {
		const char *at = r->buffer + r->at;
		const char *end = memchr(at, '\n', r->length - r->at);

		r->at = end ? (size_t)(end - r->buffer) : r->length;
		ended = next_byte(r);
	}
	return ended;
}

/* The head of a line in both files: name:password:id. Returns what ended it. */
static int next_head(struct reader *r, char name[USER_NAME_MAX + 1],
		     char id[ID_SIZE])
{
	int ended;

	r->valid = true;
	ended = next_field(r, ':', name, USER_NAME_MAX + 1);
	ended = next_field(r, ended, NULL, 0);
	return next_field(r, ended, id, ID_SIZE);
}

/*
 * Read one line of passwd(5): name:password:uid:gid:gecos:home:shell. Returns
 * what ended it; *found tells whether it is an entry, and the one that is
 * looked for, by name, or by uid where name is NULL.
 */
static int next_user(struct reader *r, const char *name, uid_t uid,
		     struct passwd_entry *user, bool *found)
{
	char number[ID_SIZE] = "";
	char gid[ID_SIZE] = "";
	int ended = next_head(r, user->name, number);

	if (!str_id(number, &user->uid) ||
	    (name ? strcmp(user->name, name) != 0 : user->uid != uid))
		return skip_line(r, ended);
	ended = next_field(r, ended, gid, sizeof(gid));
	ended = next_field(r, ended, NULL, 0);
	ended = next_field(r, ended, user->home, sizeof(user->home));
	ended = next_field(r, ended, user->shell, sizeof(user->shell));
	*found = r->valid && is_entry_name(user->name) && str_id(gid, &user->gid);
	return skip_line(r, ended);
}

int passwd_find_user(const char *passwd, const char *name, uid_t uid,
		    struct passwd_entry *user)
{
	struct reader r;
	int ended = '\n';
	int opened = reader_open(&r, passwd);
	bool found = false;

	/* For an id the closed file of another user namespace tells nothing. */
	if (opened < 0 && !name && errno == EACCES)
		return 0;
	if (opened <= 0)
		return opened;
	while (!found && ended != END_OF_FILE)
		ended = next_user(&r, name, uid, user, &found);
	return (int)reader_close(&r, found);
}

/* The head of one line of group(5): name:password:gid. */
struct group_head {
	char name[USER_NAME_MAX + 1];
	gid_t gid;
	bool valid;
};

/* Returns what ended the head: ':' when the members follow. */
static int next_group(struct reader *r, struct group_head *head)
{
	char gid[ID_SIZE] = "";
	int ended = next_head(r, head->name, gid);

	head->valid = r->valid && ended == ':' && is_entry_name(head->name) &&
		      str_id(gid, &head->gid);
	return ended;
}

/* By name, or by the gid it points to where name is NULL. */
static int find_group(const char *group, const char *name, gid_t *gid)
{
	struct group_head head;
	struct reader r;
	int ended = '\n';
	int found = reader_open(&r, group);

	if (found <= 0)
		return found;
	found = 0;
	while (!found && ended != END_OF_FILE) {
		ended = skip_line(&r, next_group(&r, &head));
		if (head.valid && (name ? strcmp(head.name, name) == 0
					: head.gid == *gid)) {
			*gid = head.gid;
			found = 1;
		}
	}
	return (int)reader_close(&r, found);
}

int passwd_find_group(const char *group, const char *name, gid_t *gid)
{
	return find_group(group, name, gid);
}

int passwd_find_gid(const char *group, gid_t gid)
{
	return find_group(group, NULL, &gid);
}

/* Read the members, to the line's end; is user one of them? */
static bool has_member(struct reader *r, const char *user, int *ended)
{
	bool found = false;
	int c;

	do {
		const char *at = user;
		bool same = true;

		while ((c = next_byte(r)) != END_OF_FILE && c != '\n' &&
		       c != ':' && c != ',') {
			same = same && c && (char)c == *at;
			at += same;
		}
		if (same && !*at)
			found = true;
	} while (c == ',');
	*ended = skip_line(r, c);
	return found;
}

ssize_t passwd_groups_of(const char *group, const char *user, gid_t *groups,
			size_t size)
{
	struct group_head head;
	struct reader r;
	int ended = '\n';
	size_t count = 0;
	int opened = reader_open(&r, group);

	if (opened <= 0)
		return opened;
	while (ended != END_OF_FILE) {
		ended = next_group(&r, &head);
		if (ended != ':')
			continue;
		if (!has_member(&r, user, &ended) || !head.valid)
			continue;
		if (count < size)
			groups[count] = head.gid;
		count++;
	}
	return reader_close(&r, (ssize_t)count);
}
