#include "unit.h"

#include <limits.h>

#include "base/text.h"

/*
 * Our own formatting must say what printf(3) says, whatever the room: never
 * more bytes than the buffer has, always a NUL.
 */
#define SAME(...) \
	for (size_t room = 1; room <= ROOM; room++) { \
		struct text t = begin(room); \
		int length = snprintf(theirs, room, __VA_ARGS__); \
		text_add(&t, __VA_ARGS__); \
		compare(&t, (size_t)length); \
	}

enum { ROOM = 256 };

static char ours[ROOM + 1];
static char theirs[ROOM + 1];

static struct text begin(size_t room)
{
	struct text t;

	memset(ours, 0x55, sizeof(ours));
	text_start(&t, ours, room);
	return t;
}

/* length: what it would be with room enough */
static void compare(const struct text *t, size_t length)
{
	assert_string_equal(ours, theirs);
	assert_int_equal(t->length, strlen(ours));
	assert_int_equal(t->cut, length >= t->size);
	for (size_t i = t->size; i < sizeof(ours); i++)
		assert_int_equal(ours[i], 0x55);
}

static void formatting_is_that_of_printf(void **state)
{
	(void)state;
	SAME("%s", "");
	SAME("plain");
	SAME("%%");
	SAME("%%%s%%", "x");
	SAME("%s and %s", "one", "two");
	SAME("%c%c", 'a', '\n');
	SAME("%d %d %d %d", 0, 7, INT_MAX, INT_MIN);
	SAME("%u %u", 0u, UINT_MAX);
	SAME("%lu %ld %ld", ULONG_MAX, LONG_MAX, LONG_MIN);
	SAME("%llu %lld %lld", ULLONG_MAX, LLONG_MAX, LLONG_MIN);
	SAME("%zu %zu", (size_t)0, SIZE_MAX);
	SAME("%zd %zd", (ssize_t)-1, (ssize_t)SSIZE_MAX);
	SAME("%x %x %x", 0u, 0xdeadbeefu, UINT_MAX);
	SAME("%02x|%02x|%02x", 0u, 0xfu, 0xfffu);
	SAME("%016llx", 0x123456789abcdefULL);
	SAME("%016llx", ULLONG_MAX);
	SAME("%lx", ULONG_MAX);
	SAME("%5d|%-5d|%05u", 42, 42, 42u);
	SAME("%5d|%-5d", -42, -42);
	SAME("%2zu|%2zu", (size_t)7, (size_t)777);
	SAME("%10s|%-10s|%1s", "abc", "abc", "abc");
	SAME("%*s|%*d", 10, "abc", 4, 7);
	SAME("%*s", 0, "");
	SAME("%*s", 28, "");
	SAME("%.2s|%.0s|%.9s", "abc", "abc", "abc");
	SAME("%.*s|%.*s|%.*s", 2, "abc", 0, "abc", 9, "abc");
	SAME("%-6.*s|", 2, "abc");
	SAME("%6.2s|", "abc");
}

/* "%.*s" of bytes that no NUL ends must not read past them. */
static void a_precision_bounds_what_is_read(void **state)
{
	char *bytes = malloc(3);
	char buffer[8];
	struct text t;

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, "abc", 3);
	text_start(&t, buffer, sizeof(buffer));
	text_add(&t, "%.*s", 3, bytes);
	assert_string_equal(buffer, "abc");
	free(bytes);
}

static void texts_are_joined(void **state)
{
	char buffer[16];
	struct text t;

	(void)state;
	text_start(&t, buffer, sizeof(buffer));
	assert_string_equal(buffer, "");
	text_add(&t, "%s", "a");
	text_add_bytes(&t, "bcd", 2);
	text_add(&t, "%d", 1);
	text_add_bytes(&t, "", 0);
	assert_string_equal(buffer, "abc1");
	assert_int_equal(t.length, 4);
	assert_false(t.cut);
}

static void bytes_that_do_not_fit_are_cut(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 10; size++) {
		char buffer[11];
		struct text t;

		memset(buffer, 0x55, sizeof(buffer));
		text_start(&t, buffer, size);
		text_add_bytes(&t, "12345678", 8);
		assert_int_equal(t.cut, size < 9);
		assert_int_equal(strlen(buffer), size < 9 ? size - 1 : 8);
		assert_int_equal(t.length, strlen(buffer));
		assert_int_equal(buffer[10], 0x55);
	}
}

static void a_cut_text_stays_cut(void **state)
{
	char buffer[4];
	struct text t;

	(void)state;
	text_start(&t, buffer, sizeof(buffer));
	text_add(&t, "%s", "12345");
	assert_true(t.cut);
	text_add(&t, "x");
	text_add_bytes(&t, "y", 1);
	text_add_bytes(&t, "", 0);
	assert_string_equal(buffer, "123");
	assert_true(t.cut);
}

static void a_fault_returns_minus_one_and_keeps_its_words(void **state)
{
	struct fault f;

	(void)state;
	memset(&f, 0x55, sizeof(f));
	assert_int_equal(fault_set(&f, EXIT_USAGE, 0, "%s %d", "what", 7), -1);
	assert_string_equal(f.what, "what 7");
	assert_string_equal(f.hint, "");
	assert_int_equal(f.status, EXIT_USAGE);
	assert_int_equal(f.err, 0);
	assert_int_equal(fault_hint(&f, "do %s", "this"), -1);
	assert_string_equal(f.hint, "do this");
	assert_string_equal(f.what, "what 7");
	assert_int_equal(fault_set(&f, EXIT_STEP, EPERM, "next"), -1);
	assert_string_equal(f.hint, "");
	assert_int_equal(f.err, EPERM);
}

static void words_that_are_too_long_end_in_dots(void **state)
{
	static char words[2000];
	struct fault f;

	(void)state;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formatting_is_that_of_printf),
		cmocka_unit_test(a_precision_bounds_what_is_read),
		cmocka_unit_test(texts_are_joined),
		cmocka_unit_test(bytes_that_do_not_fit_are_cut),
		cmocka_unit_test(a_cut_text_stays_cut),
		cmocka_unit_test(a_fault_returns_minus_one_and_keeps_its_words),
		cmocka_unit_test(words_that_are_too_long_end_in_dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
