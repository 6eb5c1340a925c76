#include "listen/listen.h"

#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "listen/socket.h"

size_t listen_count(const struct listen_spec *spec)
{
	size_t count = spec->inherited.count;

	for (size_t i = 0; spec->handoff != HANDOFF_BIND && i < spec->count;
	     i++)
		if (!listener_has(&spec->listeners[i], LISTENER_FD))
			count += listener_count(&spec->listeners[i]);
	return count;
}

static void describe_listener(const struct listener *l, enum handoff handoff,
			      size_t first, struct text *out)
{
	size_t count = listener_count(l);

	text_add(out, "%s as descriptor%s %zu", l->url, count > 1 ? "s" : "",
		 first);
	if (count > 1)
		text_add(out, " to %zu", first + count - 1);
	if (listener_has(l, LISTENER_TRY))
		text_add(out, ", if the host can");
	if (l->name.at)
		text_add(out, ", name %.*s", (int)l->name.length, l->name.at);
	if (listener_has_path(l))
		text_add(out, ", owned by %u:%u", l->uid, l->gid);
	if (l->dual && handoff == HANDOFF_NGINX)
		text_add(out,
			 " (nginx's `listen [::]:PORT ipv6only=off`; its "
			 "default needs 0.0.0.0 and [::])");
}

void listen_describe(const struct listen_spec *spec, struct text *out)
{
	size_t next = LISTEN_FDS_START + spec->inherited.count;

	if (spec->inherited.count)
		text_add(out, "keep %zu inherited from descriptor 3 on",
			 spec->inherited.count);
	for (size_t i = 0; i < spec->count; i++) {
		const struct listener *l = &spec->listeners[i];
		bool input = listener_has(l, LISTENER_FD);

		text_add(out, "%s", out->length ? "\n" : "");
		describe_listener(l, spec->handoff, input ? 0 : next, out);
		next += input ? 0 : listener_count(l);
	}
}

void listen_describe_handoff(const struct listen_spec *spec, struct text *out)
{
	size_t count = listen_count(spec);

	if (spec->handoff == HANDOFF_BIND)
		text_add(out, "; its bind(2) is answered");
	if (count == 0)
		return;
	if (spec->handoff == HANDOFF_NGINX)
		text_add(out, ", NGINX names its sockets");
	else
		text_add(out, ", LISTEN_FDS=%zu", count);
}

static int open_listener(const struct listener *l, enum handoff handoff,
			 struct fault *f)
{
	int fd = listen_open(l, handoff, &l->address.any, l->address_size, f);
	struct sockaddr_in any = { .sin_family = AF_INET };

	if (fd >= 0 || !l->dual || !listen_without_ipv6(f->err))
		return fd;
	any.sin_port = l->address.in6.sin6_port;
	return listen_open(l, handoff, (struct sockaddr *)&any, sizeof(any), f);
}

/* The host has no such address family, or no such address. */
static bool can_pass_over(const struct listener *l, const struct fault *f)
{
	struct fault passed;

	if (!listener_has(l, LISTENER_TRY) || !listen_without_ipv6(f->err))
		return false;
	fault_set(&passed, EXIT_STEP, f->err, "listen %s: passed over", l->url);
	report_warning(&passed);
	return true;
}

static int run_listener(const struct listener *l, enum handoff handoff,
			struct sockets *sockets, struct fault *f)
{
	struct handed h = { .name = l->name };

	if (l->address.any.sa_family == AF_UNIX)
		h.backlog = listen_backlog(l, handoff);
	for (size_t n = listener_count(l); n > 0; n--) {
		h.fd = open_listener(l, handoff, f);
		if (h.fd < 0)
			return can_pass_over(l, f) ? 0 : -1;
		if (listener_has(l, LISTENER_FD)) {
			sockets->has_input = true;
			sockets->input = h;
		} else {
			sockets->all[sockets->count++] = h;
		}
	}
	return 0;
}

int listen_run(const struct listen_spec *spec, struct sockets *sockets,
	       struct fault *f)
{
	if (inherited_add(&spec->inherited, spec->handoff, sockets, f) < 0)
		return -1;
	for (size_t i = 0; i < spec->count; i++)
		if (run_listener(&spec->listeners[i], spec->handoff, sockets,
				 f) < 0)
			return -1;
	return 0;
}
