#include "drop/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

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

static bool read_amount(struct slice text, rlim_t *amount)
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

bool limits_read_rlimit(const char *value, void *at)
{
	struct limits_spec *spec = at;
	struct slice hard = str_word(value);
	struct slice name = str_cut(&hard, '=');
	struct slice soft = str_cut(&hard, ':');
	struct rlimit limit;
	int i = 0;

	if (!hard.at)
		hard = soft;
	while (i < RLIM_NLIMITS && !str_is(name, names[i]))
		i++;
	if (i == RLIM_NLIMITS || !read_amount(soft, &limit.rlim_cur) ||
	    !read_amount(hard, &limit.rlim_max) ||
	    limit.rlim_cur > limit.rlim_max)
		return false;
	spec->rlimits[i] = limit;
	spec->typed[i] = value;
	return true;
}

bool limits_read_umask(const char *value, void *spec)
{
	struct limits_spec *limits = spec;
	char *end;
	unsigned long mask = strtoul(value, &end, 8);

	if (*value < '0' || *value > '7' || *end || mask > 0777)
		return false;
	limits->umask = (mode_t)mask;
	limits->has_umask = true;
	return true;
}

struct slice limits_word(const void *list, size_t i)
{
	(void)list;
	return i < RLIM_NLIMITS ? str_word(names[i])
				: (struct slice){ NULL, 0 };
}

void limits_describe(const struct limits_spec *spec, struct text *out)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (spec->typed[i])
			text_add(out, "%srlimit %s", out->length ? ", " : "",
				 spec->typed[i]);
	if (spec->has_umask)
		text_add(out, "%sumask %04o", out->length ? ", " : "",
			 (unsigned int)spec->umask);
}

int limits_run(const struct limits_spec *spec, struct fault *f)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		if (!spec->typed[i] ||
		    prlimit(0, i, &spec->rlimits[i], NULL) == 0)
			continue;
		fault_set(f, EXIT_STEP, errno, "set --rlimit %s",
			  spec->typed[i]);
		return f->err != EPERM ? -1 : fault_lines(f,
			"--ulimit NAME=SOFT:HARD",
			"securityContext.capabilities.add: [SYS_RESOURCE]");
	}
	if (spec->has_umask)
		umask(spec->umask);
	return 0;
}

int limits_chdir(const struct limits_spec *spec, struct fault *f)
{
	if (!spec->chdir || chdir(spec->chdir) == 0)
		return 0;
	fault_set(f, EXIT_STEP, errno, "chdir %s", spec->chdir);
	return f->err != EACCES ? -1 : fault_hint(f,
		"uid %u must be able to search it and the directories above",
		geteuid());
}
