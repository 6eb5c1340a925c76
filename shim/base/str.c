#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

bool str_is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

bool str_number(const char *text, uint64_t lowest, uint64_t highest,
		uint64_t *value)
{
	unsigned long long number;

	if (!str_is_number(text))
		return false;
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || number < lowest || number > highest)
		return false;
	*value = number;
	return true;
}

bool str_id(const char *text, uint32_t *id)
{
	uint64_t value;

	if (!str_number(text, 0, UINT32_MAX - 1, &value))
		return false;
	*id = (uint32_t)value;
	return true;
}

bool str_is_variable(const char *text, size_t length)
{
	return length && !isdigit((unsigned char)text[0]) &&
	       strspn(text, STR_NAME_BYTES) >= length;
}

/* The longest duration is the longest timeout of poll(2). */
bool str_duration(const char *text, uint32_t *milliseconds)
{
	static const struct {
		const char *name;
		uint32_t milliseconds;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		      { "h", 3600000 } };
	char digits[16];
	size_t length = strspn(text, "0123456789");
	uint64_t count;

	if (!str_copy((struct slice){ text, length }, digits, sizeof(digits)))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(text + length, units[i].name) == 0 &&
		    str_number(digits, 1, INT32_MAX / units[i].milliseconds,
			       &count)) {
			*milliseconds = (uint32_t)count *
					units[i].milliseconds;
			return true;
		}
	return false;
}

const char *str_variable(char *const env[], const char *name, size_t length)
{
	for (; env && *env; env++)
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	return NULL;
}

struct slice str_word(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

bool str_is(struct slice w, const char *text)
{
	return strlen(text) == w.length && memcmp(text, w.at, w.length) == 0;
}

bool str_copy(struct slice w, char *out, size_t size)
{
	if (w.length >= size)
		return false;
	if (w.length)
		memcpy(out, w.at, w.length);
	out[w.length] = '\0';
	return true;
}

struct slice str_cut(struct slice *rest, char at)
{
	const struct slice all = *rest;
	const char *end = all.at ? memchr(all.at, at, all.length) : NULL;

	*rest = (struct slice){ NULL, 0 };
	if (!end)
		return all;
	rest->at = end + 1;
	rest->length = all.length - (size_t)(rest->at - all.at);
	return (struct slice){ all.at, (size_t)(end - all.at) };
}

enum { NEAR_MAX = 3 };	/* the most edits to try */

static struct slice skip(struct slice w, size_t letters)
{
	return (struct slice){ w.at + letters, w.length - letters };
}

/* Do at most this many edits turn one word into the other? */
static bool is_near(struct slice a, struct slice b, size_t edits)
{
	while (a.length && b.length && strncasecmp(a.at, b.at, 1) == 0) {
		a = skip(a, 1);
		b = skip(b, 1);
	}
	if (a.length == 0 || b.length == 0 || edits == 0)
		return a.length + b.length <= edits;
	edits--;
	return is_near(skip(a, 1), b, edits) || is_near(a, skip(b, 1), edits) ||
	       is_near(skip(a, 1), skip(b, 1), edits) ||
	       (a.length > 1 && b.length > 1 &&
		strncasecmp(a.at, b.at + 1, 1) == 0 &&
		strncasecmp(a.at + 1, b.at, 1) == 0 &&
		is_near(skip(a, 2), skip(b, 2), edits));
}

struct slice str_nearest(struct slice typed, str_words *words,
			 const void *list)
{
	size_t most = typed.length < 3 ? 1 : typed.length / 3;
	struct slice word = { NULL, 0 };

	for (size_t edits = 0; edits <= most && edits <= NEAR_MAX; edits++)
		for (size_t i = 0; (word = words(list, i)).at; i++)
			if (typed.length > 1 &&
			    (is_near(typed, word, edits) ||
			     (edits && !strncasecmp(word.at, typed.at,
						    typed.length))))
				return word;
	return word;
}

void text_start(struct text *t, char *buffer, size_t size)
{
	t->start = buffer;
	t->size = size;
	t->length = 0;
	t->cut = false;
	buffer[0] = '\0';
}

void text_add(struct text *t, const char *format, ...)
{
	const size_t room = t ? t->size - t->length : 0;
	va_list words;
	int wanted;

	if (!t)
		return;
	va_start(words, format);
	wanted = vsnprintf(t->start + t->length, room, format, words);
	va_end(words);
	t->cut |= wanted < 0 || (size_t)wanted >= room;
	t->length += t->cut ? strlen(t->start + t->length) : (size_t)wanted;
}

void text_add_printable(struct text *t, const char *words, bool json)
{
	for (; *words; words++) {
		unsigned char c = (unsigned char)*words;

		if (c >= ' ' && c <= '~' && !(json && strchr("\"\\", c)))
			text_add(t, "%c", c);
		else
			text_add(t, json ? "\\u%04x" : "\\x%02x", c);
	}
}

__attribute__((format(printf, 3, 0)))
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
	f->hint[0] = f->docker[0] = f->kubernetes[0] = '\0';
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

int fault_lines(struct fault *f, const char *docker, const char *kubernetes,
		...)
{
	va_list words;

	va_start(words, kubernetes);
	fill(f->docker, sizeof(f->docker), docker, words);
	va_end(words);
	va_start(words, kubernetes);
	fill(f->kubernetes, sizeof(f->kubernetes), kubernetes, words);
	va_end(words);
	return -1;
}

int fault_mount(struct fault *f, const char *path)
{
	return fault_lines(f, "-v VOLUME:%s (not :ro)",
			   "volumeMounts: [{name: VOLUME, mountPath: %s, "
			   "readOnly: false}]", path);
}
