#include "base/str.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool str_is_number(const char *text)
{
	if (!*text)
		return false;
	while (is_digit(*text))
		text++;
	return !*text;
}

bool str_number(const char *text, uint64_t lowest, uint64_t highest,
		  uint64_t *value)
{
	uint64_t sum = 0;

	if (!str_is_number(text))
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (digit > highest || sum > (highest - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (sum < lowest)
		return false;
	*value = sum;
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

bool str_is_name_byte(char c)
{
	return is_letter(c) || is_digit(c);
}

bool str_is_variable(const char *text, size_t length)
{
	if (length == 0 || !is_letter(text[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!str_is_name_byte(text[i]))
			return false;
	return true;
}

/* The digits before a suffix. Returns where that begins, or NULL. */
static const char *read_digits(const char *text, uint64_t lowest,
			       uint64_t highest, uint64_t *value)
{
	char digits[16];
	size_t length = 0;

	for (; length < sizeof(digits) && is_digit(text[length]); length++)
		digits[length] = text[length];
	if (length == sizeof(digits))
		return NULL;
	digits[length] = '\0';
	return str_number(digits, lowest, highest, value) ? text + length
							     : NULL;
}

/* As far as poll(2) can wait in one call. */
bool str_duration(const char *text, uint32_t *milliseconds)
{
	static const struct {
		char name[4];
		uint32_t milliseconds;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 },
	};
	uint64_t count;
	const char *unit = read_digits(text, 1, INT32_MAX, &count);

	for (size_t i = 0; unit && i < ARRAY_LEN(units); i++)
		if (strcmp(unit, units[i].name) == 0 &&
		    count <= INT32_MAX / units[i].milliseconds) {
			*milliseconds = (uint32_t)count *
					units[i].milliseconds;
			return true;
		}
	return false;
}

bool str_pair(const char *text, uint8_t *from, uint8_t *to)
{
	uint64_t first;
	uint64_t second;
	const char *colon = read_digits(text, 0, UINT8_MAX, &first);

	if (!colon || *colon != ':' ||
	    !str_number(colon + 1, 0, UINT8_MAX, &second))
		return false;
	*from = (uint8_t)first;
	*to = (uint8_t)second;
	return true;
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
	memcpy(out, w.at, w.length);
	out[w.length] = '\0';
	return true;
}

struct slice str_cut(struct slice *rest, char at)
{
	const char *end = memchr(rest->at, at, rest->length);
	struct slice part = { rest->at,
			     end ? (size_t)(end - rest->at) : rest->length };
	size_t gone = part.length + (end != NULL);

	rest->at += gone;
	rest->length -= gone;
	return part;
}

bool str_no(struct text *wrong, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	text_add_list(wrong, format, words);
	va_end(words);
	return false;
}
