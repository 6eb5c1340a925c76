/*
 * passwd(5) and group(5). The first line of the input is the name that is
 * looked for, the rest is the file. A second reader, which is slow and simple
 * and has the whole file in memory, must find the same.
 */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cred/passwd.h"
#include "base/str.h"

enum { MAX_FIELDS = 8, MAX_GROUPS = 8 };

struct field {
	const char *text;
	size_t length;
};

struct line {
	struct field fields[MAX_FIELDS];	/* the last holds all the rest */
	size_t count;
};

static size_t span(const char *text, size_t length, char end)
{
	const char *found = memchr(text, end, length);

	return found ? (size_t)(found - text) : length;
}

/* Split at most at the first most-1 colons. */
static struct line split(const char *text, size_t length, size_t most)
{
	struct line line = { .count = 0, .fields = { { NULL, 0 } } };

	for (;;) {
		size_t field = line.count + 1 < most ? span(text, length, ':')
						     : length;

		line.fields[line.count++] = (struct field){ text, field };
		if (field == length)
			return line;
		text += field + 1;
		length -= field + 1;
	}
}

/* A copy that fits and holds no NUL. */
static bool copy(const struct field *field, char *out, size_t size)
{
	if (field->length >= size ||
	    memchr(field->text, '\0', field->length))
		return false;
	memcpy(out, field->text, field->length);
	out[field->length] = '\0';
	return true;
}

static bool copy_id(const struct field *field, uint32_t *id)
{
	char text[16];

	return copy(field, text, sizeof(text)) && str_id(text, id);
}

static bool is_clean(const struct field *field)
{
	return !memchr(field->text, '\0', field->length);
}

static bool is_name(const char *name)
{
	return *name && *name != '#' && *name != '+' && *name != '-';
}

static bool read_user(const char *text, size_t length, struct passwd_entry *user)
{
	struct line line = split(text, length, 7);
	struct field shell = line.fields[6];

	/* What follows an eighth colon does not count. */
	if (line.count == 7)
		shell.length = span(shell.text, shell.length, ':');
	return line.count == 7 &&
	       copy(&line.fields[0], user->name, sizeof(user->name)) &&
	       is_name(user->name) && is_clean(&line.fields[1]) &&
	       copy_id(&line.fields[2], &user->uid) &&
	       copy_id(&line.fields[3], &user->gid) &&
	       is_clean(&line.fields[4]) &&
	       copy(&line.fields[5], user->home, sizeof(user->home)) &&
	       copy(&shell, user->shell, sizeof(user->shell));
}

static int find_user(const char *file, size_t length, const char *name,
		     uid_t uid, struct passwd_entry *user)
{
	while (length > 0) {
		size_t line = span(file, length, '\n');

		if (!memchr(file, '\0', line) && read_user(file, line, user) &&
		    (name ? strcmp(user->name, name) == 0 : user->uid == uid))
			return 1;
		line += line < length;
		file += line;
		length -= line;
	}
	return 0;
}

static bool lists(const struct field *members, const char *user)
{
	const char *at = members->text;
	size_t left = span(at, members->length, ':');

	for (;;) {
		size_t length = span(at, left, ',');

		if (length == strlen(user) && length <= USER_NAME_MAX &&
		    memcmp(at, user, length) == 0)
			return true;
		if (length == left)
			return false;
		at += length + 1;
		left -= length + 1;
	}
}

/* Counts the groups with that member, and finds the one with that name. */
static size_t read_groups(const char *file, size_t length, const char *name,
			  const char *member, gid_t *groups, int *found,
			  gid_t *gid)
{
	size_t count = 0;

	*found = 0;
	while (length > 0) {
		size_t size = span(file, length, '\n');
		struct line line = split(file, size, 4);
		char group[USER_NAME_MAX + 1];
		gid_t id;

		if (line.count == 4 && !memchr(file, '\0', size) &&
		    copy(&line.fields[0], group, sizeof(group)) &&
		    is_name(group) && is_clean(&line.fields[1]) &&
		    copy_id(&line.fields[2], &id)) {
			if (!*found && strcmp(group, name) == 0) {
				*found = 1;
				*gid = id;
			}
			if (lists(&line.fields[3], member)) {
				if (count < MAX_GROUPS)
					groups[count] = id;
				count++;
			}
		}
		size += size < length;
		file += size;
		length -= size;
	}
	return count;
}

static void same_user(int found, const struct passwd_entry *user, int expected,
		      const struct passwd_entry *other)
{
	must(found == expected);
	if (!found)
		return;
	must(user->uid == other->uid && user->gid == other->gid);
	must(user->uid != (uid_t)-1 && user->gid != (gid_t)-1);
	must(strcmp(user->name, other->name) == 0);
	must(strcmp(user->home, other->home) == 0);
}

static void check(const char *path, const char *file, size_t length,
		  const char *name)
{
	struct passwd_entry user, other, group = { .gid = 0 };
	gid_t groups[MAX_GROUPS], other_groups[MAX_GROUPS];
	gid_t other_gid = 0;
	size_t count, stored;
	int found;

	same_user(passwd_find(path, PASSWD_USER, name, 0, &user), &user,
		  find_user(file, length, name, 0, &other), &other);
	same_user(passwd_find(path, PASSWD_USER, NULL, 1, &user), &user,
		  find_user(file, length, NULL, 1, &other), &other);
	count = read_groups(file, length, name, name, other_groups, &found,
			    &other_gid);
	must(passwd_find(path, PASSWD_GROUP, name, 0, &group) == found);
	must(group.gid == other_gid);
	must(passwd_groups_of(path, name, groups, MAX_GROUPS) ==
	     (ssize_t)count);
	stored = count < MAX_GROUPS ? count : MAX_GROUPS;
	must(memcmp(groups, other_groups, stored * sizeof(gid_t)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first = size ? span((const char *)data, size, '\n') : 0;
	char *name = string_of(data, first);
	char *file;
	char path[32];
	int fd;

	first += first < size;
	file = string_of(data + first, size - first);
	fd = memfd_create("names", MFD_CLOEXEC);
	must(fd >= 0 &&
	     write(fd, file, size - first) == (ssize_t)(size - first));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (name[0])	/* nobody asks for a user without a name */
		check(path, file, size - first, name);
	close(fd);
	free(file);
	free(name);
	return 0;
}
