#include "unit.h"

#include "base/near.h"

static struct slice word(const void *list, size_t i)
{
	static const char *const words[] = { "user", "groups", "listen", "own",
					     "own-stdio", "stop-timeout" };

	(void)list;
	return i < ARRAY_LEN(words) ? str_word(words[i])
				    : (struct slice){ NULL, 0 };
}

static void a_slip_leads_to_the_word_that_was_meant(void **state)
{
	static const char *const slips[][2] = {
		{ "usr", "user" }, { "users", "user" }, { "User", "user" },
		{ "lsiten", "listen" }, { "listne", "listen" },
		{ "group", "groups" }, { "list", "listen" }, { "ow", "own" },
		{ "ownstdio", "own-stdio" }, { "own_stdio", "own-stdio" },
		{ "stop-timout", "stop-timeout" }, { "stop", "stop-timeout" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		struct slice found = near_find(str_word(slips[i][0]), word,
					       NULL);

		if (!found.at || !str_is(found, slips[i][1]))
			fail_msg("%s led to %s", slips[i][0],
				 found.at ? found.at : "nothing");
	}
}

static void what_is_not_near_leads_nowhere(void **state)
{
	static const char *const words[] = {
		"", "u", "x", "xyz", "port", "volume", "on-the-radio",
		"a-word-of-more-than-thirty-one-letters"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (near_find(str_word(words[i]), word, NULL).at)
			fail_msg("%s led somewhere", words[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_leads_to_the_word_that_was_meant),
		cmocka_unit_test(what_is_not_near_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
