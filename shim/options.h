/*
 * options: the command line. Pure: words in, wishes out.
 *
 * One table holds each option with its handler and its help text, so that
 * --help cannot drift from what is understood.
 */
#ifndef STEPDOWN_OPTIONS_H
#define STEPDOWN_OPTIONS_H

struct fault;
struct plan;
struct text;

/*
 * Read argv (ended by NULL, the program's name first) into the plan. Options
 * end at "--" or at the first word that is not one; the rest is the command.
 * A plan must start as all zeroes; it keeps pointers into argv and into itself.
 *
 * env: as environ(7), for ${VAR}.
 * Returns 0, or -1 with a usage fault; the plan is then not usable.
 */
int options_parse(struct plan *plan, char *const argv[], char *const env[],
		  struct fault *f);

/* Append what --help prints. */
void options_help(struct text *out);

#endif
