/*
 * account: a name for a uid that has none ("I have no name!"), as OpenShift and
 * `docker run --user` start an image; programs that ask who they are fail then.
 *
 * A file is written in place, never replaced: that works where it is a mount,
 * or where only it may be written and not its directory (OpenShift's group 0),
 * and there is no second file that somebody could open meanwhile.
 */
#ifndef STEPDOWN_CRED_ACCOUNT_H
#define STEPDOWN_CRED_ACCOUNT_H

#include <stdbool.h>

#include "cred/ids.h"

struct fault;
struct text;

/* A name as useradd(8) takes it. */
enum { ACCOUNT_NAME_MAX = 32 };

/* What is done to the entry of a file. */
enum account_act { ACCOUNT_STAYS, ACCOUNT_ADD, ACCOUNT_MOVE };

struct account_spec {
	const char *value;		/* as typed, or NULL */
	bool move;
	enum account_act user, group;	/* filled by account_resolve() */
	char name[ACCOUNT_NAME_MAX + 1];
	struct slice home, shell;
};

/* Read NAME[:HOME[:SHELL]][,move]: a plain name, absolute paths. */
bool account_read(const char *value, void *spec);

/*
 * Find out which entries the target lacks, and give the target the name and
 * home of the account if it has none. With "move" an entry of that name, if it
 * is not root's, is to get the target's ids; its home and shell stay.
 *
 * Call it when the target is settled. Returns 0, or -1 with a fault.
 */
int account_resolve(struct account_spec *a, struct target *t, struct fault *f);

/* Append what account_run() would do. */
void account_describe(const struct account_spec *a, struct text *out);

/*
 * Add or change the entries. What cannot be done is a warning, and the file is
 * then as it was: no half line is left, which would be read as another id.
 *
 * Returns 0, or -1 with a fault: the filesystem ids could not be put back.
 */
int account_run(const struct account_spec *a, const struct target *t,
		struct fault *f);

#endif
