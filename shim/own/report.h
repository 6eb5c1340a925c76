/*
 * report: what is said about a tree: why something failed and what would
 * cure it, what was changed and what was passed over, how far a long walk is.
 */
#ifndef STEPDOWN_OWN_REPORT_H
#define STEPDOWN_OWN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct own_counts;
struct own_tree;
struct text;

/*
 * The fault for errno (0: nothing came of it): "own PATH: ACT FILE". FILE is the path of dir, as the
 * kernel knows it now, and name (or the tree's path where name is NULL).
 * fd: the file itself where it was opened, or -1.
 *
 * Returns -1 always.
 */
int own_report_fault(const struct own_tree *t, const char *act, int dir,
		     const char *name, int fd, struct fault *f);

/* Append the kernel's path of a descriptor; nothing without /proc. */
void own_report_path(struct text *out, int fd);

/* May the run go on after this errno? ,try never passes over an I/O error. */
bool own_may_fail(const struct own_tree *t, int err);

/* With ,try: a warning for the first failure, with the number of all. */
void own_report_failures(const struct own_tree *t,
			 const struct own_counts *counts, struct fault *f);

/*
 * What came of it: everything with verbose, otherwise only that files were
 * passed over or lost bits because of us.
 */
void own_report_end(const struct own_tree *t, const struct own_counts *counts,
		    bool verbose);

/*
 * A line for each writable mount below the tree's path whose top does not belong
 * to who the tree is for.
 */
void own_report_mounts(const struct own_tree *t);

struct own_progress {
	int64_t started;
	int64_t next;		/* when to speak again */
	bool in_place;		/* stderr is a terminal */
	bool spoken;
};

void own_report_start(struct own_progress *p);

/* A line on stderr, if it is time for one: 3 seconds in, then every 10. */
void own_report_progress(struct own_progress *p, const struct own_tree *t,
			 uint64_t entries, uint64_t changed);

/* Clear the line on the terminal, if there is one. */
void own_report_stop(const struct own_progress *p);

#endif
