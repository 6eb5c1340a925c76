#include "bind/filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/fault.h"
#include "base/sys.h"
#include "plan.h"

/*
 * The arguments are 64 bits wide and little-endian on every machine of
 * compat.h. The kernel takes level and option of setsockopt(2) as int, that is
 * the low half alone, and so does this.
 */
enum {
	AT_ARCH = offsetof(struct seccomp_data, arch),
	AT_NUMBER = offsetof(struct seccomp_data, nr),
	AT_LEVEL = offsetof(struct seccomp_data, args[1]),
	AT_OPTION = offsetof(struct seccomp_data, args[2])
};

/*
 * x32 shares the machine's word with x86-64, but its numbers have bit 30 set,
 * so they equal none of these. The numbers of a jump count from the line below
 * it: 12 is "let it through", 13 is "ask".
 */
static const struct sock_filter program[] = {
	/*  0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_ARCH),
	/*  1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KERNEL_AUDIT_ARCH, 0, 10),
	/*  2 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_NUMBER),
	/*  3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bind, 9, 0),
	/*  4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 7),
	/*  5 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_LEVEL),
	/*  6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IPV6, 0, 2),
	/*  7 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_OPTION),
	/*  8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPV6_V6ONLY, 4, 3),
	/*  9 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 0, 2),
	/* 10 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_OPTION),
	/* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SO_REUSEPORT, 1, 0),
	/* 12 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	/* 13 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
};

const struct sock_filter *filter_program(size_t *length)
{
	*length = ARRAY_LEN(program);
	return program;
}

int filter_other_way(struct fault *f)
{
	return fault_hint(f,
			  "instead of --handoff=bind: --keep-caps=net_bind_service, or the sysctl net.ipv4.ip_unprivileged_port_start=0");
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
		  "use seccomp notifications, of x86-64, arm or riscv64 with Linux 5.9");
	return filter_other_way(f);
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
				  "the runtime, or an outer stepdown, has a seccomp notifier already, and the kernel allows one");
	return filter_other_way(f);
}
