/*
 * settle: from words to a plan that can be carried out. config_file.c reads the
 * options, resolve.c turns names into ids, by /etc/passwd and /etc/group, and
 * conflicts.c, which is pure, refuses contradictions.
 */
#ifndef STEPDOWN_SETTLE_H
#define STEPDOWN_SETTLE_H

struct fault;
struct plan;

/* The config file where --config names none. It need not exist. */
#define SETTINGS_FILE "/etc/stepdown.conf"

/*
 * Read the options of a run into the plan, which must be all zeroes except for
 * its start: those of the config file first, then the command line, which wins.
 *
 * Started with file capabilities or setuid (start.secure), only the file at
 * standard counts, which must be root's, and the command line is the command.
 *
 * standard: SETTINGS_FILE, except in tests. env: as environ(7). Returns 0, or
 * -1 with a fault.
 */
int settings_read(struct plan *plan, const char *standard, char *const argv[],
		  char *const env[], struct fault *f);

/*
 * Turn the names of the plan into ids: user, group, supplementary groups, home.
 *
 * passwd, group: the files to read, PASSWD_USERS and PASSWD_GROUPS except in
 * tests. A missing file has no entries. Returns 0, or -1 with a fault; the
 * target is then not usable.
 */
int resolve_target(struct plan *plan, const char *passwd, const char *group,
		   struct fault *f);

/*
 * Set the owners of trees and sockets, by default the settled target. Without
 * CAP_CHOWN, remove the trees that the user may write. As resolve_target().
 */
int resolve_owners(struct plan *plan, const char *passwd, const char *group,
		   struct fault *f);

/*
 * Refuse options that contradict each other, what --handoff cannot hand over,
 * and more sockets than there is room for. Nothing in the container has changed
 * yet.
 *
 * Returns 0, or -1 with a usage fault.
 */
int conflicts_check(const struct plan *plan, struct fault *f);

#endif
