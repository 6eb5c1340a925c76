/*
 * fuzz: what the fuzz targets share.
 */
#ifndef STEPDOWN_FUZZ_H
#define STEPDOWN_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What libFuzzer calls, or replay.c in its place. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the run as a crash does. */
static inline void must(bool promise)
{
	if (!promise)
		abort();
}

/* The bytes as a string of exactly their size, so that ASan sees its end. */
static inline char *string_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif
