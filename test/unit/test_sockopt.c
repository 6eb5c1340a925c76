#include "unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "listen/sockopt.h"
#include "base/text.h"
#include "listen/url.h"

/* A kernel that notes what is set, and refuses one call. */
int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t size);
int __wrap_getsockopt(int fd, int level, int name, void *value,
		      socklen_t *size);
void __wrap_say_warning(const struct fault *f);

static struct {
	int calls;
	int refuse;
	int error;
	bool privileged;	/* SO_RCVBUFFORCE works */
	int most;		/* what a buffer gets without */
	int buffer;
	int warnings;
	char log[512];
} kernel;

static struct fault f;

int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t size)
{
	size_t length = strlen(kernel.log);
	bool force = level == SOL_SOCKET &&
		     (name == SO_RCVBUFFORCE || name == SO_SNDBUFFORCE);
	int number = 0;

	assert_int_equal(fd, 7);
	kernel.calls++;
	errno = force ? EPERM : kernel.error;
	if (kernel.calls == kernel.refuse || (force && !kernel.privileged))
		return -1;
	if (name == SO_BINDTODEVICE && level == SOL_SOCKET) {
		snprintf(kernel.log + length, sizeof(kernel.log) - length,
			 "device=%.*s ", (int)size, (const char *)value);
		return 0;
	}
	assert_int_equal(size, sizeof(number));
	memcpy(&number, value, sizeof(number));
	if (level == SOL_SOCKET && (name == SO_RCVBUF || name == SO_SNDBUF))
		kernel.buffer = number > kernel.most ? kernel.most : number;
	snprintf(kernel.log + length, sizeof(kernel.log) - length,
		 "%d/%d=%d ", level, name, number);
	return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value,
		      socklen_t *size)
{
	(void)fd;
	(void)level;
	(void)name;
	assert_int_equal(*size, sizeof(int));
	*(int *)value = 2 * kernel.buffer;
	return 0;
}

void __wrap_say_warning(const struct fault *warning)
{
	kernel.warnings++;
	f = *warning;
}

static int set(const char *url, int family)
{
	struct listener l;
	char why[256];
	struct text wrong;

	text_start(&wrong, why, sizeof(why));
	if (!url_parse(url, &l, &wrong))
		fail_msg("%s: %s", url, why);
	kernel.calls = 0;
	kernel.log[0] = '\0';
	return sockopt_set(7, &l, family, &f);
}

static int fresh(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memset(&f, 0, sizeof(f));
	kernel.error = EINVAL;
	return 0;
}

static void assert_log(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void assert_log(const char *format, ...)
{
	char wanted[512];
	va_list words;

	va_start(words, format);
	vsnprintf(wanted, sizeof(wanted), format, words);
	va_end(words);
	assert_string_equal(kernel.log, wanted);
}

static void only_ours_are_set_unasked(void **state)
{
	(void)state;
	assert_int_equal(set("tcp://0.0.0.0:80", AF_INET), 0);
	assert_log("%d/%d=1 ", SOL_SOCKET, SO_REUSEADDR);
	assert_int_equal(set("tcp://[::]:80", AF_INET6), 0);
	assert_log("%d/%d=1 %d/%d=1 ", SOL_SOCKET, SO_REUSEADDR, IPPROTO_IPV6,
		   IPV6_V6ONLY);
	assert_int_equal(set("tcp://*:80", AF_INET6), 0);
	assert_log("%d/%d=1 %d/%d=0 ", SOL_SOCKET, SO_REUSEADDR, IPPROTO_IPV6,
		   IPV6_V6ONLY);
	assert_int_equal(set("udp://0.0.0.0:80", AF_INET), 0);
	assert_log("%s", "");
	assert_int_equal(set("unix:/s", AF_UNIX), 0);
	assert_log("%s", "");
}

/* Where "*" fell back to IPv4 there is no IPV6_V6ONLY to set. */
static void the_family_is_that_of_the_socket(void **state)
{
	(void)state;
	assert_int_equal(set("udp://*:80", AF_INET), 0);
	assert_log("%s", "");
	assert_int_equal(set("udp://[::]:80?v6only=0", AF_INET6), 0);
	assert_log("%d/%d=0 ", IPPROTO_IPV6, IPV6_V6ONLY);
}

static void what_is_asked_for_is_set(void **state)
{
	(void)state;
	kernel.privileged = true;
	assert_int_equal(set("udp://0.0.0.0:80?reuseport=9&freebind&transparent"
			     "&mark=5&device=eth0&rcvbuf=100&sndbuf=200",
			     AF_INET),
			 0);
	assert_log("%d/%d=1 %d/%d=1 %d/%d=1 %d/%d=5 device=eth0 %d/%d=100 %d/%d=200 ",
		   SOL_SOCKET, SO_REUSEPORT, IPPROTO_IP, IP_FREEBIND,
		   IPPROTO_IP, IP_TRANSPARENT, SOL_SOCKET, SO_MARK, SOL_SOCKET,
		   SO_RCVBUFFORCE, SOL_SOCKET, SO_SNDBUFFORCE);
}

static void each_refused_option_ends_it_and_is_named(void **state)
{
	static const char *const names[] = { "SO_REUSEADDR", "v6only",
					     "reuseport", "freebind",
					     "transparent", "nodelay",
					     "keepalive", "defer-accept",
					     "fastopen", "mark", "device" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		kernel.refuse = (int)i + 1;
		assert_int_equal(set("tcp://[::]:80?reuseport&freebind"
				     "&transparent&nodelay&keepalive"
				     "&defer-accept=1&fastopen=1&mark=1"
				     "&device=lo", AF_INET6),
				 -1);
		assert_int_equal(kernel.calls, i + 1);
		assert_fault(&f, EXIT_STEP, "set ");
		assert_has(f.what, names[i]);
		assert_int_equal(f.err, EINVAL);
	}
}

static void a_buffer_that_is_cut_is_a_warning(void **state)
{
	(void)state;
	kernel.most = 100;
	assert_int_equal(set("unix:/s?rcvbuf=100&sndbuf=99", AF_UNIX), 0);
	assert_int_equal(kernel.warnings, 0);
	assert_int_equal(set("unix:/s?rcvbuf=101", AF_UNIX), 0);
	assert_int_equal(kernel.warnings, 1);
	assert_has(f.what, "rcvbuf is 100");
	assert_has(f.hint, "rmem_max");
	assert_int_equal(set("unix:/s?sndbuf=101", AF_UNIX), 0);
	assert_int_equal(kernel.warnings, 2);
	assert_has(f.hint, "wmem_max");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_ours_are_set_unasked, fresh),
		cmocka_unit_test_setup(the_family_is_that_of_the_socket, fresh),
		cmocka_unit_test_setup(what_is_asked_for_is_set, fresh),
		cmocka_unit_test_setup(each_refused_option_ends_it_and_is_named,
				       fresh),
		cmocka_unit_test_setup(a_buffer_that_is_cut_is_a_warning, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
