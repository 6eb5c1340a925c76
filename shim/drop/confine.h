/*
 * confine: a Landlock domain made of the plan. What the application may write
 * is what --own gives it, what it may bind is what --listen declares.
 *
 * The domain is entered after no_new_privs, without which the kernel refuses
 * it, by the process that becomes the application: a supervisor stays outside.
 */
#ifndef STEPDOWN_DROP_CONFINE_H
#define STEPDOWN_DROP_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct listener;
struct own_tree;
struct text;

enum { CONFINE_MAX = 64 };	/* paths, and ports to connect to */

enum confine_mode {
	CONFINE_OFF,
	CONFINE_ON,		/* what the kernel cannot do is passed over */
	CONFINE_STRICT
};

/* What the options say. */
struct confine_spec {
	enum confine_mode mode;
	bool some_readable;	/* --readable was given: not all may be read */
	bool connects;		/* --connect was given */
	size_t npaths;
	size_t nports;
	struct {
		const char *path;
		bool writable;
	} paths[CONFINE_MAX];
	uint16_t ports[CONFINE_MAX];
};

/* The rest of the plan, as far as it becomes rules. */
struct confine_plan {
	const struct confine_spec *spec;
	const struct own_tree *trees;
	size_t ntrees;
	const struct listener *listeners;
	size_t nlisteners;
	const char *command;	/* its first word, and where it is looked for */
	const char *path;
};

/*
 * Read the value of --writable or --readable, an absolute path, which is kept
 * by pointer; or of --connect, PORT,PORT,... or "none". spec: a struct
 * confine_spec. Each returns false if the value is not that, or one too many.
 */
bool confine_read_writable(const char *value, void *spec);
bool confine_read_readable(const char *value, void *spec);
bool confine_read_ports(const char *value, void *spec);

/* Append the rules. */
void confine_describe(const struct confine_plan *plan, struct text *out);

/*
 * Enter the domain. A kernel without Landlock, or with an old one, is a note, or
 * in strict mode a fault. Returns the ABI, 0 without a domain, or -1 with a
 * fault.
 */
int confine_run(const struct confine_plan *plan, struct fault *f);

#endif
