#include "unit.h"

#include "base/str.h"
#include "drop/limits.h"

static struct limits_spec limits;

TEST(amounts_are_numbers_or_unlimited)
{
	static const struct {
		const char *value;
		rlim_t soft, hard;
	} good[] = {
		{ "core=0", 0, 0 },
		{ "core=0:0", 0, 0 },
		{ "core=1:2", 1, 2 },
		{ "core=7:unlimited", 7, RLIM_INFINITY },
		{ "core=unlimited", RLIM_INFINITY, RLIM_INFINITY },
		{ "core=unlimited:unlimited", RLIM_INFINITY, RLIM_INFINITY },
		{ "core=18446744073709551614", RLIM_INFINITY - 1,
		  RLIM_INFINITY - 1 },
		{ "core=007", 7, 7 }
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (!limits_read_rlimit(good[i].value, &limits))
			fail_msg("'%s' was refused", good[i].value);
		assert_int_equal(limits.rlimits[RLIMIT_CORE].rlim_cur,
				 good[i].soft);
		assert_int_equal(limits.rlimits[RLIMIT_CORE].rlim_max,
				 good[i].hard);
	}
}

TEST(other_words_are_refused)
{
	static const char *const bad[] = {
		"", "=", "=1", "core", "core=", "core=:", "core=1:", "core=:1",
		"core=2:1", "core=unlimited:1", "core=-1", "core=+1",
		"core= 1", "core=1 ", "core=0x1", "core=1e3", "core=1:2:3",
		"core=18446744073709551615", "core=18446744073709551616",
		"core=99999999999999999999999999", "core=Unlimited",
		"core=infinity", "cores=1", "cor=1", "CORE=1", "RLIMIT_CORE=1"
	};

	memset(&limits, 0, sizeof(limits));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (limits_read_rlimit(bad[i], &limits))
			fail_msg("'%s' was taken", bad[i]);
	for (int i = 0; i < RLIM_NLIMITS; i++)
		assert_null(limits.typed[i]);
}

TEST(a_umask_is_octal)
{
	static const char *const bad[] = { "",	   "8",	  "1000", "01000",
					   "0o27", "-1",  " 7",	  "7 ",
					   "u=rwx", "99999999999999999999" };

	memset(&limits, 0, sizeof(limits));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (limits_read_umask(bad[i], &limits))
			fail_msg("'%s' was taken", bad[i]);
	assert_false(limits.has_umask);
	assert_true(limits_read_umask("0", &limits));
	assert_true(limits.has_umask);
	assert_int_equal(limits.umask, 0);
	assert_true(limits_read_umask("777", &limits));
	assert_int_equal(limits.umask, 0777);
	assert_true(limits_read_umask("0027", &limits));
	assert_int_equal(limits.umask, 027);
}

TEST(what_was_asked_for_is_described)
{
	char buffer[256];
	struct text out;

	memset(&limits, 0, sizeof(limits));
	text_start(&out, buffer, sizeof(buffer));
	limits_describe(&limits, &out);
	assert_string_equal(buffer, "");
	limits_read_rlimit("nofile=1:2", &limits);
	limits_read_rlimit("core=unlimited", &limits);
	limits_read_umask("027", &limits);
	limits_describe(&limits, &out);
	assert_string_equal(buffer,
			    "rlimit core=unlimited, rlimit nofile=1:2, umask 0027");
}
