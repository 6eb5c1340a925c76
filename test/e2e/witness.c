/*
 * witness: says what the kernel says of it, as key=value lines.
 *
 * The tests start it through stepdown and believe it rather than anything
 * that stepdown prints. So it asks with its own calls, shares no code with
 * shim/, uses no library but libc, and works where there is no /proc and no
 * /dev. Bytes that would break a line are written as \xHH.
 *
 *	witness [WORD...]	everything below; the words come back as argv.N
 *	witness accept FD	accept one connection, answer one line
 *	witness create FILE	create it; status 1 and the reason if that fails
 *	witness exec PROG ...	become PROG
 *	witness exit N		exit with status N
 *	witness sleep N		do nothing for N seconds
 *	witness try-root	try to get privilege back; status 1 if any came
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

enum {
	PROBED_FDS = 1024,	/* fcntl() is asked about these */
	MAX_FDS = 4096,
	LAST_SIGNAL = 64,
	ACCEPT_SECONDS = 30,
};

extern char **environ;

/* ---- key=value ---- */

static void put_text(const char *s)
{
	for (; *s; s++) {
		unsigned char c = *s;

		if (c < ' ' || c == '\\' || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

static void say(const char *key, const char *value)
{
	printf("%s=", key);
	put_text(value);
	putchar('\n');
}

static void report_long(const char *key, long value)
{
	printf("%s=%ld\n", key, value);
}

static void report_set(const char *key, uint64_t bits)
{
	printf("%s=%016llx\n", key, (unsigned long long)bits);
}

/* ---- who am I ---- */

static void report_ids(void)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) < 0 ||
	    getresgid(&rgid, &egid, &sgid) < 0)
		abort();

	/* setfsuid(-1) changes nothing and returns what is in force. */
	printf("uid.real=%u\n", ruid);
	printf("uid.effective=%u\n", euid);
	printf("uid.saved=%u\n", suid);
	printf("uid.fs=%u\n", (uid_t)setfsuid(-1));
	printf("gid.real=%u\n", rgid);
	printf("gid.effective=%u\n", egid);
	printf("gid.saved=%u\n", sgid);
	printf("gid.fs=%u\n", (gid_t)setfsgid(-1));
}

static void report_groups(void)
{
	static gid_t groups[65536];	/* NGROUPS_MAX of the kernel */
	int n = getgroups(ARRAY_LEN(groups), groups);

	if (n < 0)
		abort();
	printf("groups=");
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? " " : "", groups[i]);
	putchar('\n');
}

static void report_processes(void)
{
	report_long("pid", getpid());
	report_long("ppid", getppid());
	report_long("pgid", getpgid(0));
	report_long("sid", getsid(0));
}

/* ---- capabilities and what goes with them ---- */

/* capget(2) and capset(2), version 3: two words of 32 bits for each set. */
struct cap_header {
	uint32_t version;
	int pid;
};

struct cap_words {
	uint32_t effective, permitted, inheritable;
};

static const struct cap_header cap_version_3 = { 0x20080522, 0 };

static uint64_t join(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

/* The kernel's last capability is the last one that PR_CAPBSET_READ knows. */
static uint64_t bounding_set(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break;
		set |= (uint64_t)has << cap;
	}
	return set;
}

static uint64_t ambient_set(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++) {
		int has = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap,
				0, 0);
		if (has < 0)
			break;
		set |= (uint64_t)has << cap;
	}
	return set;
}

static void report_capabilities(void)
{
	struct cap_header h = cap_version_3;
	struct cap_words w[2] = { 0 };

	if (syscall(SYS_capget, &h, w) < 0)
		abort();
	report_set("cap.inheritable", join(w[0].inheritable, w[1].inheritable));
	report_set("cap.permitted", join(w[0].permitted, w[1].permitted));
	report_set("cap.effective", join(w[0].effective, w[1].effective));
	report_set("cap.bounding", bounding_set());
	report_set("cap.ambient", ambient_set());
}

static void report_locks(void)
{
	report_long("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	report_long("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	report_long("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	report_long("seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	report_long("secure", getauxval(AT_SECURE));
}

/* ---- descriptors ---- */

static const char *file_type(int fd, mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return "pipe";
	case S_IFSOCK:
		return "socket";
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFCHR:
		return isatty(fd) ? "tty" : "device";
	default:
		return "other";
	}
}

static int socket_option(int fd, int level, int name)
{
	int value;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, level, name, &value, &len) < 0)
		return -1;
	return value;
}

static void report_address(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
		struct sockaddr_storage room;
	} a;
	socklen_t len = sizeof(a);
	char text[INET6_ADDRSTRLEN];

	memset(&a, 0, sizeof(a));
	if (getsockname(fd, &a.any, &len) < 0)
		return;
	switch (a.any.sa_family) {
	case AF_INET:
		printf("fd.%d.family=inet\n", fd);
		printf("fd.%d.address=%s:%u\n", fd,
		       inet_ntop(AF_INET, &a.v4.sin_addr, text, sizeof(text)),
		       ntohs(a.v4.sin_port));
		return;
	case AF_INET6:
		printf("fd.%d.family=inet6\n", fd);
		printf("fd.%d.address=[%s]:%u\n", fd,
		       inet_ntop(AF_INET6, &a.v6.sin6_addr, text, sizeof(text)),
		       ntohs(a.v6.sin6_port));
		printf("fd.%d.v6only=%d\n", fd,
		       socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
		return;
	case AF_UNIX:
		printf("fd.%d.family=unix\n", fd);
		printf("fd.%d.address=%s", fd, a.un.sun_path[0] ? "" : "@");
		put_text(a.un.sun_path + !a.un.sun_path[0]);
		putchar('\n');
		return;
	default:
		printf("fd.%d.family=%d\n", fd, a.any.sa_family);
	}
}

/* -1 where the kind of socket has no such option. */
static void report_socket_options(int fd)
{
	static const struct {
		const char *key;
		int level, name;
	} options[] = {
		{ "reuseaddr", SOL_SOCKET, SO_REUSEADDR },
		{ "reuseport", SOL_SOCKET, SO_REUSEPORT },
		{ "keepalive", SOL_SOCKET, SO_KEEPALIVE },
		{ "rcvbuf", SOL_SOCKET, SO_RCVBUF },
		{ "sndbuf", SOL_SOCKET, SO_SNDBUF },
		{ "mark", SOL_SOCKET, SO_MARK },
		{ "freebind", IPPROTO_IP, IP_FREEBIND },
		{ "transparent", IPPROTO_IP, IP_TRANSPARENT },
		{ "nodelay", IPPROTO_TCP, TCP_NODELAY },
		{ "defer_accept", IPPROTO_TCP, TCP_DEFER_ACCEPT },
		{ "fastopen", IPPROTO_TCP, TCP_FASTOPEN },
	};
	char device[64] = "";
	socklen_t len = sizeof(device) - 1;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		printf("fd.%d.%s=%d\n", fd, options[i].key,
		       socket_option(fd, options[i].level, options[i].name));
	getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &len);
	printf("fd.%d.device=", fd);
	put_text(device);
	putchar('\n');
}

static void report_socket(int fd)
{
	int type = socket_option(fd, SOL_SOCKET, SO_TYPE);

	printf("fd.%d.socket=%s\n", fd, type == SOCK_STREAM ? "stream" :
	       type == SOCK_DGRAM ? "dgram" :
	       type == SOCK_SEQPACKET ? "seqpacket" : "other");
	printf("fd.%d.listening=%d\n", fd,
	       socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN));
	report_address(fd);
	report_socket_options(fd);
}

static void report_fd(int fd)
{
	static const char *const access[] = { "r", "w", "rw", "-" };
	struct stat st;
	int fd_flags = fcntl(fd, F_GETFD);
	int flags = fcntl(fd, F_GETFL);

	if (fd_flags < 0 || flags < 0 || fstat(fd, &st) < 0)
		abort();
	printf("fd.%d.type=%s\n", fd, file_type(fd, st.st_mode));
	printf("fd.%d.access=%s\n", fd, access[flags & O_ACCMODE]);
	printf("fd.%d.owner=%u:%u\n", fd, st.st_uid, st.st_gid);
	printf("fd.%d.nonblock=%d\n", fd, !!(flags & O_NONBLOCK));
	printf("fd.%d.cloexec=%d\n", fd, !!(fd_flags & FD_CLOEXEC));
	if (S_ISSOCK(st.st_mode))
		report_socket(fd);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Returns how many /proc/self/fd names, or -1 where there is no /proc. */
static int fds_from_proc(int *fds)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;
	int n = 0;

	if (!dir)
		return -1;
	while ((e = readdir(dir))) {
		if (*e->d_name == '.' || atoi(e->d_name) == dirfd(dir))
			continue;
		if (n == MAX_FDS)
			abort();
		fds[n++] = atoi(e->d_name);
	}
	closedir(dir);
	qsort(fds, n, sizeof(*fds), by_number);
	return n;
}

static int fds_from_probing(int *fds)
{
	int n = 0;

	for (int fd = 0; fd < PROBED_FDS; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			fds[n++] = fd;
	return n;
}

static void report_fd_list(const char *key, const int *fds, int n)
{
	printf("%s=", key);
	for (int i = 0; i < n; i++)
		printf("%s%d", i ? " " : "", fds[i]);
	putchar('\n');
}

/*
 * Two lists from two sources: fds.probed sees the first 1024, fds.proc (not
 * there without /proc) sees all.
 */
static void report_descriptors(void)
{
	static int probed[PROBED_FDS], proc[MAX_FDS];
	int nprobed = fds_from_probing(probed);
	int nproc = fds_from_proc(proc);

	report_fd_list("fds.probed", probed, nprobed);
	if (nproc >= 0)
		report_fd_list("fds.proc", proc, nproc);
	for (int i = 0; i < nprobed; i++)
		report_fd(probed[i]);
}

/* ---- signals, limits, surroundings ---- */

/*
 * With raw calls: libc hides its own signals 32 to 34. The kernel's struct
 * sigaction begins with the handler everywhere but on MIPS.
 */
static void report_signals(void)
{
	uint64_t blocked = 0, ignored = 0;

	if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked,
		    sizeof(blocked)) < 0)
		abort();
	for (int sig = 1; sig <= LAST_SIGNAL; sig++) {
		uintptr_t action[16] = { 0 };

		if (syscall(SYS_rt_sigaction, sig, NULL, action,
			    sizeof(ignored)) < 0)
			abort();
		if (action[0] == (uintptr_t)SIG_IGN)
			ignored |= (uint64_t)1 << (sig - 1);
	}
	report_set("signals.blocked", blocked);
	report_set("signals.ignored", ignored);
}

static void report_limit(const char *name, int resource)
{
	const rlim_t none = RLIM_INFINITY;
	struct rlimit r;

	if (getrlimit(resource, &r) < 0)
		abort();
	printf("rlimit.%s=", name);
	if (r.rlim_cur == none)
		printf("unlimited:");
	else
		printf("%llu:", (unsigned long long)r.rlim_cur);
	if (r.rlim_max == none)
		printf("unlimited\n");
	else
		printf("%llu\n", (unsigned long long)r.rlim_max);
}

static void report_limits(void)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "as", RLIMIT_AS },
		{ "core", RLIMIT_CORE },
		{ "cpu", RLIMIT_CPU },
		{ "data", RLIMIT_DATA },
		{ "fsize", RLIMIT_FSIZE },
		{ "locks", RLIMIT_LOCKS },
		{ "memlock", RLIMIT_MEMLOCK },
		{ "msgqueue", RLIMIT_MSGQUEUE },
		{ "nice", RLIMIT_NICE },
		{ "nofile", RLIMIT_NOFILE },
		{ "nproc", RLIMIT_NPROC },
		{ "rss", RLIMIT_RSS },
		{ "rtprio", RLIMIT_RTPRIO },
		{ "rttime", RLIMIT_RTTIME },
		{ "sigpending", RLIMIT_SIGPENDING },
		{ "stack", RLIMIT_STACK },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		report_limit(limits[i].name, limits[i].resource);
}

static void report_surroundings(char **argv)
{
	static char cwd[65536];
	mode_t mask = umask(0);

	printf("umask=%04o\n", mask);
	say("cwd", getcwd(cwd, sizeof(cwd)) ? cwd : strerror(errno));
	for (int i = 0; argv[i]; i++) {
		printf("argv.%d=", i);
		put_text(argv[i]);
		putchar('\n');
	}
	for (char **e = environ; *e; e++) {
		printf("env.");
		put_text(*e);
		putchar('\n');
	}
}

/* ---- the other things it can do ---- */

/* The socket may be blocking or not: poll() first, for a bounded time. */
static int accept_one(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int c;

	if (poll(&p, 1, ACCEPT_SECONDS * 1000) != 1)
		return 1;
	c = accept(fd, NULL, NULL);
	if (c < 0)
		return 1;
	dprintf(c, "witness: pid %d, uid %u, descriptor %d\n", getpid(),
		geteuid(), fd);
	return 0;
}

static int worked;

static void attempt(const char *what, int result)
{
	if (result >= 0)
		worked++;
	printf("try.%s=%s\n", what, result < 0 ? strerror(errno) : "WORKED");
}

static int raise_all_capabilities(void)
{
	struct cap_header h = cap_version_3;
	struct cap_words all[2] = {
		{ UINT32_MAX, UINT32_MAX, UINT32_MAX }, { 0x1ff, 0x1ff, 0x1ff }
	};

	return syscall(SYS_capset, &h, all);
}

static int raise_one_capability(int cap)
{
	struct cap_header h = cap_version_3;
	struct cap_words w[2] = { 0 };

	if (syscall(SYS_capget, &h, w) < 0)
		abort();
	w[cap / 32].permitted |= 1u << cap % 32;
	w[cap / 32].effective |= 1u << cap % 32;
	return syscall(SYS_capset, &h, w);
}

/* setfsuid() reports no failure: look whether it changed anything. */
static int change_fsuid(void)
{
	setfsuid(0);
	if ((uid_t)setfsuid(-1) == 0)
		return 0;
	errno = EPERM;
	return -1;
}

static int try_root(void)
{
	const int setuid_cap = 7, ambient_cap = 10;	/* SETUID, BIND */
	const gid_t zero = 0;

	attempt("setuid", setuid(0));
	attempt("seteuid", seteuid(0));
	attempt("setresuid", setresuid(0, 0, 0));
	attempt("setfsuid", change_fsuid());
	attempt("setgid", setgid(0));
	attempt("setegid", setegid(0));
	attempt("setresgid", setresgid(0, 0, 0));
	attempt("setgroups", setgroups(1, &zero));
	attempt("capset.all", raise_all_capabilities());
	attempt("capset.setuid", raise_one_capability(setuid_cap));
	attempt("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE,
				 ambient_cap, 0, 0));
	attempt("securebits", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
	attempt("chroot", chroot("."));
	report_long("worked", worked);
	return worked != 0;
}

static int create(const char *file)
{
	if (open(file, O_WRONLY | O_CREAT | O_EXCL, 0600) >= 0)
		return 0;
	perror(file);
	return 1;
}

static int keep_caps(void)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0)
		return 0;
	perror("PR_SET_KEEPCAPS");
	return 1;
}

static int become(char **argv)
{
	execvp(argv[0], argv);
	perror(argv[0]);
	return 127;
}

static void report_everything(char **argv)
{
	/* First of all, before stdio or anything else opens a descriptor. */
	report_descriptors();
	report_ids();
	report_groups();
	report_processes();
	report_capabilities();
	report_locks();
	report_signals();
	report_limits();
	report_surroundings(argv);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "accept") && argc == 3)
		return accept_one(atoi(argv[2]));
	if (!strcmp(mode, "create") && argc == 3)
		return create(argv[2]);
	if (!strcmp(mode, "exec") && argc > 2)
		return become(argv + 2);
	if (!strcmp(mode, "exit") && argc == 3)
		return atoi(argv[2]);
	if (!strcmp(mode, "sleep") && argc == 3)
		return sleep(atoi(argv[2])) != 0;
	if (!strcmp(mode, "keepcaps"))
		return keep_caps();
	if (!strcmp(mode, "leave-root") && setresuid(4242, 4242, 4242) < 0)
		return 1;
	if (!strcmp(mode, "try-root"))
		return try_root();
	report_everything(argv);
	return fflush(stdout) == 0 ? 0 : 1;
}
