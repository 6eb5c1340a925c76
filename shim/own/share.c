#include "own/share.h"

#include <errno.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "own/spec.h"

static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

/* A signal that is ignored stays so; nohup(1) sees to that for SIGHUP. */
void own_share_start(struct own_share *s, const struct own_tree *tree,
		     struct fault *f)
{
	struct sigaction action;

	*s = (struct own_share){ .tree = tree, .fault = f, .threads = 1,
				 .busy = 1,
				 .lock = PTHREAD_MUTEX_INITIALIZER,
				 .news = PTHREAD_COND_INITIALIZER };
	sigemptyset(&s->ends);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (sigaction(ends[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			sigaddset(&s->ends, ends[i]);
	sigprocmask(SIG_BLOCK, &s->ends, &s->before);
	own_report_start(&s->progress);
}

/* Only these: the C library's sets lack the signals it keeps for itself. */
void own_share_end(struct own_share *s)
{
	own_report_stop(&s->progress);
	while (s->queued > 0)
		close(s->queue[--s->queued].fd);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (sigismember(&s->before, ends[i]))
			sigdelset(&s->ends, ends[i]);
	if (!s->ended_by)
		sigprocmask(SIG_UNBLOCK, &s->ends, NULL);
}

void own_share_count(struct own_share *s, int by)
{
	pthread_mutex_lock(&s->lock);
	s->busy += (unsigned int)by;
	s->threads += (unsigned int)by;
	pthread_mutex_unlock(&s->lock);
}

bool own_share_offer(struct own_share *s, const struct own_place *place)
{
	bool taken = false;

	if (s->threads == 1)
		return false;
	pthread_mutex_lock(&s->lock);
	if (s->queued < OWN_QUEUE) {
		s->queue[s->queued++] = *place;
		taken = true;
		pthread_cond_signal(&s->news);
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

bool own_share_take(struct own_share *s, struct own_place *place)
{
	bool taken = false;

	pthread_mutex_lock(&s->lock);
	s->busy--;
	s->waiting++;
	while (!s->stop && s->queued == 0 && s->busy > 0)
		pthread_cond_wait(&s->news, &s->lock);
	s->waiting--;
	if (!s->stop && s->queued > 0) {
		*place = s->queue[--s->queued];
		s->busy++;
		taken = true;
	} else {
		pthread_cond_broadcast(&s->news);
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

static void stop(struct own_share *s)
{
	s->stop = true;
	pthread_cond_broadcast(&s->news);
}

void own_share_tick(struct own_share *s, uint64_t entries, uint64_t changed)
{
	sigset_t pending;

	pthread_mutex_lock(&s->lock);
	s->entries += entries;
	s->changed += changed;
	own_report_progress(&s->progress, s->tree, s->entries, s->changed);
	sigpending(&pending);
	for (size_t i = 0; i < ARRAY_LEN(ends) && !s->ended_by; i++)
		if (sigismember(&s->ends, ends[i]) &&
		    sigismember(&pending, ends[i]))
			s->ended_by = ends[i];
	if (s->ended_by)
		stop(s);
	pthread_mutex_unlock(&s->lock);
}

void own_share_fail(struct own_share *s, const char *act, int dir,
		    const char *name, int fd)
{
	bool passes = own_may_fail(s->tree, errno);
	struct fault f;

	if (s->failed && passes)
		return;
	own_report_fault(s->tree, act, dir, name, fd, &f);
	pthread_mutex_lock(&s->lock);
	if (!s->stop)
		*s->fault = f;
	s->failed = true;
	if (!passes)
		stop(s);
	pthread_mutex_unlock(&s->lock);
}
