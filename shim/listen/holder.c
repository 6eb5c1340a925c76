#include "listen/holder.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/text.h"
#include "plan.h"

/* It is for a hint only: rather none than a long wait on a big machine. */
enum { MAX_LOOKS = 65536 };

struct search {
	char wanted[32];	/* what the link of the descriptor says */
	size_t looks;
	pid_t pid;
};

/* --- the inode of the socket, from the tables of the network namespace ----- */

/* Take the next field of a line where blanks separate. */
static struct slice next_field(struct slice *rest)
{
	while (rest->length && *rest->at == ' ') {
		rest->at++;
		rest->length--;
	}
	return str_cut(rest, ' ');
}

/* The n-th field from here, counted from 0. */
static struct slice skip_to(struct slice *rest, size_t n)
{
	while (n-- > 0)
		next_field(rest);
	return next_field(rest);
}

static bool is(struct slice w, const char *text)
{
	return w.length == strlen(text) && memcmp(w.at, text, w.length) == 0;
}

/*
 * "N: ADDRESS:PORT ADDRESS:PORT STATE QUEUES TIMER RETRIES UID TIMEOUT INODE":
 * /proc/net/tcp and its kin, proc(5). 0A listens, 07 is an unconnected UDP.
 */
static bool match_inet(const struct listener *l, struct slice line,
		       struct slice *inode)
{
	struct slice local = skip_to(&line, 1);
	struct slice state = skip_to(&line, 1);
	char port[8];
	struct text t;

	text_start(&t, port, sizeof(port));
	text_add(&t, ":%04x", ntohs(l->address.in.sin_port));
	*inode = skip_to(&line, 5);
	return local.length > t.length &&
	       strncasecmp(local.at + local.length - t.length, port,
			   t.length) == 0 &&
	       is(state, l->kind == LISTENER_TCP ? "0A" : "07");
}

/* "NUM REFCOUNT PROTOCOL FLAGS TYPE STATE INODE PATH", an abstract one with @. */
static bool match_unix(const struct listener *l, struct slice line,
		       struct slice *inode)
{
	const struct sockaddr_un *un = &l->address.un;
	size_t length = l->address_size -
			offsetof(struct sockaddr_un, sun_path);
	bool abstract = !un->sun_path[0];

	if (!abstract)
		length--;	/* its NUL */
	*inode = skip_to(&line, 6);
	/* A connection that waits to be accepted has the path, and inode 0. */
	return line.length == length && !is(*inode, "0") && line.at[0] == (abstract ? '@' : '/') &&
	       memcmp(line.at + 1, un->sun_path + 1, length - 1) == 0;
}

/* Look at each whole line; what is left of them is what *lines is then. */
static bool match_lines(const struct listener *l, struct slice *lines,
			struct search *s)
{
	bool (*match)(const struct listener *, struct slice, struct slice *) =
		l->address.any.sa_family == AF_UNIX ? match_unix : match_inet;

	while (memchr(lines->at, '\n', lines->length)) {
		struct slice inode;
		struct text t;

		if (!match(l, str_cut(lines, '\n'), &inode))
			continue;
		text_start(&t, s->wanted, sizeof(s->wanted));
		text_add(&t, "socket:[%.*s]", (int)inode.length, inode.at);
		return true;
	}
	return false;
}

static bool find_inode(const struct listener *l, const char *table,
		       struct search *s)
{
	char buffer[4096];	/* a line is shorter than 256 */
	struct slice lines = { buffer, 0 };
	int fd = open(table, O_RDONLY | O_CLOEXEC);
	bool found = false;
	ssize_t got;

	if (fd < 0)
		return false;
	while (!found && (got = read(fd, buffer + lines.length,
				     sizeof(buffer) - lines.length)) > 0) {
		lines.length += (size_t)got;
		found = match_lines(l, &lines, s);
		memmove(buffer, lines.at, lines.length);
		lines.at = buffer;
	}
	close(fd);
	return found;
}

static bool find_socket(const struct listener *l, struct search *s)
{
	switch (l->kind) {
	case LISTENER_TCP:
		return find_inode(l, "/proc/net/tcp", s) ||
		       find_inode(l, "/proc/net/tcp6", s);
	case LISTENER_UDP:
		return find_inode(l, "/proc/net/udp", s) ||
		       find_inode(l, "/proc/net/udp6", s);
	default:
		return find_inode(l, "/proc/net/unix", s);
	}
}

/* --- the process that has it open ----------------------------------------- */

/* Ask about each name of a folder, until one is it. */
static bool any_entry(int dir, struct search *s,
		      bool (*is_it)(int dir, const char *name,
				    struct search *s))
{
	_Alignas(struct sys_dirent) char buffer[4096];
	ssize_t got;

	while ((got = sys_getdents(dir, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct sys_dirent *entry =
				(const void *)(buffer + at);

			if (++s->looks > MAX_LOOKS)
				return false;
			if (is_it(dir, entry->name, s))
				return true;
			at += entry->size;
		}
	return false;
}

static bool is_descriptor(int dir, const char *name, struct search *s)
{
	char link[sizeof(s->wanted)];
	ssize_t length = readlinkat(dir, name, link, sizeof(link));

	return length > 0 && is((struct slice){ link, (size_t)length },
				s->wanted);
}

static bool is_process(int proc, const char *name, struct search *s)
{
	char path[32];
	struct text t;
	uint64_t pid;
	bool found;
	int dir;

	if (!str_number(name, 1, INT_MAX, &pid))
		return false;
	text_start(&t, path, sizeof(path));
	text_add(&t, "%s/fd", name);
	dir = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	found = any_entry(dir, s, is_descriptor);
	close(dir);
	s->pid = (pid_t)pid;
	return found;
}

static void read_name(int proc, struct holder *h)
{
	fs_read_of(proc, h->pid, "comm", h->name, sizeof(h->name));
	h->name[strcspn(h->name, "\n")] = '\0';
}

bool holder_find(const struct listener *l, struct holder *found)
{
	struct search s = { .looks = 0 };
	int proc;

	if (!find_socket(l, &s))
		return false;
	proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return false;
	found->pid = any_entry(proc, &s, is_process) ? s.pid : 0;
	if (found->pid)
		read_name(proc, found);
	close(proc);
	return found->pid != 0;
}
