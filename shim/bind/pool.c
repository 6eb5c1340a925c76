#include "bind/pool.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/text.h"
#include "bind/filter.h"
#include "listen/socket.h"
#include "plan.h"

static bool is_any(const struct in6_addr *a)
{
	return memcmp(a, &in6addr_any, sizeof(*a)) == 0;
}

static bool is_unix(const struct listener *l)
{
	return l->address.any.sa_family == AF_UNIX;
}

/* One to be given first, and the spares. */
static size_t copies(const struct listener *l)
{
	if (l->kind != LISTENER_TCP)
		return 1;
	return 1 + (listener_has(l, LISTENER_SPARES)
			    ? l->number[LISTENER_SPARES]
			    : POOL_SPARES);
}

/* The forms in which the listener's address can be asked for, as bits. */
static unsigned int forms(const struct listener *l)
{
	const struct sockaddr_in6 *in6 = &l->address.in6;

	if (l->dual)
		return 1u << FORM_V4 | 1u << FORM_V6_ONLY | 1u << FORM_V6_DUAL;
	if (is_unix(l))
		return 1u << FORM_UNIX;
	if (l->address.any.sa_family == AF_INET)
		return 1u << FORM_V4;
	if (is_any(&in6->sin6_addr) && listener_has(l, LISTENER_V6ONLY) &&
	    !l->number[LISTENER_V6ONLY])
		return 1u << FORM_V6_DUAL;
	return 1u << FORM_V6_ONLY;
}

static size_t count_forms(const struct listener *l)
{
	return l->dual ? 3 : 1;
}

/* ---- the plan ---- */

/*
 * What an application sets on its socket it sets as without us; an option of
 * the URL would then be undone or be a surprise.
 */
enum {
	NOT_OURS = 1 << LISTENER_BACKLOG | 1 << LISTENER_REUSEPORT |
		   1 << LISTENER_NODELAY | 1 << LISTENER_KEEPALIVE |
		   1 << LISTENER_DEFER_ACCEPT | 1 << LISTENER_FASTOPEN |
		   1 << LISTENER_RCVBUF | 1 << LISTENER_SNDBUF |
		   1 << LISTENER_NONBLOCK | 1 << LISTENER_NOLISTEN
};

static int check_listener(const struct plan *plan, const struct listener *l,
			  struct fault *f)
{
	const bool spares = listener_has(l, LISTENER_SPARES);
	const char *wrong = NULL;

	if (plan->listen.handoff == HANDOFF_BIND_OWN && (spares || is_unix(l)))
		wrong = "--handoff=bind-own takes neither spares nor unix sockets";
	if (plan_brokers(plan) && (l->zone.length || (l->given & NOT_OURS)))
		wrong = "--handoff=bind takes no zone, and no option that the application sets by itself";
	if (!plan_brokers(plan) && spares)
		wrong = "spares are of --handoff=bind";
	if (!wrong)
		return 0;
	return fault_set(f, EXIT_USAGE, 0, "--listen %s: %s", l->url, wrong);
}

int pool_check(const struct plan *plan, struct fault *f)
{
	size_t size = 0;

	for (size_t i = 0; i < plan->listen.count; i++) {
		if (check_listener(plan, &plan->listen.listeners[i], f) < 0)
			return -1;
		size += copies(&plan->listen.listeners[i]) *
			count_forms(&plan->listen.listeners[i]);
	}
	if (!plan_brokers(plan))
		return 0;
	/* With a capability the supervisor's lack would keep it from looking. */
	if (size == 0 || plan->listen.inherited.wanted || plan->drop.keep_caps)
		return fault_set(f, EXIT_USAGE, 0,
				 "--handoff bind: it needs --listen, and "
				 "excludes --keep-caps and --inherit-sockets");
	if (size > PLAN_MAX_SPARES)
		return fault_set(f, EXIT_USAGE, 0,
				 "--handoff bind: %zu sockets with all spares, "
				 "more than %d",
				 size, PLAN_MAX_SPARES);
	return 0;
}

void pool_describe(const struct plan *plan, struct text *out)
{
	for (size_t i = 0; i < plan->listen.count; i++)
		text_add(out, "%s%s for the application's bind(2)",
			 i ? "\n" : "", plan->listen.listeners[i].url);
}

/* ---- what the application wants ---- */

/* SIN6_LEN_RFC2133 of the kernel: without the scope, which pool_check() refuses. */
enum { SHORTEST_V6 = 24 };

/* The port is at the same place for both families. */
static bool same_port(const struct listener *l, const struct wish *w)
{
	return w->size >= sizeof(w->address.in) &&
	       w->address.in.sin_port == l->address.in.sin_port;
}

/* A path may or may not be ended by a NUL within the size (unix(7)). */
static bool same_path(const struct wish *w, const struct listener *l)
{
	const size_t start = offsetof(struct sockaddr_un, sun_path);
	size_t room = w->size > start ? w->size - start : 0;
	const char *path = l->address.un.sun_path;
	const char *given = (const char *)&w->address + start;
	size_t length;

	if (!path[0])	/* abstract: all bytes count */
		return w->size == l->address_size &&
		       memcmp(given, path, room) == 0;
	length = strnlen(given, room);
	return length < sizeof(l->address.un.sun_path) &&
	       memcmp(given, path, length) == 0 && !path[length];
}

/* By address alone. A dual listener is known by "::", and has 0.0.0.0 too. */
static bool has_address(const struct listener *l, const struct wish *w)
{
	const sa_family_t family = w->address.any.sa_family;

	if (family == AF_UNIX)
		return is_unix(l) && same_path(w, l);
	if (!same_port(l, w))
		return false;
	if (l->dual && family == AF_INET)
		return w->address.in.sin_addr.s_addr == INADDR_ANY;
	if (family != l->address.any.sa_family)
		return false;
	if (family == AF_INET)
		return w->address.in.sin_addr.s_addr ==
		       l->address.in.sin_addr.s_addr;
	return w->size >= SHORTEST_V6 &&
	       memcmp(&w->address.in6.sin6_addr, &l->address.in6.sin6_addr,
		      sizeof(struct in6_addr)) == 0;
}

bool pool_knows(const struct plan *plan, const struct wish *w)
{
	for (size_t i = 0; i < plan->listen.count; i++)
		if (has_address(&plan->listen.listeners[i], w))
			return true;
	return false;
}

enum form pool_form(const struct listener *l, const struct wish *w)
{
	enum form form;

	if (!has_address(l, w))
		return FORM_NONE;
	if (is_unix(l))
		return w->any_type || w->kind == l->kind ? FORM_UNIX
							  : FORM_NONE;
	if (w->kind != l->kind)
		return FORM_NONE;
	if (w->address.any.sa_family == AF_INET)
		form = FORM_V4;
	else if (is_any(&l->address.in6.sin6_addr) && !w->v6only)
		form = FORM_V6_DUAL;
	else
		form = FORM_V6_ONLY;
	return forms(l) & 1u << form ? form : FORM_NONE;
}

/*
 * Is the path still that of our socket? A server that may write to the folder
 * has mostly removed it just before it binds, and then can bind by itself.
 */
static bool in_place(const struct listener *l, const struct spare *s)
{
	struct stat st;

	if (s->form != FORM_UNIX || !l->address.un.sun_path[0])
		return true;
	return lstat(l->address.un.sun_path, &st) == 0 &&
	       st.st_dev == s->path.device && st.st_ino == s->path.inode;
}

struct spare *pool_find(const struct plan *plan, struct pool *pool,
			const struct wish *w)
{
	for (size_t i = 0; i < pool->count; i++) {
		struct spare *s = &pool->spares[i];
		const struct listener *l = &plan->listen.listeners[s->listener];

		if (s->fd >= 0 && s->form == pool_form(l, w) && in_place(l, s))
			return s;
	}
	return NULL;
}

static void drop(struct spare *s)
{
	close(s->fd);
	s->fd = -1;
}

/*
 * A UDP socket for both families takes the datagrams of one for a single
 * family, and the other way round.
 */
void pool_gave(const struct plan *plan, struct pool *pool, struct spare *s)
{
	const bool udp = plan->listen.listeners[s->listener].kind == LISTENER_UDP;

	drop(s);
	for (size_t i = 0; udp && i < pool->count; i++) {
		struct spare *other = &pool->spares[i];

		if (other->fd >= 0 && other->listener == s->listener &&
		    (other->form == FORM_V6_DUAL || s->form == FORM_V6_DUAL)) {
			drop(other);
			other->inode = 0;
		}
	}
}

bool pool_is_given(const struct pool *pool, ino_t inode)
{
	for (size_t i = 0; i < pool->count; i++)
		if (pool->spares[i].fd < 0 && pool->spares[i].inode == inode)
			return true;
	return false;
}

/* Returns a bound socket, or -1 with a fault. */
static int open_form(const struct plan *plan, const struct listener *l,
		     enum form form, struct fault *f)
{
	struct listener one = *l;

	if (l->dual && form == FORM_V4) {
		one.address.in = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = l->address.in6.sin6_port
		};
		one.address_size = sizeof(one.address.in);
	}
	one.shared = l->dual;
	one.dual = form == FORM_V6_DUAL;
	one.given |= UINT32_C(1) << LISTENER_NOLISTEN;
	return listen_open(&one, plan->listen.handoff, &one.address.any, one.address_size, f);
}

/* Into the pool, or for bind-own, which has none, only to see that it works. */
static int add(const struct plan *plan, struct pool *pool, size_t listener,
	       enum form form, struct fault *f)
{
	const struct listener *l = &plan->listen.listeners[listener];
	struct spare *s = &pool->spares[pool->count];
	struct stat st = { 0 };

	s->fd = open_form(plan, l, form, f);
	if (s->fd < 0)
		return l->dual && form != FORM_V4 && listen_without_ipv6(f->err)
			       ? 0
			       : -1;
	if (plan->listen.handoff == HANDOFF_BIND_OWN) {
		close(s->fd);
		return 0;
	}
	pool->count++;
	s->listener = (unsigned short)listener;
	s->form = (unsigned char)form;
	if (fstat(s->fd, &st) == 0)
		s->inode = st.st_ino;
	if (form == FORM_UNIX && lstat(l->address.un.sun_path, &st) == 0)
		s->path = (struct identity){ st.st_dev, st.st_ino };
	return 0;
}

int pool_fill(const struct plan *plan, struct pool *pool, struct fault *f)
{
	if (filter_check(f) < 0 || fs_close_from(STDERR_FILENO + 1, f) < 0)
		return -1;
	for (size_t i = 0; i < plan->listen.count; i++)
		for (enum form form = FORM_V4; form < FORM_NONE; form++) {
			size_t wanted = copies(&plan->listen.listeners[i]);

			if (!(forms(&plan->listen.listeners[i]) & 1u << form))
				continue;
			while (wanted-- > 0)
				if (add(plan, pool, i, form, f) < 0)
					return -1;
		}
	return 0;
}
