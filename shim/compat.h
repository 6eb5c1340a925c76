/*
 * compat: what the kernel has and the C library has no name or wrapper for.
 * The only place for #ifdef.
 */
#ifndef STEPDOWN_COMPAT_H
#define STEPDOWN_COMPAT_H

#include <linux/futex.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2(2), Linux 5.6. Returns a descriptor, or -1 with errno. */
static inline int compat_openat2(int dir, const char *path,
				 const struct open_how *how)
{
	return (int)syscall(SYS_openat2, dir, path, how, sizeof(*how));
}

/* An entry as getdents64(2) writes it. */
struct compat_dirent {
	uint64_t inode;
	int64_t next;		/* where lseek(2) finds what follows */
	unsigned short size;
	unsigned char type;	/* DT_REG and so on, or DT_UNKNOWN */
	char name[];
};

/* Returns how many bytes of entries were read, 0 at the end, or -1. */
static inline ssize_t compat_getdents(int dir, void *buffer, size_t size)
{
	return syscall(SYS_getdents64, dir, buffer, size);
}

/*
 * struct statx of statx(2). <linux/stat.h> has it, but cannot be included
 * beside the <sys/stat.h> of every C library.
 */
struct compat_statx {
	uint32_t mask;
	uint32_t blksize;
	uint64_t attributes;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t pad;
	uint64_t ino;
	uint64_t size;
	uint64_t blocks;
	uint64_t attributes_mask;
	int64_t atime[2];	/* seconds, then 32 bits of nanoseconds */
	int64_t btime[2];
	int64_t ctime[2];
	int64_t mtime[2];
	uint32_t rdev[2];
	uint32_t dev[2];
	uint64_t mnt_id;
	uint64_t spare[13];
};

enum {
	COMPAT_STATX_INO = 0x100,
	COMPAT_STATX_BTIME = 0x800,
	COMPAT_STATX_MNT_ID = 0x1000,	/* Linux 5.8 */
	COMPAT_STATX_ATTR_IMMUTABLE = 0x10,
	COMPAT_STATX_ATTR_APPEND = 0x20
};

/* statx(2), Linux 4.11. Returns 0, or -1 with errno. */
static inline int compat_statx(int dir, const char *path, int flags,
			       unsigned int mask, struct compat_statx *out)
{
	return (int)syscall(SYS_statx, dir, path, flags, mask, out);
}

/*
 * fchmodat2(2), Linux 6.6: the only call that changes the mode through an
 * O_PATH descriptor. Returns 0, or -1 with errno.
 */
static inline int compat_fchmodat2(int dir, const char *path, mode_t mode,
				   int flags)
{
	return (int)syscall(452, dir, path, mode, flags);
}

/*
 * futex(2) among the threads of a process: sleep while *word is value; wake
 * count of those who sleep. To return early is allowed, so errors do not matter.
 */
static inline void compat_futex_wait(atomic_uint *word, unsigned int value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static inline void compat_futex_wake(atomic_uint *word, int count)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* close_range(2), Linux 5.9. Returns 0, or -1 with errno. */
static inline int compat_close_range(unsigned int first, unsigned int last,
				     unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

#endif
