#include "base/report.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"

/*
 * No more than a page, which a pipe takes whole or not at all. A path of
 * PATH_MAX with every byte escaped does not fit, and is cut.
 */
enum { MESSAGE_SIZE = 4096 };

enum { NOWAIT = 8 };	/* RWF_NOWAIT, for pipes since Linux 6.4 */

/* How a message leaves: write_all() or write_now(). */
typedef void put_function(int fd, const char *bytes, size_t length);

/* A message that cannot be written is lost, never a reason to stop. */
static void write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes += written;
		length -= (size_t)written;
	}
}

/*
 * A terminal, or a pipe before Linux 6.4, knows no RWF_NOWAIT. There poll(2)
 * says whether there is room: of a page in a pipe, of a byte in a terminal. A
 * file has no reader to wait for.
 */
static void write_now(int fd, const char *bytes, size_t length)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	const struct iovec all = { (void *)(uintptr_t)bytes, length };
	size_t part = length;

	if (syscall(SYS_pwritev2, fd, &all, 1, -1L, -1L, NOWAIT) >= 0)
		return;
	if (errno != EOPNOTSUPP && errno != ENOSYS &&
	    lseek(fd, 0, SEEK_CUR) < 0)
		return;
	if (isatty(fd))
		part = 1;
	for (; length > 0; bytes += part, length -= part)
		if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT) ||
		    write(fd, bytes, part) != (ssize_t)part)
			return;
}

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

/* A message ends in a newline also when it was cut. */
static void end_line(struct text *out)
{
	if (out->cut)
		out->start[out->length - 1] = '\n';
}

static void put_fault(const struct fault *f, const char *kind,
		      put_function *put_it)
{
	char buffer[MESSAGE_SIZE];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	text_add(&out, "stepdown: %s", kind);
	add_printable(&out, f->what);
	if (f->err)
		text_add(&out, ": %s", strerror(f->err));
	text_add(&out, "\n");
	if (f->hint[0]) {
		text_add(&out, "stepdown: hint: ");
		add_printable(&out, f->hint);
		text_add(&out, "\n");
	}
	end_line(&out);
	put_it(STDERR_FILENO, out.start, out.length);
}

void report_fault(const struct fault *f)
{
	put_fault(f, "", write_all);
}

void report_fault_now(const struct fault *f)
{
	put_fault(f, "", write_now);
}

void report_warning(const struct fault *f)
{
	put_fault(f, "warning: ", write_all);
}

void report_warning_now(const struct fault *f)
{
	put_fault(f, "warning: ", write_now);
}

static void put_line(int fd, const char *tail, const char *format,
		     va_list words, put_function *put_it)
	__attribute__((format(printf, 3, 0)));

static void put_line(int fd, const char *tail, const char *format,
		     va_list words, put_function *put_it)
{
	char line[MESSAGE_SIZE / 2];
	char buffer[MESSAGE_SIZE];
	struct text out;

	text_start(&out, line, sizeof(line));
	text_add_list(&out, format, words);
	text_start(&out, buffer, sizeof(buffer));
	if (fd == STDERR_FILENO)
		text_add(&out, "stepdown: ");
	add_printable(&out, line);
	text_add(&out, "%s", tail);
	end_line(&out);
	put_it(fd, out.start, out.length);
}

void report_note(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	put_line(STDERR_FILENO, "\n", format, words, write_all);
	va_end(words);
}

void report_note_now(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	put_line(STDERR_FILENO, "\n", format, words, write_now);
	va_end(words);
}

void report_line(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	put_line(STDOUT_FILENO, "\n", format, words, write_all);
	va_end(words);
}

void report_text(struct text *text)
{
	end_line(text);
	write_all(STDOUT_FILENO, text->start, text->length);
}
