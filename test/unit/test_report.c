#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>

#include "base/report.h"

static int saved_stderr;

/* Everything that is written to stderr goes there from now on. */
static void begin(int fd)
{
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(saved_stderr >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	alarm(60);	/* whoever waits for a reader ends here */
}

static void end(void)
{
	alarm(0);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
}

static size_t fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	size_t sum = 0;
	ssize_t got;

	assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	while ((got = write(fd, "xxxxxxxx", 8)) > 0)
		sum += (size_t)got;
	while ((got = write(fd, "x", 1)) > 0)
		sum += (size_t)got;
	assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
	return sum;
}

static const char *read_all(int fd)
{
	static char text[65536];
	ssize_t got = read(fd, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

TEST(a_message_is_printable_and_has_its_hint)
{
	struct fault f;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fault_set(&f, EXIT_STEP, EPERM, "open %s", "a\nb\033\xc3");
	fault_hint(&f, "do\tthis");
	fault_lines(&f, "-e %s", "env: %s", "A\n");
	begin(ends[1]);
	report_fault(&f);
	report_warning(&f);
	report_note("%d", 7);
	end();
	assert_string_equal(read_all(ends[0]),
		"stepdown: open a\\x0ab\\x1b\\xc3: Operation not permitted\n"
		"stepdown: hint: do\\x09this\n"
		"stepdown: hint: docker: -e A\\x0a\n"
		"stepdown: hint: kubernetes: env: A\\x0a\n"
		"stepdown: warning: open a\\x0ab\\x1b\\xc3: Operation not permitted\n"
		"stepdown: hint: do\\x09this\n"
		"stepdown: hint: docker: -e A\\x0a\n"
		"stepdown: hint: kubernetes: env: A\\x0a\n"
		"stepdown: 7\n");
	close(ends[0]);
	close(ends[1]);
}

TEST(a_message_that_is_too_long_ends_in_a_newline)
{
	struct fault f;
	int ends[2];
	const char *text;

	assert_int_equal(pipe(ends), 0);
	memset(&f, 0, sizeof(f));
	memset(f.what, '\n', sizeof(f.what) - 1);
	memset(f.hint, '\n', sizeof(f.hint) - 1);
	begin(ends[1]);
	report_fault(&f);
	end();
	text = read_all(ends[0]);
	assert_in_range(strlen(text), 2000, 4096);
	assert_int_equal(text[strlen(text) - 1], '\n');
	close(ends[0]);
	close(ends[1]);
}

TEST(a_full_pipe_is_not_waited_for)
{
	struct fault f;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fault_set(&f, EXIT_STEP, 0, "nobody reads this");
	fill(ends[1]);
	begin(ends[1]);
	report_fault_now(&f);
	report_warning(&f);
	report_note("nor this");
	end();
	close(ends[0]);
	close(ends[1]);
}

/* With room for a part of the message. */
TEST(a_full_terminal_is_not_waited_for)
{
	int reader = posix_openpt(O_RDWR | O_NOCTTY);
	struct fault f;
	char some[40];
	int writer;

	assert_true(reader >= 0 && grantpt(reader) == 0 &&
		    unlockpt(reader) == 0);
	writer = open(ptsname(reader), O_RDWR | O_NOCTTY);
	assert_true(writer >= 0);
	fault_set(&f, EXIT_STEP, 0, "%0*d", 400, 0);
	assert_true(fill(writer) > 400);
	for (int i = 0; i < 300; i++) {
		assert_true(read(reader, some, sizeof(some)) > 0);
		begin(writer);
		report_warning(&f);
		end();
	}
	close(writer);
	close(reader);
}
