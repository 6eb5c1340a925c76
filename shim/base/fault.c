#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(char *out, size_t size, const char *format, va_list words)
	__attribute__((format(printf, 3, 0)));

static void fill(char *out, size_t size, const char *format, va_list words)
{
	if ((size_t)vsnprintf(out, size, format, words) >= size)
		memcpy(out + size - 4, "...", 4);
}

int fault_set(struct fault *f, int status, int err, const char *format, ...)
{
	va_list words;

	f->status = status;
	f->err = err;
	f->hint[0] = '\0';
	va_start(words, format);
	fill(f->what, sizeof(f->what), format, words);
	va_end(words);
	return -1;
}

int fault_hint(struct fault *f, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	fill(f->hint, sizeof(f->hint), format, words);
	va_end(words);
	return -1;
}
