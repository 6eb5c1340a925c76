/*
 * walk: all that is below a directory, by several threads.
 *
 * A directory that is found goes into a queue if there is room; otherwise the
 * thread walks it at once, one level of recursion and one descriptor deeper. So
 * descriptors are bounded, and no thread waits for room. A thread that finds
 * the queue empty shares a directory that another one reads: their descriptors
 * have one offset. Threads are started when a walk proves long, and joined
 * before it returns: the drop that follows needs a process of one thread.
 *
 * Signals that ask to end are blocked and polled: without a handler, only
 * blocked signals reach PID 1 (sig_ignored() in kernel/signal.c).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "own/give.h"
#include "own/own.h"

enum {
	MAX_LEVEL = 1000,	/* of recursion */
	STACK_SIZE = 8 << 20,	/* enough for that */
	BUFFER_SIZE = 3328,	/* about 100 entries */
	QUEUE_SIZE = 32,
	TICK = 64,		/* entries between two look_around() */
	LONG = 1024,		/* entries after which threads are started */
	FIRST_PROGRESS = 3000, PROGRESS = 10000	/* milliseconds */
};

/* An open directory to read, and its position for exclude=. */
struct place {
	int fd;
	unsigned int depth;
	uint32_t paths;		/* see own_excludes() */
};

/* What the threads share. */
struct walk {
	atomic_bool stop;
	atomic_uint threads;
	atomic_uint busy;		/* threads that have a directory */

	pthread_mutex_t lock;		/* for all that follows */
	pthread_cond_t news;		/* a queued directory, or the end */
	struct place queue[QUEUE_SIZE];
	unsigned int queued;
	int64_t next_progress;
	unsigned long long entries;
	struct own_outcome *out;	/* of all threads */
};

struct walker {
	struct walk *walk;
	pthread_t thread;
	struct own_actor actor;
	uint64_t entries;
	unsigned int level;		/* of recursion */
	bool expect_wrong;		/* as the last file was */
};

/* See own_failed(). */
static void failed(struct walker *w, const char *act, int dir, const char *name,
		   int fd)
{
	if (own_failed(&w->actor, act, dir, name, fd))
		w->walk->stop = true;
}

/* Add a thread's results since the last time. Needs the lock. */
static void gather(struct walker *w)
{
	struct own_outcome *all = w->walk->out;
	struct own_outcome *out = &w->actor.out;

	for (size_t n = 0; n < OWN_COUNTS; n++) {
		all->counts[n] += out->counts[n];
		out->counts[n] = 0;
	}
	if (out->fault.status &&
	    (!all->fault.status || (out->ends && !all->ends)))
		all->fault = out->fault;
	all->ends |= out->ends;
}

/* Queue a directory. Returns true if it took place->fd. */
static bool offer(struct walk *walk, const struct place *place)
{
	bool taken;

	pthread_mutex_lock(&walk->lock);
	taken = walk->queued < QUEUE_SIZE;
	if (taken)
		walk->queue[walk->queued++] = *place;
	pthread_mutex_unlock(&walk->lock);
	if (taken)
		pthread_cond_signal(&walk->news);
	return taken;
}

/*
 * Returns a pending signal that asks to end, or 0. An ignored one stays
 * ignored, as nohup(1) wants it. The set is the kernel's 64 bits: the C
 * library's sets lack the signals that it uses itself.
 */
static int ended_by(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action;
	uint64_t pending = 0;

	syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	for (size_t i = 0; pending && i < ARRAY_LEN(numbers); i++)
		if (pending & SIGNAL_BIT(numbers[i]) &&
		    sigaction(numbers[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			return numbers[i];
	return 0;
}

static void start_threads(struct walker *first);

/* Every TICK entries: report, check for signals, share the directory. */
static void look_around(struct walker *w, const struct place *place)
{
	const char *path = w->actor.rules->tree->path;
	struct walk *walk = w->walk;
	struct place part = *place;
	int64_t now = sys_milliseconds();
	int signal = ended_by();

	pthread_mutex_lock(&walk->lock);
	gather(w);
	walk->entries += TICK;
	if (walk->entries == LONG)
		start_threads(w);
	if (now >= walk->next_progress) {
		walk->next_progress = now + PROGRESS;
		report_note("own %s: %llu files seen", path, walk->entries);
	}
	if (signal) {
		fault_set(&walk->out->fault, 128 + signal, 0,
			  "own %s: ended by signal %d", path, signal);
		walk->stop = walk->out->ends = true;
	}
	pthread_mutex_unlock(&walk->lock);
	if (walk->busy == walk->threads)
		return;
	part.fd = fcntl(place->fd, F_DUPFD_CLOEXEC, 0);
	if (part.fd >= 0 && !offer(walk, &part))
		close(part.fd);
}

/* Judge an entry without opening it. Returns true if it needs no change. */
static bool is_right(struct walker *w, int dir, struct sys_dirent *entry)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	enum own_verdict verdict;
	struct stat st;

	if (fstatat(dir, entry->name, &st, flags) < 0 &&
	    (!own_become_owner(&w->actor, dir) ||
	     fstatat(dir, entry->name, &st, flags) < 0))
		return false;
	entry->type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
	if (entry->type == DT_DIR)
		return false;
	verdict = own_judge(w->actor.rules, &st);
	w->expect_wrong = verdict == OWN_WRONG;
	w->actor.out.counts[verdict] += !w->expect_wrong;
	return !w->expect_wrong;
}

static void walk_dir(struct walker *w, const struct place *place);

/* Queue or walk a directory. Takes below->fd: -1 with errno if open failed. */
static void descend(struct walker *w, int dir, const char *name,
		    const struct place *below)
{
	if (below->fd < 0) {
		failed(w, "read", dir, name, -1);
		return;
	}
	if (offer(w->walk, below))
		return;
	if (w->level++ < MAX_LEVEL) {
		walk_dir(w, below);
	} else {
		errno = ELOOP;
		failed(w, "go deeper into", dir, name, below->fd);
	}
	w->level--;
	close(below->fd);
}

/*
 * Examine an entry, change it, and descend into it. O_PATH opens a directory
 * that is closed to us, and one that was none when its name was read.
 */
static void visit(struct walker *w, const struct place *place,
		  struct sys_dirent *entry)
{
	struct place below = { .depth = place->depth + 1 };
	const char *name = entry->name;
	struct own_actor *a = &w->actor;
	struct stat st = { 0 };
	const char *act;
	int flags, fd;

	if (own_excludes(a->rules->tree, name, place->depth, place->paths,
			 &below.paths)) {
		a->out.counts[OWN_EXCLUDED]++;
		return;
	}
	if (entry->type != DT_DIR &&
	    (!w->expect_wrong || entry->type == DT_UNKNOWN) &&
	    is_right(w, place->fd, entry))
		return;
	flags = entry->type == DT_DIR ? FS_DIRECTORY : O_PATH;
	fd = own_open(a, place->fd, name, flags);
	if (fd < 0 && flags != O_PATH &&
	    (errno == EACCES || errno == ENOTDIR || errno == ELOOP)) {
		flags = O_PATH;
		fd = own_open(a, place->fd, name, flags);
	}
	act = fd < 0 ? "open" : own_change(a, fd, &st);
	if (act)
		failed(w, act, place->fd, name, fd);
	if (S_ISDIR(st.st_mode)) {
		below.fd = flags == O_PATH
				   ? own_open(a, fd, ".", FS_DIRECTORY)
				   : fd;
		descend(w, place->fd, name, &below);
	} else {
		w->expect_wrong = own_judge(a->rules, &st) == OWN_WRONG;
	}
	if (fd >= 0 && (flags == O_PATH || !S_ISDIR(st.st_mode)))
		close(fd);
}

/* Leaves place->fd open. */
static void walk_dir(struct walker *w, const struct place *place)
{
	uint64_t buffer[BUFFER_SIZE / 8];	/* aligned for its entries */
	struct sys_dirent *entry;
	ssize_t length = 0;

	while (!w->walk->stop &&
	       (length = syscall(SYS_getdents64, place->fd, buffer,
				 sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < length && !w->walk->stop;
		     at += entry->size) {
			entry = (void *)((char *)buffer + at);
			if (strcmp(entry->name, ".") == 0 ||
			    strcmp(entry->name, "..") == 0)
				continue;
			visit(w, place, entry);
			if (++w->entries % TICK == 0)
				look_around(w, place);
		}
	if (length < 0)
		failed(w, "read", place->fd, ".", place->fd);
}

/* Walk one directory of the queue after the other, until all are done. */
static void *work(void *argument)
{
	struct walker *w = argument;
	struct walk *walk = w->walk;
	struct place place;

	pthread_mutex_lock(&walk->lock);
	for (;;) {
		while (!walk->stop && walk->queued == 0 && walk->busy > 0)
			pthread_cond_wait(&walk->news, &walk->lock);
		if (walk->stop || walk->queued == 0)
			break;
		place = walk->queue[--walk->queued];
		walk->busy++;
		pthread_mutex_unlock(&walk->lock);
		walk_dir(w, &place);
		close(place.fd);
		pthread_mutex_lock(&walk->lock);
		walk->busy--;
	}
	gather(w);
	pthread_cond_broadcast(&walk->news);
	pthread_mutex_unlock(&walk->lock);
	return NULL;
}

/*
 * Start as many threads as asked for, or one for each CPU of the affinity mask,
 * which is the cpuset's or less (sched_setaffinity(2)). If one cannot be
 * created, the walk goes on with fewer.
 */
static void start_threads(struct walker *first)
{
	struct walk *walk = first->walk;
	unsigned int wanted = first->actor.rules->tree->threads;
	pthread_attr_t attr;
	cpu_set_t cpus;

	if (!wanted && sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		wanted = (unsigned int)CPU_COUNT(&cpus);
	if (wanted > OWN_MAX_THREADS)
		wanted = OWN_MAX_THREADS;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (; walk->threads < wanted; walk->threads++) {
		struct walker *w = first + walk->threads;

		*w = (struct walker){ .walk = walk };
		w->actor.rules = first->actor.rules;
		if (pthread_create(&w->thread, &attr, work, w) != 0)
			break;
	}
}

void own_walk(struct own_actor *a, int fd)
{
	struct walk walk = { .out = &a->out, .threads = 1,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .news = PTHREAD_COND_INITIALIZER,
			     .next_progress = sys_milliseconds() +
					      FIRST_PROGRESS };
	struct walker walkers[OWN_MAX_THREADS] = {
		{ .walk = &walk, .actor = { .rules = a->rules } }
	};
	const uint64_t ends = SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) |
			      SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGTERM);
	uint64_t before = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &ends, &before, sizeof(before));
	walk.queue[walk.queued++] = (struct place){ fd, 0, UINT32_MAX };
	work(&walkers[0]);
	a->changed |= walkers[0].actor.changed;
	for (unsigned int i = 1; i < walk.threads; i++)
		pthread_join(walkers[i].thread, NULL);
	while (walk.queued > 0)
		close(walk.queue[--walk.queued].fd);
	if (!a->out.ends)	/* On failure they stay blocked. */
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL,
			sizeof(before));
}
