/*
 * groups: the supplementary groups of the application.
 */
#ifndef STEPDOWN_CRED_GROUPS_H
#define STEPDOWN_CRED_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct fault;
struct plan;

void groups_sort(gid_t *list, size_t count);

/* Sort a list and remove what is there twice. Returns the new length. */
size_t groups_unique(gid_t *list, size_t count);

/* Are these, both sorted, the same? */
bool groups_same(const gid_t *a, size_t na, const gid_t *b, size_t nb);

/* Is a gid in a sorted list? */
bool groups_have(const gid_t *list, size_t count, gid_t gid);

/*
 * Turn --groups into target.groups, sorted, each once and without the primary
 * gid. The words: "auto", "none", "init" (what /etc/group gives the user),
 * "runtime" (what we were started with, but for gid 0 and the groups that
 * /etc/group gives root), names, numbers.
 *
 * root: the name of uid 0. file: /etc/group.
 * Returns 0, or -1 with a fault.
 */
int groups_resolve(struct plan *plan, const char *root, const char *file,
		   struct fault *f);

#endif
