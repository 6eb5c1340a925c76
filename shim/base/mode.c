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

static const mode_t who_bits[] = {
	S_ISUID | S_IRWXU, S_ISGID | S_IRWXG, S_ISVTX | S_IRWXO, ALL_BITS
};
static const mode_t what_bits[] = {
	ANY_R, ANY_W, ANY_X, IF_ANY, SET_IDS, S_ISVTX
};

/* Return the bits of the letters at *at, and advance *at past them. */
static mode_t read_letters(const char *letters, const mode_t *bits_of,
			   const char **at)
{
	const char *letter;
	mode_t bits = 0;

	for (; **at && (letter = strchr(letters, **at)); ++*at)
		bits |= bits_of[letter - letters];
	return bits;
}

/* Read the bits after an operator, for all classes; advance *at past them. */
static mode_t read_bits(const char **at, mode_t mode, bool dir)
{
	const char *const classes = "ogu";	/* of three bits each */
	const char *class = **at ? strchr(classes, **at) : NULL;
	mode_t bits;

	if (class) {
		++*at;
		return (mode >> (class - classes) * 3 & 7) * 0111;
	}
	bits = read_letters("rwxXst", what_bits, at);
	if (bits & IF_ANY && (dir || mode & ANY_X))
		bits |= ANY_X;
	return bits & ALL_BITS;
}

static bool apply_clauses(const char *text, bool dir, mode_t mask, mode_t *mode)
{
	const char *const operators = "+-=";

	do {
		mode_t who = read_letters("ugoa", who_bits, &text);

		if (!strspn(text, operators))
			return false;
		while (strspn(text, operators)) {
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
