#include "unit.h"

#include "drop/drop.h"
#include "listen/socket.h"
#include "own/own.h"
#include "own/stdio.h"
#include "base/report.h"
#include "steps.h"
#include "drop/verify.h"

#define STEP(name) \
	int __wrap_##name##_run(const struct plan *plan, struct run *run, \
				struct fault *f); \
	int __wrap_##name##_run(const struct plan *plan, struct run *run, \
				struct fault *f) \
	{ \
		(void)plan; \
		(void)run; \
		return ran(#name, f); \
	}

void __wrap_say_line(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static const char *const order[] = { "listen", "own", "own_stdio", "drop",
				     "verify" };
static size_t steps;
static size_t refuse;
static char lines[8192];

static int ran(const char *name, struct fault *fault)
{
	assert_true(steps < ARRAY_LEN(order));
	assert_string_equal(name, order[steps]);
	if (++steps == refuse)
		return fault_set(fault, EXIT_STEP, EPERM, "%s", name);
	return 0;
}

STEP(listen)
STEP(own)
STEP(own_stdio)
STEP(drop)
STEP(verify)

void __wrap_say_line(const char *format, ...)
{
	size_t length = strlen(lines);
	va_list words;

	va_start(words, format);
	length += (size_t)vsnprintf(lines + length, sizeof(lines) - length,
				    format, words);
	va_end(words);
	assert_true(length + 2 < sizeof(lines));
	strcpy(lines + length, "\n");
}

static struct plan plan;
static struct run run;
static struct fault f;

static void the_order_is_listen_own_drop_verify(void **state)
{
	(void)state;
	steps = refuse = 0;
	assert_int_equal(steps_run(&plan, &run, &f), 0);
	assert_int_equal(steps, ARRAY_LEN(order));
}

static void each_step_that_fails_is_the_last(void **state)
{
	(void)state;
	for (refuse = 1; refuse <= ARRAY_LEN(order); refuse++) {
		steps = 0;
		assert_int_equal(steps_run(&plan, &run, &f), -1);
		assert_int_equal(steps, refuse);
		assert_string_equal(f.what, order[refuse - 1]);
	}
}

static void the_description_lists_the_steps_in_order_and_runs_none(void **state)
{
	static const char *const heads[] = { " 1. listen ", " 2. own ",
					     " 3. own-stdio ", " 4. account ",
					     " 5. limit ", " 6. drop ",
					     " 7. verify ", " 8. launch " };
	const char *at = lines;

	(void)state;
	steps = refuse = 0;
	lines[0] = '\0';
	memset(&plan, 0, sizeof(plan));
	plan.target.uid = 4242;
	plan.command = WORDS("cmd", "arg");
	steps_describe(&plan);
	assert_int_equal(steps, 0);
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		if (strncmp(at, heads[i], strlen(heads[i])) != 0)
			fail_msg("'%s' should begin with '%s'", at, heads[i]);
		at += strcspn(at, "\n") + 1;
	}
	assert_string_equal(at, "");
	assert_has(lines, "execve cmd arg\n");
	assert_has(lines, "uid 4242");
}

static void every_wish_is_described(void **state)
{
	static const char *const words[] = {
		"tcp://one as descriptor 3, name web\n",
		"tcp://two as descriptor 4\n", "/a and all below it to 4242:4243",
		"/b and all below it", "to uid 4242\n", "uid 4242 (web)",
		"gid 4243, groups 7,8, capabilities chown",
		"execve cmd, LISTEN_FDS=2\n"
	};

	(void)state;
	lines[0] = '\0';
	memset(&plan, 0, sizeof(plan));
	plan.target.uid = 4242;
	plan.target.gid = 4243;
	plan.target.groups[0] = 7;
	plan.target.groups[1] = 8;
	plan.target.ngroups = 2;
	strcpy(plan.target.name, "web");
	plan.keep_caps = 1;
	plan.own_stdio = true;
	plan.nlisteners = plan.ntrees = 2;
	plan.listeners[0].url = "tcp://one";
	plan.listeners[0].name = "web=";
	plan.listeners[0].name_length = 3;
	plan.listeners[1].url = "tcp://two";
	plan.trees[0].path = "/a";
	plan.trees[1].path = "/b";
	plan.trees[0].uid = plan.trees[1].uid = 4242;
	plan.trees[0].gid = plan.trees[1].gid = 4243;
	plan.command = WORDS("cmd");
	steps_describe(&plan);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_has(lines, words[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_listen_own_drop_verify),
		cmocka_unit_test(each_step_that_fails_is_the_last),
		cmocka_unit_test(the_description_lists_the_steps_in_order_and_runs_none),
		cmocka_unit_test(every_wish_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
