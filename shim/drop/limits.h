/*
 * limits: resource limits, umask and the working directory.
 */
#ifndef STEPDOWN_DROP_LIMITS_H
#define STEPDOWN_DROP_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/str.h"

struct fault;
struct text;

/* What to change for the application. */
struct limits_spec {
	const char *typed[RLIM_NLIMITS];	/* NAME=SOFT[:HARD], or NULL */
	struct rlimit rlimits[RLIM_NLIMITS];
	bool has_umask;
	mode_t umask;
	const char *chdir;		/* an absolute path, or NULL */
};

/*
 * Parse NAME=SOFT[:HARD], kept by pointer too, or an octal mask into a struct
 * limits_spec. Pure. Each returns false if the value is malformed.
 */
bool limits_read_rlimit(const char *value, void *spec);
bool limits_read_umask(const char *value, void *spec);

/* Name i for --rlimit, for str_nearest(). list is ignored. */
struct slice limits_word(const void *list, size_t i);

/* Append what limits_run() would do. */
void limits_describe(const struct limits_spec *spec, struct text *out);

/*
 * Set limits and umask, before the drop: raising a hard limit needs
 * CAP_SYS_RESOURCE. Returns 0, or -1 with a fault; some may be set then.
 */
int limits_run(const struct limits_spec *spec, struct fault *f);

/* Enter the directory of --chdir as the user. Returns 0, or -1 with a fault. */
int limits_chdir(const struct limits_spec *spec, struct fault *f);

#endif
