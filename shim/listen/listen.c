#include "listen/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "cred/start.h"

/* --- the inherited sockets ----------------------------------------------- */

int inherited_read(struct inherited *i, char *const env[], struct fault *f)
{
	const char *count = str_variable(env, "LISTEN_FDS", 10);
	const char *pid = str_variable(env, "LISTEN_PID", 10);
	uint64_t number, process = 0;

	if (!count)
		return 0;
	if (!str_number(count, 0, SOCKETS_MAX, &number))
		return fault_set(f, EXIT_USAGE, 0,
				 "--inherit-sockets: LISTEN_FDS is '%s', expected 0 to %d",
				 count, SOCKETS_MAX);
	if (number && pid && (!str_number(pid, 1, INT32_MAX, &process) ||
			      process != (uint64_t)getpid())) {
		fault_set(f, EXIT_USAGE, 0,
			  "--inherit-sockets: LISTEN_PID is '%s', but this is process %d",
			  pid, (int)getpid());
		return fault_hint(f,
				  "meant for another process: no shell or init before stepdown, or unset LISTEN_PID");
	}
	i->count = number;
	i->names = str_variable(env, "LISTEN_FDNAMES", 14);
	return 0;
}

/* nginx does not make an inherited socket non-blocking itself. */
static int add_inherited(const struct listen_spec *spec,
			 struct sockets *sockets, struct fault *f)
{
	const struct inherited *i = &spec->inherited;
	struct slice names = str_word(i->names ? i->names : "");

	for (int fd = LISTEN_FDS_START;
	     fd < LISTEN_FDS_START + (int)i->count; fd++) {
		struct handed *h = &sockets->all[sockets->count++];
		struct stat st;

		h->fd = fd;
		if (names.length)
			h->name = str_cut(&names, ':');
		if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) ||
		    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
		    (spec->handoff == HANDOFF_NGINX &&
		     fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0))
			return fault_set(f, EXIT_USAGE, 0,
					 "--inherit-sockets: LISTEN_FDS is %zu, but descriptor %d is no socket",
					 i->count, fd);
	}
	return 0;
}

/* --- the step ------------------------------------------------------------ */

/*
 * nginx never calls listen(2) with its own backlog on an inherited socket, so
 * the socket gets nginx's default; other servers may raise theirs. The kernel
 * caps both at net.core.somaxconn.
 */
enum { BACKLOG_NGINX = 511, BACKLOG = 4096 };

void listen_settle(struct listen_spec *spec)
{
	const bool nginx = spec->handoff == HANDOFF_NGINX;
	const bool bind = spec->handoff == HANDOFF_BIND;
	const long start = bind ? start_first_port() : 0;

	spec->port_start = start < 0 ? 1024 : (unsigned int)start;
	for (size_t i = 0; i < spec->count; i++) {
		struct listener *l = &spec->listeners[i];

		if (l->type != SOCK_DGRAM && !bind &&
		    !listener_has(l, LISTENER_NOLISTEN) &&
		    !listener_has(l, LISTENER_BACKLOG))
			l->number[LISTENER_BACKLOG] = nginx ? BACKLOG_NGINX
							    : BACKLOG;
		l->number[LISTENER_NONBLOCK] |= nginx;
		if (!spec->low_port && listener_port(l) < spec->port_start)
			spec->low_port = listener_port(l);
	}
	spec->bind_caps = spec->low_port ? CAPS_BIT(CAP_NET_BIND_SERVICE) : 0;
}

size_t listen_count(const struct listen_spec *spec)
{
	size_t count = spec->inherited.count;

	for (size_t i = 0;
	     i < spec->count && spec->handoff != HANDOFF_BIND; i++)
		if (!listener_has(&spec->listeners[i], LISTENER_FD))
			count += listener_count(&spec->listeners[i]);
	return count;
}

void listen_describe(const struct listen_spec *spec, struct text *out)
{
	size_t next = LISTEN_FDS_START + spec->inherited.count;

	if (spec->inherited.count)
		text_add(out, "keep %zu inherited from descriptor 3 on",
			 spec->inherited.count);
	for (size_t i = 0; i < spec->count; i++) {
		const struct listener *l = &spec->listeners[i];
		size_t count = listener_count(l);
		bool input = listener_has(l, LISTENER_FD);

		text_add(out, "%s%s ", out->length ? "\n" : "", l->url);
		if (spec->handoff == HANDOFF_BIND) {
			text_add(out, "for the application's bind(2)");
			continue;
		}
		text_add(out, "as descriptor%s %zu", count > 1 ? "s" : "",
			 input ? 0 : next);
		next += input ? 0 : count;
		if (count > 1)
			text_add(out, " to %zu", next - 1);
		if (l->name.at)
			text_add(out, ", name %.*s", (int)l->name.length,
				 l->name.at);
		if (listener_has_path(l))
			text_add(out, ", owned by %u:%u", l->uid, l->gid);
	}
	if (spec->low_port)
		text_add(out,
			 "\nkeep CAP_NET_BIND_SERVICE in one thread of the parent: port %u is below %u",
			 spec->low_port, spec->port_start);
	else if (spec->handoff == HANDOFF_BIND)
		text_add(out, "\nkeep no capability: no port is below %u",
			 spec->port_start);
}

void listen_describe_handoff(const struct listen_spec *spec, struct text *out)
{
	const size_t count = listen_count(spec);

	if (count)
		text_add(out, spec->handoff == HANDOFF_NGINX
				      ? ", NGINX names %zu sockets"
				      : ", LISTEN_FDS=%zu", count);
}

static int run_listener(const struct listener *l, struct sockets *sockets,
			struct fault *f)
{
	struct handed h = { .name = l->name };

	if (l->address.any.sa_family == AF_UNIX)
		h.backlog = (int)l->number[LISTENER_BACKLOG];
	for (size_t n = listener_count(l); n > 0; n--) {
		h.fd = listen_open(l, f);
		if (h.fd < 0 && listener_has(l, LISTENER_TRY) &&
		    listen_without_address(f->err)) {
			fault_set(f, EXIT_STEP, f->err,
				  "listen %s: passed over", l->url);
			report_warning(f);
			return 0;
		}
		if (h.fd < 0)
			return -1;
		if (listener_has(l, LISTENER_FD))
			sockets->input = h;
		else
			sockets->all[sockets->count++] = h;
	}
	return 0;
}

int listen_run(const struct listen_spec *spec, struct sockets *sockets,
	       struct fault *f)
{
	if (add_inherited(spec, sockets, f) < 0)
		return -1;
	for (size_t i = 0; i < spec->count; i++) {
		if (run_listener(&spec->listeners[i], sockets, f) < 0)
			return -1;
		if (spec->handoff == HANDOFF_BIND)
			sockets->count = spec->inherited.count;
	}
	if (spec->handoff == HANDOFF_BIND)
		fs_close_from(LISTEN_FDS_START + (int)sockets->count);
	return 0;
}

/* --- the handoff --------------------------------------------------------- */

/* The n-th of LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID. */
static void announce_sockets(const struct sockets *sockets, size_t count,
			     pid_t pid, size_t n, struct text *out)
{
	if (n == 0)
		text_add(out, "LISTEN_FDS=%zu", count);
	if (n == 2 && pid)
		text_add(out, "LISTEN_PID=%d", (int)pid);
	for (size_t i = 0; n == 1 && i < count; i++) {
		struct slice name = sockets->all[i].name;

		/* sd_listen_fds_with_names(3) reports "unknown" then. */
		text_add(out, "%s%.*s", i ? ":" : "LISTEN_FDNAMES=",
			 name.at ? (int)name.length : 7,
			 name.at ? name.at : "unknown");
	}
}

/* The content is appended without one newline at its end. */
static void announce_secret(const struct handed *h, size_t i, struct text *out)
{
	ssize_t got;

	text_add(out, "%.*s=", (int)h->name.length, h->name.at);
	if (!h->content) {
		text_add(out, "/proc/self/fd/%zu", LISTEN_FDS_START + i);
		return;
	}
	got = pread(h->fd, out->start + out->length, out->size - out->length,
		    0);
	out->cut |= got < 0 || out->length + (size_t)got == out->size;
	out->length += out->cut ? 0 : (size_t)got;
	if (out->start[out->length - 1] == '\n')
		out->length--;
	out->start[out->length] = '\0';
}

bool sockets_variable(const struct sockets *sockets, enum handoff handoff,
		      pid_t pid, size_t n, struct text *out)
{
	const size_t count = sockets->count - sockets->nsecrets;

	if (n < sockets->nsecrets) {
		announce_secret(&sockets->all[count + n], count + n, out);
		return true;
	}
	n -= sockets->nsecrets;
	if (count == 0 || n > (handoff == HANDOFF_NGINX ? 0 : 2))
		return false;
	if (handoff != HANDOFF_NGINX) {
		announce_sockets(sockets, count, pid, n, out);
		return true;
	}
	/* nginx ignores a number without ';'. */
	text_add(out, "NGINX=");
	for (size_t i = 0; i < count; i++)
		text_add(out, "%zu;", LISTEN_FDS_START + i);
	return true;
}

/*
 * Give a descriptor its number, and call listen(2) again where needed. Each was
 * opened as the lowest that was free, after those in front of it, so its number
 * is not above it; if it were, another would have been overwritten.
 */
static int move_to(int number, const struct handed *h, struct fault *f)
{
	int moved = -1;

	errno = EBUSY;
	if (h->fd == number)
		moved = fcntl(number, F_SETFD, 0);
	else if (h->fd > number)
		moved = dup2(h->fd, number);
	if (moved >= 0 && (!h->backlog || listen(number, h->backlog) == 0))
		return 0;
	return fault_set(f, EXIT_STEP, errno, "move to descriptor %d", number);
}

int sockets_arrange(const struct sockets *sockets, struct fault *f)
{
	const struct handed *h = &sockets->input;
	int number = LISTEN_FDS_START;

	if (h->fd && move_to(STDIN_FILENO, h, f) < 0)
		return -1;
	for (size_t i = 0; i < sockets->count; i++)
		if (move_to(number++, &sockets->all[i], f) < 0)
			return -1;
	fs_close_from(number);
	return 0;
}
