/*
 * compat: what the kernel has and the C library has no name or wrapper for.
 * The only place for #ifdef.
 */
#ifndef STEPDOWN_COMPAT_H
#define STEPDOWN_COMPAT_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2(2), Linux 5.6. Returns a descriptor, or -1 with errno. */
static inline int compat_openat2(int dir, const char *path,
				 const struct open_how *how)
{
	return (int)syscall(SYS_openat2, dir, path, how, sizeof(*how));
}

/* close_range(2), Linux 5.9. Returns 0, or -1 with errno. */
static inline int compat_close_range(unsigned int first, unsigned int last,
				     unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

/* rename(2), which <stdio.h> declares. Returns 0, or -1 with errno. */
static inline int compat_rename(const char *old, const char *new)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, 0);
}

#endif
