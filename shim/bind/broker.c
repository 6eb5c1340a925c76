#include "bind/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "bind/declared.h"
#include "bind/filter.h"
#include "bind/target.h"
#include "cred/caps.h"
#include "drop/verify.h"
#include "listen/listen.h"

/* Applications set options and bind at once; the oldest is forgotten. */
enum { OPTIONS = 256, GIVEN = 64, REPORTED = 16 };

struct option {
	ino_t inode;
	int level, name, value;
};

struct broker {
	const struct listen_spec *spec;
	const struct verify_spec *proof;
	struct verify_seen *seen;
	int notify;
	bool killable;		/* only SIGKILL interrupts a call */
	ino_t network;
	uint64_t cookie;	/* SO_NETNS_COOKIE of it, or 0 */
	size_t noptions;	/* how many were set so far */
	struct option options[OPTIONS];
	size_t ngiven;
	ino_t given[GIVEN];	/* sockets that were bound here */
	bool unreadable;	/* reported */
	size_t nreported;
	struct bind_address reported[REPORTED];

	pthread_barrier_t gate;	/* twice: for the result, for the filter */
	int result;
	struct fault *fault;
};

/* ---- the application's socket, and ours ---- */

/* Note an option that the kernel will set; a wrong one harms its owner only. */
static void note_option(struct broker *b, const struct seccomp_notif *q)
{
	const __u64 *args = q->data.args;
	struct option o = { .level = (int)args[1], .name = (int)args[2] };

	o.inode = target_inode((pid_t)q->pid, (int)args[0]);
	if (o.inode && (int)args[4] >= (int)sizeof(o.value) &&
	    target_read((pid_t)q->pid, args[3], &o.value,
			sizeof(o.value)) == 0)
		b->options[b->noptions++ % OPTIONS] = o;
}

/* Returns a socket like the application's, not bound, or -1 with errno. */
static int make_socket(const struct broker *b, const struct target_socket *s,
		       int flags)
{
	const int type = s->type | SOCK_CLOEXEC | (flags & SOCK_NONBLOCK);
	const int fd = socket(s->family, type, s->protocol);

	for (size_t i = 0; fd >= 0 && i < OPTIONS; i++) {
		const struct option *o =
			&b->options[(b->noptions + i) % OPTIONS];

		if (o->inode == s->inode)
			setsockopt(fd, o->level, o->name, &o->value,
				   sizeof(o->value));
	}
	return fd;
}

static uint64_t network_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SOCKET_NETWORK_COOKIE, &cookie, &size);
	return cookie;
}

/* ---- what is reported ---- */

static void report_unreadable(struct broker *b, unsigned int pid, int err)
{
	struct fault f;

	/* Other errors mean a wrong address, or a dead thread. */
	if (b->unreadable || b->seen->trying ||
	    (err != EACCES && err != EPERM))
		return;
	b->unreadable = true;
	fault_set(&f, EXIT_STEP, err,
		  "bind of process %u: read the address from its memory", pid);
	fault_hint(&f,
		   "the user may not read the executable: chmod a+r; or kernel.yama.ptrace_scope is above 1");
	report_warning(&f);
}

/* The kernel will refuse this bind: only the broker has the capability. */
static void report_undeclared(struct broker *b, const struct bind_address *a)
{
	struct fault f;

	for (size_t i = 0; i < b->nreported; i++)
		if (b->reported[i].kind == a->kind &&
		    memcmp(&b->reported[i].at, &a->at, sizeof(a->at)) == 0)
			return;
	if (declared_port(a) >= b->spec->port_start ||
	    b->nreported == REPORTED)
		return;
	b->reported[b->nreported++] = *a;
	declared_missing(b->spec, a, &f);
	report_warning(&f);
}

/* ---- one question; each answer is 0, an errno, or LEAVE to the kernel ---- */

enum { LEAVE = -1 };

static int bind_it(struct broker *b, int fd, const struct bind_address *a,
		   ino_t inode)
{
	if (bind(fd, &a->at.any, a->size) < 0)
		return errno;
	b->given[b->ngiven++ % GIVEN] = inode;
	return 0;
}

/*
 * SECCOMP_ADDFD_FLAG_SEND would make bind(2) return a number. ENOENT: the
 * thread has died, or a signal has interrupted it, and it will ask again. We
 * close ours before the answer, so that only the application has the port.
 */
static int replace(struct broker *b, const struct seccomp_notif *q,
		   struct bind_address *a, const struct target_socket *s)
{
	const int flags = target_flags((pid_t)q->pid, (int)q->data.args[0]);
	const int fd = make_socket(b, s, flags);
	struct seccomp_notif_addfd add = {
		.id = q->id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)q->data.args[0],
		.newfd_flags = (uint32_t)flags & O_CLOEXEC
	};
	int v6only = 0, answer = LEAVE;
	socklen_t size = sizeof(v6only);

	if (fd < 0)
		return errno;
	getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &size);
	a->v6only = v6only;
	if (!declared_covers(b->spec, a))
		report_undeclared(b, a);
	else
		answer = bind_it(b, fd, a, target_inode(getpid(), fd));
	if (answer == 0 &&
	    sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
		answer = errno;
	close(fd);
	return answer;
}

/*
 * A socket that was bound here is EINVAL; but before Linux 5.19 a signal may
 * interrupt the thread after the bind, and it asks again.
 *
 * The application's own socket is bound if nothing that matters can change
 * meanwhile: it is of this network namespace, and the plan covers the address
 * with any IPV6_V6ONLY. To replace it, the thread must be of this namespace.
 */
static int serve(struct broker *b, const struct seccomp_notif *q,
		 struct bind_address *a, const struct target_socket *s)
{
	for (size_t i = 0; i < GIVEN; i++)
		if (b->given[i] == s->inode)
			return b->killable ? EINVAL : 0;
	a->kind = s->protocol == IPPROTO_UDP ? LISTENER_UDP : LISTENER_TCP;
	if (s->copy >= 0 && b->cookie &&
	    network_cookie(s->copy) == b->cookie &&
	    declared_covers(b->spec, a))
		return bind_it(b, s->copy, a, s->inode);
	return target_network((pid_t)q->pid) == b->network
		       ? replace(b, q, a, s) : LEAVE;
}

static int decide(struct broker *b, const struct seccomp_notif *q)
{
	const pid_t tid = (pid_t)q->pid;
	struct bind_address a = { 0 };
	struct target_socket s;
	uint64_t id = q->id;
	int answer = LEAVE;

	a.size = (socklen_t)q->data.args[2];
	if (a.size > sizeof(a.at))
		return LEAVE;
	if (target_read(tid, q->data.args[1], &a.at, a.size) < 0) {
		report_unreadable(b, q->pid, errno);
		return LEAVE;
	}
	/* For 0.0.0.0 the kernel takes no family as that of IPv4. */
	if (a.at.any.sa_family == AF_UNSPEC && !a.at.in.sin_addr.s_addr)
		a.at.any.sa_family = AF_INET;
	if (!declared_concerns(b->spec, &a) ||
	    !target_socket(tid, (int)q->data.args[0], &s))
		return LEAVE;
	if (s.family == a.at.any.sa_family &&
	    sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0)
		answer = serve(b, q, &a, &s);
	if (s.copy >= 0)
		close(s.copy);
	return answer;
}

/* ---- the thread ---- */

/* Returns false when no thread has the filter any more (Linux 6.11). */
static bool answer_one(struct broker *b)
{
	union {
		char room[FILTER_NOTIFICATION_SIZE];
		struct seccomp_notif q;
		struct seccomp_notif_resp answer;
	} in = { { 0 } }, out = { { 0 } };	/* must be zeroes */
	int answer = LEAVE;

	/* ENOENT: the thread died before we received its notification. */
	if (sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return errno == ENOENT || errno == EINTR;
	/* Thread 0 is of a PID namespace that is not below ours. */
	if (in.q.pid != 0 && in.q.data.nr == SYS_setsockopt)
		note_option(b, &in.q);
	else if (in.q.pid != 0)
		answer = decide(b, &in.q);
	out.answer.id = in.q.id;
	if (answer == LEAVE)
		out.answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		out.answer.error = -answer;
	/* ENOENT: the thread has died; there is nobody to answer. */
	sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_SEND, &out);
	return true;
}

/* Verify the ids and capabilities of the calling thread. */
static int prove(const struct broker *b, uint64_t held)
{
	struct verify_spec spec = *b->proof;

	spec.held = held;
	return verify_run(&spec, b->seen, b->fault);
}

/* The broker, until the process ends. All signals are blocked. */
static void *run_thread(void *argument)
{
	struct broker *b = argument;

	b->result = prove(b, b->proof->held);
	pthread_barrier_wait(&b->gate);
	pthread_barrier_wait(&b->gate);
	while (answer_one(b))
		;
	return NULL;
}

int broker_start(const struct listen_spec *spec,
		 const struct verify_spec *proof,
		 struct verify_seen *seen, struct fault *f)
{
	static struct broker b SYS_LARGE;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pthread_t thread;
	int err;

	b = (struct broker){ .spec = spec, .proof = proof, .seen = seen,
			     .fault = f, .network = target_network(getpid()),
			     .cookie = network_cookie(fd) };
	if (fd >= 0)
		close(fd);
	pthread_barrier_init(&b.gate, NULL, 2);
	err = pthread_create(&thread, NULL, run_thread, &b);
	if (err)
		return fault_set(f, EXIT_STEP, err, "start a thread");
	pthread_barrier_wait(&b.gate);
	/* Each thread has its own capabilities: the broker's stay. */
	if (b.result < 0 || caps_leave(proof->keep_caps, f) < 0 ||
	    prove(&b, 0) < 0)
		return -1;
	b.notify = filter_install(&b.killable, f);
	if (b.notify < 0)
		return -1;
	/* SET_FLAGS, FD_SYNC_WAKE_UP (Linux 6.6): only faster. */
	syscall(SYS_ioctl, b.notify, SECCOMP_IOW(4, __u64), 1UL);
	pthread_barrier_wait(&b.gate);
	return 0;
}
