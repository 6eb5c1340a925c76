/*
 * resolve: the names of the plan to ids, by /etc/passwd and /etc/group.
 */
#ifndef STEPDOWN_RESOLVE_H
#define STEPDOWN_RESOLVE_H

struct fault;
struct plan;

/*
 * Turn the names of the plan into ids: user, group, supplementary groups, home.
 *
 * passwd, group: the files to read, PASSWD_USERS and PASSWD_GROUPS but for
 * tests. A missing file is one without entries.
 * Returns 0, or -1 with a fault; the target is then not usable.
 */
int resolve_target(struct plan *plan, const char *passwd, const char *group,
		 struct fault *f);

/*
 * Whose the trees and the sockets with a path shall be. The default is the
 * target, so this comes when it is settled. Returns as resolve_target().
 */
int resolve_owners(struct plan *plan, const char *passwd,
			const char *group, struct fault *f);

#endif
