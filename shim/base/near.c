#include "base/near.h"

#include <ctype.h>
#include <strings.h>

#include "base/fault.h"

enum { NEAR_MAX = 31 };	/* letters that are compared */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * The distance of optimal string alignment: row[i % 3][j] is that of the first
 * i letters of a and the first j of b.
 */
static size_t distance(struct slice a, struct slice b)
{
	size_t row[3][NEAR_MAX + 1];

	for (size_t i = 0; i <= a.length; i++)
		for (size_t j = 0; j <= b.length; j++) {
			size_t *here = &row[i % 3][j];
			size_t differ;

			if (i == 0 || j == 0) {
				*here = i + j;
				continue;
			}
			*here = least(row[(i - 1) % 3][j] + 1, here[-1] + 1);
			differ = tolower(a.at[i - 1]) != tolower(b.at[j - 1]);
			*here = least(*here, row[(i - 1) % 3][j - 1] + differ);
			if (i > 1 && j > 1 &&
			    tolower(a.at[i - 1]) == tolower(b.at[j - 2]) &&
			    tolower(a.at[i - 2]) == tolower(b.at[j - 1]))
				*here = least(*here,
					      row[(i - 2) % 3][j - 2] + 1);
		}
	return row[a.length % 3][b.length];
}

struct slice near_find(struct slice typed, near_words *words,
		       const void *list)
{
	struct slice best = { NULL, 0 };
	size_t nearest = typed.length < 3 ? 2 : typed.length / 3 + 1;
	struct slice word;

	if (typed.length < 2 || typed.length > NEAR_MAX)
		return best;
	for (size_t i = 0; (word = words(list, i)).at; i++) {
		size_t far = nearest;

		if (word.length <= NEAR_MAX)
			far = distance(typed, word);
		if (far > 1 && word.length > typed.length &&
		    strncasecmp(word.at, typed.at, typed.length) == 0)
			far = 1;
		if (far < nearest) {
			nearest = far;
			best = word;
		}
	}
	return best;
}

int near_hint(struct fault *f, const char *before, struct slice typed,
	      near_words *words, const void *list)
{
	struct slice found = near_find(typed, words, list);

	if (!found.at)
		return -1;
	return fault_hint(f, "did you mean %s%.*s?", before, (int)found.length,
			  found.at);
}
