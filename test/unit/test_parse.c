#include "unit.h"

#include <arpa/inet.h>

#include "parse.h"

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

		if (parse_id(no_ids[i], &id))
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

		assert_true(parse_id(ids[i].text, &id));
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
		bool good = parse_number(numbers[i].text, numbers[i].lowest,
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
		assert_int_equal(parse_number(text, 1, 65535, &value),
				 i >= 1 && i <= 65535);
		if (i >= 1 && i <= 65535)
			assert_int_equal(value, i);
	}
}

static void only_digits_are_a_number_and_not_a_name(void **state)
{
	(void)state;
	assert_true(parse_is_number("0"));
	assert_true(parse_is_number("99999999999999999999999999"));
	assert_false(parse_is_number(""));
	assert_false(parse_is_number("-1"));
	assert_false(parse_is_number("1a"));
	assert_false(parse_is_number("a1"));
	assert_false(parse_is_number("1 "));
}

static void a_variable_is_letters_digits_and_underscores(void **state)
{
	(void)state;
	assert_true(parse_is_variable("A", 1));
	assert_true(parse_is_variable("_", 1));
	assert_true(parse_is_variable("aZ_09", 5));
	assert_true(parse_is_variable("A-", 1));	/* one byte of it */
	assert_false(parse_is_variable("", 0));
	assert_false(parse_is_variable("A", 0));
	assert_false(parse_is_variable("0A", 2));
	assert_false(parse_is_variable("A-", 2));
	assert_false(parse_is_variable("A=", 2));
	assert_false(parse_is_variable("A ", 2));
	assert_false(parse_is_variable("\xc3\xa4", 2));
	assert_false(parse_is_variable("A\0B", 3));
}

static const struct {
	const char *text;
	const char *url;
	const char *name;
	int family;
	const char *address;
	uint16_t port;
	bool dual;
} listeners[] = {
	{ "tcp://0.0.0.0:80", "tcp://0.0.0.0:80", "", AF_INET, "0.0.0.0", 80,
	  false },
	{ "tcp://127.0.0.1:1", "tcp://127.0.0.1:1", "", AF_INET, "127.0.0.1", 1,
	  false },
	{ "tcp://255.255.255.255:65535", "tcp://255.255.255.255:65535", "",
	  AF_INET, "255.255.255.255", 65535, false },
	{ "tcp://1.2.3.4:0080", "tcp://1.2.3.4:0080", "", AF_INET, "1.2.3.4",
	  80, false },
	{ "tcp://[::]:80", "tcp://[::]:80", "", AF_INET6, "::", 80, false },
	{ "tcp://[::1]:443", "tcp://[::1]:443", "", AF_INET6, "::1", 443,
	  false },
	{ "tcp://[2001:db8::7]:80", "tcp://[2001:db8::7]:80", "", AF_INET6,
	  "2001:db8::7", 80, false },
	{ "tcp://[1111:2222:3333:4444:5555:6666:7777:8888]:80",
	  "tcp://[1111:2222:3333:4444:5555:6666:7777:8888]:80", "", AF_INET6,
	  "1111:2222:3333:4444:5555:6666:7777:8888", 80, false },
	{ "tcp://*:80", "tcp://*:80", "", AF_INET6, "::", 80, true },
	{ "web=tcp://*:80", "tcp://*:80", "web", AF_INET6, "::", 80, true },
	{ "w/e.b-1=tcp://0.0.0.0:80", "tcp://0.0.0.0:80", "w/e.b-1", AF_INET,
	  "0.0.0.0", 80, false }
};

static void a_listener_has_address_port_and_perhaps_a_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(listeners); i++) {
		struct listener l;
		const char *wrong;
		char address[INET6_ADDRSTRLEN];
		bool v6 = listeners[i].family == AF_INET6;

		if (!parse_listener(listeners[i].text, &l, &wrong))
			fail_msg("%s: %s", listeners[i].text, wrong);
		assert_string_equal(l.url, listeners[i].url);
		assert_int_equal(l.name_length, strlen(listeners[i].name));
		assert_int_equal(l.name != NULL, l.name_length > 0);
		if (l.name)
			assert_memory_equal(l.name, listeners[i].name,
					    l.name_length);
		assert_int_equal(l.dual, listeners[i].dual);
		assert_int_equal(l.address.any.sa_family, listeners[i].family);
		assert_int_equal(l.address_size, v6 ? sizeof(l.address.in6)
						    : sizeof(l.address.in));
		assert_int_equal(ntohs(v6 ? l.address.in6.sin6_port
					  : l.address.in.sin_port),
				 listeners[i].port);
		inet_ntop(listeners[i].family,
			  v6 ? (void *)&l.address.in6.sin6_addr
			     : (void *)&l.address.in.sin_addr,
			  address, sizeof(address));
		assert_string_equal(address, listeners[i].address);
	}
}

static const struct {
	const char *text;
	const char *wrong;
} no_listeners[] = {
	{ "", "expected [NAME=]tcp" },
	{ "80", "expected [NAME=]tcp" },
	{ "0.0.0.0:80", "expected [NAME=]tcp" },
	{ "tcp:0.0.0.0:80", "expected [NAME=]tcp" },
	{ "tcp:/0.0.0.0:80", "expected [NAME=]tcp" },
	{ "TCP://0.0.0.0:80", "expected [NAME=]tcp" },
	{ "udp://0.0.0.0:80", "expected [NAME=]tcp" },
	{ " tcp://0.0.0.0:80", "expected [NAME=]tcp" },
	{ "a=b=tcp://0.0.0.0:80", "expected [NAME=]tcp" },
	{ "a=://0.0.0.0:80", "expected [NAME=]tcp" },
	{ "=tcp://0.0.0.0:80", "the name" },
	{ "a:b=tcp://0.0.0.0:80", "the name" },
	{ "a b=tcp://0.0.0.0:80", "the name" },
	{ "a\n=tcp://0.0.0.0:80", "the name" },
	{ "\x7f=tcp://0.0.0.0:80", "the name" },
	{ "\xc3\xa4=tcp://0.0.0.0:80", "the name" },
	{ "tcp://", "a port" },
	{ "tcp://0.0.0.0", "a port" },
	{ "tcp://0.0.0.0:", "a port" },
	{ "tcp://0.0.0.0:0", "a port" },
	{ "tcp://0.0.0.0:65536", "a port" },
	{ "tcp://0.0.0.0:4294967376", "a port" },
	{ "tcp://0.0.0.0:18446744073709551696", "a port" },
	{ "tcp://0.0.0.0:-80", "a port" },
	{ "tcp://0.0.0.0:+80", "a port" },
	{ "tcp://0.0.0.0: 80", "a port" },
	{ "tcp://0.0.0.0:80 ", "a port" },
	{ "tcp://0.0.0.0:80/", "a port" },
	{ "tcp://0.0.0.0:0x50", "a port" },
	{ "tcp://0.0.0.0:http", "a port" },
	{ "tcp://[::]", "a port" },
	{ "tcp://[::]80", "a port" },
	{ "tcp://:80", "numeric" },
	{ "tcp://localhost:80", "numeric" },
	{ "tcp://example.com:80", "numeric" },
	{ "tcp://0.0.0:80", "numeric" },
	{ "tcp://0:80", "numeric" },
	{ "tcp://1.2.3.4.5:80", "numeric" },
	{ "tcp://256.0.0.1:80", "numeric" },
	{ "tcp://0x7f.0.0.1:80", "numeric" },
	{ "tcp://01.2.3.4:80", "numeric" },
	{ "tcp://1.2.3.4 :80", "numeric" },
	{ "tcp://1.2.3.4::80", "numeric" },
	{ "tcp://::1:80", "numeric" },
	{ "tcp://:::80", "numeric" },
	{ "tcp://[]:80", "numeric" },
	{ "tcp://[*]:80", "numeric" },
	{ "tcp://[0.0.0.0]:80", "numeric" },
	{ "tcp://[::1:80", "numeric" },
	{ "tcp://::1]:80", "numeric" },
	{ "tcp://[[::1]]:80", "numeric" },
	{ "tcp://[fe80::1%eth0]:80", "numeric" },
	{ "tcp://[1:2:3:4:5:6:7:8:9]:80", "numeric" },
	{ "tcp://**:80", "numeric" },
	{ "tcp://user@0.0.0.0:80", "numeric" },
	{ "tcp://[0000:0000:0000:0000:0000:0000:255.255.255.2550]:80",
	  "numeric" }
};

static void what_is_no_listener_is_refused_and_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no_listeners); i++) {
		struct listener l, before;
		const char *wrong = NULL;

		memset(&l, 0x55, sizeof(l));
		memset(&before, 0x55, sizeof(before));
		if (parse_listener(no_listeners[i].text, &l, &wrong))
			fail_msg("'%s' was taken", no_listeners[i].text);
		assert_non_null(wrong);
		if (!strstr(wrong, no_listeners[i].wrong))
			fail_msg("'%s': %s", no_listeners[i].text, wrong);
		assert_memory_equal(&l, &before, sizeof(l));
	}
}

static void a_socket_name_has_at_most_255_bytes(void **state)
{
	char text[300];
	struct listener l;
	const char *wrong;

	(void)state;
	memset(text, 'n', sizeof(text));
	strcpy(text + 255, "=tcp://*:80");
	assert_true(parse_listener(text, &l, &wrong));
	assert_int_equal(l.name_length, 255);
	memset(text, 'n', sizeof(text));
	strcpy(text + 256, "=tcp://*:80");
	assert_false(parse_listener(text, &l, &wrong));
}

static void an_address_of_any_length_is_refused(void **state)
{
	static char text[100000];
	struct listener l;
	const char *wrong;

	(void)state;
	for (size_t length = 1; length < sizeof(text) / 2; length *= 3) {
		memset(text, '1', sizeof(text));
		memcpy(text, "tcp://[", 7);
		strcpy(text + 7 + length, "]:80");
		assert_false(parse_listener(text, &l, &wrong));
		text[6] = '1';
		strcpy(text + 7 + length, ":80");
		assert_false(parse_listener(text, &l, &wrong));
	}
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
		assert_true(parse_duration(good[i].text, &ms));
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
		if (parse_duration(bad[i], &ms) || ms != 77)
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
		cmocka_unit_test(a_listener_has_address_port_and_perhaps_a_name),
		cmocka_unit_test(what_is_no_listener_is_refused_and_says_why),
		cmocka_unit_test(a_socket_name_has_at_most_255_bytes),
		cmocka_unit_test(an_address_of_any_length_is_refused),
		cmocka_unit_test(a_duration_has_a_unit_or_is_in_seconds),
		cmocka_unit_test(what_is_no_duration_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
