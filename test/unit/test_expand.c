#include "unit.h"

#include "base/str.h"
#include "options.h"

static char *const *env(void)
{
	static const char *const list[] = { "A=one", "B=", "AB=two", "_C9=x=y",
					    "NESTED=${A}", "SPACE=a b",
					    "NOEQUALS", "A=second", "PARTS=a,b?c\\", NULL };

	return (char *const *)(uintptr_t)list;
}

static const struct {
	const char *value;
	const char *expanded;
} good[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "$", "$" },
	{ "$$", "$$" },
	{ "$A", "$A" },
	{ "{A}", "{A}" },
	{ "a$", "a$" },
	{ "}", "}" },
	{ "${A}", "one" },
	{ "-${A}-", "-one-" },
	{ "${A}${AB}", "onetwo" },
	{ "${A}$", "one$" },
	{ "$${A}", "${A}" },
	{ "$$${A}", "$${A}" },
	{ "$${", "${" },
	{ "$${${A}", "${one" },
	{ "${A}$${A}${A}", "one${A}one" },
	{ "${B}", "" },
	{ "${_C9}", "x=y" },
	{ "${NESTED}", "${A}" },
	{ "${SPACE}", "a b" },
	{ "${A:-other}", "one" },
	{ "${B:-other}", "other" },
	{ "${NONE:-other}", "other" },
	{ "${NONE:-}", "" },
	{ "${NONE:-a:b}", "a:b" },
	{ "${NONE:--1}", "-1" },
	{ "${NONE:-$A}", "$A" },
	{ "${NONE:-a}b}", "ab}" },
	{ "${NONE:-x}:${B:-y}", "x:y" },
};

static int expand(const char *value, char *buffer, size_t size, struct fault *f)
{
	struct text out;

	text_start(&out, buffer, size);
	return expand_value(&(struct option){ .name = "user" }, value, env(),
			    &out, f);
}

TEST(each_reference_becomes_its_value_or_default)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char buffer[64];
		struct fault f = { 0 };

		if (expand(good[i].value, buffer, sizeof(buffer), &f) != 0)
			fail_msg("%s: %s", good[i].value, f.what);
		assert_string_equal(buffer, good[i].expanded);
	}
}

static const struct {
	const char *value;
	const char *words;
} bad[] = {
	{ "${", "without a closing }" },
	{ "${A", "without a closing }" },
	{ "${A}${B", "without a closing }" },
	{ "${}", "neither" },
	{ "${ A}", "neither" },
	{ "${A }", "neither" },
	{ "${9}", "neither" },
	{ "${A-b}", "neither" },
	{ "${A:b}", "neither" },
	{ "${A:}", "neither" },
	{ "${A:=b}", "neither" },
	{ "${A:+b}", "neither" },
	{ "${:-b}", "neither" },
	{ "${A=}", "neither" },
	{ "${${A}}", "neither" },
	{ "${A:-${B}}", "inside the default of ${A}: nesting is not" },
	{ "${NONE:-x${B:-y}}", "inside the default of ${NONE}: nesting" },
	{ "${NONE}", "variable NONE is not set" },
	{ "${NOEQUALS}", "variable NOEQUALS is not set" },
	{ "${NOEQ}", "variable NOEQ is not set" },
	{ "${a}", "variable a is not set" },
	{ "x${A}${NONE}", "variable NONE is not set" },
};

TEST(what_cannot_be_expanded_is_a_usage_fault)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char buffer[64];
		struct fault f = { 0 };

		if (expand(bad[i].value, buffer, sizeof(buffer), &f) != -1)
			fail_msg("%s became %s", bad[i].value, buffer);
		assert_fault(&f, EXIT_USAGE, bad[i].words);
		assert_has(f.what, "--user");
		assert_has(f.what, bad[i].value);
	}
}

TEST(an_unset_variable_comes_with_a_hint)
{
	struct fault f = { 0 };
	char buffer[8];

	assert_int_equal(expand("${PUID}", buffer, sizeof(buffer), &f), -1);
	assert_string_equal(f.docker, "-e PUID=VALUE");
	assert_string_equal(f.kubernetes,
			    "env: [{name: PUID, value: VALUE}]");
	assert_has(f.hint, "${PUID:-default}");
}

TEST(an_empty_environment_has_no_variables)
{
	const struct option o = { .name = "own", .separators = "," };
	char *const nothing[] = { NULL };
	struct fault f = { 0 };
	char buffer[8];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	assert_int_equal(expand_value(&o, "${A}", nothing, &out, &f), -1);
	text_start(&out, buffer, sizeof(buffer));
	assert_int_equal(expand_value(&o, "${A:-b}", nothing, &out, &f), 0);
	assert_string_equal(buffer, "b");
}

TEST(a_variable_adds_no_part)
{
	const struct option own = { .name = "own", .separators = ",\\" };
	const struct option listen = { .name = "listen", .separators = "?&" };
	struct fault f = { 0 };
	char buffer[32];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	assert_int_equal(expand_value(&own, "${PARTS},${NONE:-d,e}", env(),
				      &out, &f), 0);
	assert_string_equal(buffer, "a\\,b?c\\\\,d,e");
	text_start(&out, buffer, sizeof(buffer));
	assert_int_equal(expand_value(&listen, "${PARTS}", env(), &out, &f),
			 -1);
	assert_fault(&f, EXIT_USAGE,
		     "--listen ${PARTS}: '?' in the value of PARTS would add an option");
}

/* Whichever part crosses the end: literal, value, default, "$${". */
TEST(what_does_not_fit_is_a_usage_fault)
{
	static const char *const values[] = { "abcd", "${A}d", "a${A}",
					      "a${NONE:-bcd}", "ab$${", "abc$${",
					      "a$${b" };

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		for (size_t size = 1; size <= 4; size++) {
			struct fault f = { 0 };
			char buffer[6] = { 1, 2, 3, 4, 5, 0 };

			assert_int_equal(expand(values[i], buffer, size, &f),
					 -1);
			assert_fault(&f, EXIT_USAGE, "more than");
			assert_true(strlen(buffer) < size);
			assert_int_equal(buffer[4], 5);
		}
}
