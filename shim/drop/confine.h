/*
 * confine: a Landlock domain made of the plan. What the application may write
 * is what --own gives it, what it may bind is what --listen declares. It is
 * entered after no_new_privs, without which the kernel refuses it, by the
 * process that becomes the application: a supervisor stays outside.
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
	CONFINE_ON,		/* what the kernel cannot do is passed over */
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
	/* The rest of the plan, as far as it becomes rules. */
	const struct own_spec *own;
	const struct listen_spec *listen;
	const char *command;	/* its first word, and where it is looked for */
	const char *path;
};

/*
 * Add an absolute path, kept by pointer, to a struct confine_paths; or PORT,...
 * or "none" to a struct confine_spec. False if it is not that, or one too many.
 */
bool confine_read_path(const char *value, void *paths);
bool confine_read_ports(const char *value, void *spec);

/* Append the rules. */
void confine_describe(const struct confine_spec *spec, struct text *out);

/* In strict mode: does the kernel have it all? 0, or -1 with a fault. */
int confine_check(const struct confine_spec *spec, struct fault *f);

/*
 * Enter the domain, if it was asked for, and prove it. That the kernel has less
 * is a note. Returns 0, or -1 with a fault.
 */
int confine_run(const struct confine_spec *spec, struct verify_seen *seen,
		struct fault *f);

#endif
