#include "run/signals.h"

#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

enum { RTMIN = 34, WORD_MAX = 16 };

static const char names[][8] = {
	[SIGHUP] = "HUP",	[SIGINT] = "INT",	[SIGQUIT] = "QUIT",
	[SIGILL] = "ILL",	[SIGTRAP] = "TRAP",	[SIGABRT] = "ABRT",
	[SIGBUS] = "BUS",	[SIGFPE] = "FPE",	[SIGKILL] = "KILL",
	[SIGUSR1] = "USR1",	[SIGSEGV] = "SEGV",	[SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE",	[SIGALRM] = "ALRM",	[SIGTERM] = "TERM",
	[SIGSTKFLT] = "STKFLT",	[SIGCHLD] = "CHLD",	[SIGCONT] = "CONT",
	[SIGSTOP] = "STOP",	[SIGTSTP] = "TSTP",	[SIGTTIN] = "TTIN",
	[SIGTTOU] = "TTOU",	[SIGURG] = "URG",	[SIGXCPU] = "XCPU",
	[SIGXFSZ] = "XFSZ",	[SIGVTALRM] = "VTALRM",	[SIGPROF] = "PROF",
	[SIGWINCH] = "WINCH",	[SIGIO] = "IO",		[SIGPWR] = "PWR",
	[SIGSYS] = "SYS",
};

/* Other names of the same numbers (signal(7)). */
static const struct {
	char name[5];
	unsigned char number;
} aliases[] = {
	{ "IOT", SIGABRT },
	{ "CLD", SIGCHLD },
	{ "POLL", SIGIO },
};

static void set_mask(const uint64_t *mask, uint64_t *old)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, old, sizeof(*mask));
}

uint64_t signals_block(void)
{
	const uint64_t all = UINT64_MAX;
	uint64_t old = 0;

	set_mask(&all, &old);
	return old;
}

void signals_restore(uint64_t mask)
{
	set_mask(&mask, NULL);
}

int signals_wait(uint64_t set, siginfo_t *info, int64_t milliseconds)
{
	const struct timespec limit = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000) * 1000000L
	};
	sigset_t mask = { 0 };
	int number;

	memcpy(&mask, &set, sizeof(set));
	number = sigtimedwait(&mask, info, milliseconds < 0 ? NULL : &limit);
	return number > 0 ? number : 0;
}

void signals_stop(int number, bool group)
{
	signal(number, SIG_DFL);
	signals_restore(~SIGNAL_BIT(number));
	kill(group ? 0 : getpid(), number);
	signals_block();
}

/* RTMIN, RTMIN+n, RTMAX, RTMAX-n */
static int real_time(const char *word)
{
	bool from_low = strncasecmp(word, "RTMIN", 5) == 0;
	uint64_t offset = 0;

	if (!from_low && strncasecmp(word, "RTMAX", 5) != 0)
		return 0;
	word += 5;
	if (*word && (*word != (from_low ? '+' : '-') ||
		      !str_number(word + 1, 0, SIGNAL_LAST - RTMIN, &offset)))
		return 0;
	return from_low ? RTMIN + (int)offset : SIGNAL_LAST - (int)offset;
}

int signals_parse(const char *text, size_t length)
{
	char copy[WORD_MAX];
	const char *word = copy;
	uint64_t number;

	if (length >= sizeof(copy))
		return 0;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (str_number(word, 1, SIGNAL_LAST, &number))
		return (int)number;
	if (strncasecmp(word, "SIG", 3) == 0)
		word += 3;
	for (int i = 1; i < (int)ARRAY_LEN(names); i++)
		if (*word && strcasecmp(word, names[i]) == 0)
			return i;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcasecmp(word, aliases[i].name) == 0)
			return aliases[i].number;
	return real_time(word);
}

bool signals_parse_set(const char *text, uint64_t *set)
{
	const uint64_t never = SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP);

	for (*set = 0;; text++) {
		size_t length = strcspn(text, ",");
		int number = signals_parse(text, length);

		if (!number)
			return false;
		*set |= SIGNAL_BIT(number);
		text += length;
		if (!*text)
			return !(*set & never);
	}
}

const char *signals_name(int number)
{
	if (number <= 0 || number >= (int)ARRAY_LEN(names) ||
	    !names[number][0])
		return NULL;
	return names[number];
}

struct slice signals_word(const void *list, size_t i)
{
	(void)list;
	return i + 1 < ARRAY_LEN(names) ? str_word(names[i + 1])
					: (struct slice){ NULL, 0 };
}
