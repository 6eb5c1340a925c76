#include "unit.h"

#include "base/str.h"
#include "run/exec.h"

static struct plan plan;
static struct environment e;
static struct fault f;

/* A target with a name and a home, and root's home as usual. */
static int with_plan(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	memset(&f, 0, sizeof(f));
	strcpy(plan.target.name, "web");
	strcpy(plan.target.home, "/srv/web");
	strcpy(plan.root_home, "/root");
	return 0;
}

static int build(char *const given[])
{
	return env_build(&e, given, &plan.env, &plan.target, plan.root_home,
			 &f);
}

static int add(const char *name, const char *value)
{
	struct text t;

	env_start(&e, &t, ENV_STORE_SIZE);
	text_add(&t, "%s%s", name, value);
	return env_put(&e, &t, &f);
}

static const char *value_of(const char *name)
{
	return str_variable(e.list, name, strlen(name));
}

/* The whole environment must be this, joined by blanks, in any order. */
static void assert_environment(const char *words)
{
	size_t count = 0;

	assert_null(e.list[e.count]);
	for (const char *at = words; *at; count++) {
		size_t length = strcspn(at, " ");
		bool found = false;

		for (size_t i = 0; i < e.count; i++)
			if (strlen(e.list[i]) == length &&
			    memcmp(e.list[i], at, length) == 0)
				found = true;
		if (!found)
			fail_msg("'%.*s' is not there", (int)length, at);
		at += length + (at[length] == ' ');
	}
	assert_int_equal(e.count, count);
}

TEST_AFTER(with_plan, what_tells_of_sockets_is_removed)
{
	assert_int_equal(env_build(&e, WORDS("LISTEN_FDS=1", "A=b",
						 "LISTEN_PID=1",
						 "LISTEN_FDNAMES=x",
						 "LISTEN_PIDFDID=7",
						 "NGINX=3;", "LISTEN_FDS=2"),
				       &plan.env, &plan.target,
				   plan.root_home, &f), 0);
	assert_environment("A=b HOME=/srv/web USER=web LOGNAME=web");
}

TEST_AFTER(with_plan, what_only_begins_like_that_stays)
{
	assert_int_equal(build(WORDS("LISTEN_FDS_=1", "NGINX",
						 "NGINX_X=1", "XNGINX=1",
						 "LISTEN=1", "=x",
						 "nginx=1")), 0);
	assert_environment("LISTEN_FDS_=1 NGINX NGINX_X=1 XNGINX=1 LISTEN=1 "
			   "=x nginx=1 HOME=/srv/web USER=web LOGNAME=web");
}

TEST_AFTER(with_plan, a_home_that_was_chosen_stays)
{
	assert_int_equal(build(WORDS("HOME=/data")), 0);
	assert_string_equal(value_of("HOME"), "/data");
	assert_int_equal(build(WORDS("HOME=/root/x")),
			 0);
	assert_string_equal(value_of("HOME"), "/root/x");
}

TEST_AFTER(with_plan, env_comes_last_and_wins)
{
	plan.env.set[0] = "HOME=/mine";
	plan.env.set[1] = "A=1";
	plan.env.set[2] = "LISTEN_FDS=9";
	plan.env.set[3] = "A=2";
	plan.env.set[4] = "EMPTY=";
	plan.env.nset = 5;
	assert_int_equal(build(WORDS("A=0", "HOME=/root", "A=00")), 0);
	assert_environment("HOME=/mine A=2 LISTEN_FDS=9 EMPTY= USER=web "
			   "LOGNAME=web");
}

TEST_AFTER(with_plan, a_name_is_unset_as_a_whole)
{
	plan.env.unset[0] = "A";
	plan.env.nunset = 1;
	assert_int_equal(build(WORDS("A=1", "AB=2", "A=3", "B=x=y")), 0);
	assert_string_equal(value_of("B"), "x=y");
	assert_null(value_of("A"));
	assert_string_equal(value_of("AB"), "2");
}

TEST_AFTER(with_plan, a_variable_that_is_set_again_has_one_entry)
{
	char *const nothing[] = { NULL };

	assert_int_equal(build(nothing), 0);
	assert_int_equal(add("N=", "1;x"), 0);
	assert_int_equal(add("", "N=2"), 0);
	assert_environment("HOME=/srv/web USER=web LOGNAME=web N=2");
}

TEST_AFTER(with_plan, what_does_not_fit_the_store_is_a_fault)
{
	char *const nothing[] = { NULL };
	static char value[1024];
	int result = 0;
	size_t count;

	memset(value, 'v', sizeof(value) - 1);
	assert_int_equal(build(nothing), 0);
	for (count = 0; count < 100 && result == 0; count++)
		result = add("BIG=", value);
	assert_int_equal(result, -1);
	assert_fault(&f, EXIT_STEP, "set BIG");
	assert_int_equal(f.err, E2BIG);
	assert_true(count > 40);
}

TEST_AFTER(with_plan, the_names_of_all_sockets_fit)
{
	char *const nothing[] = { NULL };
	static char names[LISTENERS_MAX * (LISTENER_NAME_MAX + 1)];

	memset(plan.target.home, 'h', sizeof(plan.target.home) - 1);
	memset(plan.target.name, 'n', USER_NAME_MAX);
	memset(names, 'n', sizeof(names) - 1);
	assert_int_equal(build(nothing), 0);
	assert_int_equal(add("LISTEN_FDNAMES=", names), 0);
	assert_string_equal(value_of("LISTEN_FDNAMES"), names);
}

/* Always with room for --env and for what we set ourselves. */
TEST_AFTER(with_plan, an_environment_that_is_too_long_is_a_fault)
{
	static const char *given[ENV_MAX + 1];
	char *const *list = (char *const *)(uintptr_t)given;
	size_t good = 0, bad = ENV_MAX;

	plan.env.set[0] = "A=1";
	plan.env.set[1] = "B=2";
	plan.env.nset = 2;
	while (bad - good > 1) {
		size_t count = (good + bad) / 2;

		memset(given, 0, sizeof(given));
		for (size_t i = 0; i < count; i++)
			given[i] = "X=y";
		if (build(list) == 0) {
			assert_int_equal(e.count, count + 5);
			good = count;
		} else {
			assert_fault(&f, EXIT_STEP, "pass on more than");
			assert_int_equal(f.err, E2BIG);
			bad = count;
		}
	}
	assert_true(good >= ENV_MAX - 50);
	assert_true(good + 5 < ENV_MAX);
}
