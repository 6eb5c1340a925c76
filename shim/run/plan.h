/*
 * plan: everything that was asked for, and what exists so far.
 *
 * Types only, composed of one struct for each step. options fills the plan,
 * resolve turns names into ids, conflicts refuses contradictions; from there on
 * the plan travels as const.
 */
#ifndef STEPDOWN_RUN_PLAN_H
#define STEPDOWN_RUN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/str.h"
#include "cred/account.h"
#include "cred/ids.h"
#include "cred/start.h"
#include "drop/confine.h"
#include "drop/drop.h"
#include "drop/limits.h"
#include "drop/verify.h"
#include "listen/listen.h"
#include "own/own.h"
#include "run/signals.h"

/* Fixed sizes; exceeding one is a usage error that names the limit. */
enum {
	PLAN_TEXT_SIZE = 65536,		/* bytes of option values */
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

struct exec_spec {
	char *const *command;	/* the application and its arguments */
	const char *argv0;	/* its argv[0], NULL: COMMAND */
	bool setsid;
	int pdeathsig;		/* a signal, or 0 */
};

enum {
	ENV_MAX_OPTIONS = 256,	/* of --env, and of --unset-env */
	ENV_MAX = 65536,	/* variables in all */
	ENV_STORE_SIZE = 49152
};

struct env_spec {
	const char *home;	/* DIR, "keep", "passwd", or NULL */
	bool clear;
	size_t nunset;
	size_t nset;
	const char *unset[ENV_MAX_OPTIONS];	/* NAME */
	const char *set[ENV_MAX_OPTIONS];	/* NAME=VALUE */
};

enum { SIGNAL_DROP = -1 };	/* a signal that is forwarded to nobody */

struct duration {
	uint32_t ms;
	const char *typed;
};

/* What --init asks for: stay as the application's parent. */
struct init_spec {
	bool signal_group;	/* forward to the child's process group */
	bool wanted, no_subreaper;
	struct duration stop_timeout;	/* 0: never kill */
	struct duration drain;	/* 0: do not wait */
	uint64_t stop_signals;	/* what starts stop_timeout; 0: TERM and INT */
	int8_t rewrite[SIGNAL_LAST + 1];	/* 0: as it is; SIGNAL_DROP */
	int16_t exits[256];	/* --map-exit: 1 + the new status, or 0 */
};

/*
 * The fields that every run uses come first, large ones last: a page that is
 * not touched costs nothing, at the start and while a parent waits. The specs
 * point to their lists there.
 */
struct plan {
	enum action action;
	unsigned int check_format;	/* 0: text, 1: JSON */
	unsigned int topic;		/* of --help: an option's index */
	bool verbose;
	bool own_stdio;
	bool strict;
	const char *config_file;	/* of --config */
	struct start_spec who;
	bool named;			/* USER is a name, not a number */
	const char *groups;		/* LIST as typed, or NULL */
	struct init_spec init;
	const char *init_option;	/* one that needs --init */
	unsigned int topics;		/* bit n: enum topic n was given */
	bool keeps;		/* --init alone: our ids stay */
	struct exec_spec exec;

	struct drop_spec drop;
	struct limits_spec limits;
	struct start start;		/* filled by start_read() */
	struct listen_spec listen;
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
	struct text text;		/* expanded values, in words */
	char words[PLAN_TEXT_SIZE];
	char config[PLAN_CONFIG_SIZE + 1];	/* the file, cut into values */
};

struct environment {
	size_t count;
	size_t stored;
	char *list[ENV_MAX];		/* ended by NULL, as environ(7) */
	char store[ENV_STORE_SIZE];	/* strings made for it */
};

/*
 * What exists so far: all that is mutable once the plan is checked. Large,
 * mostly untouched: keep it static. What every run uses stands together, after
 * the sockets; whole pages, for the parent of --init to discard.
 */
struct __attribute__((aligned(4096))) run {
	struct sockets sockets;	/* of the steps listen and secret */
	uint64_t signals;	/* blocked when we were started; signals.h */
	bool ignored_chld;	/* SIGCHLD was; --init resets that */
	pid_t parent;		/* whose end --pdeathsig is about */
	struct verify_seen seen;
	struct environment environment;	/* the application's */
};

/* What verify must find after the drop. */
static inline struct verify_spec plan_verify_spec(const struct plan *plan)
{
	return (struct verify_spec){
		.uid = plan->target.uid,
		.gid = plan->target.gid,
		.ngroups = plan->target.ngroups,
		.groups = plan->target.groups,
		.keep_caps = plan->drop.keep_caps,
		.bounding = drop_bounding(&plan->drop, plan->target.uid),
		.held = plan->listen.bind_caps,
		.allow_new_privs = plan->drop.allow_new_privs,
		.strict = plan->strict,
	};
}

/* The PATH to search for COMMAND, or NULL for the default. */
static inline const char *plan_path(const struct plan *plan)
{
	for (size_t i = plan->env.nset; i-- > 0;)
		if (strncmp(plan->env.set[i], "PATH=", 5) == 0)
			return plan->env.set[i] + 5;
	return str_variable(environ, "PATH", 4);
}

#endif
