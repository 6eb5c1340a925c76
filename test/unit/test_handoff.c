#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

#include "run/env.h"
#include "listen/handoff.h"

/*
 * A table of descriptors: what each refers to, by number, 0 if it is closed.
 * The limit is low so that closing one by one ends soon.
 */
int __wrap_descriptor_control(int fd, int operation, int argument);
int __wrap_dup2(int from, int to);
int __real_close(int fd);
int __wrap_close(int fd);
long __wrap_syscall(long number, ...);
int __wrap_poll(struct pollfd *look, nfds_t count, int timeout);

enum { LIMIT = 24 };

static struct {
	bool real;		/* a sanitizer's calls come here too */
	int file[LIMIT];
	bool cloexec[LIMIT];
	int calls;
	int refuse;		/* this call, or none if 0 */
	int error;
	bool no_close_range;
} table = { .real = true };

static struct plan plan;
static struct run run;
static struct environment e;
static struct fault f;

static bool refuses(void)
{
	if (++table.calls != table.refuse)
		return false;
	errno = table.error;
	return true;
}

static bool is_open(int fd)
{
	if (fd >= 0 && fd < LIMIT && table.file[fd])
		return true;
	errno = EBADF;
	return false;
}

int __wrap_descriptor_control(int fd, int operation, int argument)
{
	if (refuses() || !is_open(fd))
		return -1;
	if (operation == F_SETFD) {
		table.cloexec[fd] = argument & FD_CLOEXEC;
		return 0;
	}
	assert_int_equal(operation, F_DUPFD_CLOEXEC);
	for (int to = argument; to < LIMIT; to++)
		if (!table.file[to]) {
			table.file[to] = table.file[fd];
			table.cloexec[to] = true;
			return to;
		}
	errno = EMFILE;
	return -1;
}

int __wrap_dup2(int from, int to)
{
	if (refuses() || !is_open(from))
		return -1;
	assert_true(to >= 3 && to < LIMIT);
	if (from != to) {
		table.file[to] = table.file[from];
		table.cloexec[to] = false;
	}
	return to;
}

int __wrap_close(int fd)
{
	if (table.real)
		return __real_close(fd);
	if (!is_open(fd))
		return -1;
	table.file[fd] = 0;
	return 0;
}

long __wrap_syscall(long number, ...)
{
	unsigned int first, last, flags;
	va_list words;

	va_start(words, number);
	first = va_arg(words, unsigned int);
	last = va_arg(words, unsigned int);
	flags = va_arg(words, unsigned int);
	va_end(words);
	assert_int_equal(number, SYS_close_range);
	assert_int_equal(last, UINT_MAX);
	assert_int_equal(flags, 0);
	if (table.no_close_range) {
		errno = ENOSYS;
		return -1;
	}
	for (; first < LIMIT; first++)
		table.file[first] = 0;
	return 0;
}

int __wrap_poll(struct pollfd *look, nfds_t count, int timeout)
{
	assert_int_equal(timeout, 0);
	for (nfds_t i = 0; i < count; i++)
		look[i].revents = is_open(look[i].fd) ? 0 : POLLNVAL;
	return 0;
}

/* Descriptors 0-2 and the sockets, which are files 103, 104, ... */
static void place_sockets(const int *places, size_t count)
{
	memset(&table, 0, sizeof(table));
	table.error = EPERM;
	for (int fd = 0; fd < 3; fd++)
		table.file[fd] = 1 + fd;
	run.nsockets = count;
	for (size_t i = 0; i < count; i++) {
		run.sockets[i] = places[i];
		table.file[places[i]] = 103 + (int)i;
		table.cloexec[places[i]] = true;
	}
}

/* Something inherited, wherever there is room. */
static void fill(int up_to)
{
	for (int fd = 3; fd < up_to; fd++)
		if (!table.file[fd])
			table.file[fd] = 50 + fd;
}

static void assert_arranged(void)
{
	int sockets = (int)run.nsockets;

	for (int fd = 0; fd < 3; fd++)
		assert_int_equal(table.file[fd], 1 + fd);
	for (int fd = 3; fd < 3 + sockets; fd++) {
		assert_int_equal(table.file[fd], 100 + fd);
		assert_false(table.cloexec[fd]);
		assert_int_equal(run.sockets[fd - 3], fd);
	}
	for (int fd = 3 + sockets; fd < LIMIT; fd++)
		assert_int_equal(table.file[fd], 0);
}

static int arrange(void)
{
	int result;

	table.real = false;
	result = handoff_arrange(&run, &f);
	table.real = true;
	return result;
}

static void wherever_the_sockets_are_they_end_up_in_order(void **state)
{
	(void)state;
	for (int a = 3; a < 10; a++)
		for (int b = 3; b < 10; b++)
			for (int c = 3; c < 10; c++)
				for (int i = 0; i < 4; i++) {
					const int places[] = { a, b, c };

					if (a == b || b == c || a == c)
						continue;
					place_sockets(places, 3);
					if (i & 1)
						fill(12);
					table.no_close_range = i & 2;
					assert_int_equal(arrange(), 0);
					assert_arranged();
				}
}

static void without_sockets_all_above_2_is_closed(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		place_sockets(NULL, 0);
		fill(LIMIT);
		table.no_close_range = i;
		assert_int_equal(arrange(), 0);
		assert_arranged();
	}
}

static void sockets_in_place_are_not_moved(void **state)
{
	static const int places[] = { 3, 4, 5 };

	(void)state;
	place_sockets(places, 3);
	fill(LIMIT);		/* no room to move to */
	assert_int_equal(arrange(), 0);
	assert_arranged();
	assert_int_equal(table.calls, 3);
}

static void each_refused_call_ends_the_handoff(void **state)
{
	static const int places[] = { 4, 3, 7 };
	int count;

	(void)state;
	place_sockets(places, 3);
	assert_int_equal(arrange(), 0);
	count = table.calls;
	assert_int_equal(count, 3 + 3 + 3);
	for (int n = 1; n <= count; n++) {
		place_sockets(places, 3);
		table.refuse = n;
		assert_int_equal(arrange(), -1);
		assert_int_equal(table.calls, n);
		assert_fault(&f, EXIT_STEP, n <= 6 ? "socket" : "descriptor");
		assert_int_equal(f.err, EPERM);
	}
}

static void without_room_to_move_the_handoff_ends(void **state)
{
	static const int places[] = { 4, 3 };

	(void)state;
	place_sockets(places, 2);
	fill(LIMIT - 1);
	assert_int_equal(arrange(), -1);
	assert_fault(&f, EXIT_STEP, "copy socket");
	assert_int_equal(f.err, EMFILE);
}

/* --- telling */

static void announce(size_t sockets)
{
	char *const nothing[] = { NULL };

	run.nsockets = plan.nlisteners = sockets;
	assert_int_equal(environ_build(&e, nothing, &plan, &f), 0);
	assert_int_equal(handoff_announce(&plan, &run, 4711, &e, &f), 0);
}

static void systemd_learns_count_pid_and_names(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.listeners[1].name = "web=tcp://...";
	plan.listeners[1].name_length = 3;
	announce(3);
	assert_string_equal(environ_get(&e, "LISTEN_FDS"), "3");
	assert_string_equal(environ_get(&e, "LISTEN_PID"), "4711");
	assert_string_equal(environ_get(&e, "LISTEN_FDNAMES"),
			    "unknown:web:unknown");
	assert_null(environ_get(&e, "NGINX"));
}

static void nginx_learns_the_numbers_each_with_a_semicolon(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.handoff = HANDOFF_NGINX;
	announce(1);
	assert_string_equal(environ_get(&e, "NGINX"), "3;");
	announce(3);
	assert_string_equal(environ_get(&e, "NGINX"), "3;4;5;");
	assert_null(environ_get(&e, "LISTEN_FDS"));
}

static void without_sockets_nothing_is_told(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	announce(0);
	assert_null(environ_get(&e, "LISTEN_FDS"));
	assert_null(environ_get(&e, "LISTEN_PID"));
	assert_null(environ_get(&e, "LISTEN_FDNAMES"));
}

static void as_many_sockets_as_a_plan_holds_are_told(void **state)
{
	static char name[LISTENER_NAME_MAX];

	(void)state;
	memset(&plan, 0, sizeof(plan));
	memset(name, 'n', sizeof(name));
	for (size_t i = 0; i < PLAN_MAX_LISTENERS; i++) {
		plan.listeners[i].name = name;
		plan.listeners[i].name_length = sizeof(name);
	}
	announce(PLAN_MAX_LISTENERS);
	assert_string_equal(environ_get(&e, "LISTEN_FDS"), "128");
	assert_int_equal(strlen(environ_get(&e, "LISTEN_FDNAMES")),
			 PLAN_MAX_LISTENERS * (LISTENER_NAME_MAX + 1) - 1);
	plan.handoff = HANDOFF_NGINX;
	announce(PLAN_MAX_LISTENERS);
	assert_has(environ_get(&e, "NGINX"), ";129;130;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wherever_the_sockets_are_they_end_up_in_order),
		cmocka_unit_test(without_sockets_all_above_2_is_closed),
		cmocka_unit_test(sockets_in_place_are_not_moved),
		cmocka_unit_test(each_refused_call_ends_the_handoff),
		cmocka_unit_test(without_room_to_move_the_handoff_ends),
		cmocka_unit_test(systemd_learns_count_pid_and_names),
		cmocka_unit_test(nginx_learns_the_numbers_each_with_a_semicolon),
		cmocka_unit_test(without_sockets_nothing_is_told),
		cmocka_unit_test(as_many_sockets_as_a_plan_holds_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
