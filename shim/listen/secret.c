#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "cred/caps.h"
#include "cred/ids.h"
#include "listen/listen.h"

enum {
	MOST_BYTES = 1 << 20,
	MFD_FLAGS = MFD_CLOEXEC | MFD_ALLOW_SEALING,
	SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
	NOEXEC_SEAL = 8			/* MFD_NOEXEC_SEAL, Linux 6.3 */
};

bool secret_read(const char *value, void *at)
{
	struct secret_spec *spec = at;
	struct slice rest = str_word(value);
	struct secret s = { .name = str_cut(&rest, '=') };

	s.path = str_cut(&rest, '?');
	if (spec->count == SECRETS_MAX || s.path.length >= PATH_MAX ||
	    !str_is_variable(s.name.at, s.name.length) || !s.path.length ||
	    s.path.at[0] != '/')
		return false;
	while (rest.length) {
		struct slice option = str_cut(&rest, '&');

		s.content |= str_is(option, "env");
		s.attempt |= str_is(option, "try");
		if (!str_is(option, "env") && !str_is(option, "try"))
			return false;
	}
	spec->all[spec->count++] = s;
	return true;
}

/*
 * A caller without privileges can open only what it may read anyway. Returns a
 * descriptor, or -1 with a fault.
 */
static int open_secret(const char *path, struct fault *f)
{
	uint64_t permitted = 0, effective;
	struct stat st = { 0 };
	int fd = -1;

	if ((geteuid() != 0 && caps_held(&permitted, &effective) == 0 &&
	     permitted == 0) || fs_check_way(path) == 0)
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size <= MOST_BYTES)
		return fd;
	if (fd >= 0)
		return fault_set(f, EXIT_STEP, 0,
				 "secret %s: no regular file of at most 1 MiB",
				 path);
	fault_set(f, EXIT_STEP, errno, "secret %s", path);
	if (f->err == EACCES)
		return caps_hint(f, CAP_DAC_READ_SEARCH);
	if (f->err == EPERM)
		return fault_hint(f,
			"others than root may write to a directory of its path; mount it elsewhere, as below /run/secrets");
	if (f->err != ENOENT)
		return -1;
	fault_hint(f, "mount it, or add ?try");
	return fault_lines(f, "-v FILE:%s:ro (compose: secrets)",
			   "volumeMounts: [{name: SECRET, mountPath: %s, subPath: KEY}]",
			   path);
}

/*
 * Copy a file to a sealed memfd that the user creates. sendfile(2) keeps it out
 * of our memory. A failure ends the run, so nothing is restored.
 */
static int copy_sealed(int from, const struct target *t)
{
	struct fsids before;
	ssize_t got;
	int fd;

	if (fsids_enter(t->uid, t->gid, &before) < 0)
		return -1;
	fd = memfd_create("secret", MFD_FLAGS | NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("secret", MFD_FLAGS);
	/* 0 to 2 are in use: such a result is wrong, do not chmod it. */
	if (fd <= STDERR_FILENO || fchmod(fd, 0400) < 0 ||
	    fsids_leave(&before) < 0)
		return -1;
	do
		got = sendfile(fd, from, NULL, MOST_BYTES);
	while (got > 0 && lseek(fd, 0, SEEK_CUR) <= MOST_BYTES);
	if (got > 0)
		errno = EFBIG;
	return got != 0 || lseek(fd, 0, SEEK_SET) < 0 ||
			       fcntl(fd, F_ADD_SEALS, SEALS) < 0
		       ? -1 : fd;
}

void secret_describe(const struct secret_spec *spec, size_t fd, struct text *t)
{
	for (size_t i = 0; i < spec->count; i++) {
		const struct secret *s = &spec->all[i];
		struct stat st = { 0 };
		char path[PATH_MAX];

		str_copy(s->path, path, sizeof(path));
		text_add(t, "%s%.*s from %s, ", i ? "\n" : "",
			 (int)s->name.length, s->name.at, path);
		if (stat(path, &st) < 0 && s->attempt)
			text_add(t, "passed over");
		else
			text_add(t, "%lld bytes, as descriptor %zu",
				 (long long)st.st_size, fd++);
	}
}

int secret_run(const struct secret_spec *spec, const struct target *t,
	       struct sockets *sockets, struct fault *f)
{
	for (size_t i = 0; i < spec->count; i++) {
		const struct secret *s = &spec->all[i];
		struct handed h = { .name = s->name, .content = s->content };
		char path[PATH_MAX];
		int from;

		str_copy(s->path, path, sizeof(path));
		from = open_secret(path, f);
		if (from < 0 && (!s->attempt || f->err != ENOENT))
			return -1;
		if (from < 0 && sockets) {
			fault_set(f, EXIT_STEP, ENOENT,
				  "secret %s: passed over", path);
			report_warning(f);
		} else if (sockets) {
			h.fd = copy_sealed(from, t);
			if (h.fd < 0)
				return fault_set(f, EXIT_STEP, errno,
						 "secret %s: copy it", path);
			sockets->all[sockets->count++] = h;
			sockets->nsecrets++;
		}
		close(from);
	}
	return 0;
}

int secret_verify(const struct sockets *sockets, const struct target *t,
		  struct fault *f)
{
	for (size_t n = 1; n <= sockets->nsecrets; n++) {
		int fd = sockets->all[sockets->count - n].fd;
		struct stat st;

		if (fstat(fd, &st) < 0 || st.st_uid != t->uid ||
		    st.st_gid != t->gid || (st.st_mode & 07777) != 0400 ||
		    (fcntl(fd, F_GET_SEALS) & SEALS) != SEALS)
			return fault_set(f, EXIT_STEP, 0,
					 "verify: a secret is not sealed, or not the user's");
	}
	return 0;
}
