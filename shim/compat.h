/*
 * compat: what the kernel has and the C library has no name or wrapper for.
 * The only place for #ifdef.
 */
#ifndef STEPDOWN_COMPAT_H
#define STEPDOWN_COMPAT_H

#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
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

/* close_range(2), Linux 5.9. Returns 0, or -1 with errno. */
static inline int compat_close_range(unsigned int first, unsigned int last,
				     unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

/* getdents64(2): fills a buffer with struct dirent. Bytes, 0 at the end, or -1. */
static inline long compat_getdents(int dir, void *buffer, size_t size)
{
	return syscall(SYS_getdents64, dir, buffer, size);
}

/* pidfd_open(2), Linux 5.3. Returns a close-on-exec descriptor, or -1. */
static inline int compat_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* pidfd_send_signal(2), Linux 5.1. Returns 0, or -1 with errno. */
static inline int compat_pidfd_send_signal(int fd, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
}

/*
 * write(2) that fails with EAGAIN rather than wait, without O_NONBLOCK, which
 * would change the open file for all who share it: pwritev2(2) with RWF_NOWAIT,
 * for pipes since Linux 6.4. EOPNOTSUPP where the file cannot do that.
 */
static inline ssize_t compat_write_now(int fd, const void *bytes, size_t length)
{
	const int nowait = 8;	/* RWF_NOWAIT */
	struct iovec part = { (void *)(uintptr_t)bytes, length };

	return syscall(SYS_pwritev2, fd, &part, 1, -1L, -1L, nowait);
}

#endif
