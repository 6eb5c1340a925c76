#include "listen/listen_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/text.h"

int inherited_read(struct inherited *i, char *const env[], struct fault *f)
{
	const char *count = str_variable(env, "LISTEN_FDS", 10);
	uint64_t number;

	if (!count)
		return 0;
	if (!str_number(count, 0, SOCKETS_MAX, &number))
		return fault_set(f, EXIT_USAGE, 0,
				 "--inherit-sockets: LISTEN_FDS is '%s', "
				 "expected 0 to %d",
				 count, SOCKETS_MAX);
	i->count = number;
	i->pid = str_variable(env, "LISTEN_PID", 10);
	i->names = str_variable(env, "LISTEN_FDNAMES", 14);
	return 0;
}

static size_t count_names(const char *names)
{
	size_t count = 1;

	for (; *names; names++)
		count += *names == ':';
	return count;
}

/* The descriptors of another process are not ours, whatever is open here. */
static int check_pid(const struct inherited *i, struct fault *f)
{
	uint64_t pid = 0;

	if (!i->pid || (str_number(i->pid, 1, INT32_MAX, &pid) &&
			pid == (uint64_t)getpid()))
		return 0;
	fault_set(f, EXIT_USAGE, 0,
		  "--inherit-sockets: LISTEN_PID is '%s', but this is process "
		  "%d",
		  i->pid, (int)getpid());
	return fault_hint(f,
			  "meant for another process: no shell or init before "
			  "stepdown, or unset LISTEN_PID");
}

int inherited_check(const struct inherited *i, struct fault *f)
{
	if (i->count == 0)
		return 0;
	if (check_pid(i, f) < 0)
		return -1;
	if (i->names && count_names(i->names) != i->count)
		return fault_set(f, EXIT_USAGE, 0,
				 "--inherit-sockets: LISTEN_FDS is %zu, "
				 "LISTEN_FDNAMES has %zu names",
				 i->count, count_names(i->names));
	for (int fd = LISTEN_FDS_START;
	     fd < LISTEN_FDS_START + (int)i->count; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			return fault_set(f, EXIT_USAGE, errno,
					 "--inherit-sockets: LISTEN_FDS is "
					 "%zu: descriptor %d",
					 i->count, fd);
		if (!S_ISSOCK(st.st_mode))
			return fault_set(f, EXIT_USAGE, 0,
					 "--inherit-sockets: LISTEN_FDS is "
					 "%zu: descriptor %d is no socket",
					 i->count, fd);
	}
	return 0;
}

static int prepare_inherited(int fd, enum handoff handoff)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return handoff == HANDOFF_NGINX
		       ? fcntl(fd, F_SETFL, flags | O_NONBLOCK)
		       : 0;
}

int inherited_add(const struct inherited *i, enum handoff handoff,
		  struct sockets *sockets, struct fault *f)
{
	struct slice names = str_word(i->names ? i->names : "");

	for (size_t n = 0; n < i->count; n++) {
		struct handed *h = &sockets->all[sockets->count++];

		h->fd = LISTEN_FDS_START + (int)n;
		if (i->names)
			h->name = str_cut(&names, ':');
		if (prepare_inherited(h->fd, handoff) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "listen: keep inherited descriptor %d",
					 h->fd);
	}
	return 0;
}

/* "unknown" is what sd_listen_fds_with_names(3) says itself. */
static void add_names(const struct sockets *sockets, struct text *value)
{
	for (size_t i = 0; i < sockets->count; i++) {
		struct slice name = sockets->all[i].name;

		text_add(value, "%s%.*s", i ? ":" : "",
			 name.at ? (int)name.length : 7,
			 name.at ? name.at : "unknown");
	}
}

const char *sockets_variable(const struct sockets *sockets,
			     enum handoff handoff, pid_t pid, unsigned int n,
			     struct text *value)
{
	if (sockets->count == 0 || n > (handoff == HANDOFF_NGINX ? 0 : 2))
		return NULL;
	/* nginx drops what does not end in ';'. */
	if (handoff == HANDOFF_NGINX) {
		for (size_t i = 0; i < sockets->count; i++)
			text_add(value, "%zu;", LISTEN_FDS_START + i);
		return "NGINX";
	}
	if (n == 0) {
		text_add(value, "%zu", sockets->count);
		return "LISTEN_FDS";
	}
	if (n == 1) {
		add_names(sockets, value);
		return "LISTEN_FDNAMES";
	}
	text_add(value, "%d", (int)pid);
	return pid ? "LISTEN_PID" : NULL;
}

static bool are_in_place(const struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->all[i].fd != LISTEN_FDS_START + (int)i)
			return false;
	return true;
}

/*
 * Something inherited, or another of our sockets, may sit where a socket must
 * go. So all are first copied to above the highest such place.
 */
static int move_into_place(struct sockets *sockets, struct fault *f)
{
	int above = LISTEN_FDS_START + (int)sockets->count;

	for (size_t i = 0; i < sockets->count; i++) {
		int *fd = &sockets->all[i].fd;

		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, above);
		if (*fd < 0)
			return fault_set(f, EXIT_STEP, errno, "copy socket %zu",
					 i);
	}
	for (size_t i = 0; i < sockets->count; i++) {
		int place = LISTEN_FDS_START + (int)i;

		if (dup2(sockets->all[i].fd, place) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "move socket to descriptor %d", place);
		sockets->all[i].fd = place;
	}
	return 0;
}

/* Who listened last on a unix socket is whom its clients see. */
static int listen_again(const struct handed *h, struct fault *f)
{
	if (!h->backlog || listen(h->fd, h->backlog) == 0)
		return 0;
	return fault_set(f, EXIT_STEP, errno, "listen again on descriptor %d",
			 h->fd);
}

int sockets_arrange(struct sockets *sockets, struct fault *f)
{
	if (sockets->has_input && (listen_again(&sockets->input, f) < 0 ||
				   dup2(sockets->input.fd, STDIN_FILENO) < 0))
		return fault_set(f, EXIT_STEP, errno,
				 "move socket to descriptor 0");
	if (!are_in_place(sockets) && move_into_place(sockets, f) < 0)
		return -1;
	for (size_t i = 0; i < sockets->count; i++) {
		const struct handed *h = &sockets->all[i];

		if (listen_again(h, f) < 0)
			return -1;
		if (fcntl(h->fd, F_SETFD, 0) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "keep descriptor %d", h->fd);
	}
	return fs_close_from(LISTEN_FDS_START + (int)sockets->count, f);
}
