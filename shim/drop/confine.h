/*
 * confine: a Landlock domain made from the plan. The application may write what
 * --own gives it and bind what --listen declares. Its process enters the domain
 * after no_new_privs, which the kernel demands; a supervisor stays outside.
 */
#ifndef STEPDOWN_DROP_CONFINE_H
#define STEPDOWN_DROP_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct listen_spec;
struct own_spec;
struct text;
struct verify_seen;

enum { CONFINE_MAX = 64 };	/* paths, and ports to connect to */

enum confine_mode {
	CONFINE_OFF,
	CONFINE_ON,		/* skip what the kernel lacks */
	CONFINE_STRICT
};

struct confine_paths {
	size_t count;
	const char *list[CONFINE_MAX];
};

struct confine_spec {
	enum confine_mode mode;
	struct confine_paths writable;
	struct confine_paths readable;	/* empty: everything */
	bool connects;		/* --connect was given */
	size_t nports;
	uint16_t ports[CONFINE_MAX];
	const struct own_spec *own;
	const struct listen_spec *listen;
	const char *command;	/* COMMAND's first word, and its PATH */
	const char *path;
};

/*
 * Add an absolute path, kept by pointer, to a struct confine_paths; or PORT,...
 * or "none" to a struct confine_spec. False if malformed, or one too many.
 */
bool confine_read_path(const char *value, void *paths);
bool confine_read_ports(const char *value, void *spec);

/* Append what confine_run() would do. */
void confine_describe(const struct confine_spec *spec, struct text *out);

/* Are the paths there, and if strict, all rights? 0, or -1 with a fault. */
int confine_check(const struct confine_spec *spec, struct fault *f);

/*
 * Enter the domain, if it was asked for, and verify it. A note reports what the
 * kernel lacks. Returns 0, or -1 with a fault.
 */
int confine_run(const struct confine_spec *spec, struct verify_seen *seen,
		struct fault *f);

#endif
