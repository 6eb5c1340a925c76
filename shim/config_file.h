/*
 * settings: options from a file.
 */
#ifndef STEPDOWN_CONFIG_H
#define STEPDOWN_CONFIG_H

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

#endif
