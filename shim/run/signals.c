#include "run/signals.h"

#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "plan.h"

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

static void set_mask(const uint64_t *mask, uint64_t *old)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, old, sizeof(*mask));
}

uint64_t signals_hold(void)
{
	const uint64_t all = UINT64_MAX;
	uint64_t old = 0;

	set_mask(&all, &old);
	return old;
}

void signals_release(uint64_t mask)
{
	set_mask(&mask, NULL);
}

/*
 * With the kernel's own structure, which begins with the handler on all
 * machines but MIPS; the rest of it is 0 for what is not a function.
 */
static uintptr_t set_action(int number, uintptr_t action)
{
	const uintptr_t wanted[16] = { action };
	uintptr_t old[16] = { 0 };

	syscall(SYS_rt_sigaction, number, wanted, old, sizeof(uint64_t));
	return old[0];
}

bool signals_default(int number)
{
	return set_action(number, (uintptr_t)SIG_DFL) == (uintptr_t)SIG_IGN;
}

void signals_ignore(int number)
{
	set_action(number, (uintptr_t)SIG_IGN);
}

bool signals_forget(int number)
{
	const uint64_t one = UINT64_C(1) << (number - 1);
	const uint64_t now[2] = { 0 };	/* struct timespec, of any size */

	return syscall(SYS_rt_sigtimedwait, &one, NULL, now, sizeof(one)) > 0;
}

int signals_descriptor(void)
{
	const uint64_t all = UINT64_MAX;

	return (int)syscall(SYS_signalfd4, -1, &all, sizeof(all),
			    SFD_CLOEXEC | SFD_NONBLOCK);
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
	return real_time(word);
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
