#include "unit.h"

#include <arpa/inet.h>
#include <linux/capability.h>

#include "base/str.h"
#include "bind/declared.h"
#include "listen/listen.h"

static struct listener listeners[8];
static struct listen_spec spec;
static struct fault f;

static int start(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	spec = (struct listen_spec){ .handoff = HANDOFF_BIND,
				     .listeners = listeners,
				     .port_start = 1024 };
	return 0;
}

static void listen_to(const char *url)
{
	char room[256];
	struct text wrong;

	text_start(&wrong, room, sizeof(room));
	if (!url_parse(url, &listeners[spec.count++], &wrong))
		fail_msg("%s: %s", url, room);
}

static struct bind_address tcp(const char *address, unsigned short port,
			       bool v6only)
{
	struct bind_address a = { .kind = LISTENER_TCP, .v6only = v6only };

	if (strchr(address, ':')) {
		a.at.in6.sin6_family = AF_INET6;
		a.at.in6.sin6_port = htons(port);
		a.size = sizeof(a.at.in6);
		inet_pton(AF_INET6, address, &a.at.in6.sin6_addr);
	} else {
		a.at.in.sin_family = AF_INET;
		a.at.in.sin_port = htons(port);
		a.size = sizeof(a.at.in);
		inet_pton(AF_INET, address, &a.at.in.sin_addr);
	}
	return a;
}

static bool found(const char *address, unsigned short port, bool v6only)
{
	struct bind_address a = tcp(address, port, v6only);

	return declared_covers(&spec, &a);
}

TEST_AFTER(start, a_star_covers_every_address_of_the_port)
{
	static const char *const addresses[] = {
		"0.0.0.0", "127.0.0.1", "::", "::1", "::ffff:127.0.0.1",
		"::ffff:0.0.0.0"
	};

	listen_to("tcp://*:80");
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		assert_true(found(addresses[i], 80, false));
		assert_true(found(addresses[i], 80, true));
		assert_false(found(addresses[i], 81, false));
	}
}

TEST_AFTER(start, a_single_address_covers_itself_alone)
{
	listen_to("tcp://127.0.0.1:80");
	assert_true(found("127.0.0.1", 80, false));
	assert_true(found("::ffff:127.0.0.1", 80, false));
	assert_false(found("0.0.0.0", 80, false));
	assert_false(found("127.0.0.2", 80, false));
	assert_false(found("::", 80, false));
	assert_false(found("::127.0.0.1", 80, false));
	start(state);
	listen_to("tcp://0.0.0.0:80");
	assert_true(found("0.0.0.0", 80, false));
	assert_false(found("127.0.0.1", 80, false));
	assert_false(found("::", 80, false));
	assert_false(found("::", 80, true));
	start(state);
	listen_to("tcp://[::1]:80");
	assert_true(found("::1", 80, false));
	assert_true(found("::1", 80, true));
	assert_false(found("::", 80, true));
}

TEST_AFTER(start, the_any_address_of_ipv6_is_for_one_family_unless_told)
{
	listen_to("tcp://[::]:80");
	assert_true(found("::", 80, true));
	assert_false(found("::", 80, false));
	assert_false(found("0.0.0.0", 80, false));
	start(state);
	listen_to("tcp://[::]:80?v6only=0");
	assert_true(found("::", 80, false));
	assert_true(found("::", 80, true));
	start(state);
	listen_to("tcp://[::]:80?v6only=1");
	assert_false(found("::", 80, false));
}

TEST_AFTER(start, a_scope_is_not_compared)
{
	struct bind_address a = tcp("fe80::1", 80, false);

	a.at.in6.sin6_scope_id = 1;
	listen_to("tcp://*:80");
	assert_true(declared_covers(&spec, &a));
	start(state);
	listen_to("tcp://[::1]:80");
	a = tcp("::1", 80, false);
	a.at.in6.sin6_scope_id = 1;	/* the kernel does not care */
	assert_true(declared_covers(&spec, &a));
}

TEST_AFTER(start, another_kind_of_socket_is_not_covered)
{
	struct bind_address a = tcp("0.0.0.0", 80, false);

	listen_to("tcp://*:80");
	a.kind = LISTENER_UDP;
	assert_false(declared_covers(&spec, &a));
	listen_to("udp://*:80");
	assert_true(declared_covers(&spec, &a));
}

TEST_AFTER(start, an_address_that_is_too_short_has_no_port)
{
	struct bind_address a = tcp("0.0.0.0", 80, false);

	for (a.size = 0; a.size < sizeof(a.at.in); a.size++)
		assert_int_equal(declared_port(&a), 0);
	a = tcp("::", 80, false);
	for (a.size = 0; a.size < 24; a.size++)
		assert_int_equal(declared_port(&a), 0);
	assert_int_equal(declared_port(&a), 80);	/* without the scope */
	a.size = sizeof(a.at);
	assert_int_equal(declared_port(&a), 80);
	a.at.any.sa_family = AF_UNIX;
	assert_int_equal(declared_port(&a), 0);
}

TEST_AFTER(start, what_is_missing_is_said_with_what_to_use)
{
	struct bind_address a = tcp("::", 80, false);

	listen_to("tcp://0.0.0.0:80");
	listen_to("udp://*:53");
	declared_missing(&spec, &a, &f);
	assert_string_equal(f.what,
			    "bind tcp://[::]:80 is not declared (declared: tcp://0.0.0.0:80, udp://*:53)");
	assert_string_equal(f.hint, "use --listen=tcp://*:80");
	a = tcp("127.0.0.1", 54, false);
	a.kind = LISTENER_UDP;
	declared_missing(&spec, &a, &f);
	assert_has(f.what, "bind udp://127.0.0.1:54 is");
	assert_string_equal(f.hint, "use --listen=udp://*:54");
}

/* Where the sysctl says another start than 1024, every port may be above it. */
TEST_AFTER(start, a_capability_is_for_ports_below_the_start)
{
	listen_to("tcp://*:65535");
	listen_settle(&spec);
	assert_int_equal(spec.bind_caps, 0);
	listen_to("tcp://*:1");
	listen_settle(&spec);
	if (spec.port_start > 1)
		assert_int_equal(spec.bind_caps,
				 UINT64_C(1) << CAP_NET_BIND_SERVICE);
	else
		assert_int_equal(spec.bind_caps, 0);
}
