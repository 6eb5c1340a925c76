/*
 * replay: gives each file of a corpus to a fuzz target, in place of libFuzzer.
 * Speaks TAP.
 *
 * usage: replay_NAME [FOLDER]
 * The folder is otherwise $srcdir/test/fuzz/corpus/NAME.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

static const char *corpus(const char *program)
{
	static char path[4096];
	const char *top = getenv("srcdir");
	const char *name = strrchr(program, '_');

	must(name != NULL);
	snprintf(path, sizeof(path), "%s/test/fuzz/corpus/%s", top ? top : ".",
		 name + 1);
	return path;
}

static void replay(const char *folder, const char *name)
{
	static uint8_t data[1 << 20];
	char path[4096];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	must(file != NULL);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : corpus(argv[0]);
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int count = 0;

	if (!dir) {
		printf("Bail out! cannot read %s\n", folder);
		return 1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		replay(folder, entry->d_name);
		printf("ok %d - %s\n", ++count, entry->d_name);
		fflush(stdout);
	}
	closedir(dir);
	printf("1..%d\n", count);
	return count > 0 ? 0 : 1;
}
