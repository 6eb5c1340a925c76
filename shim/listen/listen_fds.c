#include "listen/listen_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/text.h"
#include "plan.h"

enum { FIRST = 3 };	/* SD_LISTEN_FDS_START */

static const char *find(char *const env[], const char *name)
{
	return str_variable(env, name, strlen(name));
}

int inherit_read(struct inherited *i, char *const env[], struct fault *f)
{
	const char *count = find(env, "LISTEN_FDS");
	uint64_t number;

	if (!count)
		return 0;
	if (!str_number(count, 0, PLAN_MAX_SOCKETS, &number))
		return fault_set(f, EXIT_USAGE, 0,
				 "--inherit-sockets: LISTEN_FDS is '%s', expected 0 to %d",
				 count, PLAN_MAX_SOCKETS);
	i->count = number;
	i->pid = find(env, "LISTEN_PID");
	i->names = find(env, "LISTEN_FDNAMES");
	return 0;
}

static size_t count_names(const char *names)
{
	size_t count = 1;

	while ((names = strchr(names, ':'))) {
		names++;
		count++;
	}
	return count;
}

/* The descriptors of another process are not ours, whatever is open here. */
static int check_pid(const struct inherited *i, struct fault *f)
{
	uint64_t pid = 0;

	if (!i->pid || (str_number(i->pid, 1, INT_MAX, &pid) &&
			pid == (uint64_t)getpid()))
		return 0;
	fault_set(f, EXIT_USAGE, 0,
		  "--inherit-sockets: LISTEN_PID is '%s', but this is process %d",
		  i->pid, (int)getpid());
	return fault_hint(f,
			  "meant for another process: no shell or init before stepdown, or unset LISTEN_PID");
}

int inherit_check(const struct inherited *i, struct fault *f)
{
	if (i->count == 0)
		return 0;
	if (check_pid(i, f) < 0)
		return -1;
	if (i->names && count_names(i->names) != i->count)
		return fault_set(f, EXIT_USAGE, 0,
				 "--inherit-sockets: LISTEN_FDS is %zu, LISTEN_FDNAMES has %zu names",
				 i->count, count_names(i->names));
	for (size_t n = 0; n < i->count; n++) {
		struct stat st;

		if (fstat(FIRST + (int)n, &st) < 0)
			return fault_set(f, EXIT_USAGE, errno,
					 "--inherit-sockets: LISTEN_FDS is %zu: descriptor %zu",
					 i->count, FIRST + n);
		if (!S_ISSOCK(st.st_mode))
			return fault_set(f, EXIT_USAGE, 0,
					 "--inherit-sockets: LISTEN_FDS is %zu: descriptor %zu is no socket",
					 i->count, FIRST + n);
	}
	return 0;
}

/* "unknown" is what sd_listen_fds_with_names(3) says itself. */
void inherit_add_names(const struct inherited *i, struct text *out)
{
	if (i->count && i->names)
		text_add(out, "%s", i->names);
	else
		for (size_t n = 0; n < i->count; n++)
			text_add(out, "%sunknown", n ? ":" : "");
}

/* nginx does not make them non-blocking itself. */
static int keep(int fd, bool nonblock)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return nonblock ? fcntl(fd, F_SETFL, flags | O_NONBLOCK)
			: 0;
}

int inherit_run(const struct plan *plan, struct run *run, struct fault *f)
{
	for (size_t n = 0; n < plan->inherited.count; n++) {
		int fd = FIRST + (int)n;

		if (keep(fd, plan->handoff == HANDOFF_NGINX) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "listen: keep inherited descriptor %d",
					 fd);
		run->sockets[run->nsockets++] = fd;
	}
	return 0;
}
