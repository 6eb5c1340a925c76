#include "base/text.h"

#include <stdio.h>
#include <string.h>

void text_start(struct text *t, char *buffer, size_t size)
{
	t->start = buffer;
	t->size = size;
	t->length = 0;
	t->cut = false;
	buffer[0] = '\0';
}

void text_add_bytes(struct text *t, const char *bytes, size_t length)
{
	size_t room = t->size - t->length - 1;

	if (length > room) {
		t->cut = true;
		length = room;
	}
	memcpy(t->start + t->length, bytes, length);
	t->length += length;
	t->start[t->length] = '\0';
}

void text_add_list(struct text *t, const char *format, va_list words)
{
	size_t room = t->size - t->length;
	int wanted = vsnprintf(t->start + t->length, room, format, words);

	if (wanted >= 0 && (size_t)wanted < room) {
		t->length += (size_t)wanted;
		return;
	}
	t->cut = true;
	t->length += strlen(t->start + t->length);
}

void text_add(struct text *t, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	text_add_list(t, format, words);
	va_end(words);
}
