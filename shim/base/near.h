/*
 * near: the word that was meant, for "did you mean". Pure.
 */
#ifndef STEPDOWN_BASE_NEAR_H
#define STEPDOWN_BASE_NEAR_H

#include <stddef.h>

#include "base/str.h"

struct fault;

/* Word number i of a list, or one with at NULL behind the last. */
typedef struct slice near_words(const void *list, size_t i);

/*
 * Find the word of a list that is nearest to what was typed, by the number of
 * letters to insert, remove, replace or exchange with their neighbour; a third
 * of the letters at most, or one of two. What was typed may also be the
 * beginning of the word. Case does not count.
 *
 * Returns it, or a slice with at NULL if none is near.
 */
struct slice near_find(struct slice typed, near_words *words,
		       const void *list);

/*
 * Add the hint "did you mean BEFORE...?" to a fault if there is such a word;
 * else leave the fault as it is. Returns -1 always.
 */
int near_hint(struct fault *f, const char *before, struct slice typed,
	      near_words *words, const void *list);

#endif
