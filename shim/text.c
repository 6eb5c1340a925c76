#include "text.h"

#include <stdint.h>
#include <string.h>

/* One conversion of a format: "%-08.*llx" and the like. */
struct conversion {
	bool left;
	bool zeroes;
	size_t width;
	size_t precision;	/* SIZE_MAX when none is given */
	size_t size;		/* of the integer, in bytes */
	char kind;		/* s c d u o x % */
};

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

static void add_many(struct text *t, char c, size_t count)
{
	while (count-- > 0 && !t->cut)
		text_add_bytes(t, &c, 1);
}

static void add_padded(struct text *t, const struct conversion *c,
		       const char *bytes, size_t length)
{
	size_t padding = c->width > length ? c->width - length : 0;

	if (!c->left)
		add_many(t, c->zeroes ? '0' : ' ', padding);
	text_add_bytes(t, bytes, length);
	if (c->left)
		add_many(t, ' ', padding);
}

static void add_number(struct text *t, const struct conversion *c,
		       unsigned long long value, bool negative)
{
	const unsigned int base = c->kind == 'x' ? 16
				  : c->kind == 'o' ? 8 : 10;
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		digits[--at] = '-';
	add_padded(t, c, digits + at, sizeof(digits) - at);
}

/* Digits, or '*' for the next argument. */
static size_t read_size(const char **at, va_list *words)
{
	size_t value = 0;

	if (**at == '*') {
		int argument = va_arg(*words, int);

		(*at)++;
		return argument > 0 ? (size_t)argument : 0;
	}
	while (**at >= '0' && **at <= '9')
		value = value * 10 + (size_t)(*(*at)++ - '0');
	return value;
}

/* Read what follows a '%'; returns what follows that. */
static const char *read_conversion(struct conversion *c, const char *at,
				   va_list *words)
{
	c->left = *at == '-';
	at += c->left;
	c->zeroes = *at == '0';
	c->width = read_size(&at, words);
	c->precision = SIZE_MAX;
	if (*at == '.') {
		at++;
		c->precision = read_size(&at, words);
	}
	c->size = sizeof(int);
	for (; *at == 'l' || *at == 'z'; at++)
		c->size = *at == 'l' && at[-1] == 'l' ? sizeof(long long)
						      : sizeof(long);
	c->kind = *at;
	return c->kind ? at + 1 : at;
}

/*
 * A long and a size_t are as wide as an int or as a long long, and are passed
 * like that one.
 */
static unsigned long long read_integer(const struct conversion *c,
				       va_list *words)
{
	unsigned int narrow;

	if (c->size == sizeof(long long))
		return va_arg(*words, unsigned long long);
	narrow = va_arg(*words, unsigned int);
	return c->kind == 'd' ? (unsigned long long)(int)narrow : narrow;
}

/* Returns false for a conversion that is not known. */
static bool add_conversion(struct text *t, const struct conversion *c,
			   va_list *words)
{
	unsigned long long value;
	const char *string;
	bool negative;
	char byte;

	switch (c->kind) {
	case 's':
		string = va_arg(*words, const char *);
		add_padded(t, c, string, strnlen(string, c->precision));
		return true;
	case 'c':
		byte = (char)va_arg(*words, int);
		add_padded(t, c, &byte, 1);
		return true;
	case 'd':
	case 'u':
	case 'o':
	case 'x':
		value = read_integer(c, words);
		negative = c->kind == 'd' && (long long)value < 0;
		add_number(t, c, negative ? 0 - value : value, negative);
		return true;
	case '%':
		text_add_bytes(t, "%", 1);
		return true;
	default:
		return false;
	}
}

void text_add_list(struct text *t, const char *format, va_list words)
{
	va_list left;

	va_copy(left, words);
	while (*format) {
		size_t plain = strcspn(format, "%");
		struct conversion c;

		text_add_bytes(t, format, plain);
		format += plain;
		if (!*format)
			break;
		format++;
		format = read_conversion(&c, format, &left);
		if (!add_conversion(t, &c, &left))
			break;
	}
	va_end(left);
}

void text_add(struct text *t, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	text_add_list(t, format, words);
	va_end(words);
}
