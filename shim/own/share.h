/*
 * share: what the threads of one walk share: a queue of directories, the first
 * failure, the progress, and the signals that end the walk.
 *
 * What a thread finds on its way it offers to the others while the queue has
 * room; without room it goes in itself, so descriptors are bounded and nobody
 * waits for room. The walk is over when no thread has a directory and the queue
 * is empty.
 *
 * Signals that ask to end are blocked meanwhile and asked for now and then.
 * That works for PID 1 too, for which the kernel drops signals that have no
 * handler unless they are blocked (sig_ignored() in kernel/signal.c), and it
 * needs no handler. What was changed stays changed, each file wholly or not at
 * all.
 */
#ifndef STEPDOWN_OWN_SHARE_H
#define STEPDOWN_OWN_SHARE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "own/report.h"

struct fault;
struct own_tree;

enum { OWN_QUEUE = 32 };

/* A directory to be read: open, and where it is in view of exclude=. */
struct own_place {
	int fd;
	unsigned int depth;
	uint32_t paths;		/* see own_excludes() */
};

struct own_share {
	const struct own_tree *tree;
	struct fault *fault;		/* of the first failure */
	sigset_t before;		/* what was blocked before */
	sigset_t ends;			/* the signals that end a walk */
	int ended_by;			/* one of them, or 0 */
	atomic_bool stop;
	atomic_bool failed;
	atomic_uint threads;
	atomic_uint waiting;		/* threads that want a directory */

	pthread_mutex_t lock;		/* of all that follows */
	pthread_cond_t news;		/* the queue, busy or stop changed */
	struct own_place queue[OWN_QUEUE];
	unsigned int queued;
	unsigned int busy;		/* threads that have a directory */
	struct own_progress progress;
	uint64_t entries;
	uint64_t changed;
};

/*
 * Begin, with one thread, which has a directory. Undone by own_share_end(), but
 * a signal that ended the walk stays blocked: the program is to end now, after
 * saying why.
 */
void own_share_start(struct own_share *s, const struct own_tree *tree,
		     struct fault *f);
void own_share_end(struct own_share *s);

/* There is one more thread (by = 1), which has a directory, or one less (-1). */
void own_share_count(struct own_share *s, int by);

/* Put a directory in the queue; if that returns true, it took place->fd. */
bool own_share_offer(struct own_share *s, const struct own_place *place);

/* This thread is done with its directory: get another. False: it is over. */
bool own_share_take(struct own_share *s, struct own_place *place);

/* Add to the progress, say how far it is, look for signals. */
void own_share_tick(struct own_share *s, uint64_t entries, uint64_t changed);

/*
 * Something failed with errno; arguments as own_report_fault(). The first one
 * is kept. Unless the tree may fail so, the walk stops.
 */
void own_share_fail(struct own_share *s, const char *act, int dir,
		    const char *name, int fd);

#endif
