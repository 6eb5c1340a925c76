/*
 * limit: resource limits, priorities, umask, CPUs and the working directory.
 */
#ifndef STEPDOWN_DROP_LIMITS_H
#define STEPDOWN_DROP_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

struct fault;
struct limits;
struct plan;
struct run;
struct text;

/* What else the application finds changed: as typed and checked, or NULL. */
struct limits {
	const char *rlimits[RLIM_NLIMITS];	/* NAME=SOFT[:HARD] */
	const char *umask;
	const char *nice;
	const char *oom_score_adj;
	const char *cpus;
	const char *chdir;
};

/* Check what was typed. Pure. */
bool limit_is_umask(const char *value);
bool limit_is_nice(const char *value);
bool limit_is_oom(const char *value);
bool limit_is_cpus(const char *value);

/* Keep NAME=SOFT[:HARD]; false if it is not that. */
bool limit_set_rlimit(struct limits *l, const char *value);

/* Append what limit_run() would do. */
void limit_describe(const struct plan *plan, struct text *out);

/*
 * Set them. It is done before the drop, because most may be raised only with
 * CAP_SYS_RESOURCE or CAP_SYS_NICE, and after all that opens or writes files.
 *
 * Returns 0, or -1 with a fault; some are set then.
 */
int limit_run(const struct plan *plan, struct run *run, struct fault *f);

/*
 * Enter the folder of --chdir, after the drop: root's rights must not bring
 * the application into a folder that is closed to it.
 */
int limit_chdir(const struct plan *plan, struct fault *f);

#endif
