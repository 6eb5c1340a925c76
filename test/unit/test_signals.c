/* Names of signals, and the mask that must come back as it was. */
#include "unit.h"

#include <signal.h>
#include <sys/syscall.h>

#include "run/signals.h"

static int parse(const char *text)
{
	return signals_parse(text, strlen(text));
}

TEST(names_numbers_and_real_time_signals_are_known)
{
	assert_int_equal(parse("TERM"), SIGTERM);
	assert_int_equal(parse("SIGTERM"), SIGTERM);
	assert_int_equal(parse("sigterm"), SIGTERM);
	assert_int_equal(parse("winch"), SIGWINCH);
	assert_int_equal(parse("15"), SIGTERM);
	assert_int_equal(parse("1"), 1);
	assert_int_equal(parse("64"), 64);
	assert_int_equal(parse("RTMIN"), 34);
	assert_int_equal(parse("SIGRTMIN+3"), 37);
	assert_int_equal(parse("rtmin+30"), 64);
	assert_int_equal(parse("RTMAX"), 64);
	assert_int_equal(parse("RTMAX-30"), 34);
	assert_int_equal(parse("SIGIOT"), SIGABRT);
	assert_int_equal(parse("poll"), SIGIO);
	assert_int_equal(parse("CLD"), SIGCHLD);
}

TEST(everything_else_is_no_signal)
{
	static const char *const wrong[] = {
		"", "SIG", "0", "65", "-1", "+1", " TERM", "TERM ", "TERMS",
		"SIGSIGTERM", "RTMIN-1", "RTMIN+31", "RTMAX+1", "RTMAX-31",
		"RTMIN+", "RTMIN+1x", "RT", "EXIT", "0xf", "4294967297",
		"SIGRTMIN+0000000000000000003"
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (parse(wrong[i]) != 0)
			fail_msg("'%s' is signal %d", wrong[i], parse(wrong[i]));
}

TEST(a_length_ends_the_word)
{
	assert_int_equal(signals_parse("TERM:QUIT", 4), SIGTERM);
	assert_int_equal(signals_parse("TERM:QUIT", 3), 0);
	assert_int_equal(signals_parse("15:3", 2), 15);
}

TEST(a_set_is_a_list_of_signals)
{
	static const char *const wrong[] = {
		"", ",", "TERM,", ",TERM", "TERM,,INT", "TERM,x", "KILL",
		"TERM,STOP"
	};
	uint64_t set;

	assert_true(signals_parse_set("TERM", &set));
	assert_int_equal(set, SIGNAL_BIT(SIGTERM));
	assert_true(signals_parse_set("sigint,64,RTMIN", &set));
	assert_int_equal(set, SIGNAL_BIT(SIGINT) | SIGNAL_BIT(64) |
			      SIGNAL_BIT(34));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (signals_parse_set(wrong[i], &set))
			fail_msg("'%s' was taken", wrong[i]);
}

TEST(every_word_is_a_signal)
{
	struct slice word;
	size_t i;

	for (i = 0; (word = signals_word(NULL, i)).at; i++)
		assert_in_range(signals_parse(word.at, word.length), 1, 31);
	assert_int_equal(i, 34);
}

static uint64_t mask_now(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	return mask;
}

/* KILL and STOP cannot be blocked; the C library's own signals can. */
TEST(the_mask_comes_back_bit_by_bit)
{
	const uint64_t never = UINT64_C(1) << (SIGKILL - 1) |
			       UINT64_C(1) << (SIGSTOP - 1);
	const uint64_t before = mask_now();
	const uint64_t some = UINT64_C(1) << 31 | UINT64_C(1) << 33 |
			      UINT64_C(1) << (SIGUSR1 - 1);

	signals_restore(some);
	assert_int_equal(signals_block(), some);
	assert_int_equal(mask_now(), UINT64_MAX & ~never);
	signals_restore(some);
	assert_int_equal(mask_now(), some);
	signals_restore(before);
}
