#include "base/report.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/sys.h"
#include "base/text.h"

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
	if (sys_write_now(fd, out->start, out->length) < 0 &&
	    (errno == EOPNOTSUPP || errno == ENOSYS ||
	     lseek(fd, 0, SEEK_CUR) >= 0))
		(void)!write(fd, out->start, out->length);
}

static void report_words(const struct fault *f, const char *kind,
		      void (*write_out)(int fd, struct text *out))
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
	write_out(STDERR_FILENO, &out);
}

void report_warning_now(const struct fault *f)
{
	report_words(f, "warning: ", put_now);
}

void report_fault_now(const struct fault *f)
{
	report_words(f, "", put_now);
}

void report_fault(const struct fault *f)
{
	report_words(f, "", put);
}

void report_warning(const struct fault *f)
{
	report_words(f, "warning: ", put);
}

static void report_formatted(int fd, const char *head, const char *tail,
			  const char *format, va_list words)
	__attribute__((format(printf, 4, 0)));

static void report_formatted(int fd, const char *head, const char *tail,
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

void report_note(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	report_formatted(STDERR_FILENO, "stepdown: ", "\n", format, words);
	va_end(words);
}

/* ECMA-48, EL: erase to the end of the line. */
#define ERASE_LINE "\033[K"

void report_progress(bool in_place, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	report_formatted(STDERR_FILENO, "stepdown: ",
		      in_place ? ERASE_LINE "\r" : "\n", format, words);
	va_end(words);
}

void report_progress_end(void)
{
	char buffer[] = ERASE_LINE;
	struct text out = { .start = buffer, .size = sizeof(buffer),
			    .length = sizeof(buffer) - 1 };

	put(STDERR_FILENO, &out);
}

void report_line(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	report_formatted(STDOUT_FILENO, "", "\n", format, words);
	va_end(words);
}

void report_text(struct text *text)
{
	put(STDOUT_FILENO, text);
}
