/*
 * own_option: the value of --own, PATH[,OPTION...]. Pure.
 *
 * Here is also which paths are refused without `force`: an image in which the
 * application owns /etc or /usr is one in which it can become root again.
 */
#ifndef STEPDOWN_OWN_OPTION_H
#define STEPDOWN_OWN_OPTION_H

#include <stdbool.h>

struct fault;
struct plan;
struct text;
struct tree;

/*
 * Add a tree to the plan; words are copied to the plan's text. A comma in a
 * path is written "\,", a backslash "\\".
 *
 * Returns 0, or -1 with a usage fault; the plan is then not usable.
 */
int own_option_parse(struct plan *plan, const char *value, struct fault *f);

/* Append what will be done to a tree, one line without its end. */
void own_option_describe(const struct tree *t, struct text *out);

/*
 * Is this absolute path one of the system's folders, however it is written
 * ("//usr/./local/..")? Symbolic links do not matter: --own follows none.
 */
bool own_option_is_system(const char *path);

#endif
