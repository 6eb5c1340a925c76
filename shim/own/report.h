/*
 * own_report: what is said about a tree: why something failed and what would
 * cure it, what was changed and what was passed over, how far a long walk is.
 */
#ifndef STEPDOWN_OWN_REPORT_H
#define STEPDOWN_OWN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct own_counts;
struct tree;

/*
 * The fault for errno: "own PATH: ACT FILE". FILE is the path of folder, as
 * the kernel knows it now, and name (or the tree's path where name is NULL).
 * fd: the file itself where it was opened, or -1.
 *
 * Returns -1 always.
 */
int own_report_fault(const struct tree *t, const char *act, int folder,
		     const char *name, int fd, struct fault *f);

/*
 * What came of it: everything with verbose, otherwise only that files were
 * passed over or lost bits because of us.
 */
void own_report_end(const struct tree *t, const struct own_counts *counts,
		    bool verbose);

struct own_progress {
	int64_t started;
	int64_t next;		/* when to speak again */
	bool in_place;		/* stderr is a terminal */
	bool spoken;
};

void own_report_start(struct own_progress *p);

/* A line on stderr, if it is time for one: 3 seconds in, then every 10. */
void own_report_progress(struct own_progress *p, const struct tree *t,
			 uint64_t entries, uint64_t changed);

/* Clear the line on the terminal, if there is one. */
void own_report_stop(const struct own_progress *p);

#endif
