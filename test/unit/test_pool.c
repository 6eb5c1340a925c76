#include "unit.h"

#include <arpa/inet.h>

#include "bind/pool.h"
#include "base/text.h"
#include "listen/url.h"

static struct plan plan;
static struct fault f;

static void listen_to(const char *url)
{
	char room[256];
	struct text wrong;

	text_start(&wrong, room, sizeof(room));
	if (!url_parse(url, &plan.listen.listeners[plan.listen.count++],
		       &wrong))
		fail_msg("%s: %s", url, room);
}

static int start(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	memset(&f, 0, sizeof(f));
	plan.listen.handoff = HANDOFF_BIND;
	return 0;
}

static struct wish tcp(const char *address, unsigned short port, bool v6only)
{
	struct wish w = { .kind = LISTENER_TCP, .v6only = v6only };

	if (strchr(address, ':')) {
		w.address.in6.sin6_family = AF_INET6;
		w.address.in6.sin6_port = htons(port);
		w.size = sizeof(w.address.in6);
		inet_pton(AF_INET6, address, &w.address.in6.sin6_addr);
	} else {
		w.address.in.sin_family = AF_INET;
		w.address.in.sin_port = htons(port);
		w.size = sizeof(w.address.in);
		inet_pton(AF_INET, address, &w.address.in.sin_addr);
	}
	return w;
}

static enum form form(const char *address, unsigned short port, bool v6only)
{
	struct wish w = tcp(address, port, v6only);

	return pool_form(&plan.listen.listeners[0], &w);
}

static void a_star_covers_both_families_and_no_single_address(void **state)
{
	(void)state;
	listen_to("tcp://*:80");
	assert_int_equal(form("0.0.0.0", 80, false), FORM_V4);
	assert_int_equal(form("::", 80, true), FORM_V6_ONLY);
	assert_int_equal(form("::", 80, false), FORM_V6_DUAL);
	assert_int_equal(form("0.0.0.0", 81, false), FORM_NONE);
	assert_int_equal(form("127.0.0.1", 80, false), FORM_NONE);
	assert_int_equal(form("::1", 80, false), FORM_NONE);
	assert_int_equal(form("::ffff:0.0.0.0", 80, false), FORM_NONE);
}

static void a_single_address_covers_itself_alone(void **state)
{
	(void)state;
	listen_to("tcp://127.0.0.1:80");
	assert_int_equal(form("127.0.0.1", 80, false), FORM_V4);
	assert_int_equal(form("0.0.0.0", 80, false), FORM_NONE);
	assert_int_equal(form("::", 80, false), FORM_NONE);
	start(state);
	listen_to("tcp://[::1]:80");
	assert_int_equal(form("::1", 80, false), FORM_V6_ONLY);
	assert_int_equal(form("::1", 80, true), FORM_V6_ONLY);
	assert_int_equal(form("::", 80, true), FORM_NONE);
}

static void the_any_address_of_ipv6_is_for_one_family_unless_told(void **state)
{
	(void)state;
	listen_to("tcp://[::]:80");
	assert_int_equal(form("::", 80, true), FORM_V6_ONLY);
	assert_int_equal(form("::", 80, false), FORM_NONE);
	assert_int_equal(form("0.0.0.0", 80, false), FORM_NONE);
	start(state);
	listen_to("tcp://[::]:80?v6only=0");
	assert_int_equal(form("::", 80, false), FORM_V6_DUAL);
	assert_int_equal(form("::", 80, true), FORM_NONE);
}

static void another_kind_of_socket_is_not_served(void **state)
{
	struct wish w = tcp("0.0.0.0", 80, false);

	(void)state;
	listen_to("tcp://*:80");
	w.kind = LISTENER_UDP;
	assert_true(pool_knows(&plan, &w));
	assert_int_equal(pool_form(&plan.listen.listeners[0], &w), FORM_NONE);
}

static void an_address_that_is_too_short_is_none(void **state)
{
	struct wish w = tcp("0.0.0.0", 80, false);

	(void)state;
	listen_to("tcp://*:80");
	for (w.size = 0; w.size < sizeof(w.address.in); w.size++)
		assert_false(pool_knows(&plan, &w));
	w = tcp("::", 80, false);
	for (w.size = 0; w.size < 24; w.size++)
		assert_false(pool_knows(&plan, &w));
	assert_true(pool_knows(&plan, &w));	/* without the scope */
}

static void a_path_may_lack_its_nul_and_no_byte(void **state)
{
	struct wish w = { .kind = LISTENER_UNIX };
	const socklen_t start_of_path = offsetof(struct sockaddr_un, sun_path);

	(void)state;
	listen_to("unix:/run/a.sock");
	w.address.un.sun_family = AF_UNIX;
	memcpy(w.address.un.sun_path, "/run/a.sockXYZ", 14);
	w.size = start_of_path + 11;
	assert_int_equal(pool_form(&plan.listen.listeners[0], &w), FORM_UNIX);
	w.size = start_of_path + 12;
	assert_int_equal(pool_form(&plan.listen.listeners[0], &w), FORM_NONE);
	w.size = start_of_path + 10;
	assert_int_equal(pool_form(&plan.listen.listeners[0], &w), FORM_NONE);
	w.address.un.sun_path[11] = '\0';
	w.size = sizeof(w.address.un);
	assert_int_equal(pool_form(&plan.listen.listeners[0], &w), FORM_UNIX);
	w.size = start_of_path;
	assert_int_equal(pool_form(&plan.listen.listeners[0], &w), FORM_NONE);
}

static void each_socket_is_given_once(void **state)
{
	static struct pool pool;
	struct wish w = tcp("0.0.0.0", 80, false);
	struct spare *s;

	(void)state;
	listen_to("tcp://*:80");
	memset(&pool, 0, sizeof(pool));
	for (size_t i = 0; i < 3; i++) {
		pool.spares[i].fd = dup(0);
		pool.spares[i].inode = 100 + i;
		pool.spares[i].form = i == 1 ? FORM_V6_DUAL : FORM_V4;
		pool.count++;
	}
	s = pool_find(&plan, &pool, &w);
	assert_ptr_equal(s, &pool.spares[0]);
	assert_false(pool_is_given(&pool, 100));
	pool_gave(&plan, &pool, s);
	assert_true(pool_is_given(&pool, 100));
	s = pool_find(&plan, &pool, &w);
	assert_ptr_equal(s, &pool.spares[2]);
	pool_gave(&plan, &pool, s);
	assert_null(pool_find(&plan, &pool, &w));
	w = tcp("::", 80, true);
	assert_null(pool_find(&plan, &pool, &w));
	w = tcp("::", 80, false);
	s = pool_find(&plan, &pool, &w);
	assert_ptr_equal(s, &pool.spares[1]);
	pool_gave(&plan, &pool, s);
	assert_int_equal(pool.spares[1].fd, -1);
}

/* Two UDP sockets for one port would share its datagrams. */
static void of_udp_those_for_other_families_go_too(void **state)
{
	static struct pool pool;
	struct wish w = tcp("::", 53, false);
	struct spare *s;

	(void)state;
	listen_to("udp://*:53");
	w.kind = LISTENER_UDP;
	memset(&pool, 0, sizeof(pool));
	for (unsigned char form = FORM_V4; form <= FORM_V6_DUAL; form++) {
		pool.spares[pool.count].fd = dup(0);
		pool.spares[pool.count].inode = 100u + form;
		pool.spares[pool.count++].form = form;
	}
	s = pool_find(&plan, &pool, &w);
	assert_int_equal(s->form, FORM_V6_DUAL);
	pool_gave(&plan, &pool, s);
	for (size_t i = 0; i < pool.count; i++)
		assert_int_equal(pool.spares[i].fd, -1);
}

static void refused(const char *words)
{
	assert_int_equal(pool_check(&plan, &f), -1);
	assert_fault(&f, EXIT_USAGE, words);
}

static void contradictions_are_refused(void **state)
{
	refused("it needs --listen");
	listen_to("tcp://*:80?spares=7");
	assert_int_equal(pool_check(&plan, &f), 0);
	plan.drop.keep_caps = 1;
	refused("excludes --keep-caps");
	plan.drop.keep_caps = 0;
	plan.listen.inherited.wanted = true;
	refused("--inherit-sockets");
	plan.listen.inherited.wanted = false;
	plan.listen.handoff = HANDOFF_BIND_OWN;
	refused("neither spares nor unix sockets");
	plan.listen.handoff = HANDOFF_NGINX;
	refused("spares are of --handoff=bind");
	start(state);
	listen_to("tcp://0.0.0.0:80?nonblock");
	refused("sets by itself");
	start(state);
	for (size_t i = 0; i < 8; i++)
		listen_to("tcp://0.0.0.0:80?spares=255");
	assert_int_equal(pool_check(&plan, &f), 0);
	listen_to("tcp://0.0.0.0:80");
	refused("2053 sockets with all spares, more than 2048");
	start(state);
	plan.listen.handoff = HANDOFF_BIND_OWN;
	listen_to("unix:/run/a.sock");
	refused("neither spares nor unix sockets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_star_covers_both_families_and_no_single_address,
			start),
		cmocka_unit_test_setup(a_single_address_covers_itself_alone,
				       start),
		cmocka_unit_test_setup(
			the_any_address_of_ipv6_is_for_one_family_unless_told,
			start),
		cmocka_unit_test_setup(another_kind_of_socket_is_not_served,
				       start),
		cmocka_unit_test_setup(an_address_that_is_too_short_is_none,
				       start),
		cmocka_unit_test_setup(a_path_may_lack_its_nul_and_no_byte,
				       start),
		cmocka_unit_test_setup(each_socket_is_given_once, start),
		cmocka_unit_test_setup(of_udp_those_for_other_families_go_too,
				       start),
		cmocka_unit_test_setup(contradictions_are_refused, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
