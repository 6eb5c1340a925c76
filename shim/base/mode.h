/* mode: modes as chmod(1) writes them. Pure. */
#ifndef STEPDOWN_BASE_MODE_H
#define STEPDOWN_BASE_MODE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Make of *mode (the lower 12 bits) what chmod(1) of GNU makes of it.
 *
 * text: an octal mode of at most four digits, of five with a leading 0 (then a
 * directory does not keep its set-id bits), or clauses joined by commas:
 * [ugoa...][-+=][rwxXst... | u | g | o], where the last two parts may repeat.
 * Where a clause names nobody, the bits in mask (umask(2)) are left out; a
 * directory keeps its set-id bits unless the clause names them.
 *
 * Returns false, and leaves *mode, when the text is no mode.
 */
bool mode_apply(const char *text, bool dir, mode_t mask, mode_t *mode);

#endif
