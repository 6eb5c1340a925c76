#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "listen/socket.h"

/* A network that refuses what it is told to; its sockets are real numbers. */
int __wrap_descriptor_socket(int family, int type);
int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_listen(int fd, int backlog);

static struct {
	int calls;
	int refuse;		/* this call, or none if 0 */
	bool refuse_ipv6_socket;
	bool refuse_ipv6_bind;
	int error;
	char log[1024];
} network;

static struct plan plan;
static struct run run;
static struct fault f;
static int open_before;

static bool refuses(bool condition)
{
	if (++network.calls != network.refuse && !condition)
		return false;
	errno = network.error;
	return true;
}

static void note(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
	size_t length = strlen(network.log);
	va_list words;

	va_start(words, format);
	vsnprintf(network.log + length, sizeof(network.log) - length, format,
		  words);
	va_end(words);
}

int __wrap_descriptor_socket(int family, int type)
{
	if (refuses(network.refuse_ipv6_socket && family == AF_INET6))
		return -1;
	assert_int_equal(type & 0xf, SOCK_STREAM);
	assert_true(type & SOCK_CLOEXEC);
	note("socket%s%s ", family == AF_INET6 ? "6" : "4",
	     type & SOCK_NONBLOCK ? " nonblock" : "");
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t size)
{
	const int *number = value;

	(void)fd;
	if (refuses(false))
		return -1;
	assert_int_equal(size, sizeof(*number));
	if (level == SOL_SOCKET && name == SO_REUSEADDR)
		note("reuseaddr=%d ", *number);
	else if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
		note("v6only=%d ", *number);
	else
		fail_msg("setsockopt(%d, %d) is not expected", level, name);
	return 0;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	const void *bytes = address;
	const struct sockaddr_in *in = bytes;
	const struct sockaddr_in6 *in6 = bytes;
	bool v6 = address->sa_family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	(void)fd;
	if (refuses(network.refuse_ipv6_bind && v6))
		return -1;
	assert_int_equal(size, v6 ? sizeof(*in6) : sizeof(*in));
	inet_ntop(address->sa_family,
		  v6 ? (const void *)&in6->sin6_addr
		     : (const void *)&in->sin_addr, text, sizeof(text));
	note("bind %s/%u ", text, ntohs(v6 ? in6->sin6_port : in->sin_port));
	return 0;
}

int __wrap_listen(int fd, int backlog)
{
	(void)fd;
	if (refuses(false))
		return -1;
	note("listen %d\n", backlog);
	return 0;
}

static void add(const char *url, bool dual)
{
	struct listener *l = &plan.listeners[plan.nlisteners++];

	memset(l, 0, sizeof(*l));
	l->url = url;
	l->dual = dual;
	if (strchr(url, '[') || dual) {
		l->address.in6.sin6_family = AF_INET6;
		l->address.in6.sin6_port = htons(80);
		l->address_size = sizeof(l->address.in6);
	} else {
		l->address.in.sin_family = AF_INET;
		l->address.in.sin_port = htons(80);
		l->address_size = sizeof(l->address.in);
	}
}

static int with_network(void **state)
{
	(void)state;
	memset(&network, 0, sizeof(network));
	network.error = EPERM;
	plan.nlisteners = 0;
	plan.handoff = HANDOFF_SYSTEMD;
	run.nsockets = 0;
	memset(&f, 0, sizeof(f));
	open_before = open_descriptors();
	return 0;
}

static int close_sockets(void **state)
{
	(void)state;
	while (run.nsockets > 0)
		close(run.sockets[--run.nsockets]);
	return 0;
}

static void a_socket_is_bound_and_listens(void **state)
{
	(void)state;
	add("tcp://0.0.0.0:80", false);
	add("tcp://[::]:80", false);
	add("tcp://*:80", true);
	assert_int_equal(listen_run(&plan, &run, &f), 0);
	assert_string_equal(network.log,
		"socket4 reuseaddr=1 bind 0.0.0.0/80 listen 4096\n"
		"socket6 reuseaddr=1 v6only=1 bind ::/80 listen 4096\n"
		"socket6 reuseaddr=1 v6only=0 bind ::/80 listen 4096\n");
	assert_int_equal(run.nsockets, 3);
	assert_int_equal(open_descriptors(), open_before + 3);
	assert_true(run.sockets[0] < run.sockets[1]);
	assert_true(run.sockets[1] < run.sockets[2]);
}

static void nginx_gets_non_blocking_sockets_and_its_backlog(void **state)
{
	(void)state;
	plan.handoff = HANDOFF_NGINX;
	add("tcp://0.0.0.0:80", false);
	assert_int_equal(listen_run(&plan, &run, &f), 0);
	assert_string_equal(network.log, "socket4 nonblock reuseaddr=1 "
					 "bind 0.0.0.0/80 listen 511\n");
}

static void each_refused_call_ends_listening_and_leaks_nothing(void **state)
{
	static const int errors[] = { EPERM, EACCES, EADDRINUSE, EMFILE,
				      ENOBUFS, EINVAL };
	int count;

	(void)state;
	add("tcp://0.0.0.0:80", false);
	add("tcp://[::]:80", false);
	add("tcp://*:80", true);
	assert_int_equal(listen_run(&plan, &run, &f), 0);
	close_sockets(NULL);
	count = network.calls;
	assert_int_equal(count, 4 + 5 + 5);
	for (int n = 1; n <= count; n++)
		for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
			size_t finished = n <= 4 ? 0 : n <= 9 ? 1 : 2;

			network.calls = 0;
			network.refuse = n;
			network.error = errors[i];
			assert_int_equal(listen_run(&plan, &run, &f), -1);
			assert_int_equal(network.calls, n);
			assert_fault(&f, EXIT_STEP, "listen tcp://");
			assert_has(f.what, plan.listeners[finished].url);
			assert_int_equal(f.err, errors[i]);
			assert_int_equal(run.nsockets, finished);
			assert_int_equal(open_descriptors(),
					 open_before + (int)finished);
			close_sockets(NULL);
		}
}

static void without_ipv6_a_dual_socket_falls_back_to_ipv4(void **state)
{
	(void)state;
	add("tcp://*:80", true);
	network.error = EAFNOSUPPORT;
	network.refuse_ipv6_socket = true;
	assert_int_equal(listen_run(&plan, &run, &f), 0);
	assert_string_equal(network.log, "socket4 reuseaddr=1 "
					 "bind 0.0.0.0/80 listen 4096\n");
	assert_int_equal(open_descriptors(), open_before + 1);
	close_sockets(NULL);
	with_network(NULL);
	add("tcp://*:80", true);
	network.error = EADDRNOTAVAIL;
	network.refuse_ipv6_bind = true;
	assert_int_equal(listen_run(&plan, &run, &f), 0);
	assert_has(network.log, "v6only=0 socket4 reuseaddr=1 "
				"bind 0.0.0.0/80 listen 4096\n");
	assert_int_equal(open_descriptors(), open_before + 1);
}

static void an_ipv6_address_never_falls_back(void **state)
{
	(void)state;
	add("tcp://[::]:80", false);
	network.error = EADDRNOTAVAIL;
	network.refuse_ipv6_bind = true;
	assert_int_equal(listen_run(&plan, &run, &f), -1);
	assert_has(f.hint, "IPv6 is off");
	assert_null(strstr(network.log, "socket4"));
}

static void a_dual_socket_falls_back_for_want_of_ipv6_only(void **state)
{
	(void)state;
	add("tcp://*:80", true);
	network.error = EADDRINUSE;
	network.refuse_ipv6_bind = true;
	assert_int_equal(listen_run(&plan, &run, &f), -1);
	assert_int_equal(f.err, EADDRINUSE);
	assert_null(strstr(network.log, "socket4"));
}

static void a_fallback_that_fails_is_a_failure(void **state)
{
	(void)state;
	add("tcp://*:80", true);
	network.error = EADDRNOTAVAIL;
	network.refuse_ipv6_bind = true;
	for (int n = 5; n <= 8; n++) {
		network.calls = 0;
		network.refuse = n;
		assert_int_equal(listen_run(&plan, &run, &f), -1);
		assert_int_equal(open_descriptors(), open_before);
	}
}

static void a_hint_says_what_stands_in_the_way(void **state)
{
	static const struct {
		const char *url;
		int error;
		const char *hint;
	} hints[] = {
		{ "tcp://0.0.0.0:80", EADDRINUSE, "holds the port" },
		{ "tcp://0.0.0.0:80", EADDRNOTAVAIL, "no interface" },
		{ "tcp://[::1]:80", EADDRNOTAVAIL, "IPv6 is off" },
		{ "tcp://[::1]:80", EAFNOSUPPORT, "IPv6 is off" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		with_network(NULL);
		add(hints[i].url, false);
		network.refuse = 1;
		network.error = hints[i].error;
		assert_int_equal(listen_run(&plan, &run, &f), -1);
		assert_has(f.hint, hints[i].hint);
	}
}

#define WITH_NETWORK(test) \
	cmocka_unit_test_setup_teardown(test, with_network, close_sockets)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NETWORK(a_socket_is_bound_and_listens),
		WITH_NETWORK(nginx_gets_non_blocking_sockets_and_its_backlog),
		WITH_NETWORK(each_refused_call_ends_listening_and_leaks_nothing),
		WITH_NETWORK(without_ipv6_a_dual_socket_falls_back_to_ipv4),
		WITH_NETWORK(an_ipv6_address_never_falls_back),
		WITH_NETWORK(a_dual_socket_falls_back_for_want_of_ipv6_only),
		WITH_NETWORK(a_fallback_that_fails_is_a_failure),
		WITH_NETWORK(a_hint_says_what_stands_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
