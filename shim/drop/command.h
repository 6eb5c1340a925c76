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

/*
 * The PATH that COMMAND will be looked for in: of the variables of --env, of
 * the environment, or the default.
 */
const char *command_path(const char *const variables[], size_t count,
			 char *const env[]);

/*
 * Find the file that execve(2) will be given, as root sees it. Returns false
 * if there is none, or if only the application's directory will tell.
 */
bool command_find(const char *name, const char *path, char file[PATH_MAX]);

/*
 * Read the first line of a script into line. Returns false if the file is none;
 * else *interpreter is there, and *argument, or NULL.
 */
enum { COMMAND_LINE = 256 };	/* as much as the kernel reads of it */
bool command_script(const char *file, char line[COMMAND_LINE],
		    const char **interpreter, const char **argument);

/*
 * The capabilities without which the kernel refuses to execute the file: the
 * permitted ones of a file with the effective flag (capabilities(7), "Safety
 * checking for capability-dumb binaries"). Bit n is capability n.
 */
uint64_t command_file_caps(const char *file);

#endif
