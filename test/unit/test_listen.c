#include "unit.h"

#include <fcntl.h>

#include "base/str.h"
#include "listen/listen.h"

/* What is inherited, and no --listen. */
static int run(const struct inherited *i, enum handoff handoff,
	       struct sockets *sockets, struct fault *f)
{
	static struct listen_spec spec;

	spec.inherited = *i;
	spec.handoff = handoff;
	memset(sockets, 0, sizeof(*sockets));
	return listen_run(&spec, sockets, f);
}

static int read_from(struct inherited *i, struct fault *f, const char *fds,
		     const char *pid, const char *names)
{
	char buffer[3][128];
	const char *env[5] = { "LISTEN_FDSX=9", NULL };
	static struct sockets sockets;
	size_t count = 1;

	memset(i, 0, sizeof(*i));
	if (fds) {
		snprintf(buffer[0], 128, "LISTEN_FDS=%s", fds);
		env[count++] = buffer[0];
	}
	if (pid) {
		snprintf(buffer[1], 128, "LISTEN_PID=%s", pid);
		env[count++] = buffer[1];
	}
	if (names) {
		snprintf(buffer[2], 128, "LISTEN_FDNAMES=%s", names);
		env[count++] = buffer[2];
	}
	if (inherited_read(i, (char *const *)(uintptr_t)env, f) < 0)
		return -1;
	return run(i, HANDOFF_SYSTEMD, &sockets, f);
}

/* Descriptors 3 and 4 are sockets while a test runs. */
static int open_two(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	if (fd < 0 || dup2(fd, 3) < 0 || dup2(fd, 4) < 0)
		return -1;
	if (fd > 4)
		close(fd);
	return 0;
}

TEST_AFTER(open_two, without_LISTEN_FDS_there_is_nothing)
{
	struct inherited i;
	struct fault f;

	assert_int_equal(read_from(&i, &f, NULL, "1", "a:b"), 0);
	assert_int_equal(i.count, 0);
	assert_int_equal(read_from(&i, &f, "0", "1", ""), 0);
	assert_int_equal(i.count, 0);
}

TEST_AFTER(open_two, ours_are_taken_with_or_without_a_pid)
{
	struct inherited i;
	struct fault f;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(read_from(&i, &f, "2", pid, "a:b"), 0);
	assert_int_equal(i.count, 2);
	assert_int_equal(read_from(&i, &f, "2", NULL, NULL), 0);
	assert_int_equal(i.count, 2);
}

TEST_AFTER(open_two, those_of_another_process_are_refused)
{
	static const char *const pids[] = { "1", "", "0", "-1", "x",
					    "99999999999999999999" };
	struct inherited i;
	struct fault f;

	for (size_t n = 0; n < ARRAY_LEN(pids); n++) {
		assert_int_equal(read_from(&i, &f, "2", pids[n], NULL), -1);
		assert_fault(&f, EXIT_USAGE, "LISTEN_PID is '");
		assert_has(f.hint, "meant for another process");
	}
}

TEST_AFTER(open_two, a_count_is_a_number_up_to_256)
{
	static const char *const counts[] = { "", "-1", "+1", "257", "1 ",
					      "4294967297", "one" };
	struct inherited i;
	struct fault f;

	for (size_t n = 0; n < ARRAY_LEN(counts); n++) {
		assert_int_equal(read_from(&i, &f, counts[n], NULL, NULL), -1);
		assert_fault(&f, EXIT_USAGE, "LISTEN_FDS is '");
	}
}

TEST_AFTER(open_two, each_is_an_open_socket)
{
	struct inherited i;
	struct fault f;

	close(5);
	assert_int_equal(read_from(&i, &f, "3", NULL, NULL), -1);
	assert_fault(&f, EXIT_USAGE, "descriptor 5 is no socket");
	assert_int_equal(open("/dev/null", O_RDONLY), 5);
	assert_int_equal(read_from(&i, &f, "3", NULL, NULL), -1);
	assert_fault(&f, EXIT_USAGE, "descriptor 5 is no socket");
	close(5);
}

/* What the variables say, one a line. */
static const char *announced(const struct sockets *sockets,
			     enum handoff handoff, pid_t pid)
{
	static char all[256];
	struct text out;

	text_start(&out, all, sizeof(all));
	for (size_t n = 0;; n++) {
		size_t before = out.length;

		if (!sockets_variable(sockets, handoff, pid, n, &out))
			break;
		if (out.length > before)
			text_add(&out, "\n");
	}
	return all;
}

TEST_AFTER(open_two, they_are_kept_in_front_and_closed_on_execve)
{
	struct inherited i = { .count = 2, .names = "a:b" };
	static struct sockets sockets;
	struct fault f;

	assert_int_equal(run(&i, HANDOFF_SYSTEMD, &sockets, &f), 0);
	assert_int_equal(sockets.count, 2);
	for (int n = 0; n < 2; n++) {
		assert_int_equal(sockets.all[n].fd, 3 + n);
		assert_int_equal(fcntl(3 + n, F_GETFD), FD_CLOEXEC);
		assert_false(fcntl(3 + n, F_GETFL) & O_NONBLOCK);
	}
	sockets.all[sockets.count++] = (struct handed){ .fd = 9 };
	assert_string_equal(announced(&sockets, HANDOFF_SYSTEMD, 7),
			    "LISTEN_FDS=3\nLISTEN_FDNAMES=a:b:unknown\n"
			    "LISTEN_PID=7\n");
	assert_string_equal(announced(&sockets, HANDOFF_SYSTEMD, 0),
			    "LISTEN_FDS=3\nLISTEN_FDNAMES=a:b:unknown\n");
}

TEST_AFTER(open_two, without_names_they_are_unknown)
{
	struct inherited i = { .count = 2 };
	static struct sockets sockets;
	struct fault f;

	assert_int_equal(run(&i, HANDOFF_NGINX, &sockets, &f), 0);
	assert_true(fcntl(3, F_GETFL) & O_NONBLOCK);
	assert_string_equal(announced(&sockets, HANDOFF_SYSTEMD, 0),
			    "LISTEN_FDS=2\nLISTEN_FDNAMES=unknown:unknown\n");
	assert_string_equal(announced(&sockets, HANDOFF_NGINX, 7),
			    "NGINX=3;4;\n");
	sockets.count = 0;
	assert_string_equal(announced(&sockets, HANDOFF_NGINX, 7), "");
	assert_string_equal(announced(&sockets, HANDOFF_SYSTEMD, 7), "");
}
