#include "bind/filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"
#include "cred/caps.h"

/*
 * The arguments are 64 bits wide and little-endian on every machine in
 * base/sys.h. The kernel takes level and option of setsockopt(2) as int, which
 * is the low half alone, and so does the filter.
 */
#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

/*
 * x32 shares its architecture with x86-64, but its call numbers have bit 30
 * set, so they equal none of these. A jump counts from the next line: line 18
 * allows a call, line 19 asks.
 */
const struct sock_filter filter_program[FILTER_LENGTH] = {
	/*  0 */ LOAD(arch),
	/*  1 */ IF(KERNEL_AUDIT_ARCH, 0, 16),
	/*  2 */ LOAD(nr),
	/*  3 */ IF(SYS_bind, 15, 0),
	/*  4 */ IF(SYS_setsockopt, 0, 13),
	/*  5 */ LOAD(args[1]),
	/*  6 */ IF(SOL_SOCKET, 0, 3),
	/*  7 */ LOAD(args[2]),
	/*  8 */ IF(SO_REUSEADDR, 10, 0),
	/*  9 */ IF(SO_REUSEPORT, 9, 8),
	/* 10 */ IF(IPPROTO_IPV6, 0, 3),
	/* 11 */ LOAD(args[2]),
	/* 12 */ IF(IPV6_V6ONLY, 6, 0),
	/* 13 */ IF(IPV6_RECVPKTINFO, 5, 4),
	/* 14 */ IF(IPPROTO_IP, 0, 3),
	/* 15 */ LOAD(args[2]),
	/* 16 */ IF(IP_PKTINFO, 2, 0),
	/* 17 */ IF(IP_FREEBIND, 1, 0),
	/* 18 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	/* 19 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
};

static int hint_other_way(struct fault *f)
{
	fault_hint(f,
		   "instead of --handoff=bind: --keep-caps=net_bind_service, or open the ports");
	return caps_open_ports(f, 0);
}

/*
 * A seccomp profile without seccomp(2) returns EPERM or ENOSYS; a kernel before
 * 5.0 has no notifications, and returns EOPNOTSUPP or EINVAL.
 */
int filter_check(struct fault *f)
{
	struct seccomp_notif_sizes sizes;
	struct utsname us;
	char self[16] = "";

	if (readlink("/proc/self", self, sizeof(self) - 1) <= 0 ||
	    atoi(self) != getpid()) {
		fault_set(f, EXIT_STEP, 0, "look into /proc");
		return fault_hint(f,
				  "/proc must be mounted, and be that of this PID namespace");
	}
	if (KERNEL_AUDIT_ARCH == 0) {
		uname(&us);
		fault_set(f, EXIT_STEP, 0,
			  "--handoff=bind: not on %s, but on x86-64, arm, ppc64le and riscv64",
			  us.machine);
		return hint_other_way(f);
	}
	errno = 0;
	if (sys_seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
	    sizes.seccomp_notif <= FILTER_NOTIFICATION_SIZE &&
	    sizes.seccomp_notif_resp <= FILTER_NOTIFICATION_SIZE)
		return 0;
	fault_set(f, EXIT_STEP, errno,
		  "use seccomp notifications of Linux 5.9");
	return hint_other_way(f);
}

/*
 * WAIT_KILLABLE_RECV (Linux 5.19): a signal does not interrupt a bind(2) that
 * is being answered; without it the call is restarted, which broker.c must
 * recognize. SPEC_ALLOW (4.17): the filter is not a sandbox, so the application
 * need not be slowed down by speculation barriers.
 */
int filter_install(bool *killable, struct fault *f)
{
	struct sock_fprog all = {
		.len = FILTER_LENGTH,
		.filter = (struct sock_filter *)(uintptr_t)filter_program
	};
	/* For a notification that cannot exist: ENOENT if ADDFD is known. */
	struct seccomp_notif_addfd add = { .id = UINT64_MAX };
	const unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
				   SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	int fd = sys_seccomp(SECCOMP_SET_MODE_FILTER,
			     flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			     &all);

	*killable = fd >= 0;
	if (fd < 0 && errno == EINVAL)
		fd = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, &all);
	add.srcfd = (uint32_t)fd;
	if (fd >= 0 && sys_notifier(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 &&
	    errno == ENOENT)
		return fd;
	fault_set(f, EXIT_STEP, errno, "install the filter (Linux 5.9)");
	if (errno == EBUSY)
		return fault_hint(f,
				  "the runtime, or an outer stepdown, has a seccomp notifier already, and the kernel allows one");
	return hint_other_way(f);
}
