#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "fault.h"
#include "plan.h"
#include "text.h"

/* Room for a path of PATH_MAX with every byte escaped is not worth having. */
enum { MESSAGE_SIZE = 4096 };

static void add_printable(struct text *out, const char *words)
{
	for (; *words; words++) {
		unsigned char c = (unsigned char)*words;

		if (c >= ' ' && c <= '~')
			text_add_bytes(out, words, 1);
		else
			text_add(out, "\\x%02x", c);
	}
}

/*
 * A message that cannot be written is lost, never a reason to stop. Always
 * ends in a newline, also when it was cut.
 */
static void put(int fd, struct text *out)
{
	ssize_t written;
	const char *at = out->start;
	size_t left = out->length;

	if (out->cut)
		out->start[out->length - 1] = '\n';
	while (left > 0) {
		written = write(fd, at, left);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		at += written;
		left -= (size_t)written;
	}
}

/*
 * Where the file knows no RWF_NOWAIT, a terminal or a pipe before Linux 6.4,
 * poll(2) has just said that there is room; POLLOUT on a pipe means a free
 * page, and no message is longer. A file has no reader to wait for.
 */
static void put_now(int fd, struct text *out)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT))
		return;
	if (compat_write_now(fd, out->start, out->length) < 0 &&
	    (errno == EOPNOTSUPP || errno == ENOSYS ||
	     lseek(fd, 0, SEEK_CUR) >= 0))
		(void)!write(fd, out->start, out->length);
}

/*
 * The reasons that the calls of this program give, in the words of POSIX and
 * glibc. strerror(3) has all that there are, in three times the room.
 */
static const uint16_t errors[] = {
	EPERM, ENOENT, ESRCH, EIO, ENXIO, E2BIG, ENOEXEC, EBADF, ECHILD, EAGAIN,
	ENOMEM, EACCES, EBUSY, EEXIST, EXDEV, ENODEV, ENOTDIR, EISDIR, EINVAL,
	ENFILE, EMFILE, ENOTTY, ETXTBSY, ENOSPC, EROFS, EPIPE, ENAMETOOLONG,
	ENOSYS, ELOOP, EOVERFLOW, ENOPROTOOPT, EOPNOTSUPP, EAFNOSUPPORT,
	EADDRINUSE, EADDRNOTAVAIL, ENOBUFS, ETIMEDOUT, ECONNREFUSED, ESTALE,
	EDQUOT,
};

/* In the same order; the unit tests compare the two. */
static const char reasons[] =
	"Operation not permitted\0"
	"No such file or directory\0"
	"No such process\0"
	"Input/output error\0"
	"No such device or address\0"
	"Argument list too long\0"
	"Exec format error\0"
	"Bad file descriptor\0"
	"No child processes\0"
	"Resource temporarily unavailable\0"
	"Cannot allocate memory\0"
	"Permission denied\0"
	"Device or resource busy\0"
	"File exists\0"
	"Invalid cross-device link\0"
	"No such device\0"
	"Not a directory\0"
	"Is a directory\0"
	"Invalid argument\0"
	"Too many open files in system\0"
	"Too many open files\0"
	"Inappropriate ioctl for device\0"
	"Text file busy\0"
	"No space left on device\0"
	"Read-only file system\0"
	"Broken pipe\0"
	"File name too long\0"
	"Function not implemented\0"
	"Too many levels of symbolic links\0"
	"Value too large for defined data type\0"
	"Protocol not available\0"
	"Operation not supported\0"
	"Address family not supported by protocol\0"
	"Address already in use\0"
	"Cannot assign requested address\0"
	"No buffer space available\0"
	"Connection timed out\0"
	"Connection refused\0"
	"Stale file handle\0"
	"Disk quota exceeded";

static void add_reason(struct text *out, int err)
{
	const char *reason = reasons;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (errors[i] == err) {
			text_add(out, ": %s", reason);
			return;
		}
		reason += strlen(reason) + 1;
	}
	text_add(out, ": error %d", err);
}

static void say_words(const struct fault *f, const char *kind,
		      void (*write_out)(int fd, struct text *out))
{
	char buffer[MESSAGE_SIZE];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "stepdown: %s", kind);
	add_printable(&out, f->what);
	if (f->err)
		add_reason(&out, f->err);
	text_add(&out, "\n");
	if (f->hint[0]) {
		text_add(&out, "stepdown: hint: ");
		add_printable(&out, f->hint);
		text_add(&out, "\n");
	}
	write_out(STDERR_FILENO, &out);
}

void say_warning_now(const struct fault *f)
{
	say_words(f, "warning: ", put_now);
}

void say_fault_now(const struct fault *f)
{
	say_words(f, "", put_now);
}

void say_fault(const struct fault *f)
{
	say_words(f, "", put);
}

void say_warning(const struct fault *f)
{
	say_words(f, "warning: ", put);
}

static void say_formatted(int fd, const char *head, const char *tail,
			  const char *format, va_list words)
	__attribute__((format(printf, 4, 0)));

static void say_formatted(int fd, const char *head, const char *tail,
			  const char *format, va_list words)
{
	char line[MESSAGE_SIZE / 2];
	char buffer[MESSAGE_SIZE];
	struct text out;

	text_start(&out, line, sizeof(line));
	text_add_list(&out, format, words);
	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "%s", head);
	add_printable(&out, line);
	text_add(&out, "%s", tail);
	put(fd, &out);
}

void say_note(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	say_formatted(STDERR_FILENO, "stepdown: ", "\n", format, words);
	va_end(words);
}

/* ECMA-48, EL: erase to the end of the line. */
#define ERASE_LINE "\033[K"

void say_progress(bool in_place, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	say_formatted(STDERR_FILENO, "stepdown: ",
		      in_place ? ERASE_LINE "\r" : "\n", format, words);
	va_end(words);
}

void say_progress_end(void)
{
	char buffer[] = ERASE_LINE;
	struct text out = { .start = buffer, .size = sizeof(buffer),
			    .length = sizeof(buffer) - 1 };

	put(STDERR_FILENO, &out);
}

void say_line(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	say_formatted(STDOUT_FILENO, "", "\n", format, words);
	va_end(words);
}

void say_text(struct text *text)
{
	put(STDOUT_FILENO, text);
}
