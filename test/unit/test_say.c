#include "unit.h"

#include "base/report.h"
#include "base/text.h"

ssize_t __wrap_write(int fd, const void *bytes, size_t length);

/* What was written where, how, and how the next writes go. */
static char written[32768];
static size_t total;
static int target;
static int writes;
static size_t most;		/* bytes that one write takes */
static int errors[4];		/* errno of the first writes, or 0 */

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
	int n = writes++;

	assert_true(target == -1 || target == fd);
	target = fd;
	if (n < (int)ARRAY_LEN(errors) && errors[n]) {
		errno = errors[n];
		return -1;
	}
	if (length > most)
		length = most;
	assert_true(total + length < sizeof(written));
	memcpy(written + total, bytes, length);
	total += length;
	written[total] = '\0';
	return (ssize_t)length;
}

static int with_nothing_written(void **state)
{
	(void)state;
	memset(written, 0, sizeof(written));
	memset(errors, 0, sizeof(errors));
	total = 0;
	target = -1;
	writes = 0;
	most = sizeof(written);
	return 0;
}

static void a_fault_is_a_line_on_stderr_in_one_write(void **state)
{
	struct fault f;

	(void)state;
	fault_set(&f, EXIT_STEP, EACCES, "listen %s", "tcp://0.0.0.0:80");
	report_fault(&f);
	assert_string_equal(written, "stepdown: listen tcp://0.0.0.0:80: "
				     "Permission denied\n");
	assert_int_equal(target, STDERR_FILENO);
	assert_int_equal(writes, 1);
}

static void a_fault_without_errno_has_no_reason(void **state)
{
	struct fault f;

	(void)state;
	fault_set(&f, EXIT_USAGE, 0, "--user is missing");
	report_fault(&f);
	assert_string_equal(written, "stepdown: --user is missing\n");
}

/* Our own words are the C library's; those that we have not are a number. */
static void each_reason_is_that_of_its_errno(void **state)
{
	int known = 0;

	(void)state;
	for (int err = 1; err < 134; err++) {
		char wanted[128], number[128];
		struct fault f;

		snprintf(wanted, sizeof(wanted), "stepdown: what: %s\n",
			 strerror(err));
		snprintf(number, sizeof(number), "stepdown: what: error %d\n",
			 err);
		with_nothing_written(NULL);
		fault_set(&f, EXIT_STEP, err, "what");
		report_fault(&f);
		if (strcmp(written, number) == 0)
			continue;
		assert_string_equal(written, wanted);
		known++;
	}
	assert_int_equal(known, 40);
}

static void a_hint_is_a_line_of_its_own_in_the_same_write(void **state)
{
	struct fault f;

	(void)state;
	fault_set(&f, EXIT_USAGE, 0, "what");
	fault_hint(&f, "do this");
	report_fault(&f);
	assert_string_equal(written, "stepdown: what\n"
				     "stepdown: hint: do this\n");
	assert_int_equal(writes, 1);
}

static void a_warning_says_that_it_is_one(void **state)
{
	struct fault f;

	(void)state;
	fault_set(&f, EXIT_STEP, EROFS, "what");
	report_warning(&f);
	assert_string_equal(written, "stepdown: warning: what: "
				     "Read-only file system\n");
	assert_int_equal(target, STDERR_FILENO);
}

static void notes_go_to_stderr_and_lines_to_stdout(void **state)
{
	(void)state;
	report_note("%d %s", 1, "note");
	assert_string_equal(written, "stepdown: 1 note\n");
	assert_int_equal(target, STDERR_FILENO);
	with_nothing_written(NULL);
	report_line("%d %s", 1, "line");
	assert_string_equal(written, "1 line\n");
	assert_int_equal(target, STDOUT_FILENO);
}

static void a_text_goes_to_stdout_as_it_is(void **state)
{
	char buffer[32];
	struct text t;

	(void)state;
	text_start(&t, buffer, sizeof(buffer));
	text_add(&t, "a\n\tb\n");
	report_text(&t);
	assert_string_equal(written, "a\n\tb\n");
	assert_int_equal(target, STDOUT_FILENO);
}

/* An escape sequence or a second line would be the environment's to write. */
static void only_printable_ascii_and_one_newline_are_written(void **state)
{
	char bytes[256];
	struct fault f;

	(void)state;
	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	bytes[255] = '\0';
	fault_set(&f, EXIT_STEP, 0, "%s", bytes);
	fault_hint(&f, "%s", bytes);
	report_fault(&f);
	for (size_t i = 0; i < total; i++) {
		unsigned char c = (unsigned char)written[i];

		if (c != '\n' && (c < ' ' || c > '~'))
			fail_msg("byte %02x was written", c);
	}
	assert_has(written, "stepdown: \\x01\\x02");
	assert_has(written, "\\x0a");
	assert_has(written, "\\x1b");
	assert_has(written, "\\x7f");
	assert_has(written, "\\xff\nstepdown: hint: \\x01");
	with_nothing_written(NULL);
	report_line("%s", "a\nb");
	assert_string_equal(written, "a\\x0ab\n");
}

static void the_longest_message_still_ends_in_a_newline(void **state)
{
	char bytes[600];
	struct fault f;

	(void)state;
	memset(bytes, '\n', sizeof(bytes) - 1);
	bytes[sizeof(bytes) - 1] = '\0';
	fault_set(&f, EXIT_STEP, EADDRNOTAVAIL, "%s", bytes);
	fault_hint(&f, "%s", bytes);
	report_fault(&f);
	assert_true(total > 2000);
	assert_int_equal(written[total - 1], '\n');
	assert_int_equal(strlen(written), total);
	with_nothing_written(NULL);
	for (int i = 0; i < 5; i++)
		report_note("%s%s%s%s%s%s%s%s%s%s", bytes, bytes, bytes, bytes,
			 bytes, bytes, bytes, bytes, bytes, bytes);
	assert_int_equal(written[total - 1], '\n');
}

static void a_short_write_goes_on(void **state)
{
	(void)state;
	most = 3;
	report_line("0123456789");
	assert_string_equal(written, "0123456789\n");
	assert_int_equal(writes, 4);
}

static void an_interrupted_write_is_tried_again(void **state)
{
	(void)state;
	errors[0] = errors[1] = EINTR;
	report_line("line");
	assert_string_equal(written, "line\n");
	assert_int_equal(writes, 3);
}

static void a_write_that_fails_is_given_up(void **state)
{
	static const int reasons[] = { EBADF, EPIPE, EAGAIN, EIO, ENOSPC };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		with_nothing_written(NULL);
		errors[0] = reasons[i];
		report_line("line");
		assert_int_equal(writes, 1);
	}
	with_nothing_written(NULL);
	most = 0;
	report_line("line");
	assert_int_equal(writes, 1);
}

#define WITH_NOTHING(test) cmocka_unit_test_setup(test, with_nothing_written)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NOTHING(a_fault_is_a_line_on_stderr_in_one_write),
		WITH_NOTHING(a_fault_without_errno_has_no_reason),
		WITH_NOTHING(each_reason_is_that_of_its_errno),
		WITH_NOTHING(a_hint_is_a_line_of_its_own_in_the_same_write),
		WITH_NOTHING(a_warning_says_that_it_is_one),
		WITH_NOTHING(notes_go_to_stderr_and_lines_to_stdout),
		WITH_NOTHING(a_text_goes_to_stdout_as_it_is),
		WITH_NOTHING(only_printable_ascii_and_one_newline_are_written),
		WITH_NOTHING(the_longest_message_still_ends_in_a_newline),
		WITH_NOTHING(a_short_write_goes_on),
		WITH_NOTHING(an_interrupted_write_is_tried_again),
		WITH_NOTHING(a_write_that_fails_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
