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

#include "drop/confine_spec.h"

struct fault;
struct listener;
struct text;
struct own_tree;

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

/* What the domain forbids, for verify to try. */
struct confine_domain {
	int abi;		/* 0: there is no domain */
	bool root_is_writable;
	uint16_t forbidden_port;	/* 0: none is to be tried */
};

/* Append the rules, as far as this kernel has them. */
void confine_describe(const struct confine_plan *plan, struct text *out);

/*
 * Enter the domain. A kernel that has no Landlock, or an old one, is a note, or
 * in strict mode a fault.
 *
 * Returns 0 and fills *domain, or -1 with a fault.
 */
int confine_run(const struct confine_plan *plan, struct confine_domain *domain,
		struct fault *f);

#endif
