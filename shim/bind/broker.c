#include "bind/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "bind/declared.h"
#include "bind/filter.h"
#include "bind/mirror.h"
#include "bind/target.h"
#include "cred/caps.h"
#include "drop/verify.h"

/* Applications set options and bind at once; the oldest is forgotten. */
enum { SOCKETS = 64, SAID = 16 };

/* The options of a socket that is not bound yet; bit n: filter_options[n]. */
struct options {
	ino_t inode;
	unsigned char given;
	unsigned char on;
};

struct broker {
	const struct bind_spec *spec;
	const struct verify_spec *proof;
	struct verify_seen *seen;
	int notify;
	bool proven;		/* the child has been looked at */
	bool copies;		/* pidfd_getfd(2) works */
	bool killable;		/* only SIGKILL interrupts a thread that asks */
	struct identity network;
	uint64_t cookie;	/* of the same network namespace */
	struct options options[SOCKETS];
	size_t next_options;
	struct mirror mirrors[TARGET_SHAPES];
	ino_t given[SOCKETS];	/* sockets that we made */
	size_t next_given;
	bool said_unreadable;
	size_t nsaid;
	struct bind_address said[SAID];

	sem_t verified;		/* the thread has looked at itself: result */
	sem_t begin;		/* there is a filter */
	int result;
	struct fault *fault;
};

/* ---- what the application has set ---- */

static struct options *find_options(struct broker *b, ino_t inode)
{
	for (size_t i = 0; i < SOCKETS; i++)
		if (b->options[i].inode == inode)
			return &b->options[i];
	return NULL;
}

/*
 * The value is only remembered; the kernel sets it. A wrong one, or one that
 * the kernel refuses, makes a socket of ours other than the application's own.
 * Where a socket can be copied it is asked itself, when it is bound.
 */
static void note_option(struct broker *b, const struct seccomp_notif *q)
{
	const pid_t tid = (pid_t)q->pid;
	struct target_socket s;
	struct options *o;
	int value;

	if (b->copies || (int)q->data.args[4] < (int)sizeof(value) ||
	    target_read(tid, q->data.args[3], &value, sizeof(value)) < 0 ||
	    !target_socket(tid, (int)q->data.args[0], &s))
		return;
	if (s.copy >= 0)
		close(s.copy);
	o = find_options(b, s.inode);
	if (!o) {
		o = &b->options[b->next_options++ % SOCKETS];
		*o = (struct options){ .inode = s.inode };
	}
	for (size_t i = 0; i < FILTER_OPTIONS; i++)
		if (filter_options[i].level == (int)q->data.args[1] &&
		    filter_options[i].name == (int)q->data.args[2]) {
			o->given |= (unsigned char)(1u << i);
			o->on &= (unsigned char)~(1u << i);
			o->on |= (unsigned char)((value != 0) << i);
		}
}

/* Returns a socket like the application's, not bound, or -1 with errno. */
static int make_socket(struct broker *b, const struct target_socket *s)
{
	const struct options *o = find_options(b, s->inode);
	const int fd = socket(s->family,
			      (s->kind == LISTENER_TCP ? SOCK_STREAM
						       : SOCK_DGRAM) |
				      SOCK_CLOEXEC |
				      (s->nonblock ? SOCK_NONBLOCK : 0),
			      s->protocol);

	if (fd < 0)
		return -1;
	if (s->copy >= 0) {
		mirror_copy(&b->mirrors[s->shape], s->copy, fd);
		return fd;
	}
	for (size_t i = 0; o && i < FILTER_OPTIONS; i++) {
		int on = o->on >> i & 1;

		if (o->given >> i & 1)
			setsockopt(fd, filter_options[i].level,
				   filter_options[i].name, &on, sizeof(on));
	}
	return fd;
}

/* ---- what is said ---- */

static bool is_valid(const struct broker *b, const struct seccomp_notif *q)
{
	uint64_t id = q->id;

	return sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void say_unreadable(struct broker *b, const struct seccomp_notif *q,
			   int err)
{
	struct fault f;

	if (b->said_unreadable || !is_valid(b, q))
		return;
	b->said_unreadable = true;
	fault_set(&f, EXIT_STEP, err,
		  "bind of process %u: read the address from its memory",
		  q->pid);
	if (err == EACCES || err == EPERM)
		fault_hint(&f,
			   "the user may not read the executable: chmod a+r");
	report_warning_now(&f);
}

/* The kernel will refuse it: nobody but us has the capability. */
static void say_undeclared(struct broker *b, const struct bind_address *a)
{
	struct fault f;

	if (declared_port(a) >= b->spec->port_start || b->nsaid == SAID)
		return;
	for (size_t i = 0; i < b->nsaid; i++)
		if (b->said[i].size == a->size && b->said[i].kind == a->kind &&
		    memcmp(&b->said[i].at, &a->at, a->size) == 0)
			return;
	b->said[b->nsaid++] = *a;
	declared_missing(b->spec, a, &f);
	report_warning_now(&f);
}

/* ---- one question ---- */

static void leave_to_kernel(struct seccomp_notif_resp *answer)
{
	answer->error = 0;
	answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

static void finish(struct seccomp_notif_resp *answer, int error)
{
	answer->error = -error;
	answer->flags = 0;
}

static bool in_our_network(const struct broker *b, pid_t tid,
			   const struct target_socket *s)
{
	struct identity there;

	if (s->copy >= 0 && b->cookie)
		return mirror_network(s->copy) == b->cookie;
	return target_network(tid, &there) == 0 &&
	       there.device == b->network.device &&
	       there.inode == b->network.inode;
}

static bool was_given(const struct broker *b, ino_t inode)
{
	for (size_t i = 0; i < SOCKETS; i++)
		if (b->given[i] == inode)
			return true;
	return false;
}

/*
 * Not SECCOMP_ADDFD_FLAG_SEND, with which bind(2) would return the number of
 * the descriptor. Our copy is closed before the answer: from then on the port
 * is held by the application alone. ENOENT: the caller has died, or a signal
 * has interrupted it and it will ask again.
 */
static void put_over(struct broker *b, int fd, const struct target_socket *s,
		 const struct seccomp_notif *q,
		 struct seccomp_notif_resp *answer)
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
		return;
	if (fstat(fd, &st) == 0)
		b->given[b->next_given++ % SOCKETS] = st.st_ino;
	finish(answer, 0);
}

/*
 * Everything is known of the thread and its socket. For a socket that is bound
 * already the kernel would say EACCES, for it looks at the port first, where
 * without us it would have been EINVAL. But before Linux 5.19 a signal may take
 * the thread out of the call when it has been served, and then it calls again.
 */
static void serve(struct broker *b, const struct seccomp_notif *q,
		  struct bind_address *a, const struct target_socket *s,
		  struct seccomp_notif_resp *answer)
{
	const struct listener *l;
	int fd;

	if (was_given(b, s->inode) ||
	    (s->copy >= 0 && mirror_is_bound(s->copy))) {
		finish(answer, b->killable ? EINVAL : 0);
		return;
	}
	fd = make_socket(b, s);
	if (fd < 0) {
		finish(answer, errno);
		return;
	}
	a->kind = s->kind;
	a->v6only = mirror_is_v6only(fd);
	l = declared_find(b->spec, a);
	if (!l)
		say_undeclared(b, a);
	else if (bind(fd, &a->at.any, a->size) < 0)
		finish(answer, errno);
	else
		put_over(b, fd, s, q, answer);
	close(fd);
}

/* The first question is that of broker_prove(). Returns 0, or an errno. */
static int look_at_child(struct broker *b, const struct seccomp_notif *q)
{
	struct target_socket s;
	ino_t inode = 0;

	if (target_read((pid_t)q->pid, q->data.args[1], &inode,
			sizeof(inode)) < 0)
		return errno;
	if (!target_socket((pid_t)q->pid, (int)q->data.args[0], &s) ||
	    s.inode != inode)
		return ESRCH;
	b->copies = s.copy >= 0;
	if (b->copies)
		close(s.copy);
	b->proven = true;
	return 0;
}

/* What the application wants, once, into our own memory. */
static bool read_address(struct broker *b, const struct seccomp_notif *q,
			 struct bind_address *a)
{
	a->size = (socklen_t)q->data.args[2];
	if (a->size < sizeof(sa_family_t) || a->size > sizeof(a->at))
		return false;
	if (target_read((pid_t)q->pid, q->data.args[1], &a->at, a->size) == 0)
		return true;
	if (errno != EFAULT && errno != EIO)
		say_unreadable(b, q, errno);
	return false;
}

/* The answer is "leave it to the kernel" already. */
static void decide(struct broker *b, const struct seccomp_notif *q,
		   struct seccomp_notif_resp *answer)
{
	const pid_t tid = (pid_t)q->pid;
	struct bind_address a = { 0 };
	struct target_socket s;
	unsigned int port;

	if (!read_address(b, q, &a))
		return;
	port = declared_port(&a);
	if (port == 0 || (port >= b->spec->port_start &&
			  !declared_has_port(b->spec, port)))
		return;
	if (!target_socket(tid, (int)q->data.args[0], &s))
		return;
	if (s.family == a.at.any.sa_family && in_our_network(b, tid, &s) &&
	    is_valid(b, q))
		serve(b, q, &a, &s, answer);
	if (s.copy >= 0)
		close(s.copy);
}

/* ---- the thread ---- */

/* Returns false when no thread carries the filter any more (Linux 6.11). */
static bool answer_one(struct broker *b)
{
	union {
		struct seccomp_notif q;
		char room[FILTER_NOTIFICATION_SIZE];
	} in;
	union {
		struct seccomp_notif_resp answer;
		char room[FILTER_NOTIFICATION_SIZE];
	} out;

	memset(&in, 0, sizeof(in));	/* the kernel insists */
	memset(&out, 0, sizeof(out));
	/* ENOENT: the caller has died before it was received. */
	if (sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return errno == ENOENT || errno == EINTR;
	out.answer.id = in.q.id;
	leave_to_kernel(&out.answer);
	/* Thread 0 is of a PID namespace that is not below ours. */
	if (in.q.pid == 0)
		;
	else if (in.q.data.nr == SYS_setsockopt)
		note_option(b, &in.q);
	else if (!b->proven)
		finish(&out.answer, look_at_child(b, &in.q));
	else
		decide(b, &in.q, &out.answer);
	/* ENOENT: it has died meanwhile; there is nobody to answer. */
	sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_SEND, &out);
	return true;
}

/* Until the process ends. All signals are blocked since the start. */
static void *run_thread(void *argument)
{
	struct broker *b = argument;

	b->result = verify_run(b->proof, b->seen, b->fault);
	sem_post(&b->verified);
	sem_wait(&b->begin);
	while (answer_one(b))
		;
	return NULL;
}

/* ---- the beginning ---- */

/* ENOENT for a notification that cannot exist: the kernel knows the request. */
static int check_add(int notify, struct fault *f)
{
	struct seccomp_notif_addfd add = { .id = UINT64_MAX,
					   .srcfd = (uint32_t)notify };

	if (sys_notifier(notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 &&
	    errno == ENOENT)
		return 0;
	fault_set(f, EXIT_STEP, ENOSYS,
		  "replace a descriptor of the application (Linux 5.9)");
	return filter_hint(f);
}

/* Capabilities are a thread's own: the broker's thread keeps what it has. */
static int step_back(const struct verify_spec *proof, struct verify_seen *seen,
		     struct fault *f)
{
	struct verify_spec without = *proof;

	without.held = 0;
	if (caps_leave(proof->keep_caps, f) < 0)
		return -1;
	return verify_run(&without, seen, f);
}

static int learn_network(struct broker *b, struct fault *f)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fault_set(f, EXIT_STEP, errno, "open a socket");
	b->cookie = mirror_network(fd);
	close(fd);
	if (target_network(0, &b->network) == 0)
		return 0;
	fault_set(f, EXIT_STEP, errno, "look into /proc");
	return fault_hint(f, "/proc must be mounted");
}

int broker_start(const struct bind_spec *spec, const struct verify_spec *proof,
		 struct verify_seen *seen, struct fault *f)
{
	static struct broker b
		__attribute__((section(".bss.large"), aligned(4096)));
	pthread_t thread;
	int err;

	b.spec = spec;
	b.proof = proof;
	b.seen = seen;
	b.fault = f;
	if (learn_network(&b, f) < 0)
		return -1;
	sem_init(&b.verified, 0, 0);
	sem_init(&b.begin, 0, 0);
	err = pthread_create(&thread, NULL, run_thread, &b);
	if (err)
		return fault_set(f, EXIT_STEP, err, "start a thread");
	sem_wait(&b.verified);
	if (b.result < 0 || (proof->held && step_back(proof, seen, f) < 0))
		return -1;
	b.notify = filter_install(&b.killable, f);
	if (b.notify < 0 || check_add(b.notify, f) < 0)
		return -1;
	sys_notifier_in_turn(b.notify);
	sem_post(&b.begin);
	return 0;
}

int broker_prove(struct fault *f)
{
	struct stat st;
	int fd, result;

	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "become dumpable");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_set(f, EXIT_STEP, errno, "open a socket");
	result = bind(fd, (const struct sockaddr *)&st.st_ino,
		      sizeof(st.st_ino));
	close(fd);
	if (result == 0)
		return 0;
	fault_set(f, EXIT_STEP, errno, "look at the child in /proc");
	return fault_hint(f,
			  "/proc must be mounted, be that of this PID "
			  "namespace, and kernel.yama.ptrace_scope at most 1");
}
