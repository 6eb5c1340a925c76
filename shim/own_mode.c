#include "own_mode.h"

#include <string.h>
#include <sys/stat.h>

#include "plan.h"

enum {
	ALL_BITS = 07777,
	SET_IDS = S_ISUID | S_ISGID,
	ANY_R = S_IRUSR | S_IRGRP | S_IROTH,
	ANY_W = S_IWUSR | S_IWGRP | S_IWOTH,
	ANY_X = S_IXUSR | S_IXGRP | S_IXOTH
};

bool own_mode_is_clause(const char *word)
{
	word += strspn(word, "ugoa");
	return *word && strchr("-+=", *word);
}

static mode_t who_bits(char who)
{
	switch (who) {
	case 'u':
		return S_ISUID | S_IRWXU;
	case 'g':
		return S_ISGID | S_IRWXG;
	case 'o':
		return S_ISVTX | S_IRWXO;
	default:
		return ALL_BITS;
	}
}

/* What follows the operator; *at is left behind it. */
static void read_bits(const char **at, struct mode_clause *c)
{
	if (**at && strchr("ugo", **at)) {
		c->copy = true;
		c->bits = who_bits(*(*at)++) & 0777;
		return;
	}
	for (;; (*at)++)
		switch (**at) {
		case 'r':
			c->bits |= ANY_R;
			break;
		case 'w':
			c->bits |= ANY_W;
			break;
		case 'x':
			c->bits |= ANY_X;
			break;
		case 'X':
			c->if_any = true;
			break;
		case 's':
			c->bits |= SET_IDS;
			break;
		case 't':
			c->bits |= S_ISVTX;
			break;
		default:
			return;
		}
}

static size_t parse_octal(const char *text, struct mode_clause *clause)
{
	mode_t mode = 0;

	if (strlen(text) > 4 || text[strspn(text, "01234567")])
		return 0;
	for (; *text; text++)
		mode = mode * 8 + (mode_t)(*text - '0');
	*clause = (struct mode_clause){ .op = '=', .who = ALL_BITS,
					.bits = mode };
	return 1;
}

size_t own_mode_parse(const char *text, struct mode_clause *clauses,
		      size_t size)
{
	size_t count = 0;

	if (*text >= '0' && *text <= '7')
		return parse_octal(text, clauses);
	for (;;) {
		mode_t who = 0;

		if (!own_mode_is_clause(text))
			return 0;
		for (; strchr("ugoa", *text); text++)
			who |= who_bits(*text);
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
		      mode_t mode, bool folder, mode_t mask)
{
	mode &= ALL_BITS;
	for (const struct mode_clause *c = clauses; c < clauses + count; c++) {
		mode_t named = c->who ? c->bits & c->who : c->bits;
		mode_t kept = folder ? SET_IDS & ~named : 0;
		mode_t bits = c->copy ? spread(c->bits & mode) : c->bits;

		if (c->if_any && (folder || mode & ANY_X))
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
