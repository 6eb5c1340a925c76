#include "bind/filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/sys.h"

/*
 * The arguments are 64 bits wide and little-endian on every machine that
 * base/sys.h names. The kernel takes level and option of setsockopt(2) as int,
 * that is the low half alone, and so does this.
 */
enum {
	AT_ARCH = offsetof(struct seccomp_data, arch),
	AT_NUMBER = offsetof(struct seccomp_data, nr),
	AT_LEVEL = offsetof(struct seccomp_data, args[1]),
	AT_OPTION = offsetof(struct seccomp_data, args[2])
};

const struct filter_option filter_options[FILTER_OPTIONS] = {
	{ SOL_SOCKET, SO_REUSEADDR },
	{ SOL_SOCKET, SO_REUSEPORT },
	{ IPPROTO_IPV6, IPV6_V6ONLY },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ IPPROTO_IP, IP_PKTINFO },
	{ IPPROTO_IP, IP_FREEBIND },
};

#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define IF(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

/*
 * x32 shares the machine's word with x86-64, but its numbers have bit 30 set,
 * so they equal none of these. The numbers of a jump count from the line below
 * it: 18 is "let it through", 19 is "ask".
 */
static const struct sock_filter program[] = {
	/*  0 */ LOAD(AT_ARCH),
	/*  1 */ IF(KERNEL_AUDIT_ARCH, 0, 16),
	/*  2 */ LOAD(AT_NUMBER),
	/*  3 */ IF(SYS_bind, 15, 0),
	/*  4 */ IF(SYS_setsockopt, 0, 13),
	/*  5 */ LOAD(AT_LEVEL),
	/*  6 */ IF(SOL_SOCKET, 0, 3),
	/*  7 */ LOAD(AT_OPTION),
	/*  8 */ IF(SO_REUSEADDR, 10, 0),
	/*  9 */ IF(SO_REUSEPORT, 9, 8),
	/* 10 */ IF(IPPROTO_IPV6, 0, 3),
	/* 11 */ LOAD(AT_OPTION),
	/* 12 */ IF(IPV6_V6ONLY, 6, 0),
	/* 13 */ IF(IPV6_RECVPKTINFO, 5, 4),
	/* 14 */ IF(IPPROTO_IP, 0, 3),
	/* 15 */ LOAD(AT_OPTION),
	/* 16 */ IF(IP_PKTINFO, 2, 0),
	/* 17 */ IF(IP_FREEBIND, 1, 0),
	/* 18 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	/* 19 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
};

const struct sock_filter *filter_program(size_t *length)
{
	*length = ARRAY_LEN(program);
	return program;
}

int filter_hint(struct fault *f)
{
	return fault_hint(f,
			  "instead of --handoff=bind: "
			  "--keep-caps=net_bind_service, or the sysctl "
			  "net.ipv4.ip_unprivileged_port_start=0");
}

/*
 * A profile that does not know seccomp(2) answers EPERM or ENOSYS; a kernel
 * before 5.0 knows no notification and answers EOPNOTSUPP or EINVAL.
 */
int filter_check(struct fault *f)
{
	uint32_t action = SECCOMP_RET_USER_NOTIF;
	struct seccomp_notif_sizes sizes;

	errno = 0;
	if (KERNEL_AUDIT_ARCH != 0 &&
	    sys_seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 &&
	    sys_seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
	    sizes.seccomp_notif <= FILTER_NOTIFICATION_SIZE &&
	    sizes.seccomp_notif_resp <= FILTER_NOTIFICATION_SIZE)
		return 0;
	fault_set(f, EXIT_STEP, errno,
		  "use seccomp notifications, of x86-64, arm or riscv64 with "
		  "Linux 5.9");
	return filter_hint(f);
}

/*
 * WAIT_KILLABLE_RECV (Linux 5.19): a signal does not interrupt a bind(2) that
 * is being answered; without it the call is restarted, which broker.c must
 * recognize. SPEC_ALLOW (4.17): a filter that is no sandbox shall not slow the
 * application down by speculation barriers.
 */
int filter_install(bool *killable, struct fault *f)
{
	const struct sock_fprog all = {
		.len = ARRAY_LEN(program),
		.filter = (struct sock_filter *)(uintptr_t)program
	};
	const unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
				   SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	int fd = sys_seccomp(SECCOMP_SET_MODE_FILTER,
				flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
				(void *)(uintptr_t)&all);

	*killable = fd >= 0;
	if (fd < 0 && errno == EINVAL)
		fd = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags,
				    (void *)(uintptr_t)&all);
	if (fd >= 0)
		return fd;
	fault_set(f, EXIT_STEP, errno, "install the filter");
	if (errno == EBUSY)
		return fault_hint(f,
				  "the runtime, or an outer stepdown, has a seccomp "
				  "notifier already, and the kernel allows one");
	return filter_hint(f);
}
