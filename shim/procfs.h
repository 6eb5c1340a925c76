/*
 * procfs: small files of proc(5).
 */
#ifndef STEPDOWN_PROCFS_H
#define STEPDOWN_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Read the beginning of a file, as much as there is room for, ended by NUL.
 * Returns false, and an empty text, if there is none.
 */
bool procfs_read(int dir, const char *path, char *out, size_t size);

/* The same of the file PID/NAME, by a descriptor of /proc. */
bool procfs_read_of(int proc, pid_t pid, const char *name, char *out,
		    size_t size);

#endif
