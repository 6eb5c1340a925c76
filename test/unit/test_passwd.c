#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cred/passwd.h"

/* Bytes, NULs included, as a file. */
#define FILE_OF(bytes) temporary_file(0, bytes, sizeof(bytes) - 1)

static struct passwd_entry user;

static int find_user(const char *file, const char *name)
{
	memset(&user, 0x55, sizeof(user));
	return passwd_find(file, PASSWD_USER, name, 0, &user);
}

static int find_uid(const char *file, uid_t uid)
{
	memset(&user, 0x55, sizeof(user));
	return passwd_find(file, PASSWD_USER, NULL, uid, &user);
}

/* *gid is 77 where there is no such group. */
static int find_group(const char *file, const char *name, gid_t *gid)
{
	struct passwd_entry group = { .gid = 77 };
	int found = passwd_find(file, PASSWD_GROUP, name, 0, &group);

	*gid = group.gid;
	return found;
}

TEST(a_user_is_found_by_name_and_by_uid)
{
	const char *file = FILE_OF("root:x:0:0:root:/root:/bin/sh\n"
				   "web:x:4242:4243:,,,:/srv/web:/bin/false\n");

	assert_int_equal(find_user(file, "web"), 1);
	assert_string_equal(user.name, "web");
	assert_int_equal(user.uid, 4242);
	assert_int_equal(user.gid, 4243);
	assert_string_equal(user.home, "/srv/web");
	assert_int_equal(find_uid(file, 4242), 1);
	assert_string_equal(user.name, "web");
	assert_int_equal(find_uid(file, 0), 1);
	assert_string_equal(user.name, "root");
	assert_int_equal(find_user(file, "we"), 0);
	assert_int_equal(find_user(file, "webb"), 0);
	assert_int_equal(find_user(file, "Web"), 0);
	assert_int_equal(find_uid(file, 4243), 0);
}

TEST(the_first_match_counts)
{
	const char *file = FILE_OF("a:x:1:1::/1:\na:x:2:2::/2:\nb:x:1:3::/3:\n");

	assert_int_equal(find_user(file, "a"), 1);
	assert_int_equal(user.uid, 1);
	assert_int_equal(find_uid(file, 1), 1);
	assert_string_equal(user.name, "a");
}

/* Lines that look like an entry for "a" and are none. */
static const struct {
	const char *bytes;
	size_t length;
} no_entries[] = {
#define NO_ENTRY(bytes) { bytes, sizeof(bytes) - 1 }
	NO_ENTRY(""),
	NO_ENTRY("\n"),
	NO_ENTRY("a"),
	NO_ENTRY("a:"),
	NO_ENTRY("a:x:1"),
	NO_ENTRY("a:x:1:1"),
	NO_ENTRY("a:x:1:1:g"),
	NO_ENTRY("a:x:1:1:g:/h"),
	NO_ENTRY("a:x:1:1:g:/h\n:/bin/sh"),
	NO_ENTRY("a:x::1:g:/h:s"),
	NO_ENTRY("a:x:1::g:/h:s"),
	NO_ENTRY("a:x:-1:1:g:/h:s"),
	NO_ENTRY("a:x:1:-1:g:/h:s"),
	NO_ENTRY("a:x:+1:1:g:/h:s"),
	NO_ENTRY("a:x: 1:1:g:/h:s"),
	NO_ENTRY("a:x:1 :1:g:/h:s"),
	NO_ENTRY("a:x:0x1:1:g:/h:s"),
	NO_ENTRY("a:x:1:1e0:g:/h:s"),
	NO_ENTRY("a:x:4294967295:1:g:/h:s"),
	NO_ENTRY("a:x:1:4294967295:g:/h:s"),
	NO_ENTRY("a:x:4294967296:1:g:/h:s"),
	NO_ENTRY("a:x:18446744073709551617:1:g:/h:s"),
	NO_ENTRY("a:x:000000000000000001:1:g:/h:s"),
	NO_ENTRY("a\0:x:1:1:g:/h:s"),
	NO_ENTRY("\0a:x:1:1:g:/h:s"),
	NO_ENTRY("a\0b:x:1:1:g:/h:s"),
	NO_ENTRY("a:x\0:1:1:g:/h:s"),
	NO_ENTRY("a:x:1\0:1:g:/h:s"),
	NO_ENTRY("a:x:1:1\0:g:/h:s"),
	NO_ENTRY("a:x:1:1:\0:/h:s"),
	NO_ENTRY("a:x:1:1:g:/h\0:s"),
	NO_ENTRY("#a:x:1:1:g:/h:s"),
	NO_ENTRY("+a:x:1:1:g:/h:s"),
	NO_ENTRY("-a:x:1:1:g:/h:s"),
	NO_ENTRY("+:a:x:1:1:g:/h:s"),
	NO_ENTRY("+::::::"),
	NO_ENTRY(":a:1:1:g:/h:s"),
	NO_ENTRY(":::::::\n::::::::::"),
};

TEST(what_is_no_entry_matches_nothing)
{
	for (size_t i = 0; i < ARRAY_LEN(no_entries); i++) {
		const char *file = temporary_file(0, no_entries[i].bytes,
						  no_entries[i].length);

		if (find_user(file, "a") != 0 || find_uid(file, 1) != 0)
			fail_msg("line %zu: %s", i, no_entries[i].bytes);
		assert_int_equal(find_uid(file, 0), 0);
		assert_int_equal(find_uid(file, (uid_t)-1), 0);
		assert_int_equal(find_user(file, "root"), 0);
	}
}

TEST(a_bad_line_does_not_spoil_the_next)
{
	for (size_t i = 0; i < ARRAY_LEN(no_entries); i++) {
		static const char next[] = "\nnext:x:7:8:g:/h:s\n";
		char bytes[128];

		memcpy(bytes, no_entries[i].bytes, no_entries[i].length);
		memcpy(bytes + no_entries[i].length, next, sizeof(next) - 1);
		if (find_user(temporary_file(0, bytes, no_entries[i].length +
						       sizeof(next) - 1),
			      "next") != 1)
			fail_msg("after line %zu", i);
		assert_int_equal(user.uid, 7);
		assert_int_equal(user.gid, 8);
	}
}

TEST(an_entry_needs_no_final_newline)
{
	assert_int_equal(find_user(FILE_OF("a:x:1:2:g:/h:/bin/sh"), "a"), 1);
	assert_int_equal(user.gid, 2);
	assert_int_equal(find_user(FILE_OF("a:x:1:2:g:/h:"), "a"), 1);
	assert_string_equal(user.home, "/h");
	assert_int_equal(find_user(FILE_OF("a:x:1:2:::"), "a"), 1);
	assert_string_equal(user.home, "");
	assert_int_equal(find_user(FILE_OF("a:x:1:2:g:/h:s:more:still"), "a"),
			 1);
}

TEST(a_name_may_be_all_digits)
{
	const char *file = FILE_OF("1000:x:4242:4242::/h:s\n");

	assert_int_equal(find_user(file, "1000"), 1);
	assert_int_equal(user.uid, 4242);
	assert_int_equal(find_uid(file, 1000), 0);
}

TEST(the_largest_ids_are_ids)
{
	assert_int_equal(find_user(FILE_OF("a:x:4294967294:4294967294::/:s"),
				   "a"), 1);
	assert_int_equal(user.uid, 4294967294u);
	assert_int_equal(user.gid, 4294967294u);
	assert_int_equal(find_user(FILE_OF("a:x:000000000000001:1::/:s"), "a"),
			 1);
}

TEST(a_missing_file_has_no_entries)
{
	gid_t groups[4];
	gid_t gid = 77;

	errno = 0;
	assert_int_equal(find_user("/nonexistent/passwd", "root"), 0);
	assert_int_equal(find_user("/dev/null/passwd", "root"), 0);
	assert_int_equal(find_group("/nonexistent", "root", &gid), 0);
	assert_int_equal(gid, 77);
	assert_int_equal(passwd_groups_of("/nonexistent", "root", groups, 4), 0);
}

TEST(an_unreadable_file_is_an_error)
{
	gid_t groups[4];
	gid_t gid;

	errno = 0;
	assert_int_equal(find_user("/", "root"), -1);
	assert_int_equal(errno, EISDIR);
	errno = 0;
	assert_int_equal(find_group("/", "root", &gid), -1);
	assert_int_equal(errno, EISDIR);
	errno = 0;
	assert_int_equal(passwd_groups_of("/", "root", groups, 4), -1);
	assert_int_equal(errno, EISDIR);
}

TEST(no_descriptor_is_left_open)
{
	int before = open_descriptors();
	gid_t groups[4];
	gid_t gid;

	find_user("/", "root");
	find_user(FILE_OF("a:x:1:1::/:s\nb:x:2:2::/:s\n"), "a");
	find_user(FILE_OF("a:x:1:1::/:s\n"), "b");
	find_group("/", "a", &gid);
	find_group(FILE_OF("a:x:1:\nb:x:2:\n"), "a", &gid);
	passwd_groups_of(FILE_OF("a:x:1:b\n"), "b", groups, 4);
	assert_int_equal(open_descriptors(), before);
}

/* count bytes c between before and after, as a file */
static const char *long_file(const char *before, char c, size_t count,
			     const char *after)
{
	size_t length = strlen(before) + count + strlen(after);
	char *bytes = malloc(length + 1);
	const char *file;

	assert_non_null(bytes);
	strcpy(bytes, before);
	memset(bytes + strlen(before), c, count);
	strcpy(bytes + strlen(before) + count, after);
	file = temporary_file(0, bytes, length);
	free(bytes);
	return file;
}

TEST(names_have_at_most_255_bytes)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_int_equal(find_user(long_file("", 'n', 255, ":x:1:1::/:s\n"),
				   name), 1);
	assert_string_equal(user.name, name);
	assert_int_equal(find_user(long_file("", 'n', 256, ":x:1:1::/:s\n"),
				   name), 0);
	name[255] = 'n';
	name[256] = '\0';
	assert_int_equal(find_user(long_file("", 'n', 256, ":x:1:1::/:s\n"),
				   name), 0);
	assert_int_equal(find_uid(long_file("", 'n', 256, ":x:1:1::/:s\n"), 1),
			 0);
}

TEST(a_home_fits_a_path_or_the_line_is_no_entry)
{
	assert_int_equal(find_user(long_file("a:x:1:1::/", 'h',
					     USER_PATH_MAX - 2, ":s\n"), "a"), 1);
	assert_int_equal(strlen(user.home), USER_PATH_MAX - 1);
	assert_int_equal(find_user(long_file("a:x:1:1::/", 'h',
					     USER_PATH_MAX - 1, ":s\n"), "a"), 0);
}

/* Around the size of a page, and far beyond. */
TEST(a_line_may_have_any_length)
{
	static const size_t lengths[] = { 4000, 4090, 4091, 4092, 4093, 4094,
					  4095, 4096, 4097, 4098, 8191, 8192,
					  100000, 3 << 20 };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		/* as the gecos field, as the shell, as a bad line before */
		assert_int_equal(find_user(long_file("a:x:1:2:", 'g',
						     lengths[i], ":/h:s\n"),
					   "a"), 1);
		assert_int_equal(user.gid, 2);
		assert_string_equal(user.home, "/h");
		assert_int_equal(find_user(long_file("a:x:1:2::/h:", 's',
						     lengths[i],
						     "\nb:x:3:4::/:s"), "b"),
				 1);
		assert_int_equal(user.gid, 4);
		assert_int_equal(find_user(long_file("", 'z', lengths[i],
						     "\nb:x:3:4::/:s"), "b"),
				 1);
		assert_int_equal(find_uid(long_file("", ':', lengths[i],
						    "\nb:x:3:4::/:s"), 3), 1);
		assert_int_equal(find_uid(long_file("", '\n', lengths[i],
						    "b:x:3:4::/:s"), 3), 1);
		assert_int_equal(find_uid(long_file("a:x:", '0', lengths[i],
						    ":1::/:s"), 0), 0);
	}
}

TEST(a_file_may_have_any_number_of_lines)
{
	const size_t size = 3 << 20;
	char *bytes = malloc(size + 64);
	size_t length = 0;
	unsigned int id;
	gid_t gid;

	assert_non_null(bytes);
	for (id = 1; length < size; id++)
		length += (size_t)sprintf(bytes + length,
					  "u%u:x:%u:%u::/h:s\n", id, id, id);
	length += (size_t)sprintf(bytes + length, "last:x:7:9::/last:s\n");
	assert_int_equal(find_user(temporary_file(0, bytes, length), "last"),
			 1);
	assert_int_equal(user.gid, 9);
	assert_int_equal(find_uid(temporary_file(0, bytes, length), id - 1), 1);
	for (id = 1, length = 0; length < size; id++)
		length += (size_t)sprintf(bytes + length, "g%u:x:%u:m,n\n", id,
					  id);
	assert_int_equal(find_group(temporary_file(0, bytes, length), "g12345",
				    &gid), 1);
	assert_int_equal(gid, 12345);
	assert_int_equal(passwd_groups_of(temporary_file(0, bytes, length), "n",
					 NULL, 0), id - 1);
	free(bytes);
}

TEST(a_file_that_does_not_fit_is_an_error)
{
	assert_int_equal(find_uid(long_file("a:x:1:2::/:s\n", '\n', 4 << 20,
					    ""), 1), -1);
	assert_int_equal(errno, EFBIG);
}

TEST(a_group_is_found_by_name)
{
	const char *file = FILE_OF("root:x:0:\nweb:x:4243:a,b\n"
				   "web:x:1:\n99:x:5:\nlast:x:4294967294:");
	gid_t gid;

	assert_int_equal(find_group(file, "web", &gid), 1);
	assert_int_equal(gid, 4243);
	assert_int_equal(find_group(file, "99", &gid), 1);
	assert_int_equal(gid, 5);
	assert_int_equal(find_group(file, "last", &gid), 1);
	assert_int_equal(gid, 4294967294u);
	assert_int_equal(find_group(file, "we", &gid), 0);
	assert_int_equal(find_group(file, "a", &gid), 0);
	assert_int_equal(gid, 77);
}

static const struct {
	const char *bytes;
	size_t length;
} no_groups[] = {
	NO_ENTRY("g"),
	NO_ENTRY("g:"),
	NO_ENTRY("g:x"),
	NO_ENTRY("g:x:1"),
	NO_ENTRY("g:x::u"),
	NO_ENTRY("g:x:-1:u"),
	NO_ENTRY("g:x:+1:u"),
	NO_ENTRY("g:x: 1:u"),
	NO_ENTRY("g:x:0x1:u"),
	NO_ENTRY("g:x:4294967295:u"),
	NO_ENTRY("g:x:4294967296:u"),
	NO_ENTRY("g:x:00000000000000001:u"),
	NO_ENTRY("g\0:x:1:u"),
	NO_ENTRY("g:\0:1:u"),
	NO_ENTRY("g:x:1\0:u"),
	NO_ENTRY("#g:x:1:u"),
	NO_ENTRY("-g:x:1:u"),
	NO_ENTRY("+g:x:1:u"),
	NO_ENTRY("+:::u"),
	NO_ENTRY(":x:1:u"),
	NO_ENTRY("g:x:1,u"),
	NO_ENTRY("g,x:1:u"),
};

TEST(what_is_no_group_matches_nothing)
{
	for (size_t i = 0; i < ARRAY_LEN(no_groups); i++) {
		static const char next[] = "\nnext:x:8:u\n";
		char bytes[64];
		gid_t groups[4];
		gid_t gid;
		const char *file;

		memcpy(bytes, no_groups[i].bytes, no_groups[i].length);
		memcpy(bytes + no_groups[i].length, next, sizeof(next) - 1);
		file = temporary_file(0, bytes, no_groups[i].length +
						sizeof(next) - 1);
		if (find_group(file, "g", &gid) != 0)
			fail_msg("line %zu gives gid %u", i, gid);
		assert_int_equal(find_group(file, "next", &gid), 1);
		assert_int_equal(passwd_groups_of(file, "u", groups, 4), 1);
		assert_int_equal(groups[0], 8);
	}
}

TEST(a_user_is_in_the_groups_that_list_him)
{
	const char *file = FILE_OF("a:x:1:u\nb:x:2:x,u\nc:x:3:u,x\n"
				   "d:x:4:x,u,y\ne:x:5:uu,xu,ux\nf:x:6:\n"
				   "g:x:7:,,u,,\nh:x:8: u\ni:x:9:u \n"
				   "u:x:10:\nj:x:11:x:u\nk:x:12:u:x\n"
				   "l:x:13:u\0\nm:x:14:u");
	static const gid_t expected[] = { 1, 2, 3, 4, 7, 12, 14 };
	gid_t groups[16];

	assert_int_equal(passwd_groups_of(file, "u", groups, 16),
			 ARRAY_LEN(expected));
	assert_memory_equal(groups, expected, sizeof(expected));
	assert_int_equal(passwd_groups_of(file, "nobody", groups, 16), 0);
}

TEST(more_groups_than_fit_are_counted_and_not_stored)
{
	const char *file = FILE_OF("a:x:1:u\nb:x:2:u\nc:x:3:u\n");
	gid_t groups[3] = { 77, 77, 77 };

	assert_int_equal(passwd_groups_of(file, "u", groups, 2), 3);
	assert_int_equal(groups[0], 1);
	assert_int_equal(groups[1], 2);
	assert_int_equal(groups[2], 77);
}

TEST(a_list_of_members_may_have_any_length)
{
	const size_t members = 200000;
	char *bytes = malloc(members * 16 + 64);
	size_t length;
	gid_t groups[2];
	gid_t gid;

	assert_non_null(bytes);
	length = (size_t)sprintf(bytes, "big:x:9:");
	for (size_t i = 0; i < members; i++)
		length += (size_t)sprintf(bytes + length, "member%zu,", i);
	length += (size_t)sprintf(bytes + length, "last\nnext:x:10:last\n");
	temporary_file(0, bytes, length);
	assert_int_equal(passwd_groups_of(temporary_file(0, bytes, length),
					 "last", groups, 2), 2);
	assert_int_equal(groups[0], 9);
	assert_int_equal(groups[1], 10);
	assert_int_equal(passwd_groups_of(temporary_file(0, bytes, length),
					 "member100000", groups, 2), 1);
	assert_int_equal(find_group(temporary_file(0, bytes, length), "next",
				    &gid), 1);
	free(bytes);
	/* One member of any length. */
	assert_int_equal(passwd_groups_of(long_file("a:x:1:", 'u', 1 << 20,
						   ",u\n"), "u", groups, 2),
			 1);
	assert_int_equal(passwd_groups_of(long_file("a:x:1:", 'u', 1 << 20,
						   "\n"), "u", groups, 2), 0);
}
