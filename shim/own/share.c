#include "own/share.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "own/links.h"
#include "run/signals.h"

/* U. Drepper, "Futexes Are Tricky": only a lock that is waited for wakes. */
static void lock(struct own_share *s)
{
	unsigned int was = 0;

	if (atomic_compare_exchange_strong(&s->lock, &was, 1))
		return;
	while (atomic_exchange(&s->lock, 2) != 0)
		sys_futex_wait(&s->lock, 2);
}

static void unlock(struct own_share *s)
{
	if (atomic_exchange(&s->lock, 0) == 2)
		sys_futex_wake(&s->lock, 1);
}

/* With the lock held, before and after, but not meanwhile. */
static void wait_for_news(struct own_share *s)
{
	unsigned int seen = s->news;

	unlock(s);
	sys_futex_wait(&s->news, seen);
	lock(s);
}

static void tell(struct own_share *s, int count)
{
	s->news++;
	sys_futex_wake(&s->news, count);
}

/* With the kernel's structure, which begins with the handler: see signals.c. */
static bool is_ignored(int number)
{
	uintptr_t now[16] = { 0 };

	syscall(SYS_rt_sigaction, number, NULL, now, sizeof(uint64_t));
	return now[0] == (uintptr_t)SIG_IGN;
}

/* A signal that is ignored stays so; nohup(1) sees to that for SIGHUP. */
static uint64_t choose_signals(void)
{
	static const unsigned char wishes[] = { SIGHUP, SIGINT, SIGQUIT,
						SIGTERM };
	uint64_t ends = 0;

	for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
		if (!is_ignored(wishes[i]))
			ends |= UINT64_C(1) << (wishes[i] - 1);
	return ends;
}

void own_share_start(struct own_share *s)
{
	s->ends = choose_signals();
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &s->ends, &s->mask,
		sizeof(s->mask));
	s->busy = 1;
	s->walkers = 1;
	own_report_start(&s->progress);
}

void own_share_end(struct own_share *s)
{
	own_report_stop(&s->progress);
	for (; s->queued > 0; s->queued--)
		close(s->queue[s->first++ % OWN_QUEUE]);
	/* A signal that is let in now would end us before we say why. */
	if (!s->ended_by)
		signals_release(s->mask);
}

void own_share_join(struct own_share *s)
{
	lock(s);
	s->busy++;
	s->walkers++;
	unlock(s);
}

void own_share_leave(struct own_share *s)
{
	lock(s);
	s->busy--;
	s->walkers--;
	unlock(s);
}

bool own_share_offer(struct own_share *s, int fd)
{
	bool taken = false;

	if (s->walkers <= 1 || s->queued == OWN_QUEUE)
		return false;
	lock(s);
	if (s->queued < OWN_QUEUE) {
		s->queue[(s->first + s->queued) % OWN_QUEUE] = fd;
		s->queued++;
		taken = true;
		if (s->idle > 0)
			tell(s, 1);
	}
	unlock(s);
	return taken;
}

int own_share_take(struct own_share *s)
{
	int fd = -1;

	lock(s);
	s->busy--;
	while (!s->stop && s->queued == 0 && s->busy > 0) {
		s->idle++;
		wait_for_news(s);
		s->idle--;
	}
	if (!s->stop && s->queued > 0) {
		fd = s->queue[s->first % OWN_QUEUE];
		s->first++;
		s->queued--;
		s->busy++;
	} else {
		s->walkers--;
		tell(s, TREE_MAX_THREADS);
	}
	unlock(s);
	return fd;
}

void own_share_wait(struct own_share *s)
{
	lock(s);
	while (s->walkers > 0)
		wait_for_news(s);
	unlock(s);
}

bool own_share_is_hungry(struct own_share *s)
{
	return s->idle > 0 && s->queued == 0;
}

static void stop(struct own_share *s)
{
	s->stop = true;
	tell(s, TREE_MAX_THREADS);
}

static void ask_for_signals(struct own_share *s)
{
	uint64_t pending = 0;

	syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	pending &= s->ends;
	if (!pending || s->ended_by)
		return;
	s->ended_by = __builtin_ctzll(pending) + 1;
	stop(s);
}

void own_share_tick(struct own_share *s, uint64_t changed)
{
	lock(s);
	s->entries += OWN_TICK;
	s->changed += changed;
	ask_for_signals(s);
	own_report_progress(&s->progress, s->rules->tree, s->entries,
			    s->changed);
	unlock(s);
}

void own_share_fail(struct own_share *s, const char *act, int folder,
		    const char *name, int fd)
{
	int err = errno;

	if (s->failed)
		return;
	lock(s);
	if (!s->failed) {
		errno = err;
		own_report_fault(s->rules->tree, act, folder, name, fd,
				 s->fault);
		s->failed = true;
		if (!s->rules->tree->may_fail)
			stop(s);
	}
	unlock(s);
}

/* Each walker may have that many folders open, and the queue as many. */
static unsigned int limit_of_descriptors(void)
{
	unsigned int queues =
		fs_max_descriptors((TREE_MAX_THREADS + 3) * OWN_QUEUE) / OWN_QUEUE;

	return queues < 4 ? 1 : queues - 3;
}

/* The affinity mask is the cpuset's, or less (sched_setaffinity(2)). */
unsigned int own_share_threads(const struct own_rules *rules)
{
	unsigned int most = rules->links->protected ? limit_of_descriptors() : 1;
	unsigned int wanted = rules->tree->threads;
	cpu_set_t cpus;

	if (!wanted)
		wanted = sched_getaffinity(0, sizeof(cpus), &cpus) == 0
				 ? (unsigned int)CPU_COUNT(&cpus)
				 : 1;
	return wanted < most ? wanted : most;
}
