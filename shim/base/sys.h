/*
 * sys: kernel interfaces for which the C library has no name or wrapper. The
 * only file that may use #ifdef.
 */
#ifndef STEPDOWN_BASE_SYS_H
#define STEPDOWN_BASE_SYS_H

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/*
 * Place a large static variable behind all small ones (configure.ac has the
 * linker sort by name), which share a page with the data. A page that is not
 * touched costs nothing.
 */
#define SYS_LARGE __attribute__((section(".bss.~large")))

/* An entry as SYS_getdents64 writes it. */
struct sys_dirent {
	uint64_t inode;
	int64_t next;		/* lseek(2) offset of the next one */
	unsigned short size;
	unsigned char type;	/* DT_REG and so on, or DT_UNKNOWN */
	char name[];
};

/* The bit of a signal in the kernel's signal sets. */
#define SIGNAL_BIT(number) (UINT64_C(1) << ((number) - 1))

/* Returns CLOCK_MONOTONIC in milliseconds. */
static inline int64_t sys_milliseconds(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * ioctl(2) of a seccomp notifier; the C libraries do not agree on the type of
 * the request.
 */
static inline int sys_notifier(int fd, unsigned long request, void *argument)
{
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

/* SO_NETNS_COOKIE, Linux 5.14. */
enum { SOCKET_NETWORK_COOKIE = 71 };

/* seccomp(2). */
static inline int sys_seccomp(unsigned int operation, unsigned int flags,
				 void *argument)
{
	return (int)syscall(SYS_seccomp, operation, flags, argument);
}

/*
 * The AUDIT_ARCH that seccomp(2) reports for system calls by this program's own
 * ABI; 0 where the filter for bind(2) does not support it: on i386 and s390x
 * programs bind by socketcall(2), whose arguments are in memory, which no
 * filter can read.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_RISCV64
#elif defined(__arm__) && defined(__ARMEL__)
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_ARM
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define KERNEL_AUDIT_ARCH AUDIT_ARCH_PPC64LE
#else
#define KERNEL_AUDIT_ARCH 0
#endif

/* Landlock, Linux 5.13. For the ABI versions see landlock(7). */
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

/* The rights that a ruleset handles. Older kernels accept zeroes at the end. */
struct sys_landlock {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* Returns the kernel's Landlock ABI version, or -1 with errno. */
static inline int sys_landlock_abi(void)
{
	return (int)syscall(444, NULL, 0, 1);
}

/* Returns a close-on-exec descriptor of a new ruleset, or -1 with errno. */
static inline int sys_landlock_create(const struct sys_landlock *handled)
{
	return (int)syscall(444, handled, sizeof(*handled), 0);
}

/* Allow rights at and below fd, or on a port. Returns 0, or -1 with errno. */
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

/* Enforce the ruleset on this thread, for good. Needs no_new_privs. */
static inline int sys_landlock_restrict(int ruleset)
{
	return (int)syscall(446, ruleset, 0);
}

/* The number of an id call: the 32-bit one where there is a 16-bit one too. */
#ifdef SYS_setresuid32
#define KERNEL_NUMBER(name) SYS_##name##32
#else
#define KERNEL_NUMBER(name) SYS_##name
#endif

#endif
