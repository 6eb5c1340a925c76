/* mode: modes as chmod(1) writes them. Pure. */
#include "own/spec.h"

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

bool own_mode_is_clause(const char *word)
{
	word += strspn(word, "ugoa");
	return *word && strchr("-+=", *word);
}

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

/* The bits of the letter at *at, which is left behind it; 0: it is another. */
static mode_t read_letter(const struct letter *l, const char **at)
{
	while (l->letter && l->letter != **at)
		l++;
	*at += l->bits != 0;
	return l->bits;
}

/* What follows the operator; *at is left behind it. */
static void read_bits(const char **at, struct mode_clause *c)
{
	mode_t bits;

	if (**at != 'a') {
		c->bits = read_letter(who_letters, at) & 0777;
		c->copy = c->bits != 0;
	}
	while (!c->copy && (bits = read_letter(bit_letters, at)))
		c->bits |= bits;
	c->if_any = c->bits & IF_ANY;
	c->bits &= ALL_BITS;
}

static size_t str_octal(const char *text, struct mode_clause *clause)
{
	mode_t mode = 0;

	bool exact = strlen(text) == 5 && text[0] == '0';

	if (strlen(text) > (exact ? 5 : 4) || text[strspn(text, "01234567")])
		return 0;
	for (; *text; text++)
		mode = mode * 8 + (mode_t)(*text - '0');
	*clause = (struct mode_clause){ .op = '=', .who = ALL_BITS,
					.bits = mode, .exact = exact };
	return 1;
}

size_t own_mode_parse(const char *text, struct mode_clause *clauses,
		      size_t size)
{
	size_t count = 0;

	if (*text >= '0' && *text <= '7')
		return str_octal(text, clauses);
	for (;;) {
		mode_t who = 0;
		mode_t more;

		if (!own_mode_is_clause(text))
			return 0;
		while ((more = read_letter(who_letters, &text)))
			who |= more;
		while (*text && strchr("-+=", *text)) {
			struct mode_clause *c = clauses + count;

			if (count++ == size)
				return 0;
			*c = (struct mode_clause){ .op = *text++, .who = who };
			read_bits(&text, c);
		}
		if (!*text)
			return count;
		if (*text++ != ',')
			return 0;
	}
}

/* Give everybody the r, w and x that one of them has. */
static mode_t spread(mode_t bits)
{
	return (bits & ANY_R ? ANY_R : 0) | (bits & ANY_W ? ANY_W : 0) |
	       (bits & ANY_X ? ANY_X : 0);
}

mode_t own_mode_apply(const struct mode_clause *clauses, size_t count,
		      mode_t mode, bool dir, mode_t mask)
{
	mode &= ALL_BITS;
	for (const struct mode_clause *c = clauses; c < clauses + count; c++) {
		mode_t named = c->who ? c->bits & c->who : c->bits;
		mode_t kept = dir && !c->exact ? SET_IDS & ~named : 0;
		mode_t bits = c->copy ? spread(c->bits & mode) : c->bits;

		if (c->if_any && (dir || mode & ANY_X))
			bits |= ANY_X;
		bits &= (c->who ? c->who : ~mask) & ~kept;
		if (c->op == '+')
			mode |= bits;
		else if (c->op == '-')
			mode &= ~bits;
		else
			mode = (mode & ((c->who ? ~c->who : 0) | kept)) | bits;
	}
	return mode & ALL_BITS;
}
