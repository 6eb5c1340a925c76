#include "listen/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/sys.h"
#include "base/text.h"
#include "listen/listen_fds.h"
#include "plan.h"
#include "run/env.h"

enum {
	FIRST = 3,			/* SD_LISTEN_FDS_START */
	BATCH = 256,
	HIGHEST_WITHOUT_CLOSE_RANGE = 1 << 20	/* fs.nr_open's default */
};

void handoff_describe(const struct plan *plan, struct text *out)
{
	if (plan_count_sockets(plan) == 0)
		return;
	if (plan_brokers(plan))
		text_add(out, "; its bind(2) is answered");
	else if (plan->handoff == HANDOFF_NGINX)
		text_add(out, ", NGINX names its sockets");
	else
		text_add(out, ", LISTEN_FDS=%zu", plan_count_sockets(plan));
}

/* Room for them was checked with the plan. Sockets of one --listen share one. */
static void add_names(const struct plan *plan, struct text *out)
{
	bool first = plan->inherited.count == 0;

	inherit_add_names(&plan->inherited, out);
	for (size_t i = 0; i < plan->nlisteners; i++) {
		const struct listener *l = &plan->listeners[i];

		for (size_t n = 0; n < listener_count(l); n++) {
			text_add(out, "%s%.*s", first ? "" : ":",
				 l->name ? (int)l->name_length : 7,
				 l->name ? l->name : "unknown");
			first = false;
		}
	}
}

static int announce_systemd(const struct plan *plan, const struct run *run,
			    pid_t pid, struct environment *e, struct fault *f)
{
	char names[PLAN_NAMES_SIZE];
	struct text t;

	text_start(&t, names, sizeof(names));
	add_names(plan, &t);
	if (environ_set(e, f, "LISTEN_FDS", "%zu", run->nsockets) < 0)
		return -1;
	if (!plan->no_listen_pid &&
	    environ_set(e, f, "LISTEN_PID", "%d", (int)pid) < 0)
		return -1;
	return environ_set(e, f, "LISTEN_FDNAMES", "%s", names);
}

/* Each number is followed by ';': nginx drops what comes after the last one. */
static int announce_nginx(const struct run *run, struct environment *e,
			  struct fault *f)
{
	char numbers[PLAN_MAX_SOCKETS * 12];
	struct text t;

	text_start(&t, numbers, sizeof(numbers));
	for (size_t i = 0; i < run->nsockets; i++)
		text_add(&t, "%zu;", FIRST + i);
	return environ_set(e, f, "NGINX", "%s", numbers);
}

int handoff_announce(const struct plan *plan, const struct run *run, pid_t pid,
		     struct environment *e, struct fault *f)
{
	if (run->nsockets == 0)
		return 0;
	if (plan->handoff == HANDOFF_NGINX)
		return announce_nginx(run, e, f);
	return announce_systemd(plan, run, pid, e, f);
}

static bool in_place(const struct run *run)
{
	for (size_t i = 0; i < run->nsockets; i++)
		if (run->sockets[i] != FIRST + (int)i)
			return false;
	return true;
}

/*
 * Something inherited, or another of our sockets, may sit where a socket must
 * go. So all are first copied to above the highest such place.
 */
static int move(struct run *run, struct fault *f)
{
	int above = FIRST + (int)run->nsockets;

	for (size_t i = 0; i < run->nsockets; i++) {
		int copy = fcntl(run->sockets[i], F_DUPFD_CLOEXEC, above);

		if (copy < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "copy socket %zu", i);
		run->sockets[i] = copy;
	}
	for (size_t i = 0; i < run->nsockets; i++) {
		if (dup2(run->sockets[i], FIRST + (int)i) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "move socket to descriptor %zu",
					 FIRST + i);
		run->sockets[i] = FIRST + (int)i;
	}
	return 0;
}

/* poll(2) takes no more descriptors at once than RLIMIT_NOFILE. */
static int batch_size(void)
{
	int size = (int)fs_max_descriptors(BATCH);

	return size > 0 ? size : 1;
}

/*
 * Before Linux 5.9, or where a seccomp profile does not know the call: as far
 * as any process could ever have opened one, for the limit may have been lowered
 * since. Those that are not open are POLLNVAL.
 */
static int close_each(int first, struct fault *f)
{
	const int batch = batch_size();

	for (int from = first; from < HIGHEST_WITHOUT_CLOSE_RANGE;
	     from += batch) {
		struct pollfd look[BATCH];

		for (int i = 0; i < batch; i++)
			look[i] = (struct pollfd){ .fd = from + i };
		if (poll(look, (nfds_t)batch, 0) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "look for descriptors to close");
		for (int i = 0; i < batch; i++)
			if (!(look[i].revents & POLLNVAL) &&
			    close(look[i].fd) < 0)
				return fault_set(f, EXIT_STEP, errno,
						 "close descriptor %d",
						 look[i].fd);
	}
	return 0;
}

int handoff_close_from(int first, struct fault *f)
{
	if (sys_close_range((unsigned int)first, UINT_MAX, 0) == 0)
		return 0;
	return close_each(first, f);
}

int handoff_arrange(struct run *run, struct fault *f)
{
	int first_unused = FIRST + (int)run->nsockets;

	if (!in_place(run) && move(run, f) < 0)
		return -1;
	for (int fd = FIRST; fd < first_unused; fd++)
		if (fcntl(fd, F_SETFD, 0) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "keep descriptor %d", fd);
	return handoff_close_from(first_unused, f);
}
