#include "text.h"

#include <stdint.h>
#include <string.h>

/* One conversion of a format: "%-08.*llx" and the like. */
struct conversion {
	bool left;
	bool zeroes;
	size_t width;
	size_t precision;	/* SIZE_MAX when none is given */
	char size;		/* 'i' int, 'l' long, 'L' long long, 'z' size_t */
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

/* Read what follows a '%'; *at is left behind it. */
static struct conversion read_conversion(const char **at, va_list *words)
{
	struct conversion c = { .precision = SIZE_MAX, .size = 'i' };

	for (; **at == '-' || **at == '0'; (*at)++) {
		c.left = c.left || **at == '-';
		c.zeroes = c.zeroes || **at == '0';
	}
	c.width = read_size(at, words);
	if (**at == '.') {
		(*at)++;
		c.precision = read_size(at, words);
	}
	for (; **at == 'l' || **at == 'z'; (*at)++)
		c.size = **at == 'l' && c.size == 'l' ? 'L' : **at;
	c.kind = **at;
	if (c.kind)
		(*at)++;
	return c;
}

static unsigned long long read_unsigned(char size, va_list *words)
{
	switch (size) {
	case 'L':
		return va_arg(*words, unsigned long long);
	case 'l':
		return va_arg(*words, unsigned long);
	case 'z':
		return va_arg(*words, size_t);
	default:
		return va_arg(*words, unsigned int);
	}
}

static long long read_signed(char size, va_list *words)
{
	switch (size) {
	case 'L':
		return va_arg(*words, long long);
	case 'l':
	case 'z':	/* ssize_t */
		return va_arg(*words, long);
	default:
		return va_arg(*words, int);
	}
}

/* Returns false for a conversion that is not known. */
static bool add_conversion(struct text *t, const struct conversion *c,
			   va_list *words)
{
	const char *string;
	long long value;
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
		value = read_signed(c->size, words);
		add_number(t, c,
			   value < 0 ? 0 - (unsigned long long)value
				     : (unsigned long long)value,
			   value < 0);
		return true;
	case 'u':
	case 'o':
	case 'x':
		add_number(t, c, read_unsigned(c->size, words), false);
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
		c = read_conversion(&format, &left);
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
