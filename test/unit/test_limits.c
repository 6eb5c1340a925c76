#include "unit.h"

#include "drop/limits.h"
#include "base/text.h"

static struct limits limits;

typedef bool check(const char *value);

static bool is_rlimit(const char *value)
{
	return limit_set_rlimit(&limits, value);
}

static void takes(check *is, const char *value)
{
	if (!is(value))
		fail_msg("'%s' was refused", value);
}

static void refuses(check *is, const char *option, const char *value)
{
	if (is(value))
		fail_msg("%s '%s' was taken", option, value);
}

static void every_limit_of_getrlimit_has_its_name(void **state)
{
	static const struct {
		const char *value;
		int resource;
	} all[] = {
		{ "as=1", RLIMIT_AS }, { "core=1", RLIMIT_CORE },
		{ "cpu=1", RLIMIT_CPU }, { "data=1", RLIMIT_DATA },
		{ "fsize=1", RLIMIT_FSIZE }, { "locks=1", RLIMIT_LOCKS },
		{ "memlock=1", RLIMIT_MEMLOCK },
		{ "msgqueue=1", RLIMIT_MSGQUEUE }, { "nice=1", RLIMIT_NICE },
		{ "nofile=1", RLIMIT_NOFILE }, { "nproc=1", RLIMIT_NPROC },
		{ "rss=1", RLIMIT_RSS }, { "rtprio=1", RLIMIT_RTPRIO },
		{ "rttime=1", RLIMIT_RTTIME },
		{ "sigpending=1", RLIMIT_SIGPENDING },
		{ "stack=1", RLIMIT_STACK }
	};

	(void)state;
	memset(&limits, 0, sizeof(limits));
	assert_int_equal(ARRAY_LEN(all), RLIM_NLIMITS);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		takes(is_rlimit, all[i].value);
		assert_string_equal(limits.rlimits[all[i].resource],
				    all[i].value);
	}
}

static void amounts_are_numbers_or_unlimited(void **state)
{
	static const char *const good[] = {
		"core=0", "core=0:0", "core=1:2", "core=7:unlimited",
		"core=unlimited", "core=unlimited:unlimited",
		"core=18446744073709551614", "core=007"
	};
	static const char *const bad[] = {
		"", "=", "=1", "core", "core=", "core=:", "core=1:", "core=:1",
		"core=2:1", "core=unlimited:1", "core=-1", "core=+1",
		"core= 1", "core=1 ", "core=0x1", "core=1e3", "core=1:2:3",
		"core=18446744073709551615", "core=18446744073709551616",
		"core=99999999999999999999999999", "core=Unlimited",
		"core=infinity", "cores=1", "cor=1", "CORE=1", "RLIMIT_CORE=1"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		takes(is_rlimit, good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuses(is_rlimit, "--rlimit", bad[i]);
}

static void a_umask_is_octal(void **state)
{
	static const char *const bad[] = { "",	   "8",	  "1000", "01000",
					   "0o27", "-1",  " 7",	  "7 ",
					   "u=rwx", "99999999999999999999" };

	(void)state;
	takes(limit_is_umask, "0");
	takes(limit_is_umask, "777");
	takes(limit_is_umask, "0027");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuses(limit_is_umask, "--umask", bad[i]);
}

static void signed_numbers_keep_their_bounds(void **state)
{
	static const char *const bad[] = { "", "-", "+1", "--1", "- 1", "1-",
					   "1001", "-1001", "99999999999" };

	(void)state;
	takes(limit_is_nice, "-20");
	takes(limit_is_nice, "19");
	takes(limit_is_nice, "-0");
	refuses(limit_is_nice, "--nice", "20");
	refuses(limit_is_nice, "--nice", "-21");
	takes(limit_is_oom, "-1000");
	takes(limit_is_oom, "1000");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		refuses(limit_is_nice, "--nice", bad[i]);
		refuses(limit_is_oom, "--oom-score-adj", bad[i]);
	}
}

static void cpus_are_numbers_and_ranges(void **state)
{
	static const char *const good[] = { "0", "0,1", "0-3,7", "1023",
					    "5-5", "0-1023", "1,1,1" };
	static const char *const bad[] = { "", ",", "0,", ",0", "0,,1", "-",
					   "0-", "-1", "3-1", "0-1-2", "1024",
					   "0-1024", "a", "0x1", "0 1",
					   "00000000001", "99999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		takes(limit_is_cpus, good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuses(limit_is_cpus, "--cpu-affinity", bad[i]);
}

static void what_was_typed_is_described(void **state)
{
	static struct plan plan;
	char buffer[256];
	struct text out;

	(void)state;
	text_start(&out, buffer, sizeof(buffer));
	limit_describe(&plan, &out);
	assert_string_equal(buffer, "");
	limit_set_rlimit(&plan.limits, "nofile=1:2");
	plan.limits.umask = "027";
	plan.limits.nice = "-5";
	limit_describe(&plan, &out);
	assert_string_equal(buffer, "rlimit nofile=1:2, umask 027, nice -5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_limit_of_getrlimit_has_its_name),
		cmocka_unit_test(amounts_are_numbers_or_unlimited),
		cmocka_unit_test(a_umask_is_octal),
		cmocka_unit_test(signed_numbers_keep_their_bounds),
		cmocka_unit_test(cpus_are_numbers_and_ranges),
		cmocka_unit_test(what_was_typed_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
