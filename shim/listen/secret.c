#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/report.h"
#include "base/str.h"
#include "cred/caps.h"
#include "listen/listen.h"

enum {
	MOST_BYTES = 1 << 20,
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

		if (str_is(option, "env"))
			s.content = true;
		else if (str_is(option, "try"))
			s.attempt = true;
		else
			return false;
	}
	spec->all[spec->count++] = s;
	return true;
}

static int secret_failed(const struct secret *s, int err, const char *why,
			 struct fault *f)
{
	fault_set(f, EXIT_STEP, err, "secret %.*s%s", (int)s->path.length,
		  s->path.at, why);
	if (err == EACCES)
		return caps_hint(f, CAP_DAC_READ_SEARCH);
	if (err == ENOENT && !why[0]) {
		fault_hint(f, "mount it, or add ?try");
		return fault_lines(f, "-v FILE:%.*s:ro (compose: secrets)",
				   "volumeMounts: [{name: SECRET, mountPath: "
				   "%.*s, subPath: KEY}]",
				   (int)s->path.length, s->path.at);
	}
	if (err == EPERM && !why[0])
		return fault_hint(f, "others than root may write to a "
				     "directory of its path; mount it "
				     "elsewhere, as below /run/secrets");
	return -1;
}

/*
 * Without privileges a path leads only to what the caller may read anyway.
 * Returns a descriptor, or -1 with a fault.
 */
static int open_secret(const struct secret *s, struct fault *f)
{
	uint64_t permitted = 0, effective;
	char path[PATH_MAX];
	struct stat st;
	int fd = -1;

	str_copy(s->path, path, sizeof(path));
	if ((geteuid() != 0 && caps_held(&permitted, &effective) == 0 &&
	     permitted == 0) || fs_check_way(path) == 0)
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return secret_failed(s, errno, "", f);
	if (S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return secret_failed(s, 0, ": it is not a regular file", f);
}

/* A memfd of the user's, which it makes. */
static int make_memfd(uid_t uid, gid_t gid)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	struct fsids before;
	int fd;

	if (fsids_enter(uid, gid, &before) < 0)
		return -1;
	fd = memfd_create("secret", flags | NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("secret", flags);
	/* 0 to 2 are taken: such an answer is a lie, and not ours to chmod. */
	if (fd <= STDERR_FILENO || fchmod(fd, 0400) < 0) {
		if (fd > STDERR_FILENO)
			close(fd);
		fd = -1;
	}
	return fsids_leave(&before) == 0 ? fd : -1;
}

/* The kernel copies: no memory of ours has the content. */
static int copy_and_seal(int from, int to)
{
	ssize_t got;

	do
		got = sendfile(to, from, NULL, MOST_BYTES);
	while (got > 0 && lseek(to, 0, SEEK_CUR) <= MOST_BYTES);
	if (got > 0)
		errno = EFBIG;
	return got != 0 || lseek(to, 0, SEEK_SET) < 0
		       ? -1 : fcntl(to, F_ADD_SEALS, SEALS);
}

void secret_describe(const struct secret_spec *spec, size_t first,
		     struct text *out)
{
	for (size_t i = 0; i < spec->count; i++) {
		const struct secret *s = &spec->all[i];
		struct stat st = { 0 };
		char path[PATH_MAX];

		str_copy(s->path, path, sizeof(path));
		stat(path, &st);
		text_add(out, "%s%.*s from %s, %lld bytes, as descriptor %zu",
			 i ? "\n" : "", (int)s->name.length, s->name.at, path,
			 (long long)st.st_size, first + i);
	}
}

int secret_run(const struct secret_spec *spec, uid_t uid, gid_t gid,
	       struct sockets *sockets, struct fault *f)
{
	for (const struct secret *s = spec->all; s < spec->all + spec->count;
	     s++) {
		int from = open_secret(s, f);
		struct handed h = { .name = s->name, .content = s->content };

		if (from < 0 && (!s->attempt || f->err != ENOENT))
			return -1;
		if (from < 0 && sockets) {
			secret_failed(s, ENOENT, ": passed over", f);
			report_warning(f);
		} else if (sockets) {
			h.fd = make_memfd(uid, gid);
			if (h.fd < 0 || copy_and_seal(from, h.fd) < 0)
				return secret_failed(s, errno, ": copy it", f);
			sockets->all[sockets_descriptors(sockets)] = h;
			sockets->nsecrets++;
		}
		if (from >= 0)
			close(from);
	}
	return 0;
}

int secret_verify(const struct sockets *sockets, uid_t uid, gid_t gid,
		  struct fault *f)
{
	const struct handed *h = &sockets->all[sockets->count];

	for (size_t n = sockets->nsecrets; n > 0; n--, h++) {
		struct stat st;

		if (fstat(h->fd, &st) < 0 || st.st_uid != uid ||
		    st.st_gid != gid || (st.st_mode & 07777) != 0400 ||
		    (fcntl(h->fd, F_GET_SEALS) & SEALS) != SEALS)
			return fault_set(f, EXIT_STEP, 0,
					 "verify: the secret for %.*s is not "
					 "sealed, or not the user's",
					 (int)h->name.length, h->name.at);
	}
	return 0;
}
