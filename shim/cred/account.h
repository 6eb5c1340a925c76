/*
 * account: a name for a uid that has none ("I have no name!"), as OpenShift and
 * `docker run --user` choose it; programs that look up their own name fail.
 *
 * The files are written in place, never replaced: that works where a file is a
 * mount, or is writable while its directory is not (OpenShift's group 0), and
 * leaves no temporary file that others could open.
 */
#ifndef STEPDOWN_CRED_ACCOUNT_H
#define STEPDOWN_CRED_ACCOUNT_H

#include <stdbool.h>

#include "cred/ids.h"

struct fault;
struct text;

/* The longest name that useradd(8) accepts. */
enum { ACCOUNT_NAME_MAX = 32 };

/* What to do with the entry in a file. */
enum account_act { ACCOUNT_STAYS, ACCOUNT_ADD, ACCOUNT_MOVE };

struct account_spec {
	const char *value;		/* as typed, or NULL */
	bool move;
	enum account_act act[2];	/* by enum passwd_kind */
	char name[ACCOUNT_NAME_MAX + 1];
	struct slice home, shell;
};

/* Read NAME[:HOME[:SHELL]][,move]: a plain name, absolute paths. */
bool account_read(const char *value, void *spec);

/*
 * Fill act: which entries the target lacks. Give it the name, home and shell
 * of the account if it has no name. With "move", an entry of that name that is
 * not root's will get the target's ids; it keeps its home and shell.
 *
 * Call it when the target is settled. Returns 0, or -1 with a fault.
 */
int account_resolve(struct account_spec *a, struct target *t, struct fault *f);

/* Append what account_run() would do. */
void account_describe(const struct account_spec *a, struct text *out);

/*
 * Add or change the entries. A failure is a warning, and leaves the file as it
 * was. Returns 0, or -1 with a fault if the filesystem ids cannot be restored.
 */
int account_run(const struct account_spec *a, const struct target *t,
		struct fault *f);

#endif
