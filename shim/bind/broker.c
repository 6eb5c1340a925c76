#include "bind/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>
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

/* Applications set options and bind at once; the oldest is forgotten. */
enum { OPTIONS = 256, GIVEN = 64, REPORTED = 16 };

struct option {
	ino_t inode;
	int level, name, value;
};

struct broker {
	const struct bind_spec *spec;
	const struct verify_spec *proof;
	struct verify_seen *seen;
	int notify;
	bool killable;		/* only SIGKILL interrupts a thread that asks */
	ino_t network;
	struct target_fresh fresh;
	size_t noptions;	/* so many were set, on sockets not yet bound */
	struct option options[OPTIONS];
	size_t ngiven;
	ino_t given[GIVEN];	/* sockets of ours */
	bool unreadable;	/* reported */
	size_t nreported;
	struct bind_address reported[REPORTED];

	sem_t verified;		/* the thread has looked at itself: result */
	sem_t begin;		/* there is a filter */
	int result;
	struct fault *fault;
};

/* ---- the application's socket, and ours ---- */

/* The kernel sets it. A lie makes ours other than the application's own. */
static void note_option(struct broker *b, const struct seccomp_notif *q)
{
	const __u64 *args = q->data.args;
	struct target_socket s;
	int value;

	if ((int)args[4] < (int)sizeof(value) ||
	    !target_socket((pid_t)q->pid, (int)args[0], &s))
		return;
	/* A socket that can be copied is asked itself, when it is bound. */
	if (s.copy >= 0)
		close(s.copy);
	else if (target_read((pid_t)q->pid, args[3], &value,
			     sizeof(value)) == 0)
		b->options[b->noptions++ % OPTIONS] = (struct option){
			s.inode, (int)args[1], (int)args[2], value
		};
}

/* Returns a socket like the application's, not bound, or -1 with errno. */
static int make_socket(struct broker *b, const struct target_socket *s)
{
	const int fd = socket(s->family, s->type | SOCK_CLOEXEC, s->protocol);

	if (fd >= 0 && s->copy >= 0)
		target_copy_options(s, fd, &b->fresh);
	for (size_t i = 0; fd >= 0 && s->copy < 0 && i < OPTIONS; i++) {
		const struct option *o =
			&b->options[(b->noptions + i) % OPTIONS];

		if (o->inode == s->inode)
			setsockopt(fd, o->level, o->name, &o->value,
				   sizeof(o->value));
	}
	return fd;
}

/* ---- what is reported ---- */

static void report_unreadable(struct broker *b, unsigned int pid, int err)
{
	struct fault f;

	/* Other errors mean a wrong address, or that it has died. */
	if (b->unreadable || (err != EACCES && err != EPERM))
		return;
	b->unreadable = true;
	fault_set(&f, EXIT_STEP, err,
		  "bind of process %u: read the address from its memory", pid);
	fault_hint(&f, "the user may not read the executable: chmod a+r; or "
		       "kernel.yama.ptrace_scope is above 1");
	report_warning_now(&f);
}

/* The kernel will refuse it: nobody but us has the capability. */
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
	report_warning_now(&f);
}

/* ---- one question; each answer is 0, an errno, or LEAVE to the kernel ---- */

enum { LEAVE = -1 };

/*
 * Not SECCOMP_ADDFD_FLAG_SEND: bind(2) would return a number. ENOENT: the
 * thread has died, or a signal has interrupted it, and it will ask again.
 */
static int put_over(struct broker *b, int fd, const struct target_socket *s,
		    const struct seccomp_notif *q)
{
	struct seccomp_notif_addfd add = {
		.id = q->id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)q->data.args[0],
		.newfd_flags = s->cloexec ? O_CLOEXEC : 0
	};
	struct stat st;

	if (sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
		return errno;
	if (fstat(fd, &st) == 0)
		b->given[b->ngiven++ % GIVEN] = st.st_ino;
	return 0;
}

/*
 * A socket of ours is bound already, which is EINVAL; but before Linux 5.19 a
 * signal may take a thread out of the call after that, and it asks again.
 * Ours is closed before the answer, so that the application alone has the port.
 */
static int serve(struct broker *b, const struct seccomp_notif *q,
		 struct bind_address *a, const struct target_socket *s)
{
	int fd, v6only = 0, answer = LEAVE;
	socklen_t size = sizeof(v6only);

	for (size_t i = 0; i < GIVEN; i++)
		if (b->given[i] == s->inode)
			return b->killable ? EINVAL : 0;
	fd = make_socket(b, s);
	if (fd < 0)
		return errno;
	getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &size);
	a->v6only = v6only;
	a->kind = s->protocol == IPPROTO_UDP ? LISTENER_UDP : LISTENER_TCP;
	if (!declared_covers(b->spec, a))
		report_undeclared(b, a);
	else if (bind(fd, &a->at.any, a->size) < 0)
		answer = errno;
	else
		answer = put_over(b, fd, s, q);
	close(fd);
	return answer;
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
	if (!declared_concerns(b->spec, &a) ||
	    !target_socket(tid, (int)q->data.args[0], &s))
		return LEAVE;
	if (s.family == a.at.any.sa_family &&
	    s.network == b->network &&
	    sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0)
		answer = serve(b, q, &a, &s);
	if (s.copy >= 0)
		close(s.copy);
	return answer;
}

/* ---- the thread ---- */

/* Returns false when no thread carries the filter any more (Linux 6.11). */
static bool answer_one(struct broker *b)
{
	union {
		char room[FILTER_NOTIFICATION_SIZE];
		struct seccomp_notif q;
		struct seccomp_notif_resp answer;
	} in = { { 0 } }, out = { { 0 } };	/* the kernel insists */
	int answer = LEAVE;

	/* ENOENT: the thread has died before it was received. */
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
	/* ENOENT: it has died meanwhile; there is nobody to answer. */
	sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_SEND, &out);
	return true;
}

/* In the thread that it is about: of its ids and capabilities. */
static int prove(const struct broker *b, uint64_t held)
{
	struct verify_spec spec = *b->proof;

	spec.held = held;
	return verify_run(&spec, b->seen, b->fault);
}

/* Until the process ends. All signals are blocked since the start. */
static void *run_thread(void *argument)
{
	struct broker *b = argument;

	b->result = prove(b, b->proof->held);
	sem_post(&b->verified);
	sem_wait(&b->begin);
	while (answer_one(b))
		;
	return NULL;
}

int broker_start(const struct bind_spec *spec, const struct verify_spec *proof,
		 struct verify_seen *seen, struct fault *f)
{
	static struct broker b;
	pthread_t thread;
	struct stat st;
	int err;

	if (stat("/proc/self/ns/net", &st) < 0)
		return fault_set(f, EXIT_STEP, errno, "look into /proc");
	b = (struct broker){ .spec = spec, .proof = proof, .seen = seen,
			     .fault = f, .network = st.st_ino };
	sem_init(&b.verified, 0, 0);
	sem_init(&b.begin, 0, 0);
	err = pthread_create(&thread, NULL, run_thread, &b);
	if (err)
		return fault_set(f, EXIT_STEP, err, "start a thread");
	sem_wait(&b.verified);
	/* Capabilities are a thread's own: the broker's keeps what it has. */
	if (b.result < 0 || caps_leave(proof->keep_caps, f) < 0 ||
	    prove(&b, 0) < 0)
		return -1;
	b.notify = filter_install(&b.killable, f);
	if (b.notify < 0)
		return -1;
	/* SET_FLAGS, FD_SYNC_WAKE_UP (Linux 6.6): only faster. */
	syscall(SYS_ioctl, b.notify, SECCOMP_IOW(4, __u64), 1UL);
	sem_post(&b.begin);
	return 0;
}
