#include "base/report.h"

#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/str.h"

/*
 * At most PIPE_BUF bytes, which a pipe takes whole or not at all. A path of
 * PATH_MAX with every byte escaped does not fit, and is cut.
 */
enum { MESSAGE_SIZE = 4096 };

enum { NOWAIT = 8 };	/* RWF_NOWAIT, for pipes since Linux 6.4 */

#define PREFIX "stepdown: "

/* A message that cannot be written is lost, never a reason to stop. */
static void write_all(int fd, const char *bytes, size_t length)
{
	ssize_t written;

	while (length > 0 && (written = write(fd, bytes, length)) > 0) {
		bytes += written;
		length -= (size_t)written;
	}
}

/*
 * Files, terminals, and pipes before Linux 6.4, do not support RWF_NOWAIT.
 * There poll(2) reports whether there is room: for a page in a pipe, for a byte
 * in a terminal.
 */
static void write_now(int fd, const char *bytes, size_t length)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	const struct iovec all = { (void *)(uintptr_t)bytes, length };
	size_t part;

	if (syscall(SYS_pwritev2, fd, &all, 1, -1L, -1L, NOWAIT) >= 0)
		return;
	part = isatty(fd) ? 1 : length;
	for (; length > 0; bytes += part, length -= part)
		if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT) ||
		    write(fd, bytes, part) != (ssize_t)part)
			return;
}

/* A message that was cut ends in a newline too. */
static void put(int fd, struct text *out, bool now)
{
	if (out->cut)
		out->start[out->length - 1] = '\n';
	if (now)
		write_now(fd, out->start, out->length);
	else
		write_all(fd, out->start, out->length);
}

static void add_line(struct text *out, const char *before, const char *words,
		     int err)
{
	text_add(out, "%s", before);
	text_add_printable(out, words, false);
	text_add(out, "%s%s\n", err ? ": " : "", err ? strerror(err) : "");
}

static void put_fault(const struct fault *f, const char *before, bool now)
{
	char buffer[MESSAGE_SIZE];
	struct text out;

	text_start(&out, buffer, sizeof(buffer));
	add_line(&out, before, f->what, f->err);
	if (f->hint[0])
		add_line(&out, PREFIX "hint: ", f->hint, 0);
	if (f->docker[0])
		add_line(&out, PREFIX "hint: docker: ", f->docker, 0);
	if (f->kubernetes[0])
		add_line(&out, PREFIX "hint: kubernetes: ", f->kubernetes, 0);
	put(STDERR_FILENO, &out, now);
}

void report_fault(const struct fault *f)
{
	put_fault(f, PREFIX, false);
}

void report_fault_now(const struct fault *f)
{
	put_fault(f, PREFIX, true);
}

void report_warning(const struct fault *f)
{
	put_fault(f, PREFIX "warning: ", true);
}

__attribute__((format(printf, 3, 0)))
static void put_line(int fd, const char *before, const char *format,
		     va_list words)
{
	char line[MESSAGE_SIZE / 2], buffer[MESSAGE_SIZE];
	struct text out;

	vsnprintf(line, sizeof(line), format, words);
	text_start(&out, buffer, sizeof(buffer));
	add_line(&out, before, line, 0);
	put(fd, &out, fd == STDERR_FILENO);
}

void report_note(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	put_line(STDERR_FILENO, PREFIX, format, words);
	va_end(words);
}

void report_line(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	put_line(STDOUT_FILENO, "", format, words);
	va_end(words);
}

void report_text(struct text *text)
{
	put(STDOUT_FILENO, text, false);
}
