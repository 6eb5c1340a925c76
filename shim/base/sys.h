/*
 * sys: what the kernel has and the C library has no name or wrapper for.
 * The only place for #ifdef.
 */
#ifndef STEPDOWN_BASE_SYS_H
#define STEPDOWN_BASE_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* openat2(2), Linux 5.6. Returns a descriptor, or -1 with errno. */
static inline int sys_openat2(int dir, const char *path,
				 const struct open_how *how)
{
	return (int)syscall(SYS_openat2, dir, path, how, sizeof(*how));
}

/* An entry as getdents64(2) writes it. */
struct sys_dirent {
	uint64_t inode;
	int64_t next;		/* where lseek(2) finds what follows */
	unsigned short size;
	unsigned char type;	/* DT_REG and so on, or DT_UNKNOWN */
	char name[];
};

/* Returns how many bytes of entries were read, 0 at the end, or -1. */
static inline ssize_t sys_getdents(int dir, void *buffer, size_t size)
{
	return syscall(SYS_getdents64, dir, buffer, size);
}

/*
 * struct statx of statx(2). <linux/stat.h> has it, but cannot be included
 * beside the <sys/stat.h> of every C library.
 */
struct sys_statx {
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
	KERNEL_STATX_INO = 0x100,
	KERNEL_STATX_BTIME = 0x800,
	KERNEL_STATX_MNT_ID = 0x1000,	/* Linux 5.8 */
	KERNEL_STATX_ATTR_IMMUTABLE = 0x10,
	KERNEL_STATX_ATTR_APPEND = 0x20
};

/* statx(2), Linux 4.11. Returns 0, or -1 with errno. */
static inline int sys_statx(int dir, const char *path, int flags,
			       unsigned int mask, struct sys_statx *out)
{
	return (int)syscall(SYS_statx, dir, path, flags, mask, out);
}

/*
 * fchmodat2(2), Linux 6.6: the only call that changes the mode through an
 * O_PATH descriptor. Returns 0, or -1 with errno.
 */
static inline int sys_fchmodat2(int dir, const char *path, mode_t mode,
				   int flags)
{
	return (int)syscall(452, dir, path, mode, flags);
}

/* close_range(2), Linux 5.9. Returns 0, or -1 with errno. */
static inline int sys_close_range(unsigned int first, unsigned int last,
				     unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

/* pidfd_open(2), Linux 5.3. Returns a close-on-exec descriptor, or -1. */
static inline int sys_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/*
 * The same of a single thread: PIDFD_THREAD, Linux 6.9, which <linux/pidfd.h>
 * of that day defines as O_EXCL.
 */
static inline int sys_pidfd_open_thread(pid_t tid)
{
	return (int)syscall(SYS_pidfd_open, tid, O_EXCL);
}

/* pidfd_send_signal(2), Linux 5.1. Returns 0, or -1 with errno. */
static inline int sys_pidfd_send_signal(int fd, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
}

/* sigqueue(3) with all that came with the signal. Returns 0, or -1. */
static inline int sys_queue_signal(pid_t pid, int number,
				      const siginfo_t *info)
{
	return (int)syscall(SYS_rt_sigqueueinfo, (long)pid, number, info);
}

/*
 * write(2) that fails with EAGAIN rather than wait, without O_NONBLOCK, which
 * would change the open file for all who share it: pwritev2(2) with RWF_NOWAIT,
 * for pipes since Linux 6.4. EOPNOTSUPP where the file cannot do that.
 */
static inline ssize_t sys_write_now(int fd, const void *bytes, size_t length)
{
	const int nowait = 8;	/* RWF_NOWAIT */
	struct iovec part = { (void *)(uintptr_t)bytes, length };

	return syscall(SYS_pwritev2, fd, &part, 1, -1L, -1L, nowait);
}

/* Milliseconds of the monotonic clock. */
static inline int64_t sys_milliseconds(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * The two calls of a process that sleeps, without the C library: its code for
 * them is spread over pages which would have to stay in memory, see shed.h.
 * errno is left alone.
 */
#if defined(__x86_64__)
static inline long sys_call(long number, long a, long b, long c, long d,
			       long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10),
			   "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long sys_call(long number, long a, long b, long c, long d,
			       long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
#endif

/* madvise(2) with MADV_DONTNEED. */
static inline void sys_give_back(uintptr_t start, size_t size)
{
#if defined(__x86_64__) || defined(__aarch64__)
	sys_call(SYS_madvise, (long)start, (long)size, MADV_DONTNEED, 0, 0);
#else
	madvise((void *)start, size, MADV_DONTNEED);
#endif
}

/*
 * poll(2); time is how long at most, or NULL. Returns how many descriptors have
 * something, 0 when the time was up, or -errno.
 */
static inline int sys_poll(struct pollfd *look, size_t count,
			      struct timespec *time)
{
#if defined(__x86_64__) || defined(__aarch64__)
	return (int)sys_call(SYS_ppoll, (long)look, (long)count,
				(long)time, 0, 0);
#else
	int result = ppoll(look, count, time, NULL);

	return result < 0 ? -errno : result;
#endif
}

/*
 * ioctl(2) of a seccomp notifier; the C libraries do not agree on the type of
 * the request.
 */
static inline int sys_notifier(int fd, unsigned long request, void *argument)
{
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

/*
 * SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (Linux
 * 6.6): caller and answerer take turns on one processor. Only faster, so an
 * older kernel's refusal does not matter.
 */
static inline void sys_notifier_in_turn(int fd)
{
	syscall(SYS_ioctl, fd, SECCOMP_IOW(4, __u64), 1UL);
}

/* seccomp(2). */
static inline int sys_seccomp(unsigned int operation, unsigned int flags,
				 void *argument)
{
	return (int)syscall(SYS_seccomp, operation, flags, argument);
}

/* pidfd_getfd(2), Linux 5.6. */
static inline int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

/* The network namespace of a socket, Linux 5.14. */
enum { KERNEL_SO_NETNS_COOKIE = 71 };

/*
 * What a seccomp filter sees as the machine when a call comes by the entry
 * point that this program was built for; 0 if the filter was not made for it.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_RISCV64
#elif defined(__arm__) && defined(__ARMEL__)
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_ARM
#else
#define KERNEL_AUDIT_ARCH 0
#endif

/*
 * keyctl(2) with KEYCTL_JOIN_SESSION_KEYRING and no name: from now on this
 * process has a new session keyring. Returns its number, or -1 with errno.
 */
static inline long sys_join_new_keyring(void)
{
	return syscall(SYS_keyctl, 1, NULL);
}

/* Landlock, Linux 5.13, by its numbers: landlock(7) says which ABI has what. */
enum {
	LANDLOCK_EXECUTE = 1 << 0,
	LANDLOCK_WRITE_FILE = 1 << 1,
	LANDLOCK_READ_FILE = 1 << 2,
	LANDLOCK_READ_DIR = 1 << 3,
	LANDLOCK_REMOVE_DIR = 1 << 4,
	LANDLOCK_REMOVE_FILE = 1 << 5,
	LANDLOCK_MAKE_CHAR = 1 << 6,
	LANDLOCK_MAKE_DIR = 1 << 7,
	LANDLOCK_MAKE_REG = 1 << 8,
	LANDLOCK_MAKE_SOCK = 1 << 9,
	LANDLOCK_MAKE_FIFO = 1 << 10,
	LANDLOCK_MAKE_BLOCK = 1 << 11,
	LANDLOCK_MAKE_SYM = 1 << 12,
	LANDLOCK_REFER = 1 << 13,	/* ABI 2 */
	LANDLOCK_TRUNCATE = 1 << 14,	/* ABI 3 */
	LANDLOCK_IOCTL_DEV = 1 << 15,	/* ABI 5 */
	LANDLOCK_BIND_TCP = 1 << 0,	/* ABI 4 */
	LANDLOCK_CONNECT_TCP = 1 << 1,
	LANDLOCK_SCOPE_ABSTRACT = 1 << 0,	/* ABI 6 */
	LANDLOCK_SCOPE_SIGNAL = 1 << 1
};

/* What a domain decides about; an older kernel takes zeroes for what is new. */
struct sys_landlock {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* The newest ABI of this kernel, or -1 with errno. */
static inline int sys_landlock_abi(void)
{
	return (int)syscall(444, NULL, 0, 1);
}

/* Returns a close-on-exec descriptor of a new ruleset, or -1 with errno. */
static inline int sys_landlock_create(const struct sys_landlock *handled)
{
	return (int)syscall(444, handled, sizeof(*handled), 0);
}

/* Allow this at and below the file of fd. Returns 0, or -1 with errno. */
static inline int sys_landlock_allow_path(int ruleset, uint64_t rights, int fd)
{
	struct {
		uint64_t rights;
		int32_t fd;
	} __attribute__((packed)) rule = { rights, fd };

	return (int)syscall(445, ruleset, 1, &rule, 0);
}

static inline int sys_landlock_allow_port(int ruleset, uint64_t rights,
					  uint16_t port)
{
	const uint64_t rule[2] = { rights, port };

	return (int)syscall(445, ruleset, 2, rule, 0);
}

/* Enter the domain, for good. Needs no_new_privs. */
static inline int sys_landlock_restrict(int ruleset)
{
	return (int)syscall(446, ruleset, 0);
}

/* Where these calls once took 16 bits, those that take 32. */
enum {
#if defined(SYS_setresuid32)
	KERNEL_GETGROUPS = SYS_getgroups32,
	KERNEL_GETRESGID = SYS_getresgid32,
	KERNEL_GETRESUID = SYS_getresuid32,
	KERNEL_SETFSGID = SYS_setfsgid32,
	KERNEL_SETFSUID = SYS_setfsuid32,
	KERNEL_SETGROUPS = SYS_setgroups32,
	KERNEL_SETRESGID = SYS_setresgid32,
	KERNEL_SETRESUID = SYS_setresuid32
#else
	KERNEL_GETGROUPS = SYS_getgroups,
	KERNEL_GETRESGID = SYS_getresgid,
	KERNEL_GETRESUID = SYS_getresuid,
	KERNEL_SETFSGID = SYS_setfsgid,
	KERNEL_SETFSUID = SYS_setfsuid,
	KERNEL_SETGROUPS = SYS_setgroups,
	KERNEL_SETRESGID = SYS_setresgid,
	KERNEL_SETRESUID = SYS_setresuid
#endif
};

#endif
