/*
 * The command line, from words to a checked plan. The input is the words, each
 * ended by NUL. Nobody becomes root, or keeps the id he has, by a slip.
 */
#include "base/str.h"
#include "fuzz.h"

#include "options.h"
#include "run/plan.h"
#include "settle.h"

enum { MAX_WORDS = 600 };

static const char *const environment[] = { "PUID=4242", "EMPTY=", "PORT=80",
					   "X=${PUID}", NULL };

static void check(const struct plan *plan, char *const *words)
{
	const struct target *t = &plan->target;

	must(t->uid != (uid_t)-1 && t->gid != (gid_t)-1);
	must(t->uid != 0 || plan->who.allow_root);
	must(t->ngroups <= IDS_MAX_GROUPS);
	for (size_t i = 0; i < t->ngroups; i++)
		must(t->groups[i] != (gid_t)-1 && t->groups[i] != t->gid);
	must(t->home[0] == '/');
	must(plan->listen.count <= LISTENERS_MAX);
	must(plan->own.ntrees <= OWN_MAX_TREES);
	must(plan->env.nset <= ENV_MAX_OPTIONS);
	must(plan->text.length < PLAN_TEXT_SIZE);
	for (size_t i = 0; i < plan->own.ntrees; i++)
		must(plan->own.trees[i].path[0] == '/');
	for (size_t i = 0; i < plan->env.nset; i++)
		must(strchr(plan->env.set[i], '=') > plan->env.set[i]);
	must(plan->exec.command > words && plan->exec.command[0] && plan->exec.command[0][0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct plan plan;
	char *text = string_of(data, size);
	char *words[MAX_WORDS + 1] = { NULL };
	char *const *env = (char *const *)(uintptr_t)environment;
	struct fault f = { 0 };
	size_t count = 0;
	bool done;
	int result;

	words[count++] = text;
	for (char *at = text; count < MAX_WORDS; at++) {
		at += strlen(at);
		if (at >= text + size)
			break;
		words[count++] = at + 1;
	}
	memset(&plan, 0, sizeof(plan));
	result = options_parse(&plan, words, env, &f);
	done = result == 0 && (plan.action == ACTION_HELP ||
			       plan.action == ACTION_VERSION);
	if (result == 0 && !done)
		result = resolve_target(&plan, "/nonexistent/passwd",
				      "/nonexistent/group", &f);
	if (result == 0 && !done)
		result = conflicts_check(&plan, &f);
	must(result == 0 || (result == -1 && f.what[0]));
	/* Only who owns the path of of:PATH is asked of the kernel. */
	if (result < 0 && !strstr(f.what, "find the owner"))
		must(f.status == EXIT_USAGE && f.err == 0);
	if (result == 0 && !done)
		check(&plan, words);
	free(text);
	return 0;
}
