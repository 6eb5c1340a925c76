#include "unit.h"

#include "base/str.h"
#include "settle.h"
#include "listen/url.h"

/* static: a plan is large */
static struct plan plan;

static void add(const char *url)
{
	char why[256];
	struct text wrong;

	text_start(&wrong, why, sizeof(why));
	plan.listen.listeners = plan.listeners;
	if (!url_parse(url, &plan.listen.listeners[plan.listen.count++],
		       &wrong))
		fail_msg("%s: %s", url, why);
}

/* A plan that passes; each test spoils one thing. */
static void start(void)
{
	static const char *const command[] = { "cmd", NULL };

	memset(&plan, 0, sizeof(plan));
	plan.target.uid = 4242;
	plan.exec.command = (char *const *)(uintptr_t)command;
}

static int check(struct fault *f, const char *one, const char *other)
{
	start();
	add(one);
	add(other);
	return conflicts_check(&plan, f);
}

static const char *const twice[][2] = {
	{ "tcp://0.0.0.0:80", "tcp://0.0.0.0:80" },
	{ "a=tcp://0.0.0.0:80", "b=tcp://0.0.0.0:80?backlog=5" },
	{ "tcp://[::1]:80", "tcp://[0::1]:80" },
	{ "tcp://*:80", "tcp://*:80" },
	{ "tcp://*:80", "tcp://[::]:80?v6only=0" },
	{ "tcp://0.0.0.0:80?reuseport", "tcp://0.0.0.0:80" },
	{ "tcp://*:80", "tcp://[::]:80" },
	{ "tcp://0.0.0.0:80?device=lo", "tcp://0.0.0.0:80" },
	{ "udp://1.2.3.4:53", "udp://1.2.3.4:53" },
	{ "unix:/s", "unix:/s?mode=600" },
	{ "unix:/s", "unix-dgram:/s" },
	{ "unix:@s", "unix:@s" },
};

static const char *const apart[][2] = {
	{ "tcp://0.0.0.0:80", "tcp://[::]:80" },
	{ "tcp://0.0.0.0:80", "tcp://0.0.0.0:81" },
	{ "tcp://0.0.0.0:80", "udp://0.0.0.0:80" },
	{ "tcp://127.0.0.1:80", "tcp://127.0.0.2:80" },
	{ "tcp://127.0.0.1:80", "tcp://[::1]:80?v6only=0" },
	{ "tcp://[::1]:80", "tcp://[::2]:80" },
	{ "tcp://0.0.0.0:80?reuseport", "tcp://0.0.0.0:80?reuseport=2" },
	{ "tcp://0.0.0.0:80?device=a", "tcp://0.0.0.0:80?device=b" },
	{ "tcp://[fe80::1%a]:80", "tcp://[fe80::1%b]:80" },
	{ "tcp://0.0.0.0:80", "tcp://127.0.0.1:80" },
	{ "unix:/s", "unix:/t" },
	{ "unix:/s", "unix:@s" },
	{ "unix:@s", "unix-dgram:@s" },
	{ "unix:/s", "tcp://0.0.0.0:80" },
};

TEST(descriptor_0_is_given_once)
{
	struct fault f;

	assert_int_equal(check(&f, "tcp://0.0.0.0:80?fd=0",
			       "tcp://[::]:80?fd=0"), -1);
	assert_fault(&f, EXIT_USAGE, "descriptor 0 is taken by");
	assert_int_equal(check(&f, "tcp://0.0.0.0:80?fd=0",
			       "tcp://[::]:80"), 0);
	assert_int_equal(listen_count(&plan.listen), 1);
}

TEST(the_same_socket_twice_is_refused)
{
	struct fault f;

	for (size_t i = 0; i < ARRAY_LEN(twice); i++)
		for (size_t turn = 0; turn < 2; turn++) {
			if (check(&f, twice[i][turn], twice[i][!turn]) == 0)
				fail_msg("%s and %s were taken", twice[i][turn],
					 twice[i][!turn]);
			assert_fault(&f, EXIT_USAGE, "given twice");
		}
}

TEST(sockets_that_do_not_are_taken)
{
	struct fault f;

	for (size_t i = 0; i < ARRAY_LEN(apart); i++)
		for (size_t turn = 0; turn < 2; turn++)
			if (check(&f, apart[i][turn], apart[i][!turn]) < 0)
				fail_msg("%s", f.what);
}

TEST(sockets_are_counted_with_their_workers)
{
	struct fault f;

	assert_int_equal(check(&f, "tcp://0.0.0.0:80?reuseport=255",
			       "tcp://0.0.0.0:81"),
			 0);
	assert_int_equal(listen_count(&plan.listen), 256);
	plan.listen.inherited.count = 1;
	assert_int_equal(conflicts_check(&plan, &f), -1);
	assert_fault(&f, EXIT_USAGE, "257 sockets, more than 256");
}

TEST(nginx_takes_only_what_listens)
{
	struct fault f;

	start();
	plan.listen.handoff = HANDOFF_NGINX;
	assert_int_equal(conflicts_check(&plan, &f), -1);
	assert_fault(&f, EXIT_USAGE, "no --listen");
	plan.listen.inherited.count = 1;
	assert_int_equal(conflicts_check(&plan, &f), 0);
	plan.listen.no_listen_pid = true;
	assert_int_equal(conflicts_check(&plan, &f), -1);
	assert_fault(&f, EXIT_USAGE, "--no-listen-pid");
	plan.listen.no_listen_pid = false;
	add("tcp://0.0.0.0:80?nolisten");
	assert_int_equal(conflicts_check(&plan, &f), -1);
	assert_fault(&f, EXIT_USAGE, "a socket that listens");
}

static void refuses_bind(const char *words)
{
	struct fault f;

	assert_int_equal(conflicts_check(&plan, &f), -1);
	assert_fault(&f, EXIT_USAGE, words);
	plan.listen.count = 0;
}

TEST(bind_takes_addresses_without_options)
{
	struct fault f;

	start();
	plan.listen.handoff = HANDOFF_BIND;
	refuses_bind("--listen says");
	add("tcp://*:80");
	add("udp://[::]:53?v6only=0&try");
	plan.drop.keep_caps = 1;
	assert_int_equal(conflicts_check(&plan, &f), 0);
	plan.drop.keep_caps = CAPS_BIT(CAP_NET_BIND_SERVICE);
	refuses_bind("net_bind_service");
	plan.drop.keep_caps = 0;
	add("tcp://0.0.0.0:80?nonblock");
	refuses_bind("but v6only");
	add("tcp://[fe80::1%lo]:80");
	refuses_bind("takes tcp and udp");
	add("unix:/run/a.sock");
	refuses_bind("takes tcp and udp");
}
