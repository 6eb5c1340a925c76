#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caps.h"
#include "fault.h"
#include "parse.h"
#include "plan.h"
#include "text.h"

static const char *const names[RLIM_NLIMITS] = {
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

static bool parse_amount(const char *text, size_t length, rlim_t *amount)
{
	char word[24];
	uint64_t number = RLIM_INFINITY;

	if (length >= sizeof(word))
		return false;
	memcpy(word, text, length);
	word[length] = '\0';
	if (strcmp(word, "unlimited") != 0 &&
	    !parse_number(word, 0, RLIM_INFINITY - 1, &number))
		return false;
	*amount = number;
	return true;
}

/* NAME=SOFT[:HARD]; the resource, or -1. */
static int parse_rlimit(const char *text, struct rlimit *limit)
{
	size_t length = strcspn(text, "=");
	const char *soft = text + length + 1;
	const char *hard;

	if (!text[length])
		return -1;
	hard = strchr(soft, ':');
	if (!parse_amount(soft, strcspn(soft, ":"), &limit->rlim_cur))
		return -1;
	hard = hard ? hard + 1 : soft;
	if (!parse_amount(hard, strlen(hard), &limit->rlim_max) ||
	    limit->rlim_cur > limit->rlim_max)
		return -1;
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (strncmp(names[i], text, length) == 0 && !names[i][length])
			return i;
	return -1;
}

static bool parse_octal(const char *text, mode_t *mode)
{
	mode_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '7' && value <= 0777; at++)
		value = value * 8 + (mode_t)(*at - '0');
	*mode = value;
	return at > text && !*at && value <= 0777;
}

static bool parse_signed(const char *text, int lowest, int highest, int *value)
{
	bool negative = *text == '-';
	uint64_t number;

	if (!parse_number(text + negative, 0,
			  (uint64_t)(negative ? -lowest : highest), &number))
		return false;
	*value = negative ? -(int)number : (int)number;
	return true;
}

static bool parse_nice(const char *text, int *value)
{
	return parse_signed(text, -20, 19, value);
}

/* Numbers and ranges, as in 0-3,7. */
static bool parse_cpus(const char *text, struct cpus *cpus)
{
	memset(cpus, 0, sizeof(*cpus));
	do {
		char word[2][8];
		uint64_t cpu[2];
		size_t last = 0;

		for (size_t i = 0; i < 2; i++) {
			size_t length = strcspn(text, "-,");

			if (length >= sizeof(word[i]))
				return false;
			memcpy(word[i], text, length);
			word[i][length] = '\0';
			if (!parse_number(word[i], 0, MAX_CPUS - 1, &cpu[i]))
				return false;
			text += length;
			last = i;
			if (*text != '-')
				break;
			text++;
		}
		if (cpu[last] < cpu[0] || (*text && *text != ','))
			return false;
		for (uint64_t n = cpu[0]; n <= cpu[last]; n++)
			cpus->bits[n / 64] |= UINT64_C(1) << n % 64;
	} while (*text++);
	return true;
}

/* Keep the value if it is good. */
static int keep(const char **out, bool good, const char *option,
		const char *value, const char *expected, struct fault *f)
{
	*out = value;
	if (good)
		return 0;
	return fault_set(f, EXIT_USAGE, 0, "--%s %s: expected %s", option,
			 value, expected);
}

int limit_set_rlimit(struct limits *l, const char *value, struct fault *f)
{
	struct rlimit limit;
	int resource = parse_rlimit(value, &limit);

	return keep(&l->rlimits[resource < 0 ? 0 : resource], resource >= 0,
		    "rlimit", value,
		    "NAME=SOFT[:HARD], a name of getrlimit(2) in small letters, numbers or unlimited, SOFT at most HARD",
		    f);
}

int limit_set_umask(struct limits *l, const char *value, struct fault *f)
{
	mode_t mode;

	return keep(&l->umask, parse_octal(value, &mode), "umask", value,
		    "octal digits, 0 to 777", f);
}

int limit_set_nice(struct limits *l, const char *value, struct fault *f)
{
	int number;

	return keep(&l->nice, parse_nice(value, &number), "nice", value,
		    "-20 to 19", f);
}

int limit_set_oom(struct limits *l, const char *value, struct fault *f)
{
	int number;

	return keep(&l->oom_score_adj,
		    parse_signed(value, -1000, 1000, &number), "oom-score-adj",
		    value, "-1000 to 1000", f);
}

int limit_set_cpus(struct limits *l, const char *value, struct fault *f)
{
	struct cpus cpus;

	return keep(&l->cpus, parse_cpus(value, &cpus), "cpu-affinity", value,
		    "numbers and ranges below 1024, as in 0-3,7", f);
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

static int set_rlimit(const char *value, struct fault *f)
{
	struct rlimit limit;
	int resource = parse_rlimit(value, &limit);

	if (prlimit(0, resource, &limit, NULL) == 0)
		return 0;
	fault_set(f, EXIT_STEP, errno, "set --rlimit %s", value);
	if (f->err != EPERM)
		return -1;
	return fault_hint(f,
			  "only CAP_SYS_RESOURCE may raise a hard limit: docker run --ulimit or --cap-add=SYS_RESOURCE, capabilities.add: [\"SYS_RESOURCE\"]");
}

static int set_oom_score_adj(const char *value, struct fault *f)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : write(fd, value, strlen(value));

	if (written < 0)
		fault_set(f, EXIT_STEP, errno, "set --oom-score-adj %s", value);
	if (fd >= 0)
		close(fd);
	if (written >= 0)
		return 0;
	return f->err == EACCES ? caps_hint(f, CAP_SYS_RESOURCE) : -1;
}

static int set_nice(const char *value, struct fault *f)
{
	int nice = 0;

	parse_nice(value, &nice);
	if (setpriority(PRIO_PROCESS, 0, nice) == 0)
		return 0;
	fault_set(f, EXIT_STEP, errno, "set --nice %s", value);
	return caps_hint(f, CAP_SYS_NICE);
}

static int set_cpus(const char *value, struct fault *f)
{
	struct cpus cpus;

	parse_cpus(value, &cpus);
	if (syscall(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus) == 0)
		return 0;
	fault_set(f, EXIT_STEP, errno, "set --cpu-affinity %s", value);
	if (f->err != EINVAL)
		return -1;
	return fault_hint(f,
			  "the container has none of these CPUs (--cpuset-cpus)");
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
	if (l->umask && parse_octal(l->umask, &mode))
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
			  "uid %u must be allowed to search it and the folders above it",
			  plan->target.uid);
}
