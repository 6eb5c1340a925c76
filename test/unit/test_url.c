#include "unit.h"

#include <arpa/inet.h>

#include "base/str.h"
#include "listen/url.h"

static bool parse(const char *text, struct listener *l, char *why, size_t size)
{
	struct text wrong;

	text_start(&wrong, why, size);
	return url_parse(text, l, &wrong);
}

static struct listener good(const char *text)
{
	struct listener l;
	char why[512];

	if (!parse(text, &l, why, sizeof(why)))
		fail_msg("%s: %s", text, why);
	return l;
}

static void assert_wrong(const char *text, const char *words)
{
	struct listener l, before;
	char why[512];

	memset(&l, 0x55, sizeof(l));
	memset(&before, 0x55, sizeof(before));
	if (parse(text, &l, why, sizeof(why)))
		fail_msg("'%s' was taken", text);
	if (!strstr(why, words))
		fail_msg("'%s': %s", text, why);
	assert_memory_equal(&l, &before, sizeof(l));
}

static const struct {
	const char *text;
	const char *url;
	const char *name;
	enum listener_kind kind;
	int family;
	const char *address;
	uint16_t port;
	bool dual;
} listeners[] = {
	{ "tcp://0.0.0.0:80", "tcp://0.0.0.0:80", "", LISTENER_TCP, AF_INET,
	  "0.0.0.0", 80, false },
	{ "tcp://127.0.0.1:1", "tcp://127.0.0.1:1", "", LISTENER_TCP, AF_INET,
	  "127.0.0.1", 1, false },
	{ "tcp://255.255.255.255:65535", "tcp://255.255.255.255:65535", "",
	  LISTENER_TCP, AF_INET, "255.255.255.255", 65535, false },
	{ "tcp://1.2.3.4:0080", "tcp://1.2.3.4:0080", "", LISTENER_TCP,
	  AF_INET, "1.2.3.4", 80, false },
	{ "tcp://[::]:80", "tcp://[::]:80", "", LISTENER_TCP, AF_INET6, "::",
	  80, false },
	{ "tcp://[::1]:443", "tcp://[::1]:443", "", LISTENER_TCP, AF_INET6,
	  "::1", 443, false },
	{ "tcp://[2001:db8::7]:80", "tcp://[2001:db8::7]:80", "", LISTENER_TCP,
	  AF_INET6, "2001:db8::7", 80, false },
	{ "tcp://[1111:2222:3333:4444:5555:6666:7777:8888]:80",
	  "tcp://[1111:2222:3333:4444:5555:6666:7777:8888]:80", "",
	  LISTENER_TCP, AF_INET6, "1111:2222:3333:4444:5555:6666:7777:8888", 80,
	  false },
	{ "tcp://*:80", "tcp://*:80", "", LISTENER_TCP, AF_INET6, "::", 80,
	  true },
	{ "web=tcp://*:80", "tcp://*:80", "web", LISTENER_TCP, AF_INET6, "::",
	  80, true },
	{ "w/e.b-1=tcp://0.0.0.0:80", "tcp://0.0.0.0:80", "w/e.b-1",
	  LISTENER_TCP, AF_INET, "0.0.0.0", 80, false },
	{ "udp://127.0.0.1:53", "udp://127.0.0.1:53", "", LISTENER_UDP, AF_INET,
	  "127.0.0.1", 53, false },
	{ "dns=udp://*:53?nonblock", "udp://*:53?nonblock", "dns", LISTENER_UDP,
	  AF_INET6, "::", 53, true },
	{ "udp://[ff02::fb%eth0]:5353", "udp://[ff02::fb%eth0]:5353", "",
	  LISTENER_UDP, AF_INET6, "ff02::fb", 5353, false }
};

TEST(an_address_and_port_are_what_was_typed)
{
	for (size_t i = 0; i < ARRAY_LEN(listeners); i++) {
		struct listener l = good(listeners[i].text);
		char address[INET6_ADDRSTRLEN];
		bool v6 = listeners[i].family == AF_INET6;

		assert_string_equal(l.url, listeners[i].url);
		assert_int_equal(l.name.length, strlen(listeners[i].name));
		assert_int_equal(l.name.at != NULL, l.name.length > 0);
		if (l.name.at)
			assert_memory_equal(l.name.at, listeners[i].name,
					    l.name.length);
		assert_int_equal(l.kind, listeners[i].kind);
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
	enum listener_kind kind;
	const char *name;
	const char *path;	/* '@' stands for the NUL of an abstract one */
} sockets[] = {
	{ "unix:/s", LISTENER_UNIX, "", "/s" },
	{ "unix:///run/s", LISTENER_UNIX, "", "///run/s" },
	{ "unix:/a=b:c", LISTENER_UNIX, "", "/a=b:c" },
	{ "unix:/run/x=unix:/y", LISTENER_UNIX, "", "/run/x=unix:/y" },
	{ "a=unix:/s", LISTENER_UNIX, "a", "/s" },
	{ "a=unix-dgram:/s?mode=600", LISTENER_UNIX_DGRAM, "a", "/s" },
	{ "unix-seqpacket:/s", LISTENER_UNIX_SEQPACKET, "", "/s" },
	{ "unix:@abstract", LISTENER_UNIX, "", "@abstract" },
	{ "unix-dgram:@a/b", LISTENER_UNIX_DGRAM, "", "@a/b" },
	{ "n=unix-seqpacket:@x", LISTENER_UNIX_SEQPACKET, "n", "@x" }
};

TEST(a_unix_socket_has_a_path_or_an_abstract_name)
{
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
		struct listener l = good(sockets[i].text);
		bool abstract = sockets[i].path[0] == '@';
		size_t length = strlen(sockets[i].path);

		assert_int_equal(l.kind, sockets[i].kind);
		assert_int_equal(l.name.length, strlen(sockets[i].name));
		assert_int_equal(l.address.un.sun_family, AF_UNIX);
		assert_int_equal(l.address_size,
				 offsetof(struct sockaddr_un, sun_path) +
					 length + !abstract);
		assert_int_equal(l.address.un.sun_path[0],
				 abstract ? '\0' : '/');
		assert_memory_equal(l.address.un.sun_path + 1,
				    sockets[i].path + 1, length - abstract);
	}
}

TEST(a_path_is_as_long_as_the_kernel_takes)
{
	const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	char text[256] = "unix:/";

	memset(text + 6, 'p', most - 1);
	assert_int_equal(good(text).address_size,
			 sizeof(struct sockaddr_un));
	text[6 + most - 1] = 'p';
	assert_wrong(text, "longer than 107 bytes");
	text[5] = '@';
	assert_wrong(text, "longer than 107 bytes");
}

TEST(an_ipv6_address_may_have_its_interface)
{
	struct listener l = good("tcp://[fe80::1%eth0.7]:80");

	assert_int_equal(l.word[LISTENER_DEVICE].length, 6);
	assert_memory_equal(l.word[LISTENER_DEVICE].at, "eth0.7", 6);
	assert_true(listener_has(&l, LISTENER_DEVICE));
	assert_wrong("tcp://[fe80::1%lo]:80?device=lo", "given twice");
	assert_wrong("tcp://[fe80::1%]:80", "interface after");
	assert_wrong("tcp://[fe80::1%1234567890123456]:80", "interface after");
	assert_wrong("tcp://127.0.0.1%lo:80", "numeric");
}

static const struct {
	const char *text;
	enum listener_option option;
	uint32_t number;
} options[] = {
	{ "tcp://*:80?backlog=1", LISTENER_BACKLOG, 1 },
	{ "unix:/s?backlog=2147483647", LISTENER_BACKLOG, 2147483647 },
	{ "unix-seqpacket:@s?backlog=7", LISTENER_BACKLOG, 7 },
	{ "tcp://*:80?reuseport", LISTENER_REUSEPORT, 1 },
	{ "udp://*:80?reuseport=256", LISTENER_REUSEPORT, 256 },
	{ "tcp://[::]:80?v6only=0", LISTENER_V6ONLY, 0 },
	{ "udp://[::]:80?v6only=1", LISTENER_V6ONLY, 1 },
	{ "tcp://*:80?freebind", LISTENER_FREEBIND, 1 },
	{ "udp://*:80?transparent", LISTENER_TRANSPARENT, 1 },
	{ "tcp://*:80?nodelay", LISTENER_NODELAY, 1 },
	{ "tcp://*:80?keepalive", LISTENER_KEEPALIVE, 1 },
	{ "tcp://*:80?defer-accept=65535", LISTENER_DEFER_ACCEPT, 65535 },
	{ "tcp://*:80?fastopen=1", LISTENER_FASTOPEN, 1 },
	{ "unix-dgram:/s?rcvbuf=1", LISTENER_RCVBUF, 1 },
	{ "udp://*:80?sndbuf=1073741823", LISTENER_SNDBUF, 1073741823 },
	{ "tcp://*:80?mark=4294967295", LISTENER_MARK, 4294967295u },
	{ "tcp://*:80?mark=0", LISTENER_MARK, 0 },
	{ "tcp://*:80?device=eth0", LISTENER_DEVICE, 1 },
	{ "unix:/s?mode=0", LISTENER_MODE, 0 },
	{ "unix:/s?mode=0777", LISTENER_MODE, 0777 },
	{ "unix-dgram:/s?mode=660", LISTENER_MODE, 0660 },
	{ "unix:/s?user=www", LISTENER_USER, 1 },
	{ "unix:/s?group=4343", LISTENER_GROUP, 1 },
	{ "unix:@s?nonblock", LISTENER_NONBLOCK, 1 },
	{ "tcp://*:80?nolisten", LISTENER_NOLISTEN, 1 },
	{ "tcp://[::]:80?try", LISTENER_TRY, 1 },
	{ "unix-dgram:/s?fd=0", LISTENER_FD, 0 }
};

TEST(each_option_has_its_value)
{
	uint32_t all = 0;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct listener l = good(options[i].text);

		assert_int_equal(l.given, UINT32_C(1) << options[i].option);
		assert_int_equal(l.number[options[i].option],
				 options[i].number);
		assert_true(listener_has(&l, options[i].option));
		all |= l.given;
	}
	assert_int_equal(all, (UINT32_C(1) << LISTENER_OPTIONS) - 1);
}

TEST(options_are_joined_by_an_ampersand)
{
	struct listener l = good(
		"a=unix:/s?user=u&group=g&mode=600&backlog=3&nonblock");

	assert_int_equal(l.word[LISTENER_USER].length, 1);
	assert_memory_equal(l.word[LISTENER_USER].at, "u", 1);
	assert_int_equal(l.word[LISTENER_GROUP].length, 1);
	assert_memory_equal(l.word[LISTENER_GROUP].at, "g", 1);
	assert_int_equal(l.number[LISTENER_MODE], 0600);
	assert_int_equal(l.number[LISTENER_BACKLOG], 3);
	assert_true(listener_has(&l, LISTENER_NONBLOCK));
	assert_int_equal(listener_count(&l), 1);
	l = good("tcp://*:80?reuseport=4&device=eth1");
	assert_int_equal(listener_count(&l), 4);
	assert_int_equal(l.word[LISTENER_DEVICE].length, 4);
}

TEST(an_option_of_another_kind_of_socket_is_refused)
{
	static const char *const refused[] = {
		"udp://*:80?backlog=5", "unix:@s?mode=600",
		"unix-dgram:/s?backlog=5", "tcp://0.0.0.0:80?v6only=0",
		"tcp://*:80?v6only=0", "tcp://[::]:80?mode=600",
		"udp://*:80?nodelay", "udp://*:80?nolisten",
		"unix:/s?reuseport", "unix:@s?user=u",
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_wrong(refused[i], "is no option of such a socket");
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
	{ "sctp://0.0.0.0:80", "expected [NAME=]tcp" },
	{ "unix-stream:/s", "expected [NAME=]tcp" },
	{ " tcp://0.0.0.0:80", "expected [NAME=]tcp" },
	{ "a=b=tcp://0.0.0.0:80", "expected [NAME=]tcp" },
	{ "a=://0.0.0.0:80", "expected [NAME=]tcp" },
	{ "=tcp://0.0.0.0:80", "the name" },
	{ "a:b=tcp://0.0.0.0:80", "the name" },
	{ "a b=tcp://0.0.0.0:80", "the name" },
	{ "a\n=tcp://0.0.0.0:80", "the name" },
	{ "\x7f=tcp://0.0.0.0:80", "the name" },
	{ "\xc3\xa4=tcp://0.0.0.0:80", "the name" },
	{ "tcp://", "expected :PORT" },
	{ "tcp://0.0.0.0", "expected :PORT" },
	{ "tcp://0.0.0.0:", "expected :PORT" },
	{ "tcp://0.0.0.0:0", "expected :PORT" },
	{ "tcp://0.0.0.0:65536", "expected :PORT" },
	{ "tcp://0.0.0.0:4294967376", "expected :PORT" },
	{ "tcp://0.0.0.0:18446744073709551696", "expected :PORT" },
	{ "tcp://0.0.0.0:-80", "expected :PORT" },
	{ "tcp://0.0.0.0:+80", "expected :PORT" },
	{ "tcp://0.0.0.0: 80", "expected :PORT" },
	{ "tcp://0.0.0.0:80 ", "expected :PORT" },
	{ "tcp://0.0.0.0:80/", "expected :PORT" },
	{ "tcp://0.0.0.0:80-81", "expected :PORT" },
	{ "tcp://0.0.0.0:0x50", "expected :PORT" },
	{ "tcp://0.0.0.0:http", "expected :PORT" },
	{ "tcp://[::]", "expected :PORT" },
	{ "tcp://[::]80", "expected :PORT" },
	{ "tcp://?backlog=1", "expected :PORT" },
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
	{ "tcp://[::1:80", "numeric" },
	{ "tcp://::1]:80", "numeric" },
	{ "tcp://**:80", "numeric" },
	{ "tcp://user@0.0.0.0:80", "numeric" },
	{ "tcp://[]:80", "IPv6 address" },
	{ "tcp://[*]:80", "IPv6 address" },
	{ "tcp://[0.0.0.0]:80", "IPv6 address" },
	{ "tcp://[[::1]]:80", "IPv6 address" },
	{ "tcp://[1:2:3:4:5:6:7:8:9]:80", "IPv6 address" },
	{ "tcp://[::ffff:1.2.3.4]:80", "IPv4 address as" },
	{ "tcp://[0000:0000:0000:0000:0000:0000:255.255.255.2550]:80",
	  "IPv6 address" },
	{ "unix:", "expected /PATH" },
	{ "unix:/", "expected /PATH" },
	{ "unix:@", "expected /PATH" },
	{ "unix:run/s", "expected /PATH" },
	{ "unix:?mode=600", "expected /PATH" },
	{ "unix:/run/", "ends in" },
	{ "tcp://*:80?", "'' is no option" },
	{ "tcp://*:80?nodelay&", "'' is no option" },
	{ "tcp://*:80?&nodelay", "'' is no option" },
	{ "tcp://*:80?no", "'no' is no option" },
	{ "tcp://*:80?NODELAY", "'NODELAY' is no option" },
	{ "tcp://*:80?nodelay?keepalive", "'nodelay?keepalive' is no option" },
	{ "tcp://*:80?nodelay&nodelay", "nodelay is given twice" },
	{ "tcp://*:80?mark=1&mark=1", "mark is given twice" },
	{ "tcp://*:80?nodelay=1", "expected nodelay" },
	{ "tcp://*:80?nodelay=", "expected nodelay" },
	{ "tcp://*:80?backlog", "expected backlog=N" },
	{ "tcp://*:80?backlog=", "expected backlog=N" },
	{ "tcp://*:80?backlog=0", "expected backlog=N" },
	{ "tcp://*:80?backlog=2147483648", "expected backlog=N" },
	{ "tcp://*:80?backlog=-1", "expected backlog=N" },
	{ "tcp://*:80?backlog=1=2", "expected backlog=N" },
	{ "tcp://*:80?reuseport=", "expected reuseport[=N]" },
	{ "tcp://*:80?reuseport=0", "expected reuseport[=N]" },
	{ "tcp://*:80?reuseport=257", "expected reuseport[=N]" },
	{ "tcp://[::]:80?v6only", "expected v6only=0|1" },
	{ "tcp://[::]:80?v6only=2", "expected v6only=0|1" },
	{ "tcp://*:80?mark=0x10", "expected mark=N" },
	{ "tcp://*:80?mark=4294967296", "expected mark=N" },
	{ "tcp://*:80?device=", "expected device=NAME" },
	{ "tcp://*:80?device=1234567890123456", "expected device=NAME" },
	{ "unix:/s?mode", "expected mode=OCTAL" },
	{ "unix:/s?mode=", "expected mode=OCTAL" },
	{ "unix:/s?mode=8", "expected mode=OCTAL" },
	{ "unix:/s?mode=1777", "expected mode=OCTAL" },
	{ "unix:/s?user", "expected user=USER" },
	{ "unix:/s?group=", "expected group=GROUP" },
	{ "tcp://*:80?nolisten&backlog=1", "exclude each other" },
	{ "tcp://*:80?fd", "expected fd=0" },
	{ "tcp://*:80?fd=1", "expected fd=0" },
	{ "tcp://*:80?try=1", "expected try" },
	{ "tcp://*:80?fd=0&reuseport=2", "one socket" }
};

TEST(what_is_no_listener_is_refused_and_says_why)
{
	for (size_t i = 0; i < ARRAY_LEN(no_listeners); i++)
		assert_wrong(no_listeners[i].text, no_listeners[i].wrong);
}

TEST(a_socket_name_has_at_most_255_bytes)
{
	char text[300];

	memset(text, 'n', sizeof(text));
	strcpy(text + 255, "=tcp://*:80");
	assert_int_equal(good(text).name.length, 255);
	memset(text, 'n', sizeof(text));
	strcpy(text + 256, "=tcp://*:80");
	assert_wrong(text, "the name");
}

TEST(words_of_any_length_are_refused)
{
	static const char *const heads[] = { "tcp://[", "tcp://1", "udp://*:",
					     "unix:/", "tcp://*:80?",
					     "tcp://*:80?mark=",
					     "unix:/s?user=" };
	static char text[100000];

	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		for (size_t length = 300; length < sizeof(text) / 2;
		     length *= 5) {
			memset(text, '1', sizeof(text));
			memcpy(text, heads[i], strlen(heads[i]));
			strcpy(text + length, "]:80");
			assert_wrong(text, "");
		}
}
