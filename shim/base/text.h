/*
 * text: building a string in a buffer that somebody else owns.
 */
#ifndef STEPDOWN_BASE_TEXT_H
#define STEPDOWN_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *start;	/* always ends in NUL */
	size_t size;	/* bytes at start, the NUL included */
	size_t length;	/* bytes written, without the NUL */
	bool cut;	/* something did not fit */
};

/* Begin an empty text in a buffer of size bytes (at least 1). */
void text_start(struct text *t, char *buffer, size_t size);

/*
 * Append what printf(3) makes of the format. What does not fit is left out, and
 * t->cut is set: the text is never longer than its buffer and ends in NUL.
 */
void text_add(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_add_list(struct text *t, const char *format, va_list words)
	__attribute__((format(printf, 2, 0)));

/* Append length bytes as they are; the same rule. */
void text_add_bytes(struct text *t, const char *bytes, size_t length);

#endif
