/*
 * idmap: which ids a user namespace knows (user_namespaces(7)).
 */
#ifndef STEPDOWN_CRED_IDMAP_H
#define STEPDOWN_CRED_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct plan;

/*
 * Does a map, the text of /proc/PID/uid_map, hold the id? Pure. What is not a
 * line of three numbers holds none.
 */
bool idmap_holds(const char *map, size_t length, uint32_t id);

/*
 * Would the kernel know the target's uid, gid and groups, and let us set
 * groups? Outside of user namespaces, and without /proc, the answer is yes.
 *
 * Returns 0, or -1 with a fault.
 */
int idmap_check(const struct plan *plan, struct fault *f);

#endif
