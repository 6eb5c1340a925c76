#include "unit.h"

#include "base/str.h"

/* What must never become an id, above all not root's or "as it is". */
static const char *const no_ids[] = {
	"", " ", "-", "+", "-0", "-1", "+1", "+0", " 1", "1 ", "\t1", "1\n",
	"0x10", "0X0", "010h", "1e3", "1.0", ".", "1,0", "1_000", "0b1", "0o7",
	"--1", "1-", "root", "\xd9\xa1", "\xff", "4294967295", "4294967296",
	"4294967297", "8589934592", "18446744073709551615",
	"18446744073709551616", "18446744073709551617",
	"99999999999999999999999999999999999999999999",
	"340282366920938463463374607431768211456",
	"000000000000000000000000000004294967295"
};

TEST(what_is_no_id_is_refused_and_changes_nothing)
{
	for (size_t i = 0; i < ARRAY_LEN(no_ids); i++) {
		uint32_t id = 77;

		if (str_id(no_ids[i], &id))
			fail_msg("'%s' was taken for id %u", no_ids[i], id);
		assert_int_equal(id, 77);
	}
}

TEST(an_id_is_decimal_from_0_to_4294967294)
{
	static const struct {
		const char *text;
		uint32_t id;
	} ids[] = {
		{ "0", 0 }, { "1", 1 }, { "9", 9 }, { "10", 10 },
		{ "4242", 4242 }, { "00042", 42 }, { "010", 10 },
		{ "4294967294", 4294967294u },
		{ "00000000000000000000000000000000000000000001", 1 }
	};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		uint32_t id = 77;

		assert_true(str_id(ids[i].text, &id));
		assert_int_equal(id, ids[i].id);
	}
}

TEST(a_number_keeps_its_bounds)
{
	static const struct {
		const char *text;
		uint64_t lowest, highest;
		bool good;
	} numbers[] = {
		{ "0", 0, 0, true }, { "1", 0, 0, false },
		{ "0", 1, 5, false }, { "1", 1, 5, true },
		{ "5", 1, 5, true }, { "6", 1, 5, false },
		{ "7", 0, 5, false }, { "10", 0, 5, false },
		{ "15", 0, 15, true }, { "16", 0, 15, false },
		{ "20", 0, 15, false }, { "99", 0, 99, true },
		{ "100", 0, 99, false }, { "65535", 1, 65535, true },
		{ "65536", 1, 65535, false }, { "655350", 1, 65535, false },
		{ "18446744073709551615", 0, UINT64_MAX, true },
		{ "18446744073709551616", 0, UINT64_MAX, false },
		{ "18446744073709551625", 0, UINT64_MAX, false },
		{ "99999999999999999999", 0, UINT64_MAX, false },
		{ "184467440737095516150", 0, UINT64_MAX, false }
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t value = 77;
		bool good = str_number(numbers[i].text, numbers[i].lowest,
					 numbers[i].highest, &value);

		if (good != numbers[i].good)
			fail_msg("%s", numbers[i].text);
		if (good)
			assert_int_equal(value, strtoull(numbers[i].text, NULL,
							 10));
		else
			assert_int_equal(value, 77);
	}
}

TEST(only_digits_are_a_number_and_not_a_name)
{
	assert_true(str_is_number("0"));
	assert_true(str_is_number("99999999999999999999999999"));
	assert_false(str_is_number(""));
	assert_false(str_is_number("-1"));
	assert_false(str_is_number("1a"));
	assert_false(str_is_number("a1"));
	assert_false(str_is_number("1 "));
}

TEST(a_variable_is_letters_digits_and_underscores)
{
	assert_true(str_is_variable("A", 1));
	assert_true(str_is_variable("_", 1));
	assert_true(str_is_variable("aZ_09", 5));
	assert_true(str_is_variable("A-", 1));	/* one byte of it */
	assert_false(str_is_variable("", 0));
	assert_false(str_is_variable("A", 0));
	assert_false(str_is_variable("0A", 2));
	assert_false(str_is_variable("A-", 2));
	assert_false(str_is_variable("A=", 2));
	assert_false(str_is_variable("A ", 2));
	assert_false(str_is_variable("\xc3\xa4", 2));
	assert_false(str_is_variable("A\0B", 3));
}

TEST(a_word_is_copied_only_where_it_fits)
{
	char out[4] = "xxx";

	assert_false(str_copy((struct slice){ "abcd", 4 }, out, sizeof(out)));
	assert_string_equal(out, "xxx");
	assert_true(str_copy((struct slice){ "abcd", 3 }, out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_true(str_copy((struct slice){ "abcd", 0 }, out, sizeof(out)));
	assert_string_equal(out, "");
}

TEST(a_word_is_cut_at_the_first_separator)
{
	struct slice rest = { "a&&b", 4 };
	static const size_t lengths[] = { 1, 0, 1, 0, 0 };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		assert_int_equal(str_cut(&rest, '&').length, lengths[i]);
	assert_int_equal(rest.length, 0);
}

TEST(a_duration_has_a_unit_or_is_in_seconds)
{
	static const struct {
		const char *text;
		uint32_t ms;
	} good[] = {
		{ "1ms", 1 }, { "500ms", 500 }, { "1", 1000 }, { "10", 10000 },
		{ "10s", 10000 }, { "5m", 300000 }, { "1h", 3600000 },
		{ "596h", 2145600000 }, { "2147483647ms", 2147483647 },
		{ "007s", 7000 },
	};
	uint32_t ms;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(str_duration(good[i].text, &ms));
		assert_int_equal(ms, good[i].ms);
	}
}

TEST(what_is_no_duration_is_refused_and_changes_nothing)
{
	static const char *const bad[] = {
		"", "0", "0ms", "0h", "ms", "s", "-1", "+1", " 1", "1 ", "1 s",
		"1.5s", "1d", "1S", "1mss", "1m30s", "2147483648ms", "597h",
		"2147484", "18446744073709551617", "1e3", "0x1"
	};
	uint32_t ms = 77;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (str_duration(bad[i], &ms) || ms != 77)
			fail_msg("'%s' is %u ms", bad[i], ms);
}

TEST(texts_are_joined)
{
	char buffer[16];
	struct text t;

	text_start(&t, buffer, sizeof(buffer));
	assert_string_equal(buffer, "");
	text_add(&t, "%s", "a");
	text_add(&t, "%.*s", 2, "bcd");
	text_add(&t, "%d", 1);
	text_add(&t, "%s", "");
	assert_string_equal(buffer, "abc1");
	assert_int_equal(t.length, 4);
	assert_false(t.cut);
}

TEST(bytes_that_do_not_fit_are_cut)
{
	for (size_t size = 1; size <= 10; size++) {
		char buffer[11];
		struct text t;

		memset(buffer, 0x55, sizeof(buffer));
		text_start(&t, buffer, size);
		text_add(&t, "%s", "12345678");
		assert_int_equal(t.cut, size < 9);
		assert_int_equal(strlen(buffer), size < 9 ? size - 1 : 8);
		assert_int_equal(t.length, strlen(buffer));
		assert_int_equal(buffer[10], 0x55);
	}
}

TEST(a_cut_text_stays_cut)
{
	char buffer[4];
	struct text t;

	text_start(&t, buffer, sizeof(buffer));
	text_add(&t, "%s", "12345");
	assert_true(t.cut);
	text_add(&t, "x");
	text_add(&t, "y");
	text_add(&t, "%s", "");
	assert_string_equal(buffer, "123");
	assert_true(t.cut);
}

TEST(a_fault_returns_minus_one_and_keeps_its_words)
{
	struct fault f;

	memset(&f, 0x55, sizeof(f));
	assert_int_equal(fault_set(&f, EXIT_USAGE, 0, "%s %d", "what", 7), -1);
	assert_string_equal(f.what, "what 7");
	assert_string_equal(f.hint, "");
	assert_int_equal(f.status, EXIT_USAGE);
	assert_int_equal(f.err, 0);
	assert_int_equal(fault_hint(&f, "do %s", "this"), -1);
	assert_string_equal(f.hint, "do this");
	assert_int_equal(fault_lines(&f, "-v %s", "at: %s", "/a"), -1);
	assert_string_equal(f.docker, "-v /a");
	assert_string_equal(f.kubernetes, "at: /a");
	assert_string_equal(f.what, "what 7");
	assert_int_equal(fault_set(&f, EXIT_STEP, EPERM, "next"), -1);
	assert_string_equal(f.hint, "");
	assert_string_equal(f.docker, "");
	assert_string_equal(f.kubernetes, "");
	assert_int_equal(f.err, EPERM);
}

TEST(words_that_are_too_long_end_in_dots)
{
	static char words[2000];
	struct fault f;

	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(f.what) - 1] = '\0';
	fault_set(&f, EXIT_STEP, 0, "%s", words);
	assert_string_equal(f.what, words);
	words[sizeof(f.what) - 1] = 'w';
	fault_set(&f, EXIT_STEP, 0, "%s", words);
	fault_hint(&f, "%s", words);
	assert_int_equal(strlen(f.what), sizeof(f.what) - 1);
	assert_string_equal(f.what + sizeof(f.what) - 5, "w...");
	assert_string_equal(f.hint + sizeof(f.hint) - 5, "w...");
}

static struct slice word(const void *list, size_t i)
{
	static const char *const words[] = { "user", "groups", "listen", "own",
					     "own-stdio", "stop-timeout" };

	(void)list;
	return i < ARRAY_LEN(words) ? str_word(words[i])
				    : (struct slice){ NULL, 0 };
}

TEST(a_slip_leads_to_the_word_that_was_meant)
{
	static const char *const slips[][2] = {
		{ "usr", "user" }, { "users", "user" }, { "User", "user" },
		{ "lsiten", "listen" }, { "listne", "listen" },
		{ "group", "groups" }, { "list", "listen" }, { "ow", "own" },
		{ "ownstdio", "own-stdio" }, { "own_stdio", "own-stdio" },
		{ "stop-timout", "stop-timeout" }, { "stop", "stop-timeout" },
	};

	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		struct slice found = str_nearest(str_word(slips[i][0]), word,
					       NULL);

		if (!found.at || !str_is(found, slips[i][1]))
			fail_msg("%s led to %s", slips[i][0],
				 found.at ? found.at : "nothing");
	}
}

TEST(what_is_not_near_leads_nowhere)
{
	static const char *const words[] = {
		"", "u", "x", "xyz", "port", "volume", "on-the-radio",
		"a-word-of-more-than-thirty-one-letters"
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_nearest(str_word(words[i]), word, NULL).at)
			fail_msg("%s led somewhere", words[i]);
}
