#include "own/levels.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


/* Huge pages would make a few kilobytes in use two megabytes. */
struct own_levels *own_levels_new(void)
{
	void *memory = mmap(NULL, sizeof(struct own_levels),
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct own_levels *l = memory;

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, sizeof(*l), MADV_NOHUGEPAGE);
	l->lowest = OWN_BASE;
	return l;
}

static bool is_closed(const struct own_levels *l, size_t index)
{
	return index >= OWN_BASE && index < l->lowest;
}

static struct own_level *level(struct own_levels *l, size_t index)
{
	if (index >= OWN_BASE)
		index = OWN_BASE + (index - OWN_BASE) % OWN_RING;
	return &l->open[index];
}

struct own_level *own_levels_top(struct own_levels *l)
{
	return level(l, l->depth - 1);
}

void own_levels_free(struct own_levels *l)
{
	for (size_t i = 0; i < l->depth; i++)
		if (!is_closed(l, i))
			close(level(l, i)->fd);
	munmap(l, sizeof(*l));
}

/* The finalizer of splitmix64: every bit of the sum depends on every bit. */
static uint64_t mix(uint64_t sum, uint64_t value)
{
	sum ^= value;
	sum = (sum ^ sum >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	sum = (sum ^ sum >> 27) * UINT64_C(0x94d049bb133111eb);
	return sum ^ sum >> 31;
}

/* 0: unknown, and never the same. */
static uint64_t identity(int fd)
{
	struct sys_statx stx;
	uint64_t sum;

	if (sys_statx(fd, "", AT_EMPTY_PATH,
			 KERNEL_STATX_INO | KERNEL_STATX_BTIME, &stx) < 0)
		return 0;
	sum = mix(UINT64_C(0x9e3779b97f4a7c15), stx.ino);
	sum = mix(sum, (uint64_t)stx.dev[0] << 32 | stx.dev[1]);
	if (stx.mask & KERNEL_STATX_BTIME) {
		sum = mix(sum, (uint64_t)stx.btime[0]);
		sum = mix(sum, (uint32_t)stx.btime[1]);
	}
	return sum ? sum : 1;
}

static void start(struct own_level *now, int fd)
{
	now->fd = fd;
	now->folders = false;
	now->shared = false;
	now->at = now->length = 0;
	now->next = 0;
}

int own_levels_push(struct own_levels *l, int fd)
{
	if (l->depth == OWN_DEPTH) {
		close(fd);
		errno = ELOOP;
		return -1;
	}
	if (l->depth >= OWN_BASE + OWN_RING && l->depth - OWN_RING >= l->lowest) {
		size_t old = l->depth - OWN_RING;

		l->past[old].identity = identity(level(l, old)->fd);
		l->past[old].next = level(l, old)->next;
		close(level(l, old)->fd);
		l->lowest = old + 1;
	}
	start(level(l, l->depth++), fd);
	return 0;
}

/* Give up what is closed: each of them can be reached through the next only. */
static int lose(struct own_levels *l, int err)
{
	l->depth = l->lowest = OWN_BASE;
	errno = err;
	return -1;
}

/* Open the level that is now the top again, from the one that was below it. */
static int reopen(struct own_levels *l, const struct fs_opener *o, int below)
{
	size_t index = l->depth - 1;
	const struct own_past *past = &l->past[index];
	struct own_level *top = level(l, index);
	int fd = fs_open_parent(o, below);
	int err = errno;

	close(below);
	if (fd < 0)
		return lose(l, err);
	if (!past->identity || identity(fd) != past->identity ||
	    lseek(fd, past->next, SEEK_SET) < 0) {
		close(fd);
		return lose(l, ESTALE);
	}
	start(top, fd);
	top->next = past->next;
	l->lowest = index;
	return 0;
}

int own_levels_pop(struct own_levels *l, const struct fs_opener *o)
{
	int fd = own_levels_top(l)->fd;

	l->depth--;
	if (l->depth > 0 && is_closed(l, l->depth - 1))
		return reopen(l, o, fd);
	close(fd);
	return 0;
}

/* Returns what getdents64(2) does. */
static ssize_t read_on(struct own_level *now)
{
	ssize_t got = sys_getdents(now->fd, now->buffer,
				      sizeof(now->buffer));

	now->folders = false;
	now->at = 0;
	now->length = got > 0 ? (unsigned int)got : 0;
	if (got > 0)
		now->shared = false;
	return got;
}

static bool is_dot(const char *name)
{
	return name[0] == '.' &&
	       (!name[1] || (name[1] == '.' && !name[2]));
}

/* The next entry of the buffer that is of the kind whose turn it is. */
static struct sys_dirent *next_in_buffer(struct own_level *now)
{
	while (now->at < now->length) {
		void *here = (char *)now->buffer + now->at;
		struct sys_dirent *entry = here;

		now->at += entry->size;
		if (now->folders)
			now->next = entry->next;
		if ((entry->type == DT_DIR) == now->folders &&
		    !is_dot(entry->name))
			return entry;
	}
	return NULL;
}

struct sys_dirent *own_levels_next(struct own_level *now)
{
	struct sys_dirent *entry;
	ssize_t got;

	do {
		entry = next_in_buffer(now);
		if (!entry && !now->folders && now->length > 0) {
			now->folders = true;
			now->at = 0;
			entry = next_in_buffer(now);
		}
		if (entry)
			return entry;
		got = read_on(now);
	} while (got > 0);
	if (got == 0)
		errno = 0;
	return NULL;
}

/*
 * Is nothing left? Reads on to know; the entry last returned is then gone.
 * Returns 1, 0, or -1 with errno.
 */
static int is_done(struct own_level *now)
{
	unsigned int at = now->at;
	int64_t next = now->next;
	ssize_t got;

	if (!now->folders)
		return 0;
	if (next_in_buffer(now)) {
		now->at = at;
		now->next = next;
		return 0;
	}
	got = read_on(now);
	return got < 0 ? -1 : got == 0;
}

/*
 * Only where the level below stays open: the subfolder's ".." is not that level
 * but the folder that it replaces.
 */
int own_levels_replace(struct own_levels *l, int fd)
{
	struct own_level *top = own_levels_top(l);
	int done = l->depth > OWN_BASE + 1 ? 0 : is_done(top);

	if (done == 1) {
		close(top->fd);
		start(top, fd);
	}
	return done;
}

/* A buffer that was full has probably something behind it. */
int own_levels_share(struct own_levels *l)
{
	for (size_t i = 0; i < l->depth && i < OWN_BASE; i++) {
		struct own_level *now = level(l, i);

		if (now->shared ||
		    now->length < OWN_BUFFER - sizeof(struct sys_dirent) -
					  NAME_MAX)
			continue;
		now->shared = true;
		return fcntl(now->fd, F_DUPFD_CLOEXEC, 3);
	}
	return -1;
}
