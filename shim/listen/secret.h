/*
 * secret: what only root may read, for the application and for nobody else.
 *
 * The file is read before the drop, and its content goes into a sealed memfd
 * that belongs to the application: whoever reads /proc/self/fd/N reads it, as
 * often as they like, nobody can change it, and it is on no disk. The original
 * stays closed to the application. No message has any of the content.
 */
#ifndef STEPDOWN_LISTEN_SECRET_H
#define STEPDOWN_LISTEN_SECRET_H

#include "listen/listen.h"

/* NAME=PATH[?OPTIONS] of --secret. */
struct secret {
	struct slice name;	/* of the variable */
	struct slice path;
	bool content;		/* ?env: the variable has the content itself */
	bool attempt;		/* ?try: pass over a file that is missing */
};

struct secret_spec {
	size_t count;
	struct secret all[SECRETS_MAX];
};

/* Append what a value says to *at, a spec. Returns false if it is none. */
bool secret_read(const char *value, void *at);

/* Append what is handed over, from descriptor first on: names and sizes. */
void secret_describe(const struct secret_spec *spec, size_t first,
		     struct text *out);

/* Can every file be read? Returns 0, or -1 with a fault. */
int secret_check(const struct secret_spec *spec, struct fault *f);

/*
 * Copy the files, for uid and gid, behind the sockets. Returns 0, or -1 with a
 * fault; those copied so far stay open.
 */
int secret_run(const struct secret_spec *spec, uid_t uid, gid_t gid,
	       struct sockets *sockets, struct fault *f);

/* Has each copy its owner, its mode and its seals? 0, or -1 with a fault. */
int secret_verify(const struct sockets *sockets, uid_t uid, gid_t gid,
		  struct fault *f);

#endif
