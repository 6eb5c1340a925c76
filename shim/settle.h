/*
 * settle: from words to a plan that can be carried out. config_file.c reads the
 * options, resolve.c turns names into ids, by /etc/passwd and /etc/group, and
 * conflicts.c, which is pure, refuses contradictions.
 */
#ifndef STEPDOWN_SETTLE_H
#define STEPDOWN_SETTLE_H

struct fault;
struct plan;

/* What is read where the command line names no file. It need not exist. */
#define SETTINGS_FILE "/etc/stepdown.conf"

/*
 * Read the options of a run into the plan, which must be all zeroes but for
 * its start: those of the config file first, then the command line, which wins.
 *
 * Started with file capabilities or setuid (start.secure) only the file at
 * standard counts, it must be root's, and the command line is the command.
 *
 * standard: SETTINGS_FILE, but for tests. env: as environ(7).
 * Returns 0, or -1 with a fault.
 */
int settings_read(struct plan *plan, const char *standard, char *const argv[],
		  char *const env[], struct fault *f);

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
int resolve_owners(struct plan *plan, const char *passwd, const char *group,
		   struct fault *f);

/*
 * Refuse what contradicts itself, what --handoff cannot hand over, and more
 * sockets than there is room for. After this no usage error is left to find,
 * and nothing in the container has changed.
 *
 * Returns 0, or -1 with a usage fault.
 */
int conflicts_check(const struct plan *plan, struct fault *f);

#endif
