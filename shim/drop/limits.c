#include "drop/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/text.h"

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

static bool parse_amount(struct slice text, rlim_t *amount)
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

	if (!soft.at[soft.length])
		hard = soft;
	if (!parse_amount(soft, &limit.rlim_cur) ||
	    !parse_amount(hard, &limit.rlim_max) ||
	    limit.rlim_cur > limit.rlim_max)
		return false;
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		if (!str_is(name, names[i]))
			continue;
		spec->rlimits[i] = limit;
		spec->given |= UINT32_C(1) << i;
		return true;
	}
	return false;
}

bool limits_read_umask(const char *value, void *spec)
{
	struct limits_spec *limits = spec;
	mode_t mask = 0;
	const char *at = value;

	for (; *at >= '0' && *at <= '7' && mask <= 0777; at++)
		mask = mask * 8 + (mode_t)(*at - '0');
	if (at == value || *at || mask > 0777)
		return false;
	limits->umask = mask;
	limits->has_umask = true;
	return true;
}

static void add_amount(rlim_t amount, struct text *out)
{
	if (amount == RLIM_INFINITY)
		text_add(out, "unlimited");
	else
		text_add(out, "%llu", (unsigned long long)amount);
}

/* As the option takes it: NAME=SOFT:HARD. */
static void add_rlimit(const struct limits_spec *spec, int resource,
		       struct text *out)
{
	text_add(out, "%s=", names[resource]);
	add_amount(spec->rlimits[resource].rlim_cur, out);
	text_add(out, ":");
	add_amount(spec->rlimits[resource].rlim_max, out);
}

static bool is_given(const struct limits_spec *spec, int resource)
{
	return spec->given & UINT32_C(1) << resource;
}

void limits_describe(const struct limits_spec *spec, struct text *out)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		if (!is_given(spec, i))
			continue;
		text_add(out, "%srlimit ", out->length ? ", " : "");
		add_rlimit(spec, i, out);
	}
	if (spec->has_umask)
		text_add(out, "%sumask %04o", out->length ? ", " : "",
			 (unsigned int)spec->umask);
}

static int set_rlimit(const struct limits_spec *spec, int resource,
		      struct fault *f)
{
	char words[64];
	struct text out;
	int err;

	if (prlimit(0, resource, &spec->rlimits[resource], NULL) == 0)
		return 0;
	err = errno;
	text_start(&out, words, sizeof(words));
	add_rlimit(spec, resource, &out);
	fault_set(f, EXIT_STEP, err, "set --rlimit %s", words);
	if (err != EPERM)
		return -1;
	return fault_hint(f,
			  "docker run --ulimit, or --cap-add=SYS_RESOURCE (capabilities.add)");
}

int limits_run(const struct limits_spec *spec, struct fault *f)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (is_given(spec, i) && set_rlimit(spec, i, f) < 0)
			return -1;
	if (spec->has_umask)
		umask(spec->umask);
	return 0;
}

int limits_chdir(const struct limits_spec *spec, uid_t uid, struct fault *f)
{
	if (!spec->chdir || chdir(spec->chdir) == 0)
		return 0;
	fault_set(f, EXIT_STEP, errno, "chdir %s", spec->chdir);
	if (f->err != EACCES)
		return -1;
	return fault_hint(f,
			  "uid %u must be able to search it and the directories above",
			  uid);
}

struct slice limits_word(const void *list, size_t i)
{
	(void)list;
	return i < RLIM_NLIMITS ? str_word(names[i])
				: (struct slice){ NULL, 0 };
}
