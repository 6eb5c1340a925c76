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

/* An open directory to read. */
struct place {
	int fd;
	const char *excludes[OWN_MAX_EXCLUDES];	/* see own_excludes() */
};

/* What the threads share, besides the job. */
struct walk {
	struct own_job *job;		/* its lock guards what follows busy */
	atomic_uint threads;
	atomic_uint busy;		/* threads that have a directory */

	pthread_cond_t news;		/* a queued directory, or the end */
	struct place queue[QUEUE_SIZE];
	unsigned int queued;
	int64_t next_progress;
	unsigned long long entries;
};

struct walker {
	struct walk *walk;
	pthread_t thread;
	unsigned long long counts[OWN_COUNTS];
	uint64_t entries;
	unsigned int level;		/* of recursion */
	bool expect_wrong;		/* as the last file was */
};

/* Queue a directory. Returns true if it took place->fd. */
static bool offer(struct walk *walk, const struct place *place)
{
	bool taken;

	pthread_mutex_lock(&walk->job->lock);
	taken = walk->queued < QUEUE_SIZE;
	if (taken)
		walk->queue[walk->queued++] = *place;
	pthread_mutex_unlock(&walk->job->lock);
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
	struct walk *walk = w->walk;
	struct own_job *job = walk->job;
	const char *path = job->tree->path;
	struct place part = *place;
	int64_t now = sys_milliseconds();
	int signal = ended_by();

	pthread_mutex_lock(&job->lock);
	walk->entries += TICK;
	if (walk->entries == LONG)
		start_threads(w);
	if (now >= walk->next_progress) {
		walk->next_progress = now + PROGRESS;
		report_note("own %s: %llu files seen", path, walk->entries);
	}
	if (signal && !job->ends) {
		fault_set(job->fault, 128 + signal, 0,
			  "own %s: ended by signal %d", path, signal);
		job->ends = true;
	}
	pthread_mutex_unlock(&job->lock);
	if (walk->busy == walk->threads)
		return;
	part.fd = fcntl(place->fd, F_DUPFD_CLOEXEC, 0);
	if (part.fd >= 0 && !offer(walk, &part))
		close(part.fd);
}

/* Judge an entry without opening it. Returns true if it needs no change. */
static bool is_right(struct walker *w, int dir, const char *name)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct own_job *job = w->walk->job;
	enum own_verdict verdict;
	struct stat st;
	int result = fstatat(dir, name, &st, flags);

	if (result < 0 && own_become_owner(job, dir, EACCES))
		result = fstatat(dir, name, &st, flags);
	if (result < 0 || S_ISDIR(st.st_mode))
		return false;
	verdict = own_judge(job, &st);
	w->expect_wrong = verdict == OWN_WRONG;
	w->counts[verdict] += !w->expect_wrong;
	return !w->expect_wrong;
}

static void walk_dir(struct walker *w, const struct place *place);

/* Queue or walk a directory. Takes below->fd: -1 with errno if open failed. */
static void descend(struct walker *w, int dir, const char *name,
		    const struct place *below)
{
	struct own_job *job = w->walk->job;

	if (below->fd < 0) {
		own_failed(job, "read", dir, name, -1);
		return;
	}
	if (offer(w->walk, below))
		return;
	if (w->level++ < MAX_LEVEL) {
		walk_dir(w, below);
	} else {
		errno = ELOOP;
		own_failed(job, "go deeper into", dir, name, below->fd);
	}
	w->level--;
	close(below->fd);
}

/*
 * Examine an entry, change it, and descend into it. O_PATH opens a directory
 * that is closed to us, and one that was none when its name was read.
 */
static void visit(struct walker *w, const struct place *place,
		  const struct sys_dirent *entry)
{
	struct own_job *job = w->walk->job;
	const bool cross_mounts = job->tree->cross_mounts;
	struct place below = *place;
	const char *name = entry->name;
	struct stat st = { 0 };
	const char *act;
	bool readable;
	int fd = -1;

	if (own_excludes(job->tree, name, below.excludes)) {
		w->counts[OWN_EXCLUDED]++;
		return;
	}
	if (entry->type != DT_DIR && !w->expect_wrong &&
	    is_right(w, place->fd, name))
		return;
	if (entry->type == DT_DIR)
		fd = own_open(job, place->fd, name, FS_DIRECTORY, cross_mounts);
	readable = fd >= 0;
	if (!readable)
		fd = own_open(job, place->fd, name, O_PATH, cross_mounts);
	act = fd < 0 ? "open" : own_change(job, fd, &st, w->counts);
	if (act)
		own_failed(job, act, place->fd, name, fd);
	if (!S_ISDIR(st.st_mode)) {
		w->expect_wrong = own_judge(job, &st) == OWN_WRONG;
		if (fd >= 0)
			close(fd);
		return;
	}
	below.fd = fd;
	if (!readable) {
		below.fd = own_open(job, fd, ".", FS_DIRECTORY, cross_mounts);
		close(fd);
	}
	descend(w, place->fd, name, &below);
}

/* Leaves place->fd open. */
static void walk_dir(struct walker *w, const struct place *place)
{
	uint64_t buffer[BUFFER_SIZE / 8];	/* aligned for its entries */
	struct sys_dirent *entry;
	ssize_t length = 0;

	while (!w->walk->job->ends &&
	       (length = syscall(SYS_getdents64, place->fd, buffer,
				 sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < length && !w->walk->job->ends;
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
		own_failed(w->walk->job, "read", place->fd, ".", place->fd);
}

/* Walk one directory of the queue after the other, until all are done. */
static void *work(void *argument)
{
	struct walker *w = argument;
	struct walk *walk = w->walk;
	struct place place;

	pthread_mutex_lock(&walk->job->lock);
	for (;;) {
		while (!walk->job->ends && walk->queued == 0 && walk->busy > 0)
			pthread_cond_wait(&walk->news, &walk->job->lock);
		if (walk->job->ends || walk->queued == 0)
			break;
		place = walk->queue[--walk->queued];
		walk->busy++;
		pthread_mutex_unlock(&walk->job->lock);
		walk_dir(w, &place);
		close(place.fd);
		pthread_mutex_lock(&walk->job->lock);
		walk->busy--;
	}
	for (size_t n = 0; n < OWN_COUNTS; n++)
		walk->job->counts[n] += w->counts[n];
	pthread_cond_broadcast(&walk->news);
	pthread_mutex_unlock(&walk->job->lock);
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
	unsigned int wanted = walk->job->tree->threads;
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
		if (pthread_create(&w->thread, &attr, work, w) != 0)
			break;
	}
}

void own_walk(struct own_job *job, int top)
{
	struct walk walk = { .job = job, .threads = 1,
			     .news = PTHREAD_COND_INITIALIZER,
			     .next_progress = sys_milliseconds() +
					      FIRST_PROGRESS };
	struct walker walkers[OWN_MAX_THREADS] = { { .walk = &walk } };
	struct place *first = &walk.queue[walk.queued++];
	const uint64_t ends = SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) |
			      SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGTERM);
	uint64_t before = 0;

	memcpy(first->excludes, job->tree->excludes, sizeof(first->excludes));
	first->fd = own_open(job, top, ".", FS_DIRECTORY, true);
	if (first->fd < 0) {
		own_failed(job, "read", -1, NULL, top);
		return;
	}
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &ends, &before, sizeof(before));
	work(&walkers[0]);
	for (unsigned int i = 1; i < walk.threads; i++)
		pthread_join(walkers[i].thread, NULL);
	while (walk.queued > 0)
		close(walk.queue[--walk.queued].fd);
	if (!job->ends)	/* On failure they stay blocked. */
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL,
			sizeof(before));
}
