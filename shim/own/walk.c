#include "own/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/sys.h"
#include "own/entry.h"
#include "own/share.h"
#include "own/spec.h"

enum {
	MAX_DEPTH = 16384,	/* 64 MiB of levels */
	LEVEL_SIZE = 4096,	/* a page: about 120 entries */
	TICK = 64,		/* entries between two looks at the others */
	LONG = 1024		/* entries after which threads are started */
};

struct level {
	struct level *above;
	struct own_place place;
	unsigned int at;	/* bytes of the buffer that are done */
	unsigned int length;
	uint64_t buffer[LEVEL_SIZE / 8 - 4];	/* aligned for its entries */
};

/* One thread. */
struct walker {
	const struct own_rules *rules;
	const struct fs_opener *opener;
	struct own_share *share;
	unsigned int wanted;		/* threads; 1 for all but the first */
	pthread_t thread;
	struct own_ids ids;
	struct own_counts counts;
	struct level *top;		/* the directory that is being read */
	struct level *unused;
	uint64_t entries;
	uint64_t changed_before;	/* at the last tick */
	bool expect_wrong;		/* as the last file was */
};

static void fail(struct walker *w, const char *act, int dir, const char *name,
		 int fd)
{
	w->counts.of[OWN_FAILED]++;
	own_share_fail(w->share, act, dir, name, fd);
}

/* A page for a level, or NULL with errno. */
static struct level *new_level(void)
{
	void *page = mmap(NULL, sizeof(struct level), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

/* Go into a directory. Takes place->fd, also when it fails with errno. */
static int enter(struct walker *w, const struct own_place *place)
{
	struct level *l = w->unused;

	errno = ELOOP;
	if (l)
		w->unused = l->above;
	else if (place->depth < MAX_DEPTH)
		l = new_level();
	if (!l) {
		close(place->fd);
		return -1;
	}
	l->place = *place;
	l->above = w->top;
	l->at = l->length = 0;
	w->top = l;
	return 0;
}

static void leave(struct walker *w)
{
	struct level *l = w->top;

	close(l->place.fd);
	w->top = l->above;
	l->above = w->unused;
	w->unused = l;
}

/* The next entry but "." and "..", or NULL: errno is 0 at the end. */
static struct sys_dirent *next_entry(struct level *l)
{
	for (;;) {
		struct sys_dirent *entry;

		if (l->at == l->length) {
			ssize_t got = sys_getdents(l->place.fd, l->buffer,
						   sizeof(l->buffer));

			if (got <= 0) {
				errno = got ? errno : 0;
				return NULL;
			}
			l->at = 0;
			l->length = (unsigned int)got;
		}
		entry = (void *)((char *)l->buffer + l->at);
		l->at += entry->size;
		if (strcmp(entry->name, ".") != 0 &&
		    strcmp(entry->name, "..") != 0)
			return entry;
	}
}

/* As the directory's owner if it is closed to us. */
static int open_entry(struct walker *w, int dir, const char *name, int flags)
{
	int fd = fs_open(w->opener, dir, name, flags);

	if (fd < 0 && errno == EACCES && own_ids_become_owner(&w->ids, dir))
		fd = fs_open(w->opener, dir, name, flags);
	return fd;
}

/* What the name says, without opening. Returns true if that is all to do. */
static bool is_right(struct walker *w, int dir, struct sys_dirent *entry)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	enum own_verdict verdict;
	struct stat st;

	if (fstatat(dir, entry->name, &st, flags) < 0 &&
	    (errno != EACCES || !own_ids_become_owner(&w->ids, dir) ||
	     fstatat(dir, entry->name, &st, flags) < 0))
		return false;
	entry->type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
	if (entry->type == DT_DIR)
		return false;
	verdict = own_judge(w->rules, &st);
	w->expect_wrong = verdict == OWN_WRONG;
	w->counts.of[verdict] += !w->expect_wrong;
	return !w->expect_wrong;
}

/*
 * An entry that has gone since its name was read is no failure, nor is what a
 * read-only mount keeps from cross-mounts.
 */
static void failed(struct walker *w, const char *act, int dir,
		   const char *name, int fd)
{
	if (fd < 0 && errno == EXDEV)
		w->counts.of[OWN_MOUNTS]++;
	else if (errno == EROFS && w->opener->cross_mounts)
		w->counts.of[OWN_READ_ONLY]++;
	else if (fd >= 0 || errno != ENOENT)
		fail(w, act, dir, name, fd);
}

/* Change what is open. Returns whether it is a directory to go into. */
static bool change(struct walker *w, int fd, int dir, const char *name)
{
	uint64_t right = w->counts.of[OWN_RIGHT];
	struct stat st = { 0 };
	const char *act = own_change(w->rules, &w->ids, fd, &st,
				     &w->counts);
	bool read_only = act && errno == EROFS;

	if (act)
		failed(w, act, dir, name, fd);
	if (!S_ISDIR(st.st_mode))
		w->expect_wrong = right == w->counts.of[OWN_RIGHT];
	return S_ISDIR(st.st_mode) && !w->share->stop &&
	       !(read_only && w->opener->cross_mounts);
}

/*
 * Go on in a directory, here or in another thread. One that is closed to us, or
 * came unexpected, was opened with O_PATH. Takes fd.
 */
static void go_into(struct walker *w, int dir, const char *name, int fd,
		    bool is_path, uint32_t paths)
{
	struct own_place below = { fd, w->top->place.depth + 1, paths };

	if (is_path) {
		below.fd = own_open_dir(&w->ids, fd);
		if (below.fd < 0)
			fail(w, "read", dir, name, fd);
		close(fd);
		if (below.fd < 0)
			return;
	}
	if (!own_share_offer(w->share, &below) && enter(w, &below) < 0)
		fail(w, "go into", dir, name, -1);
}

static void visit(struct walker *w, struct sys_dirent *entry)
{
	struct own_place *place = &w->top->place;
	int dir = place->fd;
	bool closed = false;
	uint32_t paths = 0;
	int fd = -1;

	if (w->rules->tree->nexcludes &&
	    own_excludes(w->rules->tree, entry->name, place->depth,
			 place->paths, &paths)) {
		w->counts.of[OWN_EXCLUDED]++;
		return;
	}
	if (entry->type != DT_DIR &&
	    (!w->expect_wrong || entry->type == DT_UNKNOWN) &&
	    is_right(w, dir, entry))
		return;
	if (entry->type == DT_DIR) {
		fd = open_entry(w, dir, entry->name, FS_DIRECTORY);
		/* ENOTDIR, ELOOP: exchanged since its type was read. */
		closed = fd < 0 && (errno == EACCES || errno == ENOTDIR ||
				    errno == ELOOP);
	}
	if (entry->type != DT_DIR || closed)
		fd = open_entry(w, dir, entry->name, O_PATH);
	if (fd < 0)
		failed(w, "open", dir, entry->name, -1);
	else if (change(w, fd, dir, entry->name))
		go_into(w, dir, entry->name, fd,
			closed || entry->type != DT_DIR, paths);
	else
		close(fd);
}

/* A part of the directory that is being read: both share its offset. */
static void share(struct walker *w)
{
	struct own_place part = w->top->place;

	part.fd = fcntl(part.fd, F_DUPFD_CLOEXEC, 0);
	if (part.fd >= 0 && !own_share_offer(w->share, &part))
		close(part.fd);
}

static void tick(struct walker *w)
{
	own_share_tick(w->share, TICK,
		       w->counts.of[OWN_WRONG] - w->changed_before);
	w->changed_before = w->counts.of[OWN_WRONG];
	if (w->share->waiting && w->top)
		share(w);
}

/* Read the directory on by one entry. */
static void step(struct walker *w)
{
	struct sys_dirent *entry = next_entry(w->top);
	int dir = w->top->place.fd;

	if (entry) {
		visit(w, entry);
		return;
	}
	if (errno)
		fail(w, "read", dir, ".", dir);
	leave(w);
}

static void start_threads(struct walker *first);

static void work(struct walker *w, struct own_place place)
{
	do {
		if (enter(w, &place) < 0)
			fail(w, "go into", -1, NULL, -1);
		while (w->top && !w->share->stop) {
			step(w);
			if (++w->entries % TICK == 0)
				tick(w);
			if (w->entries == LONG)
				start_threads(w);
		}
	} while (own_share_take(w->share, &place));
	while (w->top)
		leave(w);
	while (w->unused) {
		struct level *l = w->unused;

		w->unused = l->above;
		munmap(l, sizeof(*l));
	}
}

static void *work_apart(void *argument)
{
	struct walker *w = argument;
	struct own_place place;

	if (own_share_take(w->share, &place))
		work(w, place);
	return NULL;
}

/* Without memory or threads there is one less, and that is no failure. */
static void start_threads(struct walker *first)
{
	for (unsigned int i = 1; i < first->wanted; i++) {
		first[i] = (struct walker){ .rules = first->rules,
					    .opener = first->opener,
					    .share = first->share,
					    .wanted = 1, .ids = first->ids };
		own_share_count(first->share, 1);
		if (pthread_create(&first[i].thread, NULL, work_apart,
				   &first[i]) == 0)
			continue;
		own_share_count(first->share, -1);
		first->wanted = i;
	}
}

/* The affinity mask is the cpuset's, or less (sched_setaffinity(2)). */
static unsigned int choose_threads(const struct own_tree *t)
{
	cpu_set_t cpus;
	int count = 1;

	if (t->threads)
		return t->threads;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		count = CPU_COUNT(&cpus);
	return count < OWN_MAX_THREADS ? (unsigned int)count : OWN_MAX_THREADS;
}

int own_walk(const struct own_rules *rules, const struct fs_opener *opener,
	     int fd, struct own_ids *ids, struct own_counts *counts,
	     struct fault *f)
{
	const struct own_tree *t = rules->tree;
	struct own_place place = { fd, 0, UINT32_MAX };
	struct own_share share;
	struct walker walkers[OWN_MAX_THREADS] = {
		{ .rules = rules, .opener = opener, .share = &share,
		  .wanted = choose_threads(t), .ids = *ids }
	};

	own_share_start(&share, t, f);
	work(walkers, place);
	*ids = walkers[0].ids;
	for (unsigned int i = 0; i == 0 || i < share.threads; i++) {
		if (i > 0)
			pthread_join(walkers[i].thread, NULL);
		for (size_t n = 0; n < OWN_COUNTS; n++)
			counts->of[n] += walkers[i].counts.of[n];
	}
	own_share_end(&share);
	if (share.ended_by)
		return fault_set(f, 128 + share.ended_by, 0,
				 "own %s: ended by signal %d", t->path,
				 share.ended_by);
	return share.failed && share.stop ? -1 : 0;
}
