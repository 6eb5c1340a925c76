#include "base/mode.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	ALL_BITS = 07777,
	SET_IDS = S_ISUID | S_ISGID,
	ANY_R = S_IRUSR | S_IRGRP | S_IROTH,
	ANY_W = S_IWUSR | S_IWGRP | S_IWOTH,
	ANY_X = S_IXUSR | S_IXGRP | S_IXOTH,
	IF_ANY = ALL_BITS + 1	/* 'X' */
};

static const struct letter {
	char letter;
	mode_t bits;
} who_letters[] = {
	{ 'u', S_ISUID | S_IRWXU }, { 'g', S_ISGID | S_IRWXG },
	{ 'o', S_ISVTX | S_IRWXO }, { 'a', ALL_BITS }, { 0, 0 }
}, bit_letters[] = {
	{ 'r', ANY_R }, { 'w', ANY_W }, { 'x', ANY_X }, { 'X', IF_ANY },
	{ 's', SET_IDS }, { 't', S_ISVTX }, { 0, 0 }
};

/* The bits of the letters at *at, which is left behind them. */
static mode_t read_letters(const struct letter *letters, const char **at)
{
	const struct letter *l = letters;
	mode_t bits = 0;

	while (l->letter) {
		if (l->letter != **at) {
			l++;
			continue;
		}
		bits |= l->bits;
		++*at;
		l = letters;
	}
	return bits;
}

/* What follows the operator, as for everybody; *at is left behind it. */
static mode_t read_bits(const char **at, mode_t mode, bool dir)
{
	const char *const classes = "ogu";	/* of three bits each */
	const char *class = **at ? strchr(classes, **at) : NULL;
	mode_t bits;

	if (class) {
		++*at;
		return (mode >> (class - classes) * 3 & 7) * 0111;
	}
	bits = read_letters(bit_letters, at);
	if (bits & IF_ANY && (dir || mode & ANY_X))
		bits |= ANY_X;
	return bits & ALL_BITS;
}

static bool is_operator(char c)
{
	return c == '+' || c == '-' || c == '=';
}

static bool apply_clauses(const char *text, bool dir, mode_t mask, mode_t *mode)
{
	do {
		mode_t who = read_letters(who_letters, &text);

		if (!is_operator(*text))
			return false;
		while (is_operator(*text)) {
			char op = *text++;
			mode_t bits = read_bits(&text, *mode, dir);
			mode_t kept = dir ? SET_IDS & ~(who ? bits & who : bits)
					  : 0;

			bits &= (who ? who : ~mask) & ~kept;
			if (op == '=')
				*mode &= (who ? ~who : 0) | kept;
			*mode = op == '-' ? *mode & ~bits : *mode | bits;
		}
	} while (*text == ',' && text++);
	return !*text;
}

bool mode_apply(const char *text, bool dir, mode_t mask, mode_t *mode)
{
	size_t length = strspn(text, "01234567");
	mode_t result = *mode & ALL_BITS;

	if (!length) {
		if (!apply_clauses(text, dir, mask, &result))
			return false;
	} else if (text[length] || length > (*text == '0' ? 5 : 4)) {
		return false;
	} else {
		result &= dir && length < 5 ? SET_IDS : 0;
		result |= (mode_t)strtoul(text, NULL, 8);
	}
	*mode = result;
	return true;
}
