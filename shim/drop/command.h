/*
 * command: what can be known of the application's file before it is executed.
 */
#ifndef STEPDOWN_DROP_COMMAND_H
#define STEPDOWN_DROP_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What container engines give an image that sets no PATH. */
#define COMMAND_DEFAULT_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The PATH that COMMAND is looked for in: of --env, else of env or the default. */
const char *command_path(const char *const variables[], size_t count,
			 char *const env[]);

/*
 * Find the file that execve(2) will be given, as root sees it. Returns false
 * if there is none, or if only the application's directory will tell.
 */
bool command_find(const char *name, const char *path, char file[PATH_MAX]);

/*
 * The capabilities without which the kernel refuses to execute the file: the
 * permitted ones of a file with the effective flag (capabilities(7), "Safety
 * checking for capability-dumb binaries"). Bit n is capability n.
 */
uint64_t command_file_caps(const char *file);

#endif
