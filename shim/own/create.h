/*
 * own_create: the folders that are missing of a path, as mkdir -p makes them,
 * but each owned as the tree says. Part after part through descriptors, so it
 * follows no symbolic link; a part that is there already is left as it is.
 */
#ifndef STEPDOWN_OWN_CREATE_H
#define STEPDOWN_OWN_CREATE_H

struct fault;
struct tree;

/*
 * Returns 0, also if nothing was missing, or -1 with a fault; folders that were
 * made stay.
 */
int own_create(const struct tree *t, struct fault *f);

#endif
