/*
 * account: a name for a uid that has none ("I have no name!").
 *
 * OpenShift and `docker run --user` start an image as a uid that its
 * /etc/passwd does not know; programs that ask who they are fail then.
 */
#ifndef STEPDOWN_CRED_ACCOUNT_H
#define STEPDOWN_CRED_ACCOUNT_H

#include <stdbool.h>

struct fault;
struct plan;
struct run;
struct text;

/* An entry for a uid that has none. */
struct account {
	const char *value;		/* as typed, or NULL */
	bool add_user, add_group;	/* filled by resolve_target() */
};

/*
 * Is this NAME[:HOME[:SHELL]], a name of at most 32 letters, digits, '_', '-'
 * and '.', and absolute paths?
 */
bool account_is(const char *value);

/*
 * Find out which entries the target lacks, and give the target the name and
 * home of the account if it has none. Call it when the target is known.
 *
 * Returns 0, or -1 with a fault.
 */
int account_resolve(struct plan *plan, const char *passwd, const char *group,
		    struct fault *f);

/* Append what account_run() would do. */
void account_describe(const struct plan *plan, struct text *out);

/*
 * Add the entries. The files are replaced by a rename that keeps their mode and
 * owner; where that is not possible (a mount, a folder that only root may write)
 * the line is appended in one write(2).
 *
 * Returns 0: where the files cannot be written it is a warning.
 */
int account_run(const struct plan *plan, struct run *run, struct fault *f);

#endif
