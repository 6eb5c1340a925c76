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

static void what_is_no_id_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no_ids); i++) {
		uint32_t id = 77;

		if (str_id(no_ids[i], &id))
			fail_msg("'%s' was taken for id %u", no_ids[i], id);
		assert_int_equal(id, 77);
	}
}

static void an_id_is_decimal_from_0_to_4294967294(void **state)
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

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		uint32_t id = 77;

		assert_true(str_id(ids[i].text, &id));
		assert_int_equal(id, ids[i].id);
	}
}

static void a_number_keeps_its_bounds(void **state)
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

	(void)state;
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

static void every_small_number_is_itself(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 70000; i++) {
		uint64_t value = 0;
		char text[16];

		snprintf(text, sizeof(text), "%u", i);
		assert_int_equal(str_number(text, 1, 65535, &value),
				 i >= 1 && i <= 65535);
		if (i >= 1 && i <= 65535)
			assert_int_equal(value, i);
	}
}

static void only_digits_are_a_number_and_not_a_name(void **state)
{
	(void)state;
	assert_true(str_is_number("0"));
	assert_true(str_is_number("99999999999999999999999999"));
	assert_false(str_is_number(""));
	assert_false(str_is_number("-1"));
	assert_false(str_is_number("1a"));
	assert_false(str_is_number("a1"));
	assert_false(str_is_number("1 "));
}

static void a_variable_is_letters_digits_and_underscores(void **state)
{
	(void)state;
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

static void a_word_is_copied_only_where_it_fits(void **state)
{
	char out[4] = "xxx";

	(void)state;
	assert_false(str_copy((struct slice){ "abcd", 4 }, out, sizeof(out)));
	assert_string_equal(out, "xxx");
	assert_true(str_copy((struct slice){ "abcd", 3 }, out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_true(str_copy((struct slice){ "abcd", 0 }, out, sizeof(out)));
	assert_string_equal(out, "");
}

static void a_word_is_cut_at_the_first_separator(void **state)
{
	struct slice rest = { "a&&b", 4 };
	static const size_t lengths[] = { 1, 0, 1, 0, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		assert_int_equal(str_cut(&rest, '&').length, lengths[i]);
	assert_int_equal(rest.length, 0);
}

static void a_duration_has_a_unit_or_is_in_seconds(void **state)
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

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(str_duration(good[i].text, &ms));
		assert_int_equal(ms, good[i].ms);
	}
}

static void what_is_no_duration_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"", "0", "0ms", "0h", "ms", "s", "-1", "+1", " 1", "1 ", "1 s",
		"1.5s", "1d", "1S", "1mss", "1m30s", "2147483648ms", "597h",
		"2147484", "18446744073709551617", "1e3", "0x1"
	};
	uint32_t ms = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (str_duration(bad[i], &ms) || ms != 77)
			fail_msg("'%s' is %u ms", bad[i], ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_id_is_refused_and_changes_nothing),
		cmocka_unit_test(an_id_is_decimal_from_0_to_4294967294),
		cmocka_unit_test(a_number_keeps_its_bounds),
		cmocka_unit_test(every_small_number_is_itself),
		cmocka_unit_test(only_digits_are_a_number_and_not_a_name),
		cmocka_unit_test(a_variable_is_letters_digits_and_underscores),
		cmocka_unit_test(a_word_is_copied_only_where_it_fits),
		cmocka_unit_test(a_word_is_cut_at_the_first_separator),
		cmocka_unit_test(a_duration_has_a_unit_or_is_in_seconds),
		cmocka_unit_test(what_is_no_duration_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
