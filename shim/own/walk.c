/*
 * walk: all that is below a directory, by several threads.
 *
 * A directory that is found goes into a queue while that has room; else it is
 * walked at once, one level of recursion and one descriptor deeper. So
 * descriptors are bounded, and nobody waits for room. A thread that finds the
 * queue empty gets a share of a directory that is being read: both read on by
 * the same offset. Threads are started once a walk has proved to be long, and
 * joined before it returns: the drop that follows must find one thread.
 *
 * Signals that ask to end are blocked and asked for now and then: without a
 * handler PID 1 gets blocked ones only (sig_ignored() in kernel/signal.c).
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
#include "own/spec.h"

enum {
	MAX_DEPTH = 1000,
	STACK_SIZE = 8 << 20,	/* enough for that */
	BUFFER_SIZE = 4096,	/* about 120 entries */
	QUEUE_SIZE = 32,
	TICK = 64,		/* entries between two looks around */
	LONG = 1024,		/* entries after which threads are started */
	FIRST_PROGRESS = 3000, PROGRESS = 10000	/* milliseconds */
};

/* A directory to be read: open, and where it is in view of exclude=. */
struct place {
	int fd;
	unsigned int depth;
	uint32_t paths;		/* see own_excludes() */
};

/* What the threads share. */
struct walk {
	const struct own_rules *rules;
	struct fault *fault;		/* of the first failure */
	uint64_t ends;			/* the signals that end a walk */
	int ended_by;			/* one of them, or 0 */
	atomic_bool stop;
	atomic_bool failed;
	atomic_uint threads;
	atomic_uint waiting;		/* threads that want a directory */

	pthread_mutex_t lock;		/* of all that follows */
	pthread_cond_t news;		/* the queue, busy or stop changed */
	struct place queue[QUEUE_SIZE];
	unsigned int queued;
	unsigned int busy;		/* threads that have a directory */
	int64_t started;
	int64_t next_progress;
	unsigned long long entries;
	unsigned long long changed;
};

struct walker {
	struct walk *walk;
	pthread_t thread;
	struct own_actor actor;
	uint64_t entries;
	unsigned long long changed_before;	/* at the last tick */
	bool expect_wrong;		/* as the last file was */
};

static void stop(struct walk *walk)
{
	walk->stop = true;
	pthread_cond_broadcast(&walk->news);
}

/*
 * Something failed with errno. That an entry is gone, is another mount, or is
 * kept by a read-only one is no failure. Others stop the walk, or may pass.
 */
static void failed(struct walker *w, const char *act, int dir, const char *name,
		   int fd)
{
	const struct own_tree *t = w->walk->rules->tree;
	bool passes = own_may_fail(t, errno);
	enum own_verdict what = fd < 0 && errno == EXDEV ? OWN_MOUNTS
				: errno == EROFS && t->cross_mounts
					? OWN_READ_ONLY
					: OWN_FAILED;
	struct fault f;

	if (fd < 0 && errno == ENOENT)
		return;
	w->actor.counts[what]++;
	if (what != OWN_FAILED || (w->walk->failed && passes))
		return;
	own_fault(t, act, dir, name, fd, &f);
	pthread_mutex_lock(&w->walk->lock);
	if (!w->walk->stop)
		*w->walk->fault = f;
	w->walk->failed = true;
	if (!passes)
		stop(w->walk);
	pthread_mutex_unlock(&w->walk->lock);
}

/* Put a directory in the queue; if that returns true, it took place->fd. */
static bool offer(struct walk *walk, const struct place *place)
{
	bool taken = false;

	if (walk->threads == 1)
		return false;
	pthread_mutex_lock(&walk->lock);
	if (walk->queued < QUEUE_SIZE) {
		walk->queue[walk->queued++] = *place;
		taken = true;
		pthread_cond_signal(&walk->news);
	}
	pthread_mutex_unlock(&walk->lock);
	return taken;
}

/* This thread is done with its directory: get another. False: it is over. */
static bool take(struct walk *walk, struct place *place)
{
	bool taken = false;

	pthread_mutex_lock(&walk->lock);
	walk->busy--;
	walk->waiting++;
	while (!walk->stop && walk->queued == 0 && walk->busy > 0)
		pthread_cond_wait(&walk->news, &walk->lock);
	walk->waiting--;
	if (!walk->stop && walk->queued > 0) {
		*place = walk->queue[--walk->queued];
		walk->busy++;
		taken = true;
	} else {
		pthread_cond_broadcast(&walk->news);
	}
	pthread_mutex_unlock(&walk->lock);
	return taken;
}

static void start_threads(struct walker *first);

/* After each entry of a directory: now and then look around. */
static void tick(struct walker *w, const struct place *place)
{
	struct walk *walk = w->walk;
	struct place part = *place;
	uint64_t pending = 0;
	int64_t now;

	if (++w->entries == LONG && walk->threads == 1)
		start_threads(w);
	if (w->entries % TICK)
		return;
	now = sys_milliseconds();
	syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	pthread_mutex_lock(&walk->lock);
	walk->entries += TICK;
	walk->changed += w->actor.counts[OWN_WRONG] - w->changed_before;
	w->changed_before = w->actor.counts[OWN_WRONG];
	if (now >= walk->next_progress) {
		walk->next_progress = now + PROGRESS;
		report_note("own %s: %llu files seen, %llu changed, "
			    "%llu a second", walk->rules->tree->path,
			    walk->entries, walk->changed,
			    walk->entries * 1000 /
				    (unsigned long long)(now - walk->started));
	}
	if (pending & walk->ends) {
		walk->ended_by = __builtin_ctzll(pending & walk->ends) + 1;
		stop(walk);
	}
	pthread_mutex_unlock(&walk->lock);
	if (!walk->waiting)
		return;
	part.fd = fcntl(place->fd, F_DUPFD_CLOEXEC, 0);
	if (part.fd >= 0 && !offer(walk, &part))
		close(part.fd);
}

/* As the directory's owner if it is closed to us. */
static int open_entry(struct walker *w, int dir, const char *name, int flags)
{
	const struct fs_opener *opener = &w->walk->rules->opener;
	int fd = fs_open(opener, dir, name, flags);

	if (fd < 0 && own_become_owner(&w->actor, dir))
		fd = fs_open(opener, dir, name, flags);
	return fd;
}

/* What the name says, without opening. Returns true if that is all to do. */
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
	verdict = own_judge(w->walk->rules, &st);
	w->expect_wrong = verdict == OWN_WRONG;
	w->actor.counts[verdict] += !w->expect_wrong;
	return !w->expect_wrong;
}

static void walk_dir(struct walker *w, const struct place *place);

/*
 * Look at an entry, make it right, and go into it. A directory that is closed
 * to us, or that was none when its name was read, is opened with O_PATH first.
 */
static void visit(struct walker *w, const struct place *place,
		  struct sys_dirent *entry)
{
	const struct own_rules *rules = w->walk->rules;
	struct place below = { -1, place->depth + 1, 0 };
	const char *name = entry->name;
	struct stat st = { 0 };
	int path = -1;
	const char *act;

	if (own_excludes(rules->tree, name, place->depth, place->paths,
			 &below.paths)) {
		w->actor.counts[OWN_EXCLUDED]++;
		return;
	}
	if (entry->type != DT_DIR &&
	    (!w->expect_wrong || entry->type == DT_UNKNOWN) &&
	    is_right(w, place->fd, entry))
		return;
	if (entry->type == DT_DIR)
		below.fd = open_entry(w, place->fd, name, FS_DIRECTORY);
	if (below.fd < 0 && (entry->type != DT_DIR || errno == EACCES ||
			     errno == ENOTDIR || errno == ELOOP))
		path = open_entry(w, place->fd, name, O_PATH);
	if (below.fd < 0 && path < 0) {
		failed(w, "open", place->fd, name, -1);
		return;
	}
	act = own_change(rules, &w->actor, below.fd < 0 ? path : below.fd, &st);
	if (act)
		failed(w, act, place->fd, name, below.fd < 0 ? path : below.fd);
	errno = ELOOP;
	if (!S_ISDIR(st.st_mode))
		w->expect_wrong = own_judge(rules, &st) == OWN_WRONG;
	else if (below.fd < 0 &&
		 (below.fd = own_open_dir(&w->actor, path)) < 0)
		failed(w, "read", place->fd, name, path);
	else if (below.depth > MAX_DEPTH)
		failed(w, "go deeper than 1,000 levels, into", place->fd, name,
		       path);
	else if (offer(w->walk, &below))
		below.fd = -1;
	else
		walk_dir(w, &below);
	if (below.fd >= 0)
		close(below.fd);
	if (path >= 0)
		close(path);
}

/* Leaves place->fd open. */
static void walk_dir(struct walker *w, const struct place *place)
{
	uint64_t buffer[BUFFER_SIZE / 8];	/* aligned for its entries */
	struct sys_dirent *entry;
	ssize_t length = 0;

	while (!w->walk->stop && (length = sys_getdents(place->fd, buffer,
						       sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < length && !w->walk->stop;
		     at += entry->size) {
			entry = (void *)((char *)buffer + at);
			if (strcmp(entry->name, ".") == 0 ||
			    strcmp(entry->name, "..") == 0)
				continue;
			visit(w, place, entry);
			tick(w, place);
		}
	if (length < 0)
		failed(w, "read", place->fd, ".", place->fd);
}

static void *work(void *argument)
{
	struct walker *w = argument;
	struct place place;

	while (take(w->walk, &place)) {
		walk_dir(w, &place);
		close(place.fd);
	}
	return NULL;
}

/*
 * As many as asked for, or one for each CPU of the affinity mask, which is the
 * cpuset's or less (sched_setaffinity(2)). Without memory for a thread there is
 * one less, and that is no failure.
 */
static void start_threads(struct walker *first)
{
	struct walk *walk = first->walk;
	unsigned int wanted = walk->rules->tree->threads;
	pthread_attr_t attr;
	cpu_set_t cpus;

	if (!wanted && sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		wanted = (unsigned int)CPU_COUNT(&cpus);
	if (wanted > OWN_MAX_THREADS)
		wanted = OWN_MAX_THREADS;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (unsigned int i = 1; i < wanted; i++) {
		first[i] = (struct walker){ .walk = walk };
		first[i].actor.before = first->actor.before;
		first[i].actor.changed = first->actor.changed;
		pthread_mutex_lock(&walk->lock);
		walk->busy++;
		if (pthread_create(&first[i].thread, &attr, work,
				   &first[i]) == 0)
			walk->threads++;
		else
			wanted = walk->busy--;
		pthread_mutex_unlock(&walk->lock);
	}
}

/*
 * Block the signals that end a walk; returns the mask until then. In 64 bits as
 * the kernel has it: the C library's sets lack the signals that it uses itself.
 * A signal that is ignored stays so, as nohup(1) wants it.
 */
static uint64_t block_signals(uint64_t *ends)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action;
	uint64_t before = 0;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (sigaction(numbers[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			*ends |= UINT64_C(1) << (numbers[i] - 1);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, ends, &before, sizeof(before));
	return before;
}

int own_walk(const struct own_rules *rules, struct own_actor *a, int fd,
	     struct fault *f)
{
	struct walk walk = { .rules = rules, .fault = f, .threads = 1,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .news = PTHREAD_COND_INITIALIZER,
			     .started = sys_milliseconds() };
	struct walker walkers[OWN_MAX_THREADS] = {
		{ .walk = &walk, .actor = *a }
	};
	uint64_t before = block_signals(&walk.ends);

	walk.next_progress = walk.started + FIRST_PROGRESS;
	walk.queue[walk.queued++] = (struct place){ fd, 0, UINT32_MAX };
	walk.busy = 1;
	work(&walkers[0]);
	*a = walkers[0].actor;
	for (unsigned int i = 1; i < walk.threads; i++) {
		pthread_join(walkers[i].thread, NULL);
		for (size_t n = 0; n < OWN_COUNTS; n++)
			a->counts[n] += walkers[i].actor.counts[n];
	}
	while (walk.queued > 0)
		close(walk.queue[--walk.queued].fd);
	if (walk.ended_by)	/* Signals stay blocked, so that we report. */
		return fault_set(f, 128 + walk.ended_by, 0,
				 "own %s: ended by signal %d",
				 rules->tree->path, walk.ended_by);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
	return walk.failed && walk.stop ? -1 : 0;
}
