#include "drop/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "base/sys.h"
#include "drop/drop.h"
#include "drop/verify.h"
#include "listen/listen.h"
#include "own/own.h"

enum {
	PROGRAM = LANDLOCK_EXECUTE | LANDLOCK_READ_FILE,
	READ = PROGRAM | LANDLOCK_READ_DIR,
	WRITE = LANDLOCK_WRITE_FILE | LANDLOCK_REMOVE_DIR |
		LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_REG |
		LANDLOCK_MAKE_SOCK | LANDLOCK_MAKE_FIFO | LANDLOCK_MAKE_SYM |
		LANDLOCK_REFER | LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV,
	/* The rights that apply to files other than directories. */
	OF_FILES = PROGRAM | LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE |
		   LANDLOCK_IOCTL_DEV
};

/* Where programs that know nothing of containers write ... */
static const char *const usual[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
	"/dev/tty",  "/dev/ptmx", "/dev/pts",  "/dev/shm",    "/proc/self",
};

/* ... and where they may write if it is a tmpfs, which nobody keeps. */
static const char *const tmpfs[] = { "/tmp", "/var/tmp", "/run" };

/* What programs, scripts and their interpreters need before their main(). */
static const char *const programs[] = {
	"/bin", "/lib", "/lib64", "/usr/bin", "/usr/lib", "/usr/lib64",
	"/usr/local/bin", "/usr/local/lib", "/etc/ld.so.cache",
};

/* The ruleset that is being made, or only described. */
struct rules {
	int fd;
	struct sys_landlock handled;
	struct text *out;	/* NULL: the rules are made */
	int result;		/* 0, or -1 once there is a fault */
	struct fault *f;
};

bool confine_read_path(const char *value, void *at)
{
	struct confine_paths *paths = at;

	if (value[0] != '/' || paths->count == CONFINE_MAX)
		return false;
	paths->list[paths->count++] = value;
	return true;
}

bool confine_read_ports(const char *value, void *at)
{
	struct confine_spec *spec = at;
	struct slice rest = str_word(value);

	spec->connects = true;
	if (strcmp(value, "none") == 0)
		return true;
	while (rest.at) {
		char number[8];
		uint64_t port;

		if (spec->nports == CONFINE_MAX ||
		    !str_copy(str_cut(&rest, ','), number, sizeof(number)) ||
		    !str_number(number, 1, 65535, &port))
			return false;
		spec->ports[spec->nports++] = (uint16_t)port;
	}
	return true;
}

/*
 * Allow or describe one path; with PROGRAM only if it is one. Closes fd unless
 * it is a standard stream. A pipe or a socket (EBADFD) needs no rule.
 */
static void allow(struct rules *r, int fd, uint64_t rights, const char *path)
{
	struct stat st = { 0 };
	const bool is_there = fd >= 0 && fstat(fd, &st) == 0;
	const bool fits = rights != PROGRAM ||
			  (S_ISREG(st.st_mode) && st.st_mode & 0111);

	rights &= r->handled.fs & (S_ISDIR(st.st_mode) ? UINT64_MAX : OF_FILES);
	if (fits && r->out)
		text_add(r->out, " %s", path);
	else if (fits && r->result == 0 && (!is_there || (rights &&
		 sys_landlock_allow_path(r->fd, rights, fd) < 0 &&
		 errno != EBADFD)))
		r->result = fault_set(r->f, EXIT_STEP, errno,
				      "confine: allow %s", path);
	if (fd > STDERR_FILENO)
		close(fd);
}

/*
 * A missing path needs no rule, but is a mistake if an option names it. Such a
 * path may be in a volume, where only root's symbolic links are followed.
 */
static void allow_all(struct rules *r, const char *const list[], size_t count,
		      uint64_t rights, enum fs_links links)
{
	for (size_t i = 0; i < count; i++) {
		int fd = fs_open_path(list[i], links);

		if (fd >= 0 || links == FS_ROOTS_LINKS)
			allow(r, fd, rights, list[i]);
	}
}

/*
 * A volume is hostile: its symbolic links add no rule. The file of /dev/stdout
 * may be anywhere, so each stream has a rule, unless it is closed (O_PATH).
 */
static void allow_writes(struct rules *r, const struct confine_spec *spec)
{
	const struct confine_paths *given = &spec->writable;
	struct statfs fs;

	text_add(r->out, "write:");
	for (size_t i = 0; i < spec->own->ntrees; i++)
		allow_all(r, &spec->own->trees[i].path, 1, READ | WRITE,
			  FS_NO_LINKS);
	allow_all(r, given->list, given->count, READ | WRITE, FS_ROOTS_LINKS);
	allow_all(r, usual, ARRAY_LEN(usual), READ | WRITE, FS_ALL_LINKS);
	for (size_t i = 0; i < ARRAY_LEN(tmpfs); i++)
		if (statfs(tmpfs[i], &fs) == 0 && fs.f_type == TMPFS_MAGIC)
			allow_all(r, tmpfs + i, 1, READ | WRITE, FS_ALL_LINKS);
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
			allow(r, fd, OF_FILES & ~LANDLOCK_EXECUTE, "stdio");
	}
}

static void allow_reads(struct rules *r, const struct confine_spec *spec)
{
	const struct confine_paths *given = &spec->readable;
	char found[PATH_MAX], head[256];
	const char *file = found;

	text_add(r->out, given->count ? "\nread:" : "\nread: everything");
	if (!given->count)
		return;
	allow_all(r, given->list, given->count, READ, FS_ROOTS_LINKS);
	allow_all(r, programs, ARRAY_LEN(programs), READ, FS_ALL_LINKS);
	if (!drop_find_command(spec->command, spec->path, found))
		return;
	allow_all(r, &file, 1, PROGRAM, FS_ALL_LINKS);
	fs_read(AT_FDCWD, found, head, sizeof(head));
	file = fs_interpreter(head);
	allow_all(r, &file, file != NULL, PROGRAM, FS_ALL_LINKS);
}

static void allow_port(struct rules *r, uint64_t right, uint16_t port)
{
	if (r->out)
		text_add(r->out, " %u", port);
	else if (r->result == 0 && (r->handled.net & right) &&
		 sys_landlock_allow_port(r->fd, right, port) < 0)
		r->result = fault_set(r->f, EXIT_STEP, errno,
				      "confine: allow port %u", port);
}

static void allow_ports(struct rules *r, const struct confine_spec *spec)
{
	text_add(r->out, "\nbind tcp (ABI 4):");
	for (size_t i = 0; i < spec->listen->count; i++) {
		const struct listener *l = &spec->listen->listeners[i];

		if (l->kind == LISTENER_TCP)
			allow_port(r, LANDLOCK_BIND_TCP, listener_port(l));
	}
	text_add(r->out, spec->connects ? "\nconnect tcp (ABI 4):"
					: "\nconnect tcp: everywhere");
	for (size_t i = 0; i < spec->nports; i++)
		allow_port(r, LANDLOCK_CONNECT_TCP, spec->ports[i]);
}

static int allow_plan(struct rules *r, const struct confine_spec *spec)
{
	allow_writes(r, spec);
	allow_reads(r, spec);
	allow_ports(r, spec);
	return r->result;
}

void confine_describe(const struct confine_spec *spec, struct text *out)
{
	struct rules r = { .out = out };

	if (spec->mode == CONFINE_OFF)
		return;
	text_add(out, "Landlock, ABI %d\n", sys_landlock_abi());
	allow_plan(&r, spec);
	text_add(out, "\nsignals, abstract sockets (ABI 6): its own");
}

/* Each ABI adds to the one before it (landlock(7)). */
static struct sys_landlock handled_by(int abi, const struct confine_spec *spec)
{
	const uint64_t unknown = (abi < 2 ? LANDLOCK_REFER : 0) |
				 (abi < 3 ? LANDLOCK_TRUNCATE : 0) |
				 (abi < 5 ? LANDLOCK_IOCTL_DEV : 0);

	return (struct sys_landlock){
		.fs = (WRITE | LANDLOCK_MAKE_CHAR | LANDLOCK_MAKE_BLOCK |
		       (spec->readable.count ? READ : 0)) & ~unknown,
		.net = abi < 4 ? 0 : LANDLOCK_BIND_TCP |
			(spec->connects ? LANDLOCK_CONNECT_TCP : 0),
		.scoped = abi < 6 ? 0 : LANDLOCK_SCOPE_ABSTRACT |
			LANDLOCK_SCOPE_SIGNAL
	};
}

static const char *what_is_missing(int abi)
{
	return abi < 1 ? "everything: no Landlock in this kernel, or a seccomp "
			 "profile refuses it" :
	       abi < 3 ? "truncation, TCP ports, ioctl, signals, abstract "
			 "sockets" :
	       abi < 4 ? "TCP ports, ioctl, signals, abstract sockets" :
	       abi < 5 ? "ioctl, signals, abstract sockets" :
	       abi < 6 ? "signals, abstract sockets" : NULL;
}

int confine_check(const struct confine_spec *spec, struct fault *f)
{
	const struct confine_paths *writable = &spec->writable;
	const struct confine_paths *readable = &spec->readable;
	struct rules r = { .f = f };
	const char *missing = spec->mode == CONFINE_STRICT ?
			      what_is_missing(sys_landlock_abi()) : NULL;

	if (missing)
		return fault_set(f, EXIT_STEP, 0, "--confine=strict: this "
				 "kernel cannot refuse %s", missing);
	/* Only what is missing counts, and only if --own makes nothing. */
	for (size_t i = 0; i < spec->own->ntrees; i++)
		if (spec->own->trees[i].create)
			return 0;
	allow_all(&r, writable->list, writable->count, 0, FS_ROOTS_LINKS);
	allow_all(&r, readable->list, readable->count, 0, FS_ROOTS_LINKS);
	return r.result < 0 && f->err == ENOENT ? -1 : 0;
}

int confine_run(const struct confine_spec *spec, struct verify_seen *seen,
		struct fault *f)
{
	struct rules r = { .f = f };
	const int abi = spec->mode == CONFINE_OFF ? 0 : sys_landlock_abi();
	const char *missing = what_is_missing(abi);
	pid_t outsider;

	if (missing && spec->mode != CONFINE_OFF)
		report_note("confine: this kernel cannot refuse %s", missing);
	if (abi < 1)
		return 0;
	outsider = verify_outsider(f);
	if (outsider < 0)
		return -1;
	r.handled = handled_by(abi, spec);
	r.fd = sys_landlock_create(&r.handled);
	if (r.fd < 0)
		return fault_set(f, EXIT_STEP, errno, "confine: begin");
	if (allow_plan(&r, spec) == 0 && sys_landlock_restrict(r.fd) < 0)
		r.result = fault_set(f, EXIT_STEP, errno, "confine: end");
	close(r.fd);
	return r.result < 0 ? -1 : verify_domain(abi, outsider, seen, f);
}
