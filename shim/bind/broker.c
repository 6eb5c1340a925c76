#include "bind/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/sys.h"
#include "bind/filter.h"
#include "bind/mirror.h"
#include "bind/pool.h"
#include "bind/target.h"
#include "cred/caps.h"
#include "drop/verify.h"
#include "plan.h"

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
	bool said_exhausted[LISTENERS_MAX];
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

	return sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void report_unreadable(struct broker *b, const struct seccomp_notif *q,
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
	report_warning(&f);
}

/* Which listener declares it; their number if none does. */
static size_t find_listener(const struct broker *b, const struct wish *w)
{
	size_t i = 0;

	while (i < b->plan->listen.count &&
	       pool_form(&b->plan->listen.listeners[i], w) == FORM_NONE)
		i++;
	return i;
}

static void report_exhausted(struct broker *b, size_t listener)
{
	struct fault f;

	if (b->said_exhausted[listener])
		return;
	b->said_exhausted[listener] = true;
	fault_set(&f, EXIT_STEP, 0, "bind %s: no socket is left for it",
		  b->plan->listen.listeners[listener].url);
	fault_hint(&f, "each bind takes one; for tcp ?spares=N makes more");
	report_warning(&f);
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
	fcntl(spare->fd, F_SETFL, s->nonblock ? O_NONBLOCK : 0);
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

	if (sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
		return;
	if (b->plan->verbose)
		report_note("bind: %s for process %u",
			 b->plan->listen.listeners[spare->listener].url, q->pid);
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
		/*
		 * What was noted may be a lie (a setsockopt that the kernel then
		 * refused); this socket's own word decides what is bound.
		 */
		if (borrowed >= 0 &&
		    (s->family != AF_INET6 ||
		     mirror_is_v6only(borrowed) == w->v6only))
			finish(answer, bind(borrowed, &w->address.any,
					    w->size) < 0 ? errno : 0);
		return;
	}
	spare = pool_find(b->plan, b->pool, w);
	if (!spare) {
		report_exhausted(b, find_listener(b, w));
		return;
	}
	prepare(spare, &b->plan->listen.listeners[spare->listener], s,
		find_note(b, s->inode), borrowed);
	give(b, spare, s, q, answer);
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
		report_unreadable(b, q, errno);
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
	if (find_listener(b, &w) == b->plan->listen.count || !is_valid(b, q))
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
	if (sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return;
	out.answer.id = in.q.id;
	leave_to_kernel(&out.answer);
	if (in.q.data.nr == SYS_setsockopt)
		note_option(b, &in.q);
	else if (in.q.pid != 0)
		decide(b, &in.q, &out.answer);
	sys_notifier(b->notify, SECCOMP_IOCTL_NOTIF_SEND, &out);
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

/* Signals are held since the start, and so the thread has none to take. */
static int start_thread(struct broker *b, struct fault *f)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, run_thread, b);

	return err ? fault_set(f, EXIT_STEP, err, "start a thread") : 0;
}

/* ---- the beginning ---- */

int broker_before(const struct plan *plan, struct run *run, struct fault *f)
{
	if (!plan_brokers(plan))
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, run->channel) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "open a channel");
	return 0;
}

/* A byte, and a descriptor with it. */
struct message {
	char byte;
	struct iovec data;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr head;
};

static void prepare_message(struct message *m)
{
	memset(m, 0, sizeof(*m));
	m->data = (struct iovec){ &m->byte, 1 };
	m->head.msg_iov = &m->data;
	m->head.msg_iovlen = 1;
	m->head.msg_control = m->control;
	m->head.msg_controllen = sizeof(m->control);
}

static int send_descriptor(int channel, int fd, char byte)
{
	struct message m;
	struct cmsghdr *c;

	prepare_message(&m);
	m.byte = byte;
	c = CMSG_FIRSTHDR(&m.head);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(channel, &m.head, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Returns the descriptor, or -1: the other end is gone. */
static int receive_descriptor(int channel, bool *byte)
{
	struct message m;
	ssize_t got;
	int fd;

	prepare_message(&m);
	do {
		got = recvmsg(channel, &m.head, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got != 1 || m.head.msg_controllen < CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m.head)), sizeof(fd));
	*byte = m.byte;
	return fd;
}

int broker_child(const struct plan *plan, struct run *run, struct fault *f)
{
	const int channel = run->channel[1];
	struct verify_spec after;
	bool killable;
	ssize_t got;
	char byte;
	int fd;

	if (!plan_brokers(plan))
		return 0;
	close(run->channel[0]);
	run->shed = true;
	after = plan_verify_spec(plan, run);
	if (plan_supervisor_caps(plan) &&
	    (caps_clear(f) < 0 || verify_run(&after, &run->seen, f) < 0))
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
				 "send the filter");
	close(fd);
	do {
		got = read(channel, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got != 1)
		return fault_set(f, EXIT_STEP, 0,
				 "the supervisor has ended");
	return 0;
}

/* net.ipv6.bindv6only, by what a socket says. */
static bool read_v6only(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int value = 0;
	socklen_t size = sizeof(value);

	getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &size);
	close(fd);
	return value;
}

/*
 * EINVAL for a notification that cannot exist: an older kernel does not know
 * this request; one that does says ENOENT.
 */
static bool can_add(int notify)
{
	struct seccomp_notif_addfd add = { .id = UINT64_MAX,
					   .srcfd = (uint32_t)notify };

	return sys_notifier(notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 &&
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
			  "look at the child in /proc");
		return fault_hint(f,
				  "/proc must be mounted, be that of this PID namespace, and kernel.yama.ptrace_scope at most 1");
	}
	if (!can_add(b->notify)) {
		fault_set(f, EXIT_STEP, ENOSYS,
			  "replace a descriptor of the application (Linux 5.9)");
		return filter_other_way(f);
	}
	if (!b->own)
		return 0;
	if (caller_socket(child, channel, &s))
		copy = caller_borrow(child, channel, s.inode);
	if (copy < 0) {
		fault_set(f, EXIT_STEP, errno,
			  "copy a descriptor of the application by pidfd_getfd(2)");
		return fault_hint(f,
				  "Docker's seccomp profile denies it without --cap-add=SYS_PTRACE; --handoff=bind does without");
	}
	close(copy);
	return 0;
}

int broker_parent(const struct plan *plan, struct run *run, pid_t child,
		 struct fault *f)
{
	const int *channel = run->channel;
	static struct broker b
		__attribute__((section(".bss.large"), aligned(4096)));
	int result;

	if (!plan_brokers(plan))
		return 0;
	close(channel[1]);
	b.plan = plan;
	b.pool = &run->pool;
	b.own = plan->listen.handoff == HANDOFF_BIND_OWN;
	b.v6only = read_v6only();
	b.cookie = mirror_network(channel[0]);
	b.notify = receive_descriptor(channel[0], &b.killable);
	if (b.notify < 0) {
		close(channel[0]);
		return 0;
	}
	sys_notifier_in_turn(b.notify);
	result = try(&b, run, channel[1], child, f);
	if (result == 0)
		result = start_thread(&b, f);
	/* The thread has them by now; capset(2) is for the calling one. */
	if (result == 0 && plan_supervisor_caps(plan) &&
	    (caps_clear(f) < 0 || verify_no_caps(f) < 0))
		result = -1;
	/* Not closed: the child, who must be killed, would speak up. */
	if (result < 0)
		return -1;
	send(channel[0], "", 1, MSG_NOSIGNAL);
	close(channel[0]);
	return 0;
}
