#include "unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "listen/holder.h"

/* Bind a socket and say of the listener what it got. */
static int hold(struct listener *l, enum listener_kind kind, int family,
		int type)
{
	int fd = socket(family, type, 0);
	socklen_t size = sizeof(l->address);

	memset(l, 0, sizeof(*l));
	l->kind = kind;
	l->address.any.sa_family = (sa_family_t)family;
	l->address_size = family == AF_INET ? sizeof(l->address.in)
					    : sizeof(sa_family_t);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &l->address.any, l->address_size), 0);
	assert_int_equal(getsockname(fd, &l->address.any, &size), 0);
	l->address_size = size;
	if (type != SOCK_DGRAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void assert_held(enum listener_kind kind, int family, int type)
{
	struct listener l;
	struct holder h = { 0 };
	int fd = hold(&l, kind, family, type);

	assert_true(holder_find(&l, &h));
	assert_int_equal(h.pid, getpid());
	assert_has("test_holder", h.name[0] ? h.name : "nothing");
	close(fd);
	assert_false(holder_find(&l, &h));
}

static void a_port_is_held_by_who_bound_it(void **state)
{
	(void)state;
	assert_held(LISTENER_TCP, AF_INET, SOCK_STREAM);
	assert_held(LISTENER_UDP, AF_INET, SOCK_DGRAM);
}

/* Bound without a name, a unix socket gets an abstract one from the kernel. */
static void an_abstract_name_is_held_by_who_bound_it(void **state)
{
	(void)state;
	assert_held(LISTENER_UNIX, AF_UNIX, SOCK_STREAM);
	assert_held(LISTENER_UNIX_DGRAM, AF_UNIX, SOCK_DGRAM);
	assert_held(LISTENER_UNIX_SEQPACKET, AF_UNIX, SOCK_SEQPACKET);
}

static void a_port_of_the_other_protocol_is_not(void **state)
{
	struct listener l;
	struct holder h;
	int fd = hold(&l, LISTENER_TCP, AF_INET, SOCK_STREAM);

	(void)state;
	l.kind = LISTENER_UDP;
	assert_false(holder_find(&l, &h));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_held_by_who_bound_it),
		cmocka_unit_test(an_abstract_name_is_held_by_who_bound_it),
		cmocka_unit_test(a_port_of_the_other_protocol_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
