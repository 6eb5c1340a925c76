#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caller.h"
#include "caps.h"
#include "compat.h"
#include "descriptor.h"
#include "fault.h"
#include "filter.h"
#include "mirror.h"
#include "plan.h"
#include "pool.h"
#include "say.h"
#include "verify.h"

/* What is known of a socket of the application before it is bound. */
struct note {
	ino_t inode;
	bool v6only;
	bool reuseport;
};

/* Applications set options and bind at once; the oldest is forgotten. */
enum {
	NOTES = 64,
	PAUSE = 50		/* milliseconds */
};

struct broker {
	const struct plan *plan;
	struct pool *pool;
	int notify;
	bool own;		/* --handoff=bind-own */
	bool killable;		/* a signal does not interrupt the caller */
	bool v6only;		/* net.ipv6.bindv6only */
	struct identity network;
	uint64_t cookie;	/* of the same network namespace */
	struct note notes[NOTES];
	size_t next_note;
	bool said_unreadable;
	bool said_exhausted[PLAN_MAX_LISTENERS];
};

/* ---- one question ---- */

static const struct note *find_note(const struct broker *b, ino_t inode)
{
	for (size_t i = 0; i < NOTES; i++)
		if (b->notes[i].inode == inode)
			return &b->notes[i];
	return NULL;
}

static struct note *make_note(struct broker *b, ino_t inode)
{
	struct note *n = (struct note *)(uintptr_t)find_note(b, inode);

	if (n)
		return n;
	n = &b->notes[b->next_note++ % NOTES];
	*n = (struct note){ .inode = inode, .v6only = b->v6only };
	return n;
}

static void leave_to_kernel(struct seccomp_notif_resp *answer)
{
	answer->val = 0;
	answer->error = 0;
	answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

static void finish(struct seccomp_notif_resp *answer, int error)
{
	answer->val = 0;
	answer->error = -error;
	answer->flags = 0;
}

/*
 * The value is only remembered; the kernel sets it. A wrong one could be
 * slipped to us, and would choose among sockets that the plan declares.
 */
static void note_option(struct broker *b, const struct seccomp_notif *q)
{
	const pid_t tid = (pid_t)q->pid;
	struct caller_socket s;
	struct note *n;
	int value;

	if ((unsigned int)q->data.args[4] < sizeof(value) ||
	    caller_read(tid, q->data.args[3], &value, sizeof(value)) < 0 ||
	    !caller_socket(tid, (int)q->data.args[0], &s))
		return;
	n = make_note(b, s.inode);
	if ((int)q->data.args[1] == SOL_SOCKET)
		n->reuseport = value != 0;
	else
		n->v6only = value != 0;
}

static bool is_valid(const struct broker *b, const struct seccomp_notif *q)
{
	uint64_t id = q->id;

	return compat_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
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
			   "a program that the user may not read, or that made itself undumpable, cannot be served: chmod a+r the executable, or use --keep-caps=net_bind_service without --handoff=%s",
			   b->own ? "bind-own" : "bind");
	say_warning(&f);
}

static void say_exhausted(struct broker *b, const struct wish *w)
{
	struct fault f;

	for (size_t i = 0; i < b->plan->nlisteners; i++) {
		const struct listener *l = &b->plan->listeners[i];

		if (pool_form(l, w) == FORM_NONE || b->said_exhausted[i])
			continue;
		b->said_exhausted[i] = true;
		fault_set(&f, EXIT_STEP, 0,
			  "bind %s: no socket is left for it", l->url);
		fault_hint(&f,
			   l->kind == LISTENER_TCP
				   ? "each bind takes one: more come with ?spares=N, without bound with --handoff=bind-own"
				   : "it can be bound once; any number of times with --handoff=bind-own");
		say_warning(&f);
	}
}

/* Options that are set without asking, and those that we know by themselves. */
static void prepare(const struct spare *spare, const struct listener *l,
		    const struct caller_socket *s, const struct note *n,
		    int borrowed)
{
	const int on = 1, off = 0;

	if (borrowed >= 0)
		mirror_copy(borrowed, spare->fd);
	/* Needed while several forms were bound; now it would let others in. */
	if (l->kind == LISTENER_UDP)
		setsockopt(spare->fd, SOL_SOCKET, SO_REUSEADDR, &off,
			   sizeof(off));
	if (n && n->reuseport)
		setsockopt(spare->fd, SOL_SOCKET, SO_REUSEPORT, &on,
			   sizeof(on));
	descriptor_control(spare->fd, F_SETFL, s->nonblock ? O_NONBLOCK : 0);
}

/*
 * Not SECCOMP_ADDFD_FLAG_SEND, with which bind(2) would return the number of
 * the descriptor. Our copy is closed before the answer: from then on the port
 * is held by the application alone.
 */
static void give(struct broker *b, struct spare *spare,
		 const struct caller_socket *s, const struct seccomp_notif *q,
		 struct seccomp_notif_resp *answer)
{
	struct seccomp_notif_addfd add = {
		.id = q->id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)spare->fd,
		.newfd = (uint32_t)q->data.args[0],
		.newfd_flags = s->cloexec ? O_CLOEXEC : 0
	};

	if (compat_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
		return;
	if (b->plan->verbose)
		say_note("bind: %s for process %u",
			 b->plan->listeners[spare->listener].url, q->pid);
	pool_gave(b->plan, b->pool, spare);
	finish(answer, 0);
}

static bool in_our_network(const struct broker *b, pid_t tid)
{
	struct identity there;

	return caller_network(tid, &there) == 0 &&
	       there.device == b->network.device &&
	       there.inode == b->network.inode;
}

/*
 * Everything is known of the caller. For a socket that is bound already the
 * kernel would say EACCES, for it looks at the port first, where without us it
 * would have been EINVAL. But before Linux 5.19 a signal may take the caller
 * out of the call when it has been served, sometimes even after our answer
 * went well, and then it calls again.
 */
static void serve(struct broker *b, const struct seccomp_notif *q,
		   const struct wish *w, const struct caller_socket *s,
		   int borrowed, struct seccomp_notif_resp *answer)
{
	struct spare *spare;

	if (borrowed >= 0 && !mirror_fits(borrowed, s, b->cookie))
		return;
	if (pool_is_given(b->pool, s->inode) ||
	    (borrowed >= 0 && mirror_is_bound(borrowed))) {
		finish(answer, b->killable ? EINVAL : 0);
		return;
	}
	if (b->own) {
		if (borrowed >= 0)
			finish(answer, bind(borrowed, &w->address.any,
					    w->size) < 0 ? errno : 0);
		return;
	}
	spare = pool_find(b->plan, b->pool, w);
	if (!spare) {
		say_exhausted(b, w);
		return;
	}
	prepare(spare, &b->plan->listeners[spare->listener], s,
		find_note(b, s->inode), borrowed);
	give(b, spare, s, q, answer);
}

static bool is_declared(const struct broker *b, const struct wish *w)
{
	for (size_t i = 0; i < b->plan->nlisteners; i++)
		if (pool_form(&b->plan->listeners[i], w) != FORM_NONE)
			return true;
	return false;
}

/* What the caller wants, once, into our own memory. */
static bool read_wish(struct broker *b, const struct seccomp_notif *q,
		      struct wish *w)
{
	w->size = (socklen_t)q->data.args[2];
	if (w->size < sizeof(sa_family_t) || w->size > sizeof(w->address))
		return false;
	if (caller_read((pid_t)q->pid, q->data.args[1], &w->address,
			w->size) == 0)
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
	const int fd = (int)q->data.args[0];
	struct wish w = { 0 };
	struct caller_socket s;
	const struct note *n;
	int borrowed;

	if (!read_wish(b, q, &w) || !pool_knows(b->plan, &w) ||
	    !caller_socket(tid, fd, &s) ||
	    s.family != w.address.any.sa_family || !in_our_network(b, tid))
		return;
	n = find_note(b, s.inode);
	w.v6only = n ? n->v6only : b->v6only;
	w.kind = s.kind;
	w.any_type = s.any_type;
	if (!is_declared(b, &w) || !is_valid(b, q))
		return;
	borrowed = caller_borrow(tid, fd, s.inode);
	serve(b, q, &w, &s, borrowed, answer);
	if (borrowed >= 0)
		close(borrowed);
}

/* ---- the thread ---- */

/* That the caller is gone (ENOENT) is no matter, neither first nor last. */
static void answer_one(struct broker *b)
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
	if (compat_notifier(b->notify, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return;
	out.answer.id = in.q.id;
	leave_to_kernel(&out.answer);
	if (in.q.data.nr == SYS_setsockopt)
		note_option(b, &in.q);
	else if (in.q.pid != 0)
		decide(b, &in.q, &out.answer);
	compat_notifier(b->notify, SECCOMP_IOCTL_NOTIF_SEND, &out);
}

/* Until no process carries the filter any more (POLLHUP, Linux 5.9). */
static void *run_thread(void *argument)
{
	struct broker *b = argument;
	struct pollfd wait = { .fd = b->notify, .events = POLLIN };

	for (;;) {
		if (poll(&wait, 1, -1) < 0) {
			/* Somebody has set our RLIMIT_NOFILE to 0. */
			poll(NULL, 0, PAUSE);
			continue;
		}
		if (!(wait.revents & POLLIN))
			break;
		answer_one(b);
	}
	return NULL;
}

static int start_thread(struct broker *b, struct fault *f)
{
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, run_thread, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return fault_set(f, EXIT_STEP, err,
				 "handoff bind: start a thread");
	return 0;
}

/* ---- the beginning ---- */

int broker_before(const struct plan *plan, struct run *run, struct fault *f)
{
	if (!plan_brokers(plan))
		return 0;
	if (descriptor_pair(SOCK_STREAM | SOCK_CLOEXEC, run->channel) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "handoff bind: open a channel");
	return 0;
}

/* One byte, and a descriptor with it unless fd is -1. */
static int send_descriptor(int channel, int fd, char byte)
{
	struct iovec data = { &byte, 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	return sendmsg(channel, &m, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Returns the descriptor, or -1: the other end is gone, or sent none. */
static int receive_descriptor(int channel, char *byte)
{
	struct iovec data = { byte, 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t got;
	int fd;

	do {
		got = recvmsg(channel, &m, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got != 1 || m.msg_controllen < CMSG_LEN(sizeof(int)) ||
	    control.head.cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}

int broker_child(const struct plan *plan, struct run *run, struct fault *f)
{
	const int channel = run->channel[1];
	bool killable;
	ssize_t got;
	char byte;
	int fd;

	if (!plan_brokers(plan))
		return 0;
	close(run->channel[0]);
	run->shed = true;
	if (plan_supervisor_caps(plan) &&
	    (caps_clear(f) < 0 || verify_run(plan, run, f) < 0))
		return -1;
	/*
	 * The change of uid has made this process undumpable, and execve makes
	 * it dumpable again: the supervisor tries now what it must do then.
	 */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno, "become dumpable");
	run->proof = getpid();
	fd = filter_install(&killable, f);
	if (fd < 0)
		return -1;
	if (send_descriptor(channel, fd, killable) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "handoff bind: send the filter");
	close(fd);
	do {
		got = read(channel, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got != 1)
		return fault_set(f, EXIT_STEP, 0,
				 "handoff bind: the supervisor has ended");
	return 0;
}

static bool read_v6only(void)
{
	char value = '0';
	int fd = open("/proc/sys/net/ipv6/bindv6only", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;	/* no IPv6 */
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value == '1';
}

/*
 * EINVAL for a notification that cannot exist: an older kernel does not know
 * this request; one that does says ENOENT.
 */
static bool can_add(int notify)
{
	struct seccomp_notif_addfd add = { .id = UINT64_MAX,
					   .srcfd = (uint32_t)notify };

	return compat_notifier(notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 &&
	       errno == ENOENT;
}

/* Do with the child what will have to be done with the application. */
static int try(struct broker *b, const struct run *run, int channel,
	       pid_t child, struct fault *f)
{
	struct caller_socket s;
	pid_t proof = 0;
	int copy = -1;

	if (caller_network(0, &b->network) < 0 ||
	    caller_read(child, (uint64_t)(uintptr_t)&run->proof, &proof,
			sizeof(proof)) < 0 ||
	    proof != child) {
		fault_set(f, EXIT_STEP, proof ? 0 : errno,
			  "handoff bind: look at the child in /proc");
		return fault_hint(f,
				  "/proc must be mounted, be that of this PID namespace, and kernel.yama.ptrace_scope at most 1; or use --keep-caps=net_bind_service without --handoff=bind");
	}
	if (!can_add(b->notify)) {
		fault_set(f, EXIT_STEP, ENOSYS,
			  "handoff bind: replace a descriptor of the application (Linux 5.9)");
		return filter_other_way(f);
	}
	if (!b->own)
		return 0;
	if (caller_socket(child, channel, &s))
		copy = caller_borrow(child, channel, s.inode);
	if (copy < 0) {
		fault_set(f, EXIT_STEP, errno,
			  "handoff bind-own: take a copy of a descriptor of the application, by pidfd_getfd(2) (Linux 5.6)");
		return fault_hint(f,
				  "the default seccomp profile of Docker denies that call; --handoff=bind does without it, or use --keep-caps=net_bind_service without --handoff, or --cap-add=SYS_PTRACE");
	}
	close(copy);
	return 0;
}

int broker_parent(const struct plan *plan, struct run *run, pid_t child,
		 struct fault *f)
{
	const int *channel = run->channel;
	static struct broker b;
	char killable = 0;
	int result;

	if (!plan_brokers(plan))
		return 0;
	close(channel[1]);
	b.plan = plan;
	b.pool = &run->pool;
	b.own = plan->handoff == HANDOFF_BIND_OWN;
	b.v6only = read_v6only();
	b.cookie = mirror_network(channel[0]);
	b.notify = receive_descriptor(channel[0], &killable);
	b.killable = killable;
	if (b.notify < 0) {
		close(channel[0]);
		return 0;
	}
	result = try(&b, run, channel[1], child, f);
	if (result == 0)
		result = start_thread(&b, f);
	/* The thread has them by now; capset(2) is for the calling one. */
	if (result == 0 && plan_supervisor_caps(plan) &&
	    (caps_clear(f) < 0 || verify_no_caps(f) < 0))
		result = -1;
	if (result == 0)
		send_descriptor(channel[0], -1, 0);
	close(channel[0]);
	return result;
}
