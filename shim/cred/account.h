/*
 * account: a name for a uid that has none ("I have no name!").
 *
 * OpenShift and `docker run --user` start an image as a uid that its
 * /etc/passwd does not know; programs that ask who they are fail then.
 *
 * A line is appended, never a file replaced: that works where the file is a
 * mount (engines make it one) and where only the file may be written, not its
 * directory (OpenShift's group 0), and there is no second file that somebody
 * could open meanwhile.
 */
#ifndef STEPDOWN_CRED_ACCOUNT_H
#define STEPDOWN_CRED_ACCOUNT_H

#include <stdbool.h>

#include "cred/ids.h"

struct fault;
struct text;

/* A name as useradd(8) takes it. */
enum { ACCOUNT_NAME_MAX = 32 };

/* An entry for a uid that has none. */
struct account_spec {
	const char *value;		/* as typed, or NULL */
	/* The rest is filled by account_resolve(). */
	bool add_user, add_group;
	char name[ACCOUNT_NAME_MAX + 1];
	char home[USER_PATH_MAX];
	char shell[USER_PATH_MAX];
};

/*
 * Is this NAME[:HOME[:SHELL]], a name of at most 32 letters, digits, '_', '-'
 * and '.', and absolute paths?
 */
bool account_is(const char *value);

/*
 * Find out which entries the target lacks, and give the target the name and
 * home of the account if it has none. Call it when the target is settled.
 *
 * passwd, group: PASSWD_USERS and PASSWD_GROUPS outside of tests.
 * Returns 0, or -1 with a fault.
 */
int account_resolve(struct account_spec *a, struct target *t,
		    const char *passwd, const char *group, struct fault *f);

/* Append what account_run() would do. */
void account_describe(const struct account_spec *a, struct text *out);

/*
 * Add the entries. An entry that cannot be added is a warning, and its file is
 * then as it was: no half line is left, which would be read as another id.
 *
 * Returns 0, or -1 with a fault: the filesystem ids could not be put back.
 */
int account_run(const struct account_spec *a, const struct target *t,
		struct fault *f);

#endif
