/*
 * unit: what the unit tests share: with its tests a file is a program.
 *
 *	TEST(a_sentence_that_says_what_must_hold)
 *	{
 *		...
 *	}
 *
 * They run in the order in which they stand in the file.
 */
#ifndef STEPDOWN_UNIT_H
#define STEPDOWN_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "run/plan.h"

/* Words as an argv, which is not const for reasons of history. */
#define WORDS(...) \
	((char *const *)(uintptr_t)(const char *const[]){ __VA_ARGS__, NULL })

static inline void assert_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' should contain '%s'", text, words);
}

static inline void assert_fault(const struct fault *f, int status,
				const char *words)
{
	assert_has(f->what, words);
	assert_int_equal(f->status, status);
}

static struct CMUnitTest tests[64];
static size_t test_count;

/* The test is added to those of the program before main() begins. */
#define TEST(name) TEST_AFTER(NULL, name)

/* The same, and int start(void **state) is called before it. */
#define TEST_AFTER(start, name) \
	static void name(void **state); \
	__attribute__((constructor)) static void add_##name(void) \
	{ \
		tests[test_count++] = (struct CMUnitTest) \
			cmocka_unit_test_setup(name, start); \
	} \
	static void name(__attribute__((unused)) void **state)

/* How many descriptors are open: to see that a failure leaks none. */
static inline int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += dup2(fd, fd) == fd;
	return count;
}

static char temporary_paths[2][64];

/* File number n (0 or 1) with these bytes instead of those it had. */
static inline const char *temporary_file(unsigned int n, const void *bytes,
					 size_t length)
{
	char *path = temporary_paths[n];
	FILE *file;

	if (!path[0]) {
		strcpy(path, "/tmp/stepdown-unit-XXXXXX");
		close(mkstemp(path));
	}
	file = fopen(path, "w");
	if (!file || fwrite(bytes, 1, length, file) != length ||
	    fclose(file) != 0)
		fail_msg("cannot write %s", path);
	return path;
}

static int remove_temporary_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(temporary_paths); i++)
		if (temporary_paths[i][0])
			unlink(temporary_paths[i]);
	return 0;
}

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, remove_temporary_files);
}

#endif
