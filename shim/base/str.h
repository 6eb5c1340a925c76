/*
 * str: words to values, texts in fixed buffers, and faults. Pure: no system
 * call, no global state.
 *
 * A function that parses a word returns true and fills its result, or returns
 * false and leaves the result as it was. A number is decimal digits and nothing
 * else: no sign, space, base prefix or exponent. What strtoul(3) accepts beyond
 * that has let more than one setuid helper run a command as root.
 */
#ifndef STEPDOWN_BASE_STR_H
#define STEPDOWN_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* A part of the command line, not ended by NUL. */
struct slice {
	const char *at;
	size_t length;
};

/* Decimal digits, lowest <= value <= highest. */
bool str_number(const char *text, uint64_t lowest, uint64_t highest,
		  uint64_t *value);

/*
 * A uid or gid: 0 to 4294967294. 4294967295 is (uid_t)-1, which setresuid(2)
 * takes for "leave as it is", so it is not an id.
 */
bool str_id(const char *text, uint32_t *id);

/* All digits, and at least one: a number, never a name. */
bool str_is_number(const char *text);

/* The bytes of names, for strspn(3). */
#define STR_NAME_BYTES                                                         \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"

/* The name of a variable: [A-Za-z_][A-Za-z0-9_]*, of length bytes. */
bool str_is_variable(const char *text, size_t length);

/*
 * A duration of 1 ms to 24 days: a number and ms, s, m or h; a number alone is
 * seconds.
 */
bool str_duration(const char *text, uint32_t *milliseconds);

/*
 * Returns the value of a variable in env (as environ(7)), or NULL: also where
 * env is NULL. length: that of name.
 */
const char *str_variable(char *const env[], const char *name, size_t length);

/* A slice of the whole text. */
struct slice str_word(const char *text);

/* Is w equal to text? */
bool str_is(struct slice w, const char *text);

/* Copy a word and end it with NUL. Copies nothing if it is too long. */
bool str_copy(struct slice w, char *out, size_t size);

/*
 * Split *rest at the first byte that is at: returns the part before it, *rest
 * becomes the part after it. Without one it returns all, and rest->at is NULL.
 */
struct slice str_cut(struct slice *rest, char at);

/* Returns word i of a list, or a slice with at NULL past the last one. */
typedef struct slice str_words(const void *list, size_t i);

/*
 * Find the word of a list that is nearest to what was typed, by the number of
 * letters to insert, remove, replace or swap with their neighbour: at most
 * three, and at most a third of the letters typed, or one if two are typed. The
 * beginning of a word counts as near. Case is ignored.
 *
 * Returns the word, or a slice with at NULL if none is near.
 */
struct slice str_nearest(struct slice typed, str_words *words,
			 const void *list);

/* A string that is built in the caller's buffer. */
struct text {
	char *start;	/* always ends in NUL */
	size_t size;	/* bytes at start, the NUL included */
	size_t length;	/* bytes written, without the NUL */
	bool cut;	/* something did not fit */
};

/* Begin an empty text in a buffer of size bytes (at least 1). */
void text_start(struct text *t, char *buffer, size_t size);

/*
 * Append as printf(3) does. What does not fit is left out, and t->cut is set:
 * the text never exceeds its buffer and ends in NUL. t: NULL does nothing.
 */
void text_add(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Append words. A byte that is not printable ASCII becomes \xNN; in a JSON
 * string (json) it becomes \u00NN, and so do a quote and a backslash.
 */
void text_add_printable(struct text *t, const char *words, bool json);

/* Append what is wrong with a word, and be false, for a parser to return. */
#define str_no(wrong, ...) (text_add(wrong, __VA_ARGS__), false)

/* The exit statuses of stepdown itself, as in execline(7) and s6. */
enum {
	EXIT_USAGE = 100,	/* wrong usage or a contradiction */
	EXIT_STEP = 111,	/* a step, that is a system call, failed */
	EXIT_NOEXEC = 126,	/* the application cannot be executed */
	EXIT_NOTFOUND = 127	/* there is no such application */
};

/*
 * Why something failed: the one error idiom of the program. A function returns
 * 0, or returns -1 and has filled a struct fault; main prints it.
 */
struct fault {
	int status;		/* exit status */
	int err;		/* errno, or 0 if what says it all */
	char what[512];		/* object, act, value as typed */
	char hint[512];		/* what to change, or empty */
	char docker[512];	/* the flag of docker run for it, or empty */
	char kubernetes[512];	/* the line of a manifest for it, or empty */
};

/*
 * Set what failed. Text too long for the buffer ends in "...".
 *
 * status: exit status, one of the above; err: errno or 0. Returns -1 always, so
 * that a failure is one `return` line. Clears the hint and the docker and
 * kubernetes lines.
 */
int fault_set(struct fault *f, int status, int err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Add the hint: what the user must change. Call it after fault_set(). Returns
 * -1 always.
 */
int fault_hint(struct fault *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Add the docker and the kubernetes line. Both formats take the same arguments.
 * Call it after fault_set(). Returns -1 always.
 */
int fault_lines(struct fault *f, const char *docker, const char *kubernetes,
		...)
	__attribute__((format(printf, 2, 4), format(printf, 3, 4)));

/* Add the two lines that mount a writable volume at path. Returns -1. */
int fault_mount(struct fault *f, const char *path);

#endif
