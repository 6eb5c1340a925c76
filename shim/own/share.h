/*
 * own_share: one walk, shared among threads.
 *
 * A walker takes a folder, walks all that is below it, and takes the next. What
 * it finds on the way it offers to the others, as long as the queue has room;
 * without room it walks it itself, so descriptors are bounded and nobody waits
 * for room. The walk ends when nobody is busy and the queue is empty.
 *
 * Threads are started only once a walk has proved to be long, and all of them
 * are joined before it returns: the drop that follows must find one thread.
 *
 * Signals that ask to end are blocked meanwhile and asked for now and then.
 * That works for PID 1 too, for which the kernel drops signals that have no
 * handler unless they are blocked (sig_ignored() in kernel/signal.c), and it
 * needs no handler. What was changed stays changed, each file wholly or not at
 * all. The sets are 64 bits as the kernel has them, see signals.h.
 *
 * The lock and the wait are futex(2) and a few lines here, because those of the
 * C library would add 6 KiB to the binary for cancellation, robustness,
 * priorities and timeouts, also where pthread_join(3) is all that is used.
 */
#ifndef STEPDOWN_OWN_SHARE_H
#define STEPDOWN_OWN_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"
#include "own/entry.h"
#include "own/report.h"
#include "plan.h"

struct fault;

enum {
	OWN_QUEUE = 64,
	OWN_TICK = 64,		/* entries between two looks around */
	OWN_LONG = 1024		/* entries after which threads are started */
};

struct own_share {
	const struct own_rules *rules;
	const struct fs_opener *opener;
	struct fault *fault;		/* the first one */
	uint64_t ends;			/* the signals that end a walk */
	uint64_t mask;			/* what was blocked before */
	int ended_by;			/* one of them, or 0 */

	atomic_uint lock;		/* 0 free, 1 held, 2 held and waited for */
	atomic_uint news;		/* counts what those who wait want to know */
	int queue[OWN_QUEUE];		/* descriptors of folders */
	unsigned int first;
	unsigned int busy;
	atomic_uint walkers;
	atomic_uint queued;
	atomic_uint idle;
	atomic_bool failed;
	atomic_bool stop;
	struct own_progress progress;
	uint64_t entries;
	uint64_t changed;
};

/*
 * Begin; the caller is the first busy walker. Undone by own_share_end(), but a
 * signal that ended the walk stays blocked: the program is to end now.
 */
void own_share_start(struct own_share *s);
void own_share_end(struct own_share *s);

/* One more walker, who is busy until he takes; or one less after all. */
void own_share_join(struct own_share *s);
void own_share_leave(struct own_share *s);

/*
 * Put a folder in the queue, if there is anybody else to take it. Takes fd if
 * it returns true.
 */
bool own_share_offer(struct own_share *s, int fd);

/*
 * The walker is done with what it had: the next folder, or -1: it is over, and
 * there is one walker less.
 */
int own_share_take(struct own_share *s);

/* Until there is no walker any more. */
void own_share_wait(struct own_share *s);

/* Is somebody waiting for work while the queue is empty? */
bool own_share_is_hungry(struct own_share *s);

/* Every OWN_TICK entries: progress, and signals. */
void own_share_tick(struct own_share *s, uint64_t changed);

/*
 * Something failed with errno; arguments as own_report_fault(). The first time
 * it is kept. Unless the tree may fail, everybody stops.
 */
void own_share_fail(struct own_share *s, const char *act, int folder,
		    const char *name, int fd);

/*
 * How many threads a walk shall have, the first one included. Where links are
 * not protected it is one, which links_is_only() asks for.
 */
unsigned int own_share_threads(const struct own_rules *rules);

#endif
