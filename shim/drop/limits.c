#include "drop/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/text.h"
#include "cred/caps.h"
#include "plan.h"

static const char names[RLIM_NLIMITS][12] = {
	[RLIMIT_AS] = "as",		[RLIMIT_CORE] = "core",
	[RLIMIT_CPU] = "cpu",		[RLIMIT_DATA] = "data",
	[RLIMIT_FSIZE] = "fsize",	[RLIMIT_LOCKS] = "locks",
	[RLIMIT_MEMLOCK] = "memlock",	[RLIMIT_MSGQUEUE] = "msgqueue",
	[RLIMIT_NICE] = "nice",		[RLIMIT_NOFILE] = "nofile",
	[RLIMIT_NPROC] = "nproc",	[RLIMIT_RSS] = "rss",
	[RLIMIT_RTPRIO] = "rtprio",	[RLIMIT_RTTIME] = "rttime",
	[RLIMIT_SIGPENDING] = "sigpending", [RLIMIT_STACK] = "stack",
};

enum { MAX_CPUS = 1024 };

struct cpus {
	uint64_t bits[MAX_CPUS / 64];	/* as sched_setaffinity(2) has it */
};

static bool str_amount(struct slice text, rlim_t *amount)
{
	char word[24];
	uint64_t number = RLIM_INFINITY;

	if (!str_copy(text, word, sizeof(word)) ||
	    (strcmp(word, "unlimited") != 0 &&
	     !str_number(word, 0, RLIM_INFINITY - 1, &number)))
		return false;
	*amount = number;
	return true;
}

/* NAME=SOFT[:HARD]; the resource, or -1. */
static int str_rlimit(const char *text, struct rlimit *limit)
{
	struct slice hard = str_word(text);
	struct slice name = str_cut(&hard, '=');
	struct slice soft = str_cut(&hard, ':');

	if (!soft.at[soft.length])
		hard = soft;
	if (!str_amount(soft, &limit->rlim_cur) ||
	    !str_amount(hard, &limit->rlim_max) ||
	    limit->rlim_cur > limit->rlim_max)
		return -1;
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (str_is(name, names[i]))
			return i;
	return -1;
}

static bool str_octal(const char *text, mode_t *mode)
{
	mode_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '7' && value <= 0777; at++)
		value = value * 8 + (mode_t)(*at - '0');
	*mode = value;
	return at > text && !*at && value <= 0777;
}

static bool str_signed(const char *text, int lowest, int highest, int *value)
{
	bool negative = *text == '-';
	uint64_t number;

	if (!str_number(text + negative, 0,
			  (uint64_t)(negative ? -lowest : highest), &number))
		return false;
	*value = negative ? -(int)number : (int)number;
	return true;
}

static bool str_nice(const char *text, int *value)
{
	return str_signed(text, -20, 19, value);
}

static bool str_cpu(struct slice text, uint64_t *cpu)
{
	char word[8];

	return str_copy(text, word, sizeof(word)) &&
	       str_number(word, 0, MAX_CPUS - 1, cpu);
}

/* Numbers and ranges, as in 0-3,7. */
static bool str_cpus(const char *text, struct cpus *cpus)
{
	struct slice rest = str_word(text);
	struct slice first, last;

	memset(cpus, 0, sizeof(*cpus));
	do {
		uint64_t from, to;

		last = str_cut(&rest, ',');
		first = str_cut(&last, '-');
		if (first.at[first.length] != '-')
			last = first;
		if (!str_cpu(first, &from) || !str_cpu(last, &to) ||
		    from > to)
			return false;
		for (; from <= to; from++)
			cpus->bits[from / 64] |= UINT64_C(1) << from % 64;
	} while (last.at[last.length]);
	return true;
}

bool limit_set_rlimit(struct limits *l, const char *value)
{
	struct rlimit limit;
	int resource = str_rlimit(value, &limit);

	if (resource < 0)
		return false;
	l->rlimits[resource] = value;
	return true;
}

bool limit_is_umask(const char *value)
{
	mode_t mode;

	return str_octal(value, &mode);
}

bool limit_is_nice(const char *value)
{
	int number;

	return str_nice(value, &number);
}

bool limit_is_oom(const char *value)
{
	int number;

	return str_signed(value, -1000, 1000, &number);
}

bool limit_is_cpus(const char *value)
{
	struct cpus cpus;

	return str_cpus(value, &cpus);
}

static void describe(const char *what, const char *value, struct text *out)
{
	if (value)
		text_add(out, "%s%s %s", out->length ? ", " : "", what, value);
}

void limit_describe(const struct plan *plan, struct text *out)
{
	const struct limits *l = &plan->limits;

	for (size_t i = 0; i < ARRAY_LEN(l->rlimits); i++)
		describe("rlimit", l->rlimits[i], out);
	describe("umask", l->umask, out);
	describe("nice", l->nice, out);
	describe("oom-score-adj", l->oom_score_adj, out);
	describe("cpu-affinity", l->cpus, out);
}

static void failed(const char *option, const char *value, struct fault *f)
{
	fault_set(f, EXIT_STEP, errno, "set --%s %s", option, value);
}

static int set_rlimit(const char *value, struct fault *f)
{
	struct rlimit limit;
	int resource = str_rlimit(value, &limit);

	if (prlimit(0, resource, &limit, NULL) == 0)
		return 0;
	failed("rlimit", value, f);
	if (f->err != EPERM)
		return -1;
	return fault_hint(f,
			  "docker run --ulimit, or --cap-add=SYS_RESOURCE (capabilities.add)");
}

static int set_oom_score_adj(const char *value, struct fault *f)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : write(fd, value, strlen(value));

	if (written < 0)
		failed("oom-score-adj", value, f);
	if (fd >= 0)
		close(fd);
	if (written >= 0)
		return 0;
	return f->err == EACCES ? caps_hint(f, CAP_SYS_RESOURCE) : -1;
}

static int set_nice(const char *value, struct fault *f)
{
	int nice = 0;

	str_nice(value, &nice);
	if (setpriority(PRIO_PROCESS, 0, nice) == 0)
		return 0;
	failed("nice", value, f);
	return caps_hint(f, CAP_SYS_NICE);
}

static int set_cpus(const char *value, struct fault *f)
{
	struct cpus cpus;

	str_cpus(value, &cpus);
	if (syscall(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus) == 0)
		return 0;
	failed("cpu-affinity", value, f);
	if (f->err != EINVAL)
		return -1;
	return fault_hint(f,
			  "the container has none of these (--cpuset-cpus)");
}

int limit_run(const struct plan *plan, struct run *run, struct fault *f)
{
	const struct limits *l = &plan->limits;
	mode_t mode;

	(void)run;
	if (l->oom_score_adj && set_oom_score_adj(l->oom_score_adj, f) < 0)
		return -1;
	if (l->nice && set_nice(l->nice, f) < 0)
		return -1;
	if (l->cpus && set_cpus(l->cpus, f) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(l->rlimits); i++)
		if (l->rlimits[i] && set_rlimit(l->rlimits[i], f) < 0)
			return -1;
	if (l->umask && str_octal(l->umask, &mode))
		umask(mode);
	return 0;
}

int limit_chdir(const struct plan *plan, struct fault *f)
{
	const char *folder = plan->limits.chdir;

	if (!folder || chdir(folder) == 0)
		return 0;
	fault_set(f, EXIT_STEP, errno, "chdir %s", folder);
	if (f->err != EACCES)
		return -1;
	return fault_hint(f,
			  "uid %u must be able to search it and above",
			  plan->target.uid);
}
