#include "cred/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/*
 * passwd(5) is name:password:uid:gid:gecos:home:shell, and group(5) is
 * name:password:gid:members. It is read as a stream of fields, so that lines
 * and files may be of any length.
 */
enum { END_OF_FILE = -1, ID_SIZE = 16 };

struct reader {
	int fd;
	int err;	/* errno of a failed read, or 0 */
	int ended;	/* what ended the last field: ':', '\n' or the end */
	bool bad;	/* a field of this line has a NUL, or is overlong */
	size_t at, length;
	struct passwd_entry entry;	/* of a group: name and uid alone */
	char buffer[4096];
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
	r->fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
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

/* Fill the buffer; false at the end of the file. */
static bool read_more(struct reader *r)
{
	ssize_t got;

	do {
		got = read(r->fd, r->buffer, sizeof(r->buffer));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		r->err = errno;
	r->at = 0;
	r->length = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static int next_byte(struct reader *r)
{
	if (r->at == r->length && !read_more(r))
		return END_OF_FILE;
	return (unsigned char)r->buffer[r->at++];
}

/*
 * Read one field, if there is one. A byte that has no place in out makes the
 * line bad; without out they are passed over.
 */
static void read_field(struct reader *r, char *out, size_t size)
{
	size_t length = 0;
	int c = r->ended;

	while (r->ended == ':' && (c = next_byte(r)) != ':' && c != '\n' &&
	       c != END_OF_FILE) {
		r->bad |= c == '\0' || (out && length == size - 1);
		if (out && !r->bad)
			out[length++] = (char)c;
	}
	if (out)
		out[length] = '\0';
	r->ended = c;
}

/* Go to the next line; false if there is none. */
static bool skip_line(struct reader *r)
{
	while (r->ended != '\n') {
		char *at = r->buffer + r->at;
		char *end = memchr(at, '\n', r->length - r->at);

		if (end) {
			r->at += (size_t)(end + 1 - at);
			r->ended = '\n';
		} else if (r->ended == END_OF_FILE || !read_more(r)) {
			return false;
		}
	}
	return true;
}

/* Read name and id of the next line that has both, and more behind them. */
static bool next_entry(struct reader *r)
{
	struct passwd_entry *e = &r->entry;
	char id[ID_SIZE];

	do {
		if (!skip_line(r))
			return false;
		r->bad = false;
		r->ended = ':';
		read_field(r, e->name, sizeof(e->name));
		read_field(r, NULL, 0);
		read_field(r, id, sizeof(id));
	} while (r->ended != ':' || r->bad || !e->name[0] ||
		 strchr("#+-", e->name[0]) || !str_id(id, &e->uid));
	return true;
}

/* Read the rest of a user's line; false if that is not whole. */
static bool read_user(struct reader *r)
{
	struct passwd_entry *e = &r->entry;
	char gid[ID_SIZE];

	read_field(r, gid, sizeof(gid));
	read_field(r, NULL, 0);
	read_field(r, e->home, sizeof(e->home));
	if (r->ended != ':')
		return false;
	read_field(r, e->shell, sizeof(e->shell));
	return !r->bad && str_id(gid, &e->gid);
}

int passwd_find_user(const char *passwd, const char *name, uid_t uid,
		     struct passwd_entry *user, struct passwd_entry *root)
{
	struct reader r;
	int opened = open_file(&r, passwd);
	bool found = false, found_root = !root;

	if (root)
		root->name[0] = '\0';
	/* For an id the closed file of another user namespace tells nothing. */
	if (opened < 0 && !name && errno == EACCES)
		return 0;
	if (opened <= 0)
		return opened;
	while (!(found && found_root) && next_entry(&r)) {
		bool is_root = !found_root && r.entry.uid == 0;
		bool is_it = !found && (name ? strcmp(r.entry.name, name) == 0
					     : r.entry.uid == uid);

		if (!(is_it || is_root) || !read_user(&r))
			continue;
		if (is_it)
			*user = r.entry;
		if (is_root)
			*root = r.entry;
		found |= is_it;
		found_root |= is_root;
	}
	return (int)close_file(&r, found);
}

int passwd_find_group(const char *group, const char *name, gid_t *gid)
{
	struct reader r;
	int opened = open_file(&r, group);
	bool found = false;

	if (opened <= 0)
		return opened;
	while (!found && next_entry(&r))
		found = name ? strcmp(r.entry.name, name) == 0
			     : r.entry.uid == *gid;
	if (found)
		*gid = r.entry.uid;
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

	if (opened <= 0)
		return opened;
	while (next_entry(&r)) {
		if (!has_member(&r, user))
			continue;
		if (count < size)
			groups[count] = r.entry.uid;
		count++;
	}
	return close_file(&r, (ssize_t)count);
}
