/*
 * own_mode: modes as chmod(1) writes them. Pure.
 *
 * A volume holds files and directories, so a mode is a rule and not a number:
 * "u=rwX,g=rX,o=" is 750 for a directory or a program and 640 for other files.
 */
#ifndef STEPDOWN_OWN_MODE_H
#define STEPDOWN_OWN_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One change of a mode, as chmod(1) writes it: "g+rw", "o=", "a+X". */
struct mode_clause {
	char op;		/* '+', '-' or '=' */
	bool if_any;		/* X: x, for directories and what has an x */
	bool copy;		/* bits name whose r, w and x are copied */
	bool exact;		/* also the set-id bits of directories */
	mode_t who;		/* bits that may change; 0: all but umask's */
	mode_t bits;		/* as for everybody; who selects */
};

/* Does this word begin like a clause ("go=", "+x")? No name of an option does. */
bool own_mode_is_clause(const char *word);

/*
 * Read an octal mode of at most four digits, of five with a leading 0 (then a
 * directory does not keep its set-id bits), or clauses joined by commas:
 * [ugoa...][-+=][rwxXst... | u | g | o], where the last two parts may repeat.
 *
 * Returns how many of the size clauses are filled; 0 when it is no mode, or
 * one with more clauses.
 */
size_t own_mode_parse(const char *text, struct mode_clause *clauses,
		      size_t size);

/*
 * What chmod(1) of GNU makes of a mode (its lower 12 bits). Where a clause
 * names nobody, the bits in mask (umask(2)) are left out; a directory keeps its
 * set-id bits unless the clause names them.
 */
mode_t own_mode_apply(const struct mode_clause *clauses, size_t count,
		      mode_t mode, bool dir, mode_t mask);

#endif
