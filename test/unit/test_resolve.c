#include "unit.h"

#include "settle.h"

static const char passwd[] =
	"root:x:0:0:root:/root:/bin/sh\n"
	"web:x:4242:4243::/srv/web:/bin/false\n"
	"homeless:x:4244:4244:::/bin/false\n"
	"toor:x:0:0::/:/bin/sh\n"
	"5000:x:5001:5002::/five:/bin/false\n";

static const char group[] =
	"root:x:0:\n"
	"web:x:4243:web\n"
	"one:x:1:web\n"
	"two:x:2:nobody,web\n"
	"again:x:1:web\n"
	"6000:x:6001:\n";

static struct plan plan;
static struct fault f;

static const char *passwd_file(void)
{
	return temporary_file(0, passwd, sizeof(passwd) - 1);
}

static const char *group_file(void)
{
	return temporary_file(1, group, sizeof(group) - 1);
}

static int resolve(const char *user, const char *groups)
{
	memset(&plan, 0, sizeof(plan));
	memset(&f, 0, sizeof(f));
	plan.who.user = user;
	plan.groups = groups;
	return resolve_target(&plan, passwd_file(), group_file(), &f);
}

static const struct {
	const char *user;
	const char *groups;
	uid_t uid;
	gid_t gid;
	const char *supplementary;	/* joined by commas */
	const char *name;
	const char *home;
} targets[] = {
	{ "web", NULL, 4242, 4243, "1,2", "web", "/srv/web" },
	{ "web", "none", 4242, 4243, "", "web", "/srv/web" },
	{ "web", "7,one,8", 4242, 4243, "1,7,8", "web", "/srv/web" },
	{ "web", "1,one,again,1", 4242, 4243, "1", "web", "/srv/web" },
	{ "web", "web,4243", 4242, 4243, "", "web", "/srv/web" },
	{ "web", "6000", 4242, 4243, "6000", "web", "/srv/web" },
	{ "web", "0,4294967294", 4242, 4243, "0,4294967294", "web",
	  "/srv/web" },
	{ "web:two", NULL, 4242, 2, "1,4243", "web", "/srv/web" },
	{ "web:99", NULL, 4242, 99, "1,2,4243", "web", "/srv/web" },
	{ "4242", "none", 4242, 4243, "", "web", "/srv/web" },
	{ "4242:99", "none", 4242, 99, "", "web", "/srv/web" },
	{ "99:99", NULL, 99, 99, "", "", "/" },
	{ "99:web", NULL, 99, 4243, "", "", "/" },
	{ "99:99", "one,two", 99, 99, "1,2", "", "/" },
	{ "4294967294:4294967294", NULL, 4294967294u, 4294967294u, "", "",
	  "/" },
	{ "homeless", NULL, 4244, 4244, "", "homeless", "/" },
	/* All digits is a number, whatever the files say. */
	{ "5000:1", NULL, 5000, 1, "", "", "/" },
	{ "99:6000", NULL, 99, 6000, "", "", "/" },
	{ "0:0", NULL, 0, 0, "", "root", "/root" },
};

TEST(names_and_numbers_become_ids)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const struct target *t = &plan.target;
		char list[256] = "";
		size_t length = 0;

		if (resolve(targets[i].user, targets[i].groups) != 0)
			fail_msg("%s: %s", targets[i].user, f.what);
		assert_int_equal(t->uid, targets[i].uid);
		assert_int_equal(t->gid, targets[i].gid);
		for (size_t j = 0; j < t->ngroups; j++)
			length += (size_t)snprintf(list + length,
						   sizeof(list) - length,
						   "%s%u", j ? "," : "",
						   t->groups[j]);
		assert_string_equal(list, targets[i].supplementary);
		assert_string_equal(t->name, targets[i].name);
		assert_string_equal(t->home, targets[i].home);
		assert_string_equal(plan.root_home, "/root");
	}
}

static const struct {
	const char *user;
	const char *groups;
	const char *words;
} bad[] = {
	{ NULL, NULL, "--user is missing" },
	{ "", NULL, "no user ''" },
	{ " ", NULL, "no user ' '" },
	{ ":", NULL, "no group stands after the colon" },
	{ ":0", NULL, "no user ''" },
	{ ":web", NULL, "no user ''" },
	{ "-1", NULL, "no user '-1'" },
	{ "+1", NULL, "no user '+1'" },
	{ " 1", NULL, "no user ' 1'" },
	{ "1 ", NULL, "no user '1 '" },
	{ "0x10", NULL, "no user '0x10'" },
	{ "1e3", NULL, "no user '1e3'" },
	{ "web ", NULL, "no user 'web '" },
	{ "WEB", NULL, "no user 'WEB'" },
	{ "nobody", NULL, "no user 'nobody'" },
	{ "4294967295", NULL, "4294967295 is not a uid" },
	{ "4294967296", NULL, "4294967296 is not a uid" },
	{ "18446744073709551616", NULL, "is not a uid" },
	{ "4294967295:4294967295", NULL, "is not a uid" },
	{ "99", NULL, "no entry in" },
	{ "5000", NULL, "no entry in" },
	{ "web:", NULL, "no group stands after the colon" },
	{ "4242:", NULL, "no group stands after the colon" },
	{ "4242:-1", NULL, "no group '-1'" },
	{ "4242:+1", NULL, "no group '+1'" },
	{ "4242: 1", NULL, "no group ' 1'" },
	{ "4242:0x0", NULL, "no group '0x0'" },
	{ "4242:4242:4242", NULL, "no group '4242:4242'" },
	{ "4242:none", NULL, "no group 'none'" },
	{ "4242:4294967295", NULL, "4294967295 is not a gid" },
	{ "4242:4294967296", NULL, "4294967296 is not a gid" },
	{ "web", "", "no group ''" },
	{ "web", ",", "no group ''" },
	{ "web", "1,", "no group ''" },
	{ "web", ",1", "no group ''" },
	{ "web", "1,,2", "no group ''" },
	{ "web", "none,1", "no group 'none'" },
	{ "web", "1,none", "no group 'none'" },
	{ "web", "1, 2", "no group ' 2'" },
	{ "web", "1:2", "no group '1:2'" },
	{ "web", "nobody", "no group 'nobody'" },
	{ "web", "1,-1", "no group '-1'" },
	{ "web", "4294967295", "4294967295 is not a gid" },
	{ "web", "1,4294967296", "4294967296 is not a gid" },
};

TEST(what_names_nobody_is_a_usage_fault)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (resolve(bad[i].user, bad[i].groups) != -1)
			fail_msg("--user %s --groups %s was taken",
				 bad[i].user ? bad[i].user : "(none)",
				 bad[i].groups ? bad[i].groups : "(none)");
		assert_fault(&f, EXIT_USAGE, bad[i].words);
		assert_has(f.what, bad[i].groups ? "--groups" : "--user");
	}
}

TEST(a_name_longer_than_255_bytes_is_a_usage_fault)
{
	char name[400];

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_int_equal(resolve(name, NULL), -1);
	assert_has(f.what, "no user");
	name[255] = 'n';
	name[256] = '\0';
	assert_int_equal(resolve(name, NULL), -1);
	assert_int_equal(f.status, EXIT_USAGE);
	assert_int_equal(resolve("web", name), -1);
	assert_int_equal(f.status, EXIT_USAGE);
	memcpy(name, "1:", 2);
	name[399] = '\0';
	assert_int_equal(resolve(name, NULL), -1);
	assert_int_equal(f.status, EXIT_USAGE);
}

TEST(without_files_numbers_still_work)
{
	memset(&plan, 0, sizeof(plan));
	plan.who.user = "4242:4242";
	assert_int_equal(resolve_target(&plan, "/nonexistent/passwd",
				      "/nonexistent/group", &f), 0);
	assert_int_equal(plan.target.uid, 4242);
	assert_string_equal(plan.target.home, "/");
	assert_string_equal(plan.root_home, "/root");
	plan.who.user = "root";
	assert_int_equal(resolve_target(&plan, "/nonexistent/passwd",
				      "/nonexistent/group", &f), -1);
	assert_fault(&f, EXIT_USAGE, "no user 'root'");
}

/* A folder cannot be read, also by root. */
TEST(a_file_that_cannot_be_read_ends_the_run)
{
	memset(&plan, 0, sizeof(plan));
	plan.who.user = "web";
	assert_int_equal(resolve_target(&plan, "/", group_file(), &f), -1);
	assert_fault(&f, EXIT_STEP, "read /");
	assert_int_equal(f.err, EISDIR);
	assert_int_equal(resolve_target(&plan, passwd_file(), "/", &f), -1);
	assert_fault(&f, EXIT_STEP, "read /");
	plan.who.user = "4242:web";
	assert_int_equal(resolve_target(&plan, passwd_file(), "/", &f), -1);
	assert_fault(&f, EXIT_STEP, "read /");
	plan.who.user = "4242:4242";
	assert_int_equal(resolve_target(&plan, "/", group_file(), &f), -1);
	assert_fault(&f, EXIT_STEP, "read /");
}
