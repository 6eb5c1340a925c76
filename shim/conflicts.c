#include "conflicts.h"

#include <netinet/in.h>
#include <string.h>

#include "base/fault.h"
#include "plan.h"

static bool is_six(const struct listener *l)
{
	return l->address.any.sa_family == AF_INET6;
}

static bool is_unix(const struct listener *l)
{
	return l->address.any.sa_family == AF_UNIX;
}

/* sin_port and sin6_port are at the same place. */
static bool same_port(const struct listener *a, const struct listener *b)
{
	return a->address.in.sin_port == b->address.in.sin_port;
}

static bool same_address(const struct listener *a, const struct listener *b)
{
	return a->address_size == b->address_size &&
	       memcmp(&a->address, &b->address, a->address_size) == 0;
}

static bool is_any_address(const struct listener *l)
{
	return is_six(l) ? IN6_IS_ADDR_UNSPECIFIED(&l->address.in6.sin6_addr)
			 : l->address.in.sin_addr.s_addr == INADDR_ANY;
}

/* IPV6_V6ONLY is off. */
static bool takes_both(const struct listener *l)
{
	return l->dual || (listener_has(l, LISTENER_V6ONLY) &&
			   !l->number[LISTENER_V6ONLY]);
}

/* A zone binds to an interface as device= does. */
static struct slice interface(const struct listener *l)
{
	return l->device.length ? l->device : l->zone;
}

/* Two names may be one interface, by number or by altname: then bind tells. */
static bool on_other_interfaces(const struct listener *a,
				const struct listener *b)
{
	struct slice one = interface(a), other = interface(b);

	return one.length && other.length &&
	       (one.length != other.length ||
		memcmp(one.at, other.at, one.length) != 0);
}

/* As inet_csk_bind_conflict() and inet_rcv_saddr_equal() of the kernel. */
static bool overlap_inet(const struct listener *a, const struct listener *b)
{
	if (a->kind != b->kind || !same_port(a, b) || on_other_interfaces(a, b))
		return false;
	if (listener_has(a, LISTENER_REUSEPORT) &&
	    listener_has(b, LISTENER_REUSEPORT))
		return false;
	if (is_six(a) == is_six(b))
		return is_any_address(a) || is_any_address(b) ||
		       same_address(a, b);
	return is_six(a) ? takes_both(a) && is_any_address(a)
			 : takes_both(b) && is_any_address(b);
}

/* Abstract names are apart by the type of their socket, paths are not. */
static bool overlap_unix(const struct listener *a, const struct listener *b)
{
	return same_address(a, b) &&
	       (a->kind == b->kind || a->address.un.sun_path[0]);
}

static bool overlap(const struct listener *a, const struct listener *b)
{
	if (is_unix(a) || is_unix(b))
		return is_unix(a) && is_unix(b) && overlap_unix(a, b);
	return overlap_inet(a, b);
}

static int check_pair(const struct listener *a, const struct listener *b,
		      struct fault *f)
{
	if (!overlap(a, b))
		return 0;
	if (same_address(a, b) && takes_both(a) == takes_both(b) &&
	    interface(a).length == interface(b).length)
		return fault_set(f, EXIT_USAGE, 0, "--listen %s: given twice",
				 a->url);
	fault_set(f, EXIT_USAGE, 0, "--listen %s: overlaps with --listen %s",
		  a->url, b->url);
	if (is_six(a) == is_six(b))
		return fault_hint(f,
				  "one is of all addresses or interfaces, the other's too");
	return fault_hint(f,
			  "one takes IPv4 too; for both families give 0.0.0.0 and [::]");
}

/* What LISTEN_FDNAMES will take, its NUL included. */
static size_t size_of_names(const struct plan *plan)
{
	const struct inherited *i = &plan->inherited;
	size_t size = i->count && i->names ? strlen(i->names) + 1
					   : i->count * sizeof("unknown");

	for (size_t n = 0; n < plan->nlisteners; n++) {
		const struct listener *l = &plan->listeners[n];

		size += listener_count(l) *
			(l->name ? l->name_length + 1 : sizeof("unknown"));
	}
	return size;
}

static int check_room(const struct plan *plan, struct fault *f)
{
	if (plan_count_sockets(plan) > PLAN_MAX_SOCKETS)
		return fault_set(f, EXIT_USAGE, 0,
				 "--listen: %zu sockets, more than %d",
				 plan_count_sockets(plan), PLAN_MAX_SOCKETS);
	if (size_of_names(plan) > PLAN_NAMES_SIZE)
		return fault_set(f, EXIT_USAGE, 0,
				 "--listen: names of more than %d bytes",
				 PLAN_NAMES_SIZE);
	return 0;
}

/* A socket that does not listen makes nginx' workers spin on accept4(2). */
static int check_nginx(const struct plan *plan, struct fault *f)
{
	if (plan_count_sockets(plan) == 0)
		return fault_set(f, EXIT_USAGE, 0,
				 "--handoff nginx: no --listen");
	if (plan->no_listen_pid)
		return fault_set(f, EXIT_USAGE, 0,
				 "--no-listen-pid: --handoff nginx sets no LISTEN_PID");
	for (size_t i = 0; i < plan->nlisteners; i++)
		if (listener_has(&plan->listeners[i], LISTENER_NOLISTEN))
			return fault_set(f, EXIT_USAGE, 0,
					 "--listen %s: nginx needs a socket that listens",
					 plan->listeners[i].url);
	return 0;
}

int overlap_check(const struct plan *plan, struct fault *f)
{
	if (plan->handoff == HANDOFF_NGINX && check_nginx(plan, f) < 0)
		return -1;
	for (size_t i = 0; i < plan->nlisteners; i++)
		for (size_t j = 0; j < i; j++)
			if (check_pair(&plan->listeners[i],
				       &plan->listeners[j], f) < 0)
				return -1;
	return check_room(plan, f);
}

/* What is said to a parent is a mistake where none stays. */
static int check_init(const struct init *init, struct fault *f)
{
	const char *given = init->signal_group ? "signal-group" :
			    init->no_subreaper ? "no-subreaper" :
			    init->stop_timeout ? "stop-timeout" :
			    init->drain ? "drain" :
			    init->nexits ? "map-exit" : NULL;

	if (init->drain && init->no_subreaper)
		return fault_set(f, EXIT_USAGE, 0,
				 "--drain: not with --no-subreaper");
	for (size_t i = 0; !given && i < ARRAY_LEN(init->rewrite); i++)
		if (init->rewrite[i])
			given = "rewrite";
	if (init->wanted || !given)
		return 0;
	return fault_set(f, EXIT_USAGE, 0, "--%s: only with --init", given);
}

int conflicts_check(const struct plan *plan, struct fault *f)
{
	if (!plan->command || !plan->command[0]) {
		fault_set(f, EXIT_USAGE, 0, "no command to run");
		return fault_hint(f,
				  "as in stepdown --user=4242:4242 -- nginx");
	}
	if (!plan->command[0][0])
		return fault_set(f, EXIT_USAGE, 0, "the command is empty");
	if (plan->target.uid == 0 && !plan->allow_root) {
		fault_set(f, EXIT_USAGE, 0, "--user %s: that is root",
			  plan->user);
		return fault_hint(f,
				  "name another user, or add --allow-root");
	}
	if (check_init(&plan->init, f) < 0)
		return -1;
	if (plan->drop.allow_new_privs && plan_brokers(plan))
		return fault_set(f, EXIT_USAGE, 0,
				 "--allow-new-privs: --handoff=bind and bind-own need no_new_privs for their seccomp filter");
	if (inherit_check(&plan->inherited, f) < 0)
		return -1;
	if (pool_check(plan, f) < 0)
		return -1;
	return overlap_check(plan, f);
}
