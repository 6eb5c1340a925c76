#include "own/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "own/levels.h"
#include "own/share.h"

struct crew;

struct walker {
	struct own_share *share;
	struct crew *crew;		/* of the first walker: who hires it */
	struct own_levels *levels;
	struct own_counts counts;
	uint64_t entries;
	uint64_t changed_before;	/* at the last tick */
	bool expect_wrong;		/* as the last file was */
	pid_t tid;			/* set by the thread itself */
};

/* The first of them is the caller, and hires the others if the walk is long. */
struct crew {
	struct walker walkers[TREE_MAX_THREADS];
	unsigned int size;
	unsigned int most;
};

static void fail(struct walker *w, const char *act, int folder,
		 const char *name, int fd)
{
	w->counts.of[OWN_FAILED]++;
	own_share_fail(w->share, act, folder, name, fd);
}

/* An entry that has gone since its name was read is no failure. */
static void not_opened(struct walker *w, int folder, const char *name)
{
	if (errno == EXDEV)
		w->counts.of[OWN_MOUNTS]++;
	else if (errno != ENOENT)
		fail(w, "open", folder, name, -1);
}

static void too_deep(struct walker *w, int folder, const char *name)
{
	errno = 0;
	fail(w, "too many unfinished folders above", folder, name, -1);
}

/* What the name says, without opening. Returns true if that is all to do. */
static bool is_right(struct walker *w, int folder, struct sys_dirent *entry)
{
	enum own_verdict verdict;
	struct stat st;

	if (fstatat(folder, entry->name, &st,
		    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return false;
	if (S_ISDIR(st.st_mode)) {
		entry->type = DT_DIR;	/* it comes again, with the folders */
		return true;
	}
	entry->type = DT_REG;
	verdict = own_judge(w->share->rules, &st);
	w->expect_wrong = verdict == OWN_WRONG;
	if (w->expect_wrong)
		return false;
	w->counts.of[verdict]++;
	return true;
}

static void visit_file(struct walker *w, int folder,
		       struct sys_dirent *entry)
{
	uint64_t right = w->counts.of[OWN_RIGHT];
	const char *failed;
	mode_t type;
	int fd;

	if ((!w->expect_wrong || entry->type == DT_UNKNOWN) &&
	    is_right(w, folder, entry))
		return;
	fd = fs_open(w->share->opener, folder, entry->name, O_PATH);
	if (fd < 0) {
		not_opened(w, folder, entry->name);
		return;
	}
	failed = own_change(w->share->rules, fd, folder, entry->name, &type,
			    &w->counts);
	if (failed)
		fail(w, failed, folder, entry->name, fd);
	w->expect_wrong = right == w->counts.of[OWN_RIGHT];
	close(fd);
}

/* Where to go on with a folder: here, with somebody else, or on top. */
static void pass_on(struct walker *w, int folder,
		    const struct sys_dirent *entry, int fd)
{
	int replaced = own_levels_replace(w->levels, fd);

	if (replaced < 0) {
		fail(w, "read", folder, ".", folder);
		close(fd);
		return;
	}
	if (replaced || own_share_offer(w->share, fd))
		return;
	if (own_levels_push(w->levels, fd) < 0)
		too_deep(w, folder, entry->name);
}

static void visit_folder(struct walker *w, int folder,
			 struct sys_dirent *entry)
{
	const char *failed;
	mode_t type;
	int fd = fs_open(w->share->opener, folder, entry->name, FS_DIRECTORY);

	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
		/* Exchanged since its type was read: what is it now? */
		entry->type = DT_UNKNOWN;
		visit_file(w, folder, entry);
		return;
	}
	if (fd < 0) {
		not_opened(w, folder, entry->name);
		return;
	}
	failed = own_change(w->share->rules, fd, folder, entry->name, &type,
			    &w->counts);
	if (failed)
		fail(w, failed, folder, entry->name, fd);
	if (w->share->stop)
		close(fd);
	else
		pass_on(w, folder, entry, fd);
}

static void feed_the_hungry(struct walker *w)
{
	int fd;

	if (!own_share_is_hungry(w->share))
		return;
	fd = own_levels_share(w->levels);
	if (fd >= 0 && !own_share_offer(w->share, fd))
		close(fd);
}

static void work(struct walker *w);

static void *work_apart(void *argument)
{
	struct walker *w = argument;

	w->tid = (pid_t)syscall(SYS_gettid);
	work(w);
	return NULL;
}

/* Detached: its stack goes with it. Returns whether there is a thread. */
static bool start_thread(struct walker *w)
{
	pthread_attr_t how;
	pthread_t thread;

	pthread_attr_init(&how);
	pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
	return pthread_create(&thread, &how, work_apart, w) == 0;
}

/* Without memory or threads there is one walker less, and no failure. */
static bool hire(struct crew *crew, struct own_share *share)
{
	struct walker *w = &crew->walkers[crew->size];

	w->share = share;
	w->levels = own_levels_new();
	if (!w->levels)
		return false;
	own_share_join(share);
	if (!start_thread(w)) {
		own_share_leave(share);
		own_levels_free(w->levels);
		return false;
	}
	crew->size++;
	return true;
}

static void hire_all(struct crew *crew, struct own_share *share)
{
	while (crew->size < crew->most && hire(crew, share))
		;
	crew->most = crew->size;
}

static void tick(struct walker *w)
{
	uint64_t changed = w->counts.of[OWN_WRONG];

	if (++w->entries % OWN_TICK)
		return;
	own_share_tick(w->share, changed - w->changed_before);
	w->changed_before = changed;
	if (w->crew && w->entries >= OWN_LONG)
		hire_all(w->crew, w->share);
	feed_the_hungry(w);
}

/* Nothing is left in the folder, or it cannot be read. */
static void leave(struct walker *w, struct own_level *level)
{
	if (errno)
		fail(w, "read", level->fd, ".", level->fd);
	if (own_levels_pop(w->levels, w->share->opener) < 0)
		fail(w, "find the way back up in", -1, NULL, -1);
}

static void walk_folder(struct walker *w, int fd)
{
	own_levels_push(w->levels, fd);
	while (w->levels->depth > 0 && !w->share->stop) {
		struct own_level *level = own_levels_top(w->levels);
		struct sys_dirent *entry = own_levels_next(level);

		if (!entry) {
			leave(w, level);
			continue;
		}
		if (entry->type == DT_DIR)
			visit_folder(w, level->fd, entry);
		else
			visit_file(w, level->fd, entry);
		tick(w);
	}
}

static void work(struct walker *w)
{
	int fd;

	while ((fd = own_share_take(w->share)) >= 0)
		walk_folder(w, fd);
}

static void add_counts(struct own_counts *sum, const struct own_counts *c)
{
	for (size_t i = 0; i < OWN_COUNTS; i++)
		sum->of[i] += c->of[i];
}

/*
 * All threads are gone when this returns, for the kernel too: the drop must find
 * one. When nobody walks any more, they are on their last few instructions.
 */
static void dismiss(struct crew *crew, struct own_share *share,
		    struct own_counts *sum)
{
	own_share_wait(share);
	for (unsigned int i = 0; i < crew->size; i++) {
		struct walker *w = &crew->walkers[i];

		while (i > 0 && syscall(SYS_tgkill, getpid(), w->tid, 0) == 0)
			sched_yield();
		own_levels_free(w->levels);
		add_counts(sum, &w->counts);
	}
}

static int result(const struct own_share *s)
{
	const struct tree *t = s->rules->tree;

	if (s->ended_by)
		return fault_set(s->fault, 128 + s->ended_by, 0,
				 "own %s: ended by signal %d", t->path,
				 s->ended_by);
	return s->failed && !t->may_fail ? -1 : 0;
}

int own_walk(const struct own_rules *rules, const struct fs_opener *opener,
	     int fd, struct own_counts *counts, struct fault *f)
{
	struct own_share share = { .rules = rules, .opener = opener,
				   .fault = f };
	struct crew crew = { .size = 1,
			     .most = own_share_threads(rules) };
	struct walker *first = &crew.walkers[0];

	first->share = &share;
	first->crew = &crew;
	first->levels = own_levels_new();
	if (!first->levels) {
		close(fd);
		return fault_set(f, EXIT_STEP, errno, "own %s: memory",
				 rules->tree->path);
	}
	own_share_start(&share);
	walk_folder(first, fd);
	work(first);
	dismiss(&crew, &share, counts);
	own_share_end(&share);
	return result(&share);
}
