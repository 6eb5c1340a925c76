/*
 * options: the command line. Pure: words in, wishes out.
 *
 * One table holds each option with its handler and its help text, so that
 * --help cannot drift from what is understood.
 */
#ifndef STEPDOWN_OPTIONS_H
#define STEPDOWN_OPTIONS_H

#include <stdint.h>

struct fault;
struct plan;
struct text;

/*
 * Read argv (ended by NULL, the program's name first) into the plan. Options
 * end at "--" or at the first word that is not one; the rest is the command.
 * What the plan holds already, from a config file, is replaced, or added to. It
 * keeps pointers into argv and into itself.
 *
 * env: as environ(7), for ${VAR}.
 * Returns 0, or -1 with a usage fault; the plan is then not usable.
 */
int options_parse(struct plan *plan, char *const argv[], char *const env[],
		  struct fault *f);

/*
 * Set one option by its long name, as a line of a config file does. value: NULL
 * if there is none. seen: zero before the first of a file; tells what was given
 * twice. Returns as options_parse().
 */
int options_set(struct plan *plan, const char *name, const char *value,
		char *const env[], uint64_t *seen, struct fault *f);

/*
 * Find --config among the options. Returns 0 and sets *path, to NULL if it is
 * not there; 1 if --help or --version make every file needless; or -1 with a
 * usage fault. What else is wrong is left to options_parse().
 */
int options_config(struct plan *plan, char *const argv[], char *const env[],
		   const char **path, struct fault *f);

/* Append what --help prints. */
void options_help(struct text *out);

#endif
