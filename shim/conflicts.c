#include "settle.h"

#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "run/plan.h"

/*
 * Refuse the same address twice; a path can have one socket only. bind(2)
 * reports other conflicts of addresses and interfaces.
 */
static int check_pair(const struct listener *a, const struct listener *b,
		      struct fault *f)
{
	const uint32_t apart = 1 << LISTENER_REUSEPORT | 1 << LISTENER_DEVICE;

	if (listener_has(a, LISTENER_FD) && listener_has(b, LISTENER_FD))
		return fault_set(f, EXIT_USAGE, 0,
				 "--listen %s: descriptor 0 is taken by %s",
				 a->url, b->url);
	if ((a->kind == b->kind || listener_has_path(a)) &&
	    !(a->given & b->given & apart) &&
	    a->address_size == b->address_size &&
	    memcmp(&a->address, &b->address, a->address_size) == 0)
		return fault_set(f, EXIT_USAGE, 0, "--listen %s: given twice",
				 a->url);
	return 0;
}

/* With --handoff=bind the application sets the other options. */
static int check_declared(const struct listener *l, struct fault *f)
{
	const uint32_t taken = 1 << LISTENER_V6ONLY | 1 << LISTENER_TRY;

	if (l->address.any.sa_family != AF_UNIX && !(l->given & ~taken))
		return 0;
	fault_set(f, EXIT_USAGE, 0,
		  "--listen %s: --handoff=bind takes tcp and udp without options but v6only and try",
		  l->url);
	return fault_hint(f,
			  "the application sets its own; a unix socket needs no privilege below --own=/run/app,create");
}

/* nginx' workers spin on accept4(2) if a socket does not listen. */
static int check_sockets(const struct listen_spec *spec, struct fault *f)
{
	for (size_t i = 0; i < spec->count; i++) {
		const struct listener *l = &spec->listeners[i];

		if (spec->handoff == HANDOFF_NGINX &&
		    listener_has(l, LISTENER_NOLISTEN))
			return fault_set(f, EXIT_USAGE, 0,
					 "--listen %s: nginx needs a socket that listens",
					 l->url);
		if (spec->handoff == HANDOFF_BIND && check_declared(l, f) < 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (check_pair(l, &spec->listeners[j], f) < 0)
				return -1;
	}
	if (listen_count(spec) <= SOCKETS_MAX)
		return 0;
	return fault_set(f, EXIT_USAGE, 0,
			 "--listen: %zu sockets, more than %d",
			 listen_count(spec), SOCKETS_MAX);
}

/* In a shell, FOO=1 in front of a command sets a variable for it. */
static int check_command(char *const *command, struct fault *f)
{
	const char *word = command ? command[0] : NULL;

	if (!word) {
		fault_set(f, EXIT_USAGE, 0, "no command to run");
		return fault_hint(f,
				  "as in stepdown --user=4242:4242 -- nginx");
	}
	if (!word[0])
		return fault_set(f, EXIT_USAGE, 0, "the command is empty");
	if (!str_is_variable(word, strcspn(word, "=")) || !strchr(word, '='))
		return 0;
	fault_set(f, EXIT_USAGE, 0, "%s: this is a variable, no command", word);
	return fault_hint(f, "no shell sets it here; give --env=%s", word);
}

int conflicts_check(const struct plan *plan, struct fault *f)
{
	const struct confine_spec *c = &plan->confine;
	const bool nginx = plan->listen.handoff == HANDOFF_NGINX;
	const bool bind = plan->listen.handoff == HANDOFF_BIND;
	const struct {
		bool given;
		const char *what;
	} refused[] = {
		{ plan->init.drain.ms && plan->init.no_subreaper,
		  "--drain: not with --no-subreaper" },
		{ !c->mode && c->connects, "--connect: only with --confine" },
		{ !c->mode && c->readable.count,
		  "--readable: only with --confine" },
		{ !c->mode && c->writable.count,
		  "--writable: only with --confine" },
		{ c->mode && plan->drop.allow_new_privs,
		  "--allow-new-privs: --confine needs no_new_privs for its "
		  "Landlock domain" },
		{ bind && plan->drop.allow_new_privs,
		  "--allow-new-privs: --handoff=bind needs no_new_privs for "
		  "its seccomp filter" },
		{ bind && plan->listen.count == 0,
		  "--handoff bind: --listen says what may be bound" },
		{ bind && plan->drop.keep_caps & CAPS_BIT(CAP_NET_BIND_SERVICE),
		  "--keep-caps net_bind_service: not with --handoff=bind" },
		{ nginx && listen_count(&plan->listen) == 0,
		  "--handoff nginx: no --listen" },
		{ nginx && plan->listen.no_listen_pid,
		  "--no-listen-pid: --handoff nginx sets no LISTEN_PID" },
	};

	if (check_command(plan->exec.command, f) < 0)
		return -1;
	if (plan->target.uid == 0 && !plan->who.allow_root && !plan->keeps) {
		fault_set(f, EXIT_USAGE, 0, "--user %s: that is root",
			  plan->who.user);
		return fault_hint(f, "name another user, or add --allow-root");
	}
	if (plan->init_option && !plan->init.wanted)
		return fault_set(f, EXIT_USAGE, 0, "--%s: only with --init",
				 plan->init_option);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (refused[i].given)
			return fault_set(f, EXIT_USAGE, 0, "%s",
					 refused[i].what);
	return check_sockets(&plan->listen, f);
}
