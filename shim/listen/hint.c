#include "listen/hint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/str.h"
#include "cred/caps.h"
#include "listen/holder.h"
#include "plan.h"

/*
 * There are two ways to a low port. The capability may be there and still not
 * count, where the network namespace is of another user namespace.
 */
static int low_port(const struct listener *l, struct fault *f)
{
	char start[16], first[sizeof(f->hint)];
	unsigned int port = ntohs(l->address.in.sin_port);
	uint64_t lowest;

	caps_hint(f, CAP_NET_BIND_SERVICE);
	fs_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start",
		    start, sizeof(start));
	start[strcspn(start, "\n")] = '\0';
	if (!str_number(start, port + 1, 65536, &lowest))
		return -1;
	strcpy(first, f->hint);
	return fault_hint(f,
			  "%s%sset net.ipv4.ip_unprivileged_port_start (now %s) to %u or less (--sysctl, securityContext.sysctls)",
			  first, first[0] ? "; or " : "", start, port);
}

static int taken(const struct listener *l, struct fault *f)
{
	struct holder h;

	if (!holder_find(l, &h))
		return fault_hint(f,
				  l->address.any.sa_family == AF_UNIX
					  ? "another process accepts on it"
					  : "another process holds the port; with hostNetwork or --network=host maybe the host's");
	if (h.pid == getpid())
		return fault_hint(f,
				  "a socket of this run holds it: inherited, or another --listen");
	return fault_hint(f, "it is held by %s, process %d", h.name,
			  (int)h.pid);
}

static int no_address(const struct listener *l, struct fault *f)
{
	if (l->address.any.sa_family == AF_INET6)
		return fault_hint(f,
				  "no such address, or IPv6 is off (net.ipv6.conf.all.disable_ipv6); tcp://*:PORT falls back to IPv4");
	return fault_hint(f,
			  "no interface has it; 0.0.0.0 takes all, ?freebind one to come");
}

/* For a socket with a path. */
static int no_file(const struct listener *l, struct fault *f)
{
	switch (f->err) {
	case ENOENT:
		return fault_hint(f,
				  "its folder is not created; do so in the image, or mount a volume");
	case ELOOP:
		return fault_hint(f,
				  "a symbolic link is not followed; give the real path (/run, not /var/run)");
	case EEXIST:
		return fault_hint(f,
				  "it is not a socket; remove it or choose another path");
	case EROFS:
		return fault_hint(f,
				  "the folder is read-only; mount a volume (--tmpfs=/run)");
	case EACCES:
		return caps_hint(f, CAP_DAC_OVERRIDE);
	case EPERM:
		return caps_hint(f, CAP_CHOWN);
	case EINVAL:
		return fault_hint(f,
				  "%u:%u is not mapped (/proc/self/uid_map, gid_map)",
				  l->uid, l->gid);
	default:
		return -1;
	}
}

int listen_failed(const struct listener *l, const char *act, struct fault *f)
{
	fault_set(f, EXIT_STEP, errno, "listen %s%s%s", l->url, act ? ": " : "",
		  act ? act : "");
	switch (f->err) {
	case EADDRINUSE:
		return taken(l, f);
	case EMFILE:
		return fault_hint(f,
				  "raise the limit on open files (--ulimit=nofile=1024)");
	case ENODEV:
		return fault_hint(f,
				  "no interface here has that name");
	default:
		break;
	}
	if (l->address.any.sa_family == AF_UNIX)
		return no_file(l, f);
	switch (f->err) {
	case EACCES:
	case EPERM:
		return low_port(l, f);
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return no_address(l, f);
	default:
		return -1;
	}
}
