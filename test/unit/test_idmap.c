#include "unit.h"

#include "cred/ids.h"

static bool holds(const char *map, uint32_t id)
{
	return ids_map_holds(map, strlen(map), id);
}

static void the_map_of_the_first_namespace_holds_every_id(void **state)
{
	static const char map[] = "         0          0 4294967295\n";

	(void)state;
	assert_true(holds(map, 0));
	assert_true(holds(map, 4242));
	assert_true(holds(map, 4294967294u));
}

static void only_what_is_in_a_range_is_held(void **state)
{
	static const char map[] = "         0       1000          1\n"
				  "         1     100000      65536\n"
				  "    100000          5         10\n";

	(void)state;
	assert_true(holds(map, 0));
	assert_true(holds(map, 65536));
	assert_false(holds(map, 65537));
	assert_false(holds(map, 99999));
	assert_true(holds(map, 100000));
	assert_true(holds(map, 100009));
	assert_false(holds(map, 100010));
	assert_false(holds(map, 4294967294u));
}

static void what_is_no_map_holds_nothing(void **state)
{
	static const char *const maps[] = {
		"", "\n", "\n\n\n", "0", "0 0", "0 0\n", "0 0\n4242", "a b c\n",
		"0 0 0\n", "-1 0 5000\n", "0x0 0 9999\n", "0\n0\n9999\n"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		if (holds(maps[i], 4242))
			fail_msg("'%s'", maps[i]);
}

static void a_line_that_ends_early_is_read_to_its_end_only(void **state)
{
	(void)state;
	assert_true(ids_map_holds("0 0 50001", 7, 1));
	assert_true(ids_map_holds("0 0 50001", 9, 5000));
	assert_false(ids_map_holds("0 0 50001", 7, 5000));
	assert_false(ids_map_holds("0 0 5", 4, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_map_of_the_first_namespace_holds_every_id),
		cmocka_unit_test(only_what_is_in_a_range_is_held),
		cmocka_unit_test(what_is_no_map_holds_nothing),
		cmocka_unit_test(a_line_that_ends_early_is_read_to_its_end_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
