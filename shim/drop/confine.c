#include "drop/confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/text.h"
#include "drop/command.h"
#include "listen/url.h"
#include "own/spec.h"

enum {
	READ = LANDLOCK_EXECUTE | LANDLOCK_READ_FILE | LANDLOCK_READ_DIR,
	WRITE = LANDLOCK_WRITE_FILE | LANDLOCK_REMOVE_DIR |
		LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_REG |
		LANDLOCK_MAKE_SOCK | LANDLOCK_MAKE_FIFO | LANDLOCK_MAKE_SYM |
		LANDLOCK_REFER | LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV,
	MAKE_DEVICE = LANDLOCK_MAKE_CHAR | LANDLOCK_MAKE_BLOCK,
	/* The rights that a file can have which is not a directory. */
	OF_FILES = LANDLOCK_EXECUTE | LANDLOCK_READ_FILE |
		   LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE |
		   LANDLOCK_IOCTL_DEV,
	COMPLETE_ABI = 6	/* newer ones have nothing that is used here */
};

/* Where programs write that know nothing of containers. */
static const struct {
	const char *path;
	bool if_tmpfs;		/* only if nobody keeps what is written there */
} usual[] = {
	{ "/dev/null", false },	   { "/dev/zero", false },
	{ "/dev/full", false },	   { "/dev/random", false },
	{ "/dev/urandom", false }, { "/dev/tty", false },
	{ "/dev/ptmx", false },	   { "/dev/pts", false },
	{ "/dev/shm", false },	   { "/proc/self", false },
	{ "/tmp", true },	   { "/var/tmp", true },
	{ "/run", true },
};

/* What a dynamic program needs before its main(). */
static const char *const libraries[] = {
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
	"/etc/ld.so.cache", "/etc/ld.so.preload",
};

/* The ruleset that is being made. */
struct rules {
	int fd;
	uint64_t handled;	/* rights of files that the domain decides about */
	struct confine_domain *domain;
};

/* Each ABI adds to the one before it (landlock(7)). */
static struct sys_landlock handled_by(int abi, const struct confine_spec *spec)
{
	const uint64_t unknown = (abi < 2 ? LANDLOCK_REFER : 0) |
				 (abi < 3 ? LANDLOCK_TRUNCATE : 0) |
				 (abi < 5 ? LANDLOCK_IOCTL_DEV : 0);
	struct sys_landlock handled = { .fs = WRITE | MAKE_DEVICE };

	handled.fs |= spec->some_readable ? READ : 0;
	handled.fs &= ~unknown;
	if (abi >= 4)
		handled.net = LANDLOCK_BIND_TCP |
			      (spec->connects ? LANDLOCK_CONNECT_TCP : 0);
	if (abi >= COMPLETE_ABI)
		handled.scoped = LANDLOCK_SCOPE_ABSTRACT |
				 LANDLOCK_SCOPE_SIGNAL;
	return handled;
}

static bool is_tmpfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* Returns 0, or -1 with errno. EBADFD: a pipe or socket, which needs no rule. */
static int allow(struct rules *r, int fd, uint64_t rights)
{
	struct stat st, root;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		rights &= OF_FILES;
	else if ((rights & LANDLOCK_WRITE_FILE) && stat("/", &root) == 0 &&
		 st.st_dev == root.st_dev && st.st_ino == root.st_ino)
		r->domain->root_is_writable = true;
	rights &= r->handled;
	if (!rights || sys_landlock_allow_path(r->fd, rights, fd) == 0 ||
	    errno == EBADFD)
		return 0;
	return -1;
}

/* The same, and close fd; what is not there needs no rule. */
static int allow_fd(struct rules *r, int fd, uint64_t rights, const char *path,
		    struct fault *f)
{
	int result = fd < 0 ? 0 : allow(r, fd, rights);

	if (result < 0)
		fault_set(f, EXIT_STEP, errno, "confine: allow %s", path);
	if (fd >= 0)
		close(fd);
	return result;
}

static int open_path(const char *path)
{
	return open(path, O_PATH | O_CLOEXEC);
}

/* A descriptor of usual[i], or -1 if it is not there or does not count. */
static int open_usual(size_t i)
{
	int fd = open_path(usual[i].path);

	if (fd < 0 || !usual[i].if_tmpfs || is_tmpfs(fd))
		return fd;
	close(fd);
	return -1;
}

static int allow_usual(struct rules *r, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (allow_fd(r, open_usual(i), READ | WRITE, usual[i].path,
			     f) < 0)
			return -1;
	/*
	 * /dev/stdout leads to a file that may be anywhere. What keeps the
	 * place of a closed stream has no access mode to write.
	 */
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags >= 0 && !(flags & O_PATH) &&
		    (flags & O_ACCMODE) != O_RDONLY &&
		    allow(r, fd, OF_FILES & ~LANDLOCK_EXECUTE) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "confine: allow descriptor %d", fd);
	}
	return 0;
}

/* A volume is hostile: no symbolic link in it leads to more than it is. */
static int allow_plan(struct rules *r, const struct confine_plan *plan,
		      struct fault *f)
{
	const struct confine_spec *spec = plan->spec;

	for (size_t i = 0; i < plan->ntrees; i++)
		if (allow_fd(r, fs_open_path(plan->trees[i].path),
			     READ | WRITE, plan->trees[i].path, f) < 0)
			return -1;
	for (size_t i = 0; i < spec->npaths; i++) {
		const char *path = spec->paths[i].path;
		bool writable = spec->paths[i].writable;
		int fd = open_path(path);

		if (fd < 0)
			return fault_set(f, EXIT_STEP, errno, "confine: --%s %s",
					 writable ? "writable" : "readable",
					 path);
		if (allow_fd(r, fd, READ | (writable ? WRITE : 0), path, f) < 0)
			return -1;
	}
	return 0;
}

/* The file, and the interpreter of a script; env(1) runs its argument. */
static int allow_command(struct rules *r, const struct confine_plan *plan,
			 struct fault *f)
{
	const char *name = plan->command, *interpreter, *argument;
	char file[PATH_MAX], line[COMMAND_LINE];

	for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
		if (allow_fd(r, open_path(libraries[i]), READ, "libraries", f) < 0)
			return -1;
	while (name && command_find(name, plan->path, file)) {
		if (allow_fd(r, open_path(file), READ, file, f) < 0)
			return -1;
		name = NULL;
		if (!command_script(file, line, &interpreter, &argument))
			break;
		if (allow_fd(r, open_path(interpreter), READ, file, f) < 0)
			return -1;
		if (strcmp(interpreter, "/usr/bin/env") == 0)
			name = argument;
	}
	return 0;
}

/* A TCP port, or 0. sin_port and sin6_port are at the same place. */
static uint16_t port_of(const struct listener *l)
{
	return l->kind == LISTENER_TCP ? ntohs(l->address.in.sin_port) : 0;
}

static bool is_declared(const struct confine_plan *plan, uint16_t port)
{
	size_t i = 0;

	while (i < plan->nlisteners && port_of(&plan->listeners[i]) != port)
		i++;
	return i < plan->nlisteners;
}

static int allow_ports(int fd, const struct sys_landlock *handled,
		       const struct confine_plan *plan, struct fault *f)
{
	const struct confine_spec *spec = plan->spec;

	for (size_t i = 0; handled->net && i < plan->nlisteners; i++)
		if (port_of(&plan->listeners[i]) &&
		    sys_landlock_allow_port(fd, LANDLOCK_BIND_TCP,
					    port_of(&plan->listeners[i])) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "confine: allow to bind %u",
					 port_of(&plan->listeners[i]));
	for (size_t i = 0; handled->net && i < spec->nports; i++)
		if (sys_landlock_allow_port(fd, LANDLOCK_CONNECT_TCP,
					    spec->ports[i]) < 0)
			return fault_set(f, EXIT_STEP, errno,
					 "confine: allow to connect to %u",
					 spec->ports[i]);
	return 0;
}

static void describe_usual(struct text *out)
{
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		int fd = open_usual(i);

		if (fd >= 0 || usual[i].if_tmpfs)
			text_add(out, " %s%s", usual[i].path,
				 fd < 0 ? " (no tmpfs, so not)" :
				 usual[i].if_tmpfs ? " (tmpfs)" : "");
		if (fd >= 0)
			close(fd);
	}
}

static void describe_paths(const struct confine_spec *spec, bool writable,
			   struct text *out)
{
	for (size_t i = 0; i < spec->npaths; i++)
		if (spec->paths[i].writable == writable)
			text_add(out, " %s", spec->paths[i].path);
}

void confine_describe(const struct confine_plan *plan, struct text *out)
{
	const struct confine_spec *spec = plan->spec;
	int abi = sys_landlock_abi();

	if (spec->mode == CONFINE_OFF)
		return;
	text_add(out, "Landlock, ABI %d\nwrite:", abi < 0 ? 0 : abi);
	for (size_t i = 0; i < plan->ntrees; i++)
		text_add(out, " %s", plan->trees[i].path);
	describe_paths(spec, true, out);
	describe_usual(out);
	text_add(out, "\nread: %s",
		 spec->some_readable ? "these, COMMAND, its libraries and" :
				       "everything");
	describe_paths(spec, false, out);
	text_add(out, "\nbind tcp (ABI 4):");
	for (size_t i = 0; i < plan->nlisteners; i++)
		if (port_of(&plan->listeners[i]))
			text_add(out, " %u", port_of(&plan->listeners[i]));
	text_add(out, "\nconnect tcp (ABI 4):%s",
		 spec->connects ? "" : " everything");
	for (size_t i = 0; i < spec->nports; i++)
		text_add(out, " %u", spec->ports[i]);
	text_add(out, "\nsignals, abstract sockets (ABI 6): its own");
}

/* Why a domain cannot be complete, or NULL. */
static const char *what_is_missing(int abi)
{
	return abi < 1 ? "everything: no Landlock in this kernel, or a seccomp profile refuses it" :
	       abi < 3 ? "truncation, TCP ports, ioctl, signals, abstract sockets" :
	       abi < 4 ? "TCP ports, ioctl, signals, abstract sockets" :
	       abi < 5 ? "ioctl, signals, abstract sockets" :
	       abi < COMPLETE_ABI ? "signals, abstract sockets" : NULL;
}

static int enter(const struct confine_plan *plan, struct confine_domain *domain,
		 struct fault *f)
{
	const struct sys_landlock handled = handled_by(domain->abi, plan->spec);
	struct rules r = { sys_landlock_create(&handled), handled.fs, domain };
	int result = -1;

	if (r.fd < 0)
		return fault_set(f, EXIT_STEP, errno, "confine: begin");
	if (allow_usual(&r, f) == 0 && allow_plan(&r, plan, f) == 0 &&
	    (!plan->spec->some_readable ||
	     allow_command(&r, plan, f) == 0) &&
	    allow_ports(r.fd, &handled, plan, f) == 0) {
		result = sys_landlock_restrict(r.fd);
		if (result < 0)
			fault_set(f, EXIT_STEP, errno, "confine: enter the domain");
	}
	close(r.fd);
	return result;
}

int confine_run(const struct confine_plan *plan, struct confine_domain *domain,
		struct fault *f)
{
	int abi = sys_landlock_abi();
	const char *missing = what_is_missing(abi);

	*domain = (struct confine_domain){ .abi = abi < 0 ? 0 : abi,
					   .forbidden_port = 49151 };
	while (is_declared(plan, domain->forbidden_port))
		domain->forbidden_port--;
	if (missing && plan->spec->mode == CONFINE_STRICT)
		return fault_set(f, EXIT_STEP, abi < 0 ? errno : 0,
				 "--confine=strict: this kernel cannot refuse %s",
				 missing);
	if (missing)
		report_note("confine: this kernel cannot refuse %s", missing);
	return domain->abi ? enter(plan, domain, f) : 0;
}
