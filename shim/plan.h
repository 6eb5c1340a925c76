/*
 * plan: everything that was asked for, and what exists so far.
 *
 * Types only, composed of one struct for each step. options fills the plan,
 * resolve turns names into ids, conflicts refuses contradictions; from there on
 * the plan travels as const.
 */
#ifndef STEPDOWN_PLAN_H
#define STEPDOWN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/str.h"
#include "bind/declared.h"
#include "cred/account.h"
#include "cred/ids.h"
#include "cred/start.h"
#include "drop/confine.h"
#include "drop/drop.h"
#include "drop/limits.h"
#include "drop/verify.h"
#include "listen/listen.h"
#include "own/own.h"
#include "run/exec.h"
#include "run/init.h"

/* Fixed sizes; to overflow one is a usage error that names it. */
enum {
	PLAN_TEXT_SIZE = 65536,		/* bytes of expanded option values */
	PLAN_CONFIG_SIZE = 65536	/* bytes of a config file */
};

struct fault;

enum action {
	ACTION_RUN,
	ACTION_DRY_RUN,
	ACTION_CHECK,
	ACTION_HELP,		/* this and the next end the reading of argv */
	ACTION_VERSION
};

/*
 * What is always in use comes first, and what may be large is behind it: a page
 * that is not touched costs nothing, at the start and while a parent waits.
 * The specs point to their lists there.
 */
struct plan {
	enum action action;
	unsigned int check_format;	/* 0: text, 1: JSON */
	const char *topic;		/* of --help: an option's name */
	bool verbose;
	bool own_stdio;
	bool strict;
	const char *config_file;	/* of --config */
	struct start_spec who;
	bool named;			/* USER is a name, not a number */
	const char *groups;		/* LIST as typed, or NULL */
	struct init_spec init;
	const char *init_option;	/* one that was given for the parent */
	unsigned int topics;		/* bit n: enum topic n was given */
	bool keeps;		/* --init alone: who we are stays */
	struct exec_spec exec;

	struct drop_spec drop;
	struct limits_spec limits;
	size_t text_length;
	struct start start;		/* filled by start_read() */
	struct listen_spec listen;
	struct bind_spec bind;		/* filled by main */
	struct own_spec own;
	struct account_spec account;
	struct confine_spec confine;	/* main adds the rest of the plan */
	struct secret_spec secrets;
	/* Filled by resolve_target(). */
	struct target target;
	char root_home[USER_PATH_MAX];	/* the home of uid 0 in this image */

	struct env_spec env;
	struct listener listeners[LISTENERS_MAX];
	struct own_tree trees[OWN_MAX_TREES];
	char text[PLAN_TEXT_SIZE];	/* where expanded values live */
	char config[PLAN_CONFIG_SIZE];	/* the config file, cut into values */
};

/* What the process must be after the drop. */
static inline struct verify_spec plan_verify_spec(const struct plan *plan)
{
	return (struct verify_spec){
		.uid = plan->target.uid,
		.gid = plan->target.gid,
		.ngroups = plan->target.ngroups,
		.groups = plan->target.groups,
		.keep_caps = plan->drop.keep_caps,
		.bounding = drop_bounding(&plan->drop, plan->target.uid),
		.held = plan->bind.caps,
		.allow_new_privs = plan->drop.allow_new_privs,
		.strict = plan->strict,
	};
}

/* The PATH that COMMAND will be looked for in, or NULL for the default. */
static inline const char *plan_path(const struct plan *plan)
{
	for (size_t i = plan->env.nset; i-- > 0;)
		if (strncmp(plan->env.set[i], "PATH=", 5) == 0)
			return plan->env.set[i] + 5;
	return str_variable(environ, "PATH", 4);
}

#endif
