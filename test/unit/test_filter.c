#include "unit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/sys.h"
#include "bind/filter.h"

/* As much of the kernel's machine as the program uses. */
static uint32_t answer(uint32_t arch, int number, uint64_t level,
		       uint64_t option)
{
	const struct seccomp_data data = { .nr = number, .arch = arch,
					   .args = { 3, level, option } };
	uint32_t a = 0;

	for (size_t i = 0; i < FILTER_LENGTH; i++) {
		const struct sock_filter *line = &filter_program[i];

		switch (line->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(line->k % 4 == 0 &&
				    line->k + 4 <= sizeof(data));
			memcpy(&a, (const char *)&data + line->k, 4);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == line->k ? line->jt : line->jf;
			break;
		case BPF_RET | BPF_K:
			return line->k;
		default:
			fail_msg("line %zu has code %x", i, line->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

enum { X32 = 0x40000000 };

TEST(bind_is_asked_about_whatever_its_arguments)
{
	assert_int_equal(answer((uint32_t)KERNEL_AUDIT_ARCH, SYS_bind, 0, 0),
			 SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer((uint32_t)KERNEL_AUDIT_ARCH, SYS_bind, UINT64_MAX,
				UINT64_MAX),
			 SECCOMP_RET_USER_NOTIF);
}

static const struct {
	int level, name;
} options[] = {
	{ SOL_SOCKET, SO_REUSEADDR },
	{ SOL_SOCKET, SO_REUSEPORT },
	{ IPPROTO_IPV6, IPV6_V6ONLY },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ IPPROTO_IP, IP_PKTINFO },
	{ IPPROTO_IP, IP_FREEBIND },
};

TEST(few_options_are_asked_about_and_no_other)
{
	for (uint64_t level = 0; level < 300; level++)
		for (uint64_t option = 0; option < 100; option++) {
			bool asked = false;

			for (size_t i = 0; i < ARRAY_LEN(options); i++)
				asked = asked ||
					((int)level == options[i].level &&
					 (int)option == options[i].name);
			assert_int_equal(answer((uint32_t)KERNEL_AUDIT_ARCH, SYS_setsockopt,
						level, option),
					 asked ? SECCOMP_RET_USER_NOTIF
					       : SECCOMP_RET_ALLOW);
		}
	/* The kernel takes the low halves. */
	assert_int_equal(answer((uint32_t)KERNEL_AUDIT_ARCH, SYS_setsockopt,
				UINT64_C(7) << 32 | IPPROTO_IPV6,
				UINT64_C(9) << 32 | IPV6_V6ONLY),
			 SECCOMP_RET_USER_NOTIF);
}

TEST(every_other_call_is_let_through)
{
	for (int number = -1; number < 2000; number++)
		if (number != SYS_bind && number != SYS_setsockopt)
			assert_int_equal(answer((uint32_t)KERNEL_AUDIT_ARCH, number,
						IPPROTO_IPV6, IPV6_V6ONLY),
					 SECCOMP_RET_ALLOW);
}

TEST(other_entry_points_are_the_kernels)
{
	const uint32_t others[] = { AUDIT_ARCH_I386, AUDIT_ARCH_ARM,
				    AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64,
				    AUDIT_ARCH_RISCV64, 0 };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i] != (uint32_t)KERNEL_AUDIT_ARCH)
			for (int number = 0; number < 500; number++)
				assert_int_equal(answer(others[i], number,
							IPPROTO_IPV6,
							IPV6_V6ONLY),
						 SECCOMP_RET_ALLOW);
	assert_int_equal(answer((uint32_t)KERNEL_AUDIT_ARCH, X32 | SYS_bind, 0, 0),
			 SECCOMP_RET_ALLOW);
}
