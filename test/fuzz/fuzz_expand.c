/*
 * ${VAR} in a value. The input is the room, then the value and variables, each
 * ended by NUL.
 */
#include "base/str.h"
#include "fuzz.h"

#include "options.h"

enum { MAX_VARIABLES = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct option o = { .name = "own", .separators = ",\\" };
	char *env[MAX_VARIABLES + 1] = { NULL };
	size_t room = size ? data[0] + 1 : 1;
	char *words = size ? string_of(data + 1, size - 1) : string_of(data, 0);
	char *end = words + (size ? size - 1 : 0);
	char *buffer = malloc(room);
	struct fault f = { 0 };
	struct text out;
	size_t count = 0;
	int result;

	must(buffer != NULL);
	for (char *at = words + strlen(words); at < end && count < MAX_VARIABLES;
	     at += strlen(at))
		env[count++] = ++at;
	text_start(&out, buffer, room);
	result = expand_value(&o, words, env, &out, &f);
	must(out.length < room);
	if (result == 0) {
		must(!out.cut && strlen(buffer) + 1 == out.length);
		if (!strstr(words, "${"))
			must(strcmp(buffer, words) == 0);
	} else {
		must(result == -1 && f.status == EXIT_USAGE && f.err == 0);
		must(strncmp(f.what, "--own ", 6) == 0);
		must(strstr(words, "${") || out.cut);
	}
	free(buffer);
	free(words);
	return 0;
}
