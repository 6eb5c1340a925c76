/*
 * binder: an application that binds, in good faith and in bad.
 *
 * The tests of --handoff=bind start it through stepdown. It shares no code
 * with shim/, uses no library but libc, and prints one line for each thing
 * that it did: "KEY=VALUE". Its exit status is 0 if all was as it must be.
 *
 * "stepdown" has served what the kernel alone would have refused, for the port
 * is below the start, and what has another SO_COOKIE than before; "kernel" means
 * neither.
 *
 *	binder bind SPEC...	see str_spec(); all stay open
 *	binder hold SPEC...	the same, then sleep until killed
 *	...			see the table at the end
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

enum { PATIENCE = 60000 };	/* milliseconds; the machine may be busy */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* ---- what all share ---- */

static const char *name_of(int err)
{
	static const struct {
		int number;
		const char *name;
	} known[] = {
		{ 0, "ok" },
		{ EACCES, "EACCES" },
		{ EADDRINUSE, "EADDRINUSE" },
		{ EAFNOSUPPORT, "EAFNOSUPPORT" },
		{ EBADF, "EBADF" },
		{ EFAULT, "EFAULT" },
		{ EINVAL, "EINVAL" },
		{ ENOSYS, "ENOSYS" },
		{ ENOTSOCK, "ENOTSOCK" },
		{ EPERM, "EPERM" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].number == err)
			return known[i].name;
	return strerror(err);
}

__attribute__((noreturn)) static void die(const char *what)
{
	printf("error=%s: %s\n", what, name_of(errno));
	fflush(stdout);
	_exit(99);
}

static void set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		die("setsockopt");
}

static int get(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	if (getsockopt(fd, level, name, &value, &size) < 0)
		return -1;
	return value;
}

static uint64_t cookie(int fd)
{
	uint64_t value = 0;
	socklen_t size = sizeof(value);

	getsockopt(fd, SOL_SOCKET, 57 /* SO_COOKIE */, &value, &size);
	return value;
}

/* The first port that needs no privilege. */
static unsigned int port_start(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start",
			   "re");
	unsigned int start = 1024;

	if (file && fscanf(file, "%u", &start) != 1)
		die("fscanf");
	if (file)
		fclose(file);
	return start;
}

static union address v4(const char *host, unsigned int port)
{
	union address a = { .in = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port) } };

	if (inet_pton(AF_INET, host, &a.in.sin_addr) != 1)
		die("inet_pton");
	return a;
}

static union address v6(const char *host, unsigned int port)
{
	union address a = { .in6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons((uint16_t)port) } };

	if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1)
		die("inet_pton");
	return a;
}

static int open_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

/* 0, or an errno. */
static int bind4(int fd, unsigned int port)
{
	union address a = v4("0.0.0.0", port);

	return bind(fd, &a.any, sizeof(a.in)) < 0 ? errno : 0;
}

static unsigned int port_of(int fd)
{
	union address a;
	socklen_t size = sizeof(a);

	if (getsockname(fd, &a.any, &size) < 0)
		return 0;
	return ntohs(a.in.sin_port);	/* at the same place in in6 */
}

static void pause_us(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

static unsigned int number_in(const char *word)
{
	return (unsigned int)atoi(word);
}

static int expect(const char *what, const char *is, const char *wanted)
{
	printf("%s=%s%s%s\n", what, is, strcmp(is, wanted) ? " but wanted " : "",
	       strcmp(is, wanted) ? wanted : "");
	fflush(stdout);
	return strcmp(is, wanted) != 0;
}

static int expect_number(const char *what, long is, long wanted)
{
	char a[32], b[32];

	snprintf(a, sizeof(a), "%ld", is);
	snprintf(b, sizeof(b), "%ld", wanted);
	return expect(what, a, b);
}

static int expect_bind(const char *what, int fd, unsigned int port,
		       const char *wanted)
{
	return expect(what, name_of(bind4(fd, port)), wanted);
}

/* ---- bind and hold ---- */

/*
 * KIND:ADDRESS:PORT[,WORD...] with KIND tcp4, tcp6, udp4, udp6, mptcp4, or
 * unix:PATH. Words: v6only=0, v6only=1, reuseaddr, reuseport, pktinfo,
 * freebind, keepalive, nonblock, cloexec, listen, close (after all that).
 */
static int try_spec(const char *spec, size_t number)
{
	static const struct {
		const char *name;
		int family, type, protocol;
	} kinds[] = {
		{ "tcp4:", AF_INET, SOCK_STREAM, 0 },
		{ "tcp6:", AF_INET6, SOCK_STREAM, 0 },
		{ "udp4:", AF_INET, SOCK_DGRAM, 0 },
		{ "udp6:", AF_INET6, SOCK_DGRAM, 0 },
		{ "mptcp4:", AF_INET, SOCK_STREAM, 262 },
		{ "unix:", AF_UNIX, SOCK_STREAM, 0 },
		{ "unix-dgram:", AF_UNIX, SOCK_DGRAM, 0 },
	};
	char copy[256], *at, *word, *words;
	union address a;
	socklen_t size;
	uint64_t before;
	bool listens = false, closes = false;
	size_t k = 0;
	int fd, err;

	snprintf(copy, sizeof(copy), "%s", spec);
	while (k < ARRAY_LEN(kinds) &&
	       strncmp(copy, kinds[k].name, strlen(kinds[k].name)) != 0)
		k++;
	if (k == ARRAY_LEN(kinds))
		die(spec);
	at = copy + strlen(kinds[k].name);
	words = strchr(at, ',');
	if (words)
		*words++ = '\0';
	fd = socket(kinds[k].family, kinds[k].type, kinds[k].protocol);
	if (fd < 0)
		die("socket");
	while ((word = strsep(&words, ",")) != NULL) {
		if (strncmp(word, "v6only=", 7) == 0)
			set(fd, IPPROTO_IPV6, IPV6_V6ONLY, word[7] == '1');
		else if (strcmp(word, "reuseport") == 0)
			set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
		else if (strcmp(word, "reuseaddr") == 0)
			set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		else if (strcmp(word, "pktinfo") == 0)
			set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		else if (strcmp(word, "freebind") == 0)
			set(fd, IPPROTO_IP, IP_FREEBIND, 1);
		else if (strcmp(word, "keepalive") == 0)
			set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		else if (strcmp(word, "nonblock") == 0)
			fcntl(fd, F_SETFL, O_NONBLOCK);
		else if (strcmp(word, "cloexec") == 0)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
		else if (strcmp(word, "listen") == 0)
			listens = true;
		else if (strcmp(word, "close") == 0)
			closes = true;
		else
			die(word);
	}
	if (kinds[k].family == AF_UNIX) {
		memset(&a, 0, sizeof(a));
		a.un.sun_family = AF_UNIX;
		strcpy(a.un.sun_path, at);
		size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				   strlen(at) + 1);
	} else {
		char *port = strrchr(at, ':');

		*port++ = '\0';
		a = kinds[k].family == AF_INET
			    ? v4(at, number_in(port))
			    : v6(at, number_in(port));
		size = kinds[k].family == AF_INET ? sizeof(a.in)
						  : sizeof(a.in6);
	}
	before = cookie(fd);
	err = bind(fd, &a.any, size) < 0 ? errno : 0;
	printf("bind.%zu=%s\n", number, name_of(err));
	printf("by.%zu=%s\n", number,
	       cookie(fd) != before ||
			       (port_of(fd) && port_of(fd) < port_start())
		       ? "stepdown" : "kernel");
	printf("v6only.%zu=%d\n", number, get(fd, IPPROTO_IPV6, IPV6_V6ONLY));
	printf("keepalive.%zu=%d\n", number, get(fd, SOL_SOCKET, SO_KEEPALIVE));
	printf("reuseport.%zu=%d\n", number, get(fd, SOL_SOCKET, SO_REUSEPORT));
	printf("reuseaddr.%zu=%d\n", number, get(fd, SOL_SOCKET, SO_REUSEADDR));
	printf("pktinfo.%zu=%d\n", number, get(fd, IPPROTO_IP, IP_PKTINFO));
	printf("freebind.%zu=%d\n", number, get(fd, IPPROTO_IP, IP_FREEBIND));
	printf("protocol.%zu=%d\n", number, get(fd, SOL_SOCKET, SO_PROTOCOL));
	printf("nonblock.%zu=%d\n", number,
	       (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	printf("cloexec.%zu=%d\n", number,
	       (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	if (!err && listens)
		printf("listen.%zu=%s\n", number,
		       name_of(listen(fd, 16) < 0 ? errno : 0));
	if (closes)
		close(fd);
	fflush(stdout);
	return err != 0;
}

static int do_bind(char **argv)
{
	int result = 0;

	for (size_t i = 0; argv[i]; i++)
		result |= try_spec(argv[i], i);
	return result;
}

static int do_hold(char **argv)
{
	int result = do_bind(argv);

	printf("held=%d\n", result);
	fflush(stdout);
	while (pause() < 0)
		;
	return 1;
}

/* ---- in good faith ---- */

/* PORT N: one after the other, each bound, listening, and closed. */
static int do_again(char **argv)
{
	int good = 0;

	for (int i = 0; i < atoi(argv[1]); i++) {
		int fd = open_tcp();

		good += bind4(fd, number_in(argv[0])) == 0 &&
			listen(fd, 8) == 0;
		close(fd);
	}
	return expect_number("served", good, atoi(argv[1]));
}

/* PORT: answer one request, and end: whoever started it starts it again. */
static int do_once(char **argv)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\nserved\n";
	int server = open_tcp(), peer, err;

	set(server, SOL_SOCKET, SO_REUSEADDR, 1);
	err = bind4(server, number_in(argv[0]));
	if (err || listen(server, 64) < 0)
		die("bind");
	peer = accept(server, NULL, NULL);
	if (peer < 0 || write(peer, answer, sizeof(answer) - 1) < 0)
		die("answer");
	shutdown(peer, SHUT_WR);
	while (read(peer, (char[512]){ 0 }, 512) > 0)
		;
	return 0;
}

/*
 * PORT: each length that the kernel takes, up to a whole sockaddr_storage, and
 * one more.
 */
static int do_lengths(char **argv)
{
	struct sockaddr_storage storage = { 0 };
	union address a = v4("127.0.0.1", number_in(argv[0]));
	int result = 0;

	memcpy(&storage, &a, sizeof(a.in));
	for (socklen_t n = 15; n <= sizeof(storage) + 1; n++) {
		const char *wanted = n < sizeof(a.in) || n > sizeof(storage)
					     ? "EINVAL"
					     : "ok";
		int fd = open_tcp();
		int err = bind(fd, (struct sockaddr *)&storage, n) < 0 ? errno
								       : 0;

		if (strcmp(name_of(err), wanted) != 0) {
			printf("length=%u\n", n);
			result |= expect("bind", name_of(err), wanted);
		}
		close(fd);
	}
	return result;
}

/* PORT: without a family 0.0.0.0 is one of IPv4, and no other address is. */
static int do_no_family(char **argv)
{
	static const struct {
		const char *address, *wanted;
	} rows[] = { { "0.0.0.0", "ok" }, { "127.0.0.1", "EAFNOSUPPORT" } };
	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		union address a = v4(rows[i].address, number_in(argv[0]));
		int fd = open_tcp();
		int err;

		a.any.sa_family = AF_UNSPEC;
		err = bind(fd, &a.any, sizeof(a.in)) < 0 ? errno : 0;
		result |= expect(rows[i].address, name_of(err), rows[i].wanted);
		close(fd);
	}
	return result;
}

/* PORT: a second bind of one socket is EINVAL, as ever. */
static int do_twice(char **argv)
{
	unsigned int port = number_in(argv[0]);
	int fd = open_tcp();

	return expect_bind("first", fd, port, "ok") |
	       expect_bind("second", fd, port, "EINVAL");
}

static int connect_to(unsigned int port)
{
	union address a = v4("127.0.0.1", port);
	int fd = open_tcp();

	if (connect(fd, &a.any, sizeof(a.in)) == 0)
		return fd;
	close(fd);
	return -1;
}

/*
 * PORT TIMES: bind, listen, serve one; while it listens a second listen(2) is
 * EADDRINUSE; close, and the port refuses; again at once.
 */
static int do_restart(char **argv)
{
	unsigned int port = number_in(argv[0]);
	int result = 0;

	for (int i = atoi(argv[1]); i > 0; i--) {
		int server = open_tcp(), client, peer;

		set(server, SOL_SOCKET, SO_REUSEADDR, 1);
		result |= expect("before", connect_to(port) < 0 ? "refused"
							       : "accepted",
				 "refused");
		result |= expect_bind("bind", server, port, "ok");
		result |= expect("bound", connect_to(port) < 0 ? "refused"
							      : "accepted",
				 "refused");
		if (listen(server, 8) < 0)
			die("listen");
		client = connect_to(port);
		peer = client < 0 ? -1 : accept(server, NULL, NULL);
		result |= expect("listening", peer < 0 ? "refused" : "accepted",
				 "accepted");
		close(server);	/* with a connection still there */
		result |= expect("closed", connect_to(port) < 0 ? "refused"
							       : "accepted",
				 "refused");
	}
	return result;
}

/* PORT: one listens; another binds, and its listen fails. */
static int do_conflict(char **argv)
{
	unsigned int port = number_in(argv[0]);
	int first = open_tcp(), second = open_tcp(), err;

	if (bind4(first, port) != 0 || listen(first, 8) < 0)
		die("first");
	err = bind4(second, port);
	printf("open=%s\n", name_of(err));
	set(first, SOL_SOCKET, SO_REUSEADDR, 1);
	set(second, SOL_SOCKET, SO_REUSEADDR, 1);
	return expect("second", name_of(err), "EADDRINUSE") |
	       expect_bind("reuseaddr", second, port, "EADDRINUSE");
}

/* PORT N: N workers with SO_REUSEPORT, all of which listen. */
static int do_reuseport(char **argv)
{
	int fds[256], n = atoi(argv[1]), seen = 0;

	for (int i = 0; i < n; i++) {
		int err;

		fds[i] = open_tcp();
		set(fds[i], SOL_SOCKET, SO_REUSEPORT, 1);
		err = bind4(fds[i], number_in(argv[0]));
		if (!err)
			err = listen(fds[i], 512) < 0 ? errno : 0;
		if (expect("worker", name_of(err), "ok"))
			return 1;
	}
	/* All of them get connections. */
	for (int i = 0; i < 40 * n; i++)
		if (connect_to(number_in(argv[0])) < 0)
			die("connect");
	for (int i = 0; i < n; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLIN };

		seen += poll(&p, 1, PATIENCE) == 1;
	}
	return expect_number("workers with connections", seen, n);
}

static void *bind_in_thread(void *argument)
{
	unsigned int *port = argument;
	int fd = open_tcp();
	int err;

	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	err = bind4(fd, *port);
	if (err == 0 && get(fd, SOL_SOCKET, SO_KEEPALIVE) != 1)
		err = ENOPROTOOPT;
	*port = (unsigned int)err;
	return NULL;
}

/* FIRST-PORT N: N threads at once, each another port; options are kept. */
static int do_threads(char **argv)
{
	unsigned int ports[64];
	pthread_t threads[64];
	int n = atoi(argv[1]), result = 0;

	for (int i = 0; i < n; i++) {
		ports[i] = (unsigned int)(atoi(argv[0]) + i);
		if (pthread_create(&threads[i], NULL, bind_in_thread,
				   &ports[i]) != 0)
			die("pthread_create");
	}
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		result |= expect("thread", name_of((int)ports[i]), "ok");
	}
	return result;
}

static void *bind_after_leader(void *argument)
{
	unsigned int port = (unsigned int)(uintptr_t)argument;

	pause_us(100000);
	fflush(stdout);
	exit(expect_bind("bind", open_tcp(), port, "ok"));
}

/* PORT: the first thread has ended when another one binds. */
static int do_leaderless(char **argv)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, bind_after_leader,
			   (void *)(uintptr_t)atoi(argv[0])) != 0)
		die("pthread_create");
	pthread_exit(NULL);
}

/* A thread with descriptors of its own: its leader has another socket there. */
static void *bind_unshared(void *argument)
{
	unsigned int *port = argument;
	int fd;

	if (unshare(CLONE_FILES) < 0)
		die("unshare");
	fd = open_tcp();
	*port = (unsigned int)bind4(fd, *port);
	if (*port == 0 && port_of(fd) == 0)
		*port = ENOTSOCK;
	return NULL;
}

static int do_unshared(char **argv)
{
	unsigned int port = number_in(argv[0]);
	pthread_t thread;

	pthread_create(&thread, NULL, bind_unshared, &port);
	pthread_join(thread, NULL);
	return expect("bind", name_of((int)port), "ok");
}

/* PORT: the child of a child that has ended, in its own session. */
static int do_daemon(char **argv)
{
	int done[2];
	int err = -1;

	if (pipe(done) < 0)
		die("pipe");
	if (fork() == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		pause_us(100000);
		err = bind4(open_tcp(), number_in(argv[0]));
		if (write(done[1], &err, sizeof(err)) < 0)
			_exit(1);
		_exit(0);
	}
	if (read(done[0], &err, sizeof(err)) < 0)
		die("read");
	return expect("daemon", name_of(err), "ok");
}

static const struct itimerval every = { { 0, 60 }, { 0, 60 } };
static volatile int alarms;	/* since the last bind(2) */

/* Not more of them: a busy machine may never answer that soon. */
static void count_alarm(int number)
{
	const struct itimerval never = { 0 };

	(void)number;
	if (++alarms == 4)
		setitimer(ITIMER_REAL, &never, NULL);
}

/*
 * FIRST-PORT PORTS TIMES [FAILS]: TIMES binds to each of the ports in turn,
 * while a signal comes every 60 microseconds, up to four times.
 */
static int do_timer(char **argv)
{
	const struct sigaction action = { .sa_handler = count_alarm,
					  .sa_flags = SA_RESTART };
	const char *wanted = argv[3] ? argv[3] : "ok";
	int ports = atoi(argv[1]), times = atoi(argv[2]);
	int good = 0;

	sigaction(SIGALRM, &action, NULL);
	for (int i = 0; i < ports * times; i++) {
		int fd = open_tcp(), err;

		alarms = 0;
		setitimer(ITIMER_REAL, &every, NULL);
		err = bind4(fd, (unsigned int)(atoi(argv[0]) + i % ports));
		if (strcmp(name_of(err), wanted) == 0)
			good++;
		else
			printf("bind=%s\n", name_of(err));
		close(fd);
	}
	return expect_number("as wanted", good, (long)ports * times);
}

/* ---- in bad faith ---- */

/* PORT N: N processes that are killed while they bind; then one that lives. */
static int do_killed(char **argv)
{
	unsigned int port = number_in(argv[0]);

	for (int i = 0; i < atoi(argv[1]); i++) {
		pid_t child = fork();

		if (child == 0) {
			bind4(open_tcp(), port);
			for (;;)	/* no socket is used up by that */
				bind4(open_tcp(), port + 1);
		}
		pause_us(i * 37 % 400);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return expect_bind("after them", open_tcp(), port, "ok");
}

static volatile bool stop;

struct flip {
	union address a;
	unsigned int first, second;
};

static void *flip(void *argument)
{
	volatile struct flip *f = argument;

	while (!stop) {
		f->a.in.sin_port = htons((uint16_t)f->first);
		f->a.in.sin_port = htons((uint16_t)f->second);
	}
	return NULL;
}

/*
 * DECLARED OTHER TRIES: another thread exchanges the port while bind(2) looks.
 * Whatever is bound must be the declared one. There are more tries if that
 * thread did not run, and has left the other there.
 */
static int do_toctou(char **argv)
{
	static struct flip f;
	pthread_t thread;
	int tries = atoi(argv[2]), bound = 0, wrong = 0;

	f.first = number_in(argv[0]);
	f.a = v4("0.0.0.0", f.first);
	f.second = number_in(argv[1]);
	pthread_create(&thread, NULL, flip, &f);
	for (int i = 0; i < (bound ? tries : 1000 * tries); i++) {
		int fd = open_tcp();

		if (bind(fd, &f.a.any, sizeof(f.a.in)) == 0) {
			bound++;
			if (port_of(fd) != f.first)
				printf("wrong port=%u\n", port_of(fd));
			wrong += port_of(fd) != f.first;
		}
		close(fd);
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("bound=%d\n", bound);
	return expect_number("wrong", wrong, 0) |
	       expect("some", bound ? "yes" : "no", "yes");
}

struct swap {
	int fd;
	int others[4];
};

static void *swap(void *argument)
{
	const struct swap *s = argument;

	for (unsigned int i = 0; !stop; i++)
		dup2(s->others[i % 4], s->fd);
	return NULL;
}

/*
 * PORT TRIES: the descriptor becomes another one while bind(2) looks: a file, a
 * pipe, a UDP socket. Nothing but this process's own descriptors may change,
 * and no UDP socket or file may get the port.
 */
static int do_swap(char **argv)
{
	struct swap s;
	pthread_t thread;
	int ends[2], wrong = 0;

	if (pipe(ends) < 0)
		die("pipe");
	s.fd = open_tcp();
	s.others[0] = open("/proc/self/exe", O_RDONLY);
	s.others[1] = open_tcp();
	s.others[2] = socket(AF_INET, SOCK_DGRAM, 0);
	s.others[3] = ends[1];
	pthread_create(&thread, NULL, swap, &s);
	for (int i = 0; i < atoi(argv[1]); i++)
		bind4(s.fd, number_in(argv[0]));
	stop = true;
	pthread_join(thread, NULL);
	for (size_t i = 0; i < 4; i++) {
		int type = get(s.others[i], SOL_SOCKET, SO_TYPE);

		if (type == SOCK_DGRAM && port_of(s.others[i]) != 0)
			wrong++;
		if (i != 1 && i != 2 && type >= 0)
			wrong++;
	}
	return expect_number("wrong", wrong, 0);
}

/* PORT: descriptors that are no sockets of the declared kind. */
static int do_wrong(char **argv)
{
	unsigned int port = number_in(argv[0]);
	int ends[2], result = 0;
	union address a = v4("0.0.0.0", port);

	if (pipe(ends) < 0)
		die("pipe");
	result |= expect_bind("pipe", ends[0], port, "ENOTSOCK");
	result |= expect_bind("closed", 777, port, "EBADF");
	result |= expect_bind("negative", -1, port, "EBADF");
	result |= expect_bind("path", open("/", O_PATH), port, "EBADF");
	result |= expect_bind("udp", socket(AF_INET, SOCK_DGRAM, 0), port,
			      "EACCES");
	result |= expect_bind("tcp6", socket(AF_INET6, SOCK_STREAM, 0), port,
			      "EINVAL");
	result |= expect_bind("netlink", socket(AF_NETLINK, SOCK_RAW, 0), port,
			      "EINVAL");
	errno = 0;
	bind(open_tcp(), (struct sockaddr *)1, sizeof(a.in));
	result |= expect("bad address", name_of(errno), "EFAULT");
	bind(open_tcp(), NULL, sizeof(a.in));
	result |= expect("no address", name_of(errno), "EFAULT");
	bind(open_tcp(), &a.any, 3);
	result |= expect("short", name_of(errno), "EINVAL");
	bind(open_tcp(), &a.any, 100000);
	result |= expect("long", name_of(errno), "EINVAL");
	bind(open_tcp(), &a.any, (socklen_t)-1);
	result |= expect("negative length", name_of(errno), "EINVAL");
	return result;
}

/* Shares the descriptors, not the network; returns a socket's number. */
static int open_abroad(void *argument)
{
	(void)argument;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? 255 : open_tcp();
}

/*
 * PORT OUTSIDE: its own network in its own user namespace is none of ours, and
 * a socket that comes from such a one is not bound there by us. One of ours is
 * OUTSIDE when a thread that has left for another network asks.
 */
static int do_netns(char **argv)
{
	static char stack[65536];
	int outside = open_tcp(), fd, status, foreign, result;
	pid_t child = clone(open_abroad, stack + sizeof(stack),
			    CLONE_FILES | SIGCHLD, NULL);
	uint64_t before;

	if (waitpid(child, &status, 0) < 0 || WEXITSTATUS(status) == 255)
		die("abroad");
	foreign = dup(WEXITSTATUS(status));
	bind4(WEXITSTATUS(status), number_in(argv[0]));
	result = expect_number("foreign port", port_of(foreign), 0);
	close(WEXITSTATUS(status));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		die("unshare");
	fd = open_tcp();
	before = cookie(fd);
	return result |
	       expect_bind("inside", fd, number_in(argv[0]), "ok") |
	       expect("by", cookie(fd) == before ? "kernel" : "stepdown",
		      "kernel") |
	       expect_bind("outside", outside, number_in(argv[0]), argv[1]);
}

/* PORT: not dumpable, so nobody can read the address. */
static int do_undumpable(char **argv)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return expect_bind("bind", open_tcp(), number_in(argv[0]), "EACCES");
}

#ifdef __x86_64__
/*
 * A call of i386, in a process of its own: a kernel may serve none, and kills
 * it by SIGSEGV. Returns "none", "denied", or "possible".
 */
static const char *by_i386(long number, long one, const void *two, long three)
{
	int status;
	long answer;
	pid_t child = fork();

	if (child == 0) {
		__asm__ volatile("int $0x80" : "=a"(answer)
				 : "a"(number), "b"(one), "c"(two), "d"(three)
				 : "memory", "r8", "r9", "r10", "r11");
		_exit(answer < 0);
	}
	if (waitpid(child, &status, 0) < 0)
		die("waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
		return "none";
	return WIFEXITED(status) && WEXITSTATUS(status) == 1 ? "denied"
							     : "possible";
}

/* Is there this entry point at all? Number 20 of i386 is getpid. */
static bool has_i386(void)
{
	return strcmp(by_i386(20, 0, NULL, 0), "possible") == 0;
}
#endif

/* PORT: bind(2) by the other entry points of an x86-64 kernel. */
static int do_doors(char **argv)
{
	unsigned int port = number_in(argv[0]);
	int fd = open_tcp(), result = 0;
#ifdef __x86_64__
	const char *wanted = has_i386() ? "denied" : "none";
	union address *a = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned int *words = (unsigned int *)(a + 1);
	int other = open_tcp(), third = open_tcp();

	*a = v4("0.0.0.0", port);
	/* bind is 361 in i386, and number 2 of socketcall, which is 102. */
	result |= expect("i386 bind", by_i386(361, fd, a, 16), wanted);
	words[0] = (unsigned int)other;
	words[1] = (unsigned int)(uintptr_t)a;
	words[2] = 16;
	result |= expect("i386 socketcall", by_i386(102, 2, words, 0), wanted);
	result |= syscall(0x40000000 + 49, third, a, 16) == 0;
	printf("x32=%s\n", name_of(errno));
	result |= port_of(fd) != 0 || port_of(other) != 0 ||
		  port_of(third) != 0;
#endif
	return result | expect_bind("front door", fd, port, "ok");
}

/* ---- io_uring ---- */

/* One request, and its result: 0 or -errno. */
static int uring_submit(const struct io_uring_sqe *request)
{
	static struct io_uring_params p;
	static struct io_uring_sqe *entries;
	static char *queue, *done;
	static unsigned int count;
	static int ring;
	const struct io_uring_cqe *results;

	if (!entries) {
		ring = (int)syscall(SYS_io_uring_setup, 1, &p);
		if (ring < 0)
			return -errno;
		queue = mmap(NULL, p.sq_off.array + 4, PROT_READ | PROT_WRITE,
			     MAP_SHARED, ring, IORING_OFF_SQ_RING);
		done = mmap(NULL, p.cq_off.cqes + 2 * sizeof(*results),
			    PROT_READ | PROT_WRITE, MAP_SHARED, ring,
			    IORING_OFF_CQ_RING);
		entries = mmap(NULL, sizeof(*entries), PROT_READ | PROT_WRITE,
			       MAP_SHARED, ring, IORING_OFF_SQES);
		if (queue == MAP_FAILED || done == MAP_FAILED ||
		    entries == MAP_FAILED)
			die("mmap");
	}
	results = (const struct io_uring_cqe *)(done + p.cq_off.cqes);
	entries[0] = *request;
	*(unsigned int *)(queue + p.sq_off.array) = 0;
	*(unsigned int *)(queue + p.sq_off.tail) = ++count;
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		return -errno;
	*(unsigned int *)(done + p.cq_off.head) = count;
	return results[(count - 1) % p.cq_entries].res;
}

/*
 * IPV6_V6ONLY by SOCKET_URING_OP_SETSOCKOPT (Linux 6.7), which passes no filter
 * of setsockopt(2); or by that.
 */
static void *flip_v6only(void *argument)
{
	static int value;
	const int *fd = argument;
	struct io_uring_sqe request = {
		.opcode = 46,
		.off = 3,
		.addr = IPPROTO_IPV6 | (uint64_t)IPV6_V6ONLY << 32,
		.splice_fd_in = sizeof(value),
		.addr3 = (uintptr_t)&value
	};

	for (; !stop; value = !value) {
		request.fd = *fd;
		if (uring_submit(&request) < 0)
			setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &value,
				   sizeof(value));
	}
	return NULL;
}

/* PORT TRIES: what is bound is for IPv6 alone, whatever another thread says. */
static int do_v6only(char **argv)
{
	union address a = v6("::", number_in(argv[0]));
	int fd = -1, bound = 0, wrong = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, flip_v6only, &fd);
	while (bound < atoi(argv[1])) {
		fd = socket(AF_INET6, SOCK_STREAM, 0);
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		if (bind(fd, &a.any, sizeof(a.in6)) == 0) {
			bound++;
			wrong += get(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 1;
		}
		close(fd);
	}
	stop = true;
	pthread_join(thread, NULL);
	return expect_number("wrong", wrong, 0);
}

/* PORT: IORING_OP_BIND (Linux 6.11) passes no filter of bind(2). */
static int do_uring(char **argv)
{
	unsigned int port = number_in(argv[0]);
	union address low = v4("0.0.0.0", port), high = v4("0.0.0.0", 8080);
	int fd = open_tcp();
	struct io_uring_sqe request = {
		.opcode = 56, .fd = fd, .addr = (uintptr_t)&low,
		.off = sizeof(low.in)
	};
	int err = -uring_submit(&request);

	printf("uring=%s\n", name_of(err));
	request.addr = (uintptr_t)&high;
	printf("uring high=%s\n", name_of(-uring_submit(&request)));
	return expect("denied", err ? "yes" : "no", "yes") |
	       expect_number("port", port_of(fd) == port, 0) |
	       expect_bind("bind", open_tcp(), port, "ok");
}

/* "denied", or what was possible. */
static const char *denied(long result)
{
	return result < 0 ? "denied" : "possible";
}

/* PORT: what one process of a uid may do to another, done to the supervisor. */
static int do_parent(char **argv)
{
	unsigned int port = number_in(argv[0]);
	pid_t parent = getppid();
	char path[64], byte = 0;
	struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };
	int pidfd = (int)syscall(SYS_pidfd_open, parent, 0);
	int result = 0;

	result |= expect("attach",
			 denied(ptrace(PTRACE_ATTACH, parent, 0, 0)), "denied");
	result |= expect("seize", denied(ptrace(PTRACE_SEIZE, parent, 0, 0)),
			 "denied");
	snprintf(path, sizeof(path), "/proc/%d/mem", parent);
	result |= expect("mem", denied(open(path, O_RDWR)), "denied");
	result |= expect("mem to read", denied(open(path, O_RDONLY)), "denied");
	snprintf(path, sizeof(path), "/proc/%d/fd", parent);
	result |= expect("fd", denied(open(path, O_RDONLY)), "denied");
	snprintf(path, sizeof(path), "/proc/%d/environ", parent);
	result |= expect("environ", denied(open(path, O_RDONLY)), "denied");
	result |= expect("read",
			 denied(process_vm_readv(parent, &here, 1, &there, 1, 0)),
			 "denied");
	result |= expect("write",
			 denied(process_vm_writev(parent, &here, 1, &there, 1, 0)),
			 "denied");
	for (int fd = 0; fd < 40; fd++)
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			result |= expect("getfd", "possible", "denied");
	return result | expect_bind("bind", open_tcp(), port, "ok");
}

/*
 * PORT [all]: every signal to the supervisor; "all" with KILL and STOP, which
 * do nothing to the first process of a pid namespace. Those that come back to
 * us are ignored.
 */
static int do_signals(char **argv)
{
	bool all = argv[1] != NULL;

	for (int s = 1; s <= 64; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, s == SIGCHLD ? SIG_DFL : SIG_IGN);
	for (int s = 1; s <= 64; s++) {
		if (s >= 32 && s <= 34)	/* the C library's own */
			continue;
		if (all || (s != SIGKILL && s != SIGSTOP && s != SIGTSTP &&
			    s != SIGTTIN && s != SIGTTOU))
			kill(getppid(), s);
	}
	pause_us(200000);
	return expect_bind("bind", open_tcp(), number_in(argv[0]), "ok");
}

static void *flood(void *argument)
{
	unsigned int port = (unsigned int)(uintptr_t)argument;

	for (;;) {
		int fd = open_tcp();

		bind4(fd, port);
		close(fd);
	}
	return NULL;
}

static void report_signal(int number)
{
	(void)number;
	if (write(STDOUT_FILENO, "signal=came\n", 12) < 0)
		_exit(1);
	_exit(0);
}

/* PORT N: N threads that ask without end, until a SIGUSR1 comes. */
static int do_flood(char **argv)
{
	signal(SIGUSR1, report_signal);
	for (int i = 0; i < atoi(argv[1]); i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, flood,
			       (void *)(uintptr_t)atoi(argv[0]));
	}
	puts("flooding=yes");
	fflush(stdout);
	while (pause() < 0)
		;
	return 1;
}

static void *bind_stalled(void *argument)
{
	bind(open_tcp(), argument, sizeof(struct sockaddr_in));
	return NULL;
}

/*
 * DEVICE: the address lies in memory that nobody ever provides. The supervisor
 * must go on: it reaps an orphan, and forwards SIGUSR1.
 */
static int do_stall(char **argv)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int device = open(argv[0], O_RDWR | O_CLOEXEC);
	int fd = device < 0 ? -1
			    : (int)syscall(SYS_ioctl, device,
					   USERFAULTFD_IOC_NEW, O_CLOEXEC);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	pthread_t thread;
	int numbers[2];
	pid_t orphan;

	area.range.start = (uintptr_t)page;
	area.range.len = 4096;
	if (fd < 0 || syscall(SYS_ioctl, fd, UFFDIO_API, &api) < 0 ||
	    syscall(SYS_ioctl, fd, UFFDIO_REGISTER, &area) < 0 ||
	    pipe(numbers) < 0)
		die("userfaultfd");
	signal(SIGUSR1, report_signal);
	pthread_create(&thread, NULL, bind_stalled, page);
	expect("stalled", poll(&p, 1, PATIENCE) == 1 ? "yes" : "no", "yes");
	if (fork() == 0) {
		orphan = fork();
		if (orphan == 0)
			_exit(0);
		if (write(numbers[1], &orphan, sizeof(orphan)) < 0)
			_exit(1);
		_exit(0);
	}
	wait(NULL);
	if (read(numbers[0], &orphan, sizeof(orphan)) < 0)
		die("read");
	for (int i = 0; i < PATIENCE / 20 && kill(orphan, 0) == 0; i++)
		pause_us(20000);
	expect("orphan", kill(orphan, 0) < 0 ? "reaped" : "there", "reaped");
	puts("ready=yes");
	fflush(stdout);
	while (pause() < 0)
		;
	return 1;
}

/* ---- a file system that does not answer ---- */

static void put_file(const char *path, const char *words)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, words, strlen(words)) < 0)
		die(path);
	close(fd);
}

/* Root in a namespace of its own, as anybody can be. */
static void own_namespaces(void)
{
	char words[32];
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		die("unshare");
	put_file("/proc/self/setgroups", "deny");
	snprintf(words, sizeof(words), "%u %u 1", uid, uid);
	put_file("/proc/self/uid_map", words);
	snprintf(words, sizeof(words), "%u %u 1", gid, gid);
	put_file("/proc/self/gid_map", words);
}

/*
 * Never answer one kind of question, nor who asks for an attribute; tell that
 * it has come.
 */
static void serve_fuse(int device, int told, unsigned int unanswered)
{
	static char in[FUSE_MIN_READ_BUFFER + 4096];
	struct {
		struct fuse_out_header head;
		union {
			struct fuse_init_out init;
			struct fuse_entry_out entry;
			struct fuse_attr_out attr;
			struct fuse_open_out open;
		} body;
	} out;
	const struct fuse_in_header *head = (const void *)in;
	const struct fuse_attr file = { .ino = 2, .size = 4096, .nlink = 1,
					.mode = S_IFREG | 0666,
					.uid = getuid(), .gid = getgid() };

	while (read(device, in, sizeof(in)) > 0) {
		size_t size = sizeof(out.head);

		memset(&out, 0, sizeof(out));
		out.head.unique = head->unique;
		if (head->opcode == FUSE_INIT) {
			out.body.init.major = FUSE_KERNEL_VERSION;
			out.body.init.minor = 31;
			out.body.init.max_write = 4096;
			size += sizeof(out.body.init);
		} else if (head->opcode == FUSE_LOOKUP) {
			out.body.entry.nodeid = 2;
			out.body.entry.attr = file;
			size += sizeof(out.body.entry);
		} else if (head->opcode == FUSE_GETATTR) {
			out.body.attr.attr = file;
			if (head->nodeid == 1)
				out.body.attr.attr.mode = S_IFDIR | 0777;
			size += sizeof(out.body.attr);
		} else if (head->opcode == FUSE_OPEN) {
			size += sizeof(out.body.open);
		} else if (head->opcode == unanswered ||
			   head->opcode == FUSE_GETXATTR) {
			if (write(told, "", 1) < 0)
				_exit(1);
			continue;
		} else {
			out.head.error = -ENOSYS;
		}
		out.head.len = (uint32_t)size;
		if (write(device, &out, size) < 0 && errno != ENOENT)
			_exit(1);
	}
	_exit(0);
}

/*
 * DEVICE DIRECTORY: the address lies in a file of a FUSE server, which is a
 * daemon of its own and answers no read; with a third word that file is what
 * the call names, and no close is answered. Then sleep until killed.
 */
static int do_fuse(char **argv)
{
	char options[64], path[256], byte;
	int device, fd, ends[2];
	struct pollfd p;
	void *page;
	pthread_t thread;

	own_namespaces();
	device = open(argv[0], O_RDWR | O_CLOEXEC);
	if (device < 0 || pipe(ends) < 0)
		die(argv[0]);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=%u,group_id=%u", device,
		 getuid(), getgid());
	if (mount("fuse", argv[1], "fuse", 0, options) < 0)
		die("mount");
	if (fork() == 0) {
		setsid();
		if (fork() == 0)
			serve_fuse(device, ends[1],
				   argv[2] ? FUSE_FLUSH : FUSE_READ);
		_exit(0);
	}
	wait(NULL);
	close(device);
	snprintf(path, sizeof(path), "%s/file", argv[1]);
	fd = open(path, O_RDWR);
	if (fd < 0)
		die(path);
	if (argv[2]) {
		printf("bind=%s\n", name_of(bind4(fd, 80)));
		fflush(stdout);
		for (;;)
			pause();
	}
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("mmap");
	pthread_create(&thread, NULL, bind_stalled, page);
	p = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	if (poll(&p, 1, PATIENCE) != 1 || read(ends[0], &byte, 1) != 1)
		die("poll");
	puts("stalled=yes");
	fflush(stdout);
	while (pause() < 0)
		;
	return 1;
}

/* ---- what it costs ---- */

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/*
 * Microseconds of one act, in the fastest of many batches: what else runs on
 * the machine can only make a batch slower.
 */
static void report_cost(const char *what, void (*act)(unsigned int),
			unsigned int port, int each)
{
	long long best = LLONG_MAX;

	for (int batch = 0; batch < 500; batch++) {
		long long start = now(), took;

		for (int i = 0; i < each; i++)
			act(port);
		took = now() - start;
		if (took < best)
			best = took;
	}
	printf("%s=%.4f\n", what, (double)best / 1000 / each);
}

static void bind_and_close(unsigned int port)
{
	int fd = open_tcp();

	if (bind4(fd, port) != 0)
		die("bind");
	close(fd);
}

static void set_and_close(unsigned int port)
{
	int fd = open_tcp();

	(void)port;
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	close(fd);
}

static void ask_parent(unsigned int port)
{
	(void)port;
	syscall(SYS_getppid);
}

/* DECLARED OTHER: two ports; and what has nothing to do with them. */
static int do_cost(char **argv)
{
	report_cost("declared", bind_and_close, number_in(argv[0]), 10);
	report_cost("other", bind_and_close, number_in(argv[1]), 20);
	report_cost("setsockopt", set_and_close, 0, 20);
	report_cost("call", ask_parent, 0, 1000);
	return 0;
}

static const struct {
	const char *name;
	int words;
	int (*run)(char **argv);
} commands[] = {
	{ "bind", 1, do_bind },		{ "hold", 1, do_hold },
	{ "again", 2, do_again },	{ "once", 1, do_once },
	{ "twice", 1, do_twice },	{ "lengths", 1, do_lengths },
	{ "uring", 1, do_uring },	{ "no-family", 1, do_no_family },
	{ "fuse", 2, do_fuse },
	{ "restart", 2, do_restart },	{ "conflict", 1, do_conflict },
	{ "reuseport", 2, do_reuseport }, { "threads", 2, do_threads },
	{ "leaderless", 1, do_leaderless }, { "unshared", 1, do_unshared },
	{ "daemon", 1, do_daemon },	{ "timer", 3, do_timer },
	{ "killed", 2, do_killed },	{ "toctou", 3, do_toctou },
	{ "swap", 2, do_swap },		{ "v6only", 2, do_v6only },
	{ "wrong", 1, do_wrong },
	{ "netns", 2, do_netns },	{ "undumpable", 1, do_undumpable },
	{ "doors", 1, do_doors },	{ "parent", 1, do_parent },
	{ "signals", 1, do_signals },	{ "flood", 2, do_flood },
	{ "stall", 1, do_stall },	{ "cost", 2, do_cost },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0 &&
		    argc - 2 >= commands[i].words)
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: see the source\n");
	return 100;
}
