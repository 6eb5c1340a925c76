/* mode: modes as chmod(1) writes them. Pure. */
#ifndef STEPDOWN_BASE_MODE_H
#define STEPDOWN_BASE_MODE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Change *mode (its lower 12 bits) as GNU chmod(1) does.
 *
 * text: an octal mode of at most four digits, or of five with a leading 0 (then
 * a directory loses its set-id bits), or clauses joined by commas:
 * [ugoa...][-+=][rwxXst... | u | g | o], where the last two parts may repeat. A
 * clause that names no class leaves out the bits in mask (umask(2)). A
 * directory keeps its set-id bits unless the clause names them.
 *
 * Returns false, and leaves *mode as it was, when text is not a mode.
 */
bool mode_apply(const char *text, bool dir, mode_t mask, mode_t *mode);

#endif
