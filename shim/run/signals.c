#include "run/signals.h"

#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RTMIN = 34, WORD_MAX = 16 };

static const struct {
	char name[7];
	unsigned char number;
} names[] = {
	{ "HUP", SIGHUP },	{ "INT", SIGINT },	{ "QUIT", SIGQUIT },
	{ "ILL", SIGILL },	{ "TRAP", SIGTRAP },	{ "ABRT", SIGABRT },
	{ "BUS", SIGBUS },	{ "FPE", SIGFPE },	{ "KILL", SIGKILL },
	{ "USR1", SIGUSR1 },	{ "SEGV", SIGSEGV },	{ "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE },	{ "ALRM", SIGALRM },	{ "TERM", SIGTERM },
	{ "STKFLT", SIGSTKFLT }, { "CHLD", SIGCHLD },	{ "CONT", SIGCONT },
	{ "STOP", SIGSTOP },	{ "TSTP", SIGTSTP },	{ "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU },	{ "URG", SIGURG },	{ "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },	{ "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },
	{ "WINCH", SIGWINCH },	{ "IO", SIGIO },	{ "PWR", SIGPWR },
	{ "SYS", SIGSYS },
	/* Other names of the same numbers (signal(7)). */
	{ "IOT", SIGABRT },	{ "CLD", SIGCHLD },	{ "POLL", SIGIO },
};

uint64_t signals_restore(uint64_t mask)
{
	uint64_t old = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof(mask));
	return old;
}

uint64_t signals_block(void)
{
	return signals_restore(UINT64_MAX);
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

/* RTMIN, RTMIN+n, RTMAX, RTMAX-n */
static int parse_real_time(const char *word)
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

	if (!str_copy((struct slice){ text, length }, copy, sizeof(copy)))
		return 0;
	if (str_number(word, 1, SIGNAL_LAST, &number))
		return (int)number;
	if (strncasecmp(word, "SIG", 3) == 0)
		word += 3;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(word, names[i].name) == 0)
			return names[i].number;
	return parse_real_time(word);
}

bool signals_parse_set(const char *text, void *at)
{
	struct slice rest = str_word(text);
	uint64_t *set = at;

	*set = 0;
	while (rest.at) {
		struct slice word = str_cut(&rest, ',');
		int number = signals_parse(word.at, word.length);

		if (!number || number == SIGKILL || number == SIGSTOP)
			return false;
		*set |= SIGNAL_BIT(number);
	}
	return true;
}

struct slice signals_word(const void *list, size_t i)
{
	(void)list;
	return i < ARRAY_LEN(names) ? str_word(names[i].name)
				    : (struct slice){ NULL, 0 };
}
