/*
 * deny: run a command under a seccomp filter, as engines and old kernels are.
 *
 *	deny RULE... -- COMMAND...	RULE: CALL[:ARGUMENT:MASK]=ERRNO
 *	deny --notifier -- COMMAND...	with a notifier that nobody answers
 *
 * CALL is one of the names below, ERRNO a number; 0 makes the call succeed and
 * do nothing, and getgroups(2) say that there is no group. With ARGUMENT (0 to 5) the
 * call fails only if that argument has a bit of MASK. Must be run as root:
 * there is no no_new_privs, so that what the command does by itself shows.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

static struct sock_filter program[256];
static unsigned short length;

static void add(struct sock_filter line)
{
	if (length == ARRAY_LEN(program))
		exit(99);
	program[length++] = line;
}

static void fail(const char *what)
{
	fprintf(stderr, "deny: %s: %s\n", what, strerror(errno));
	exit(99);
}

static long number_of(const char *name, size_t size)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = {
		{ "bind", SYS_bind },
		{ "getgroups", SYS_getgroups },
		{ "keyctl", SYS_keyctl },
		{ "openat2", SYS_openat2 },
		{ "pidfd_getfd", SYS_pidfd_getfd },
		{ "pidfd_open", SYS_pidfd_open },
		{ "process_vm_readv", SYS_process_vm_readv },
		{ "seccomp", SYS_seccomp },
		{ "socket", SYS_socket },
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (strlen(calls[i].name) == size &&
		    memcmp(calls[i].name, name, size) == 0)
			return calls[i].number;
	errno = ENOSYS;
	fail(name);
	return -1;
}

static void add_rule(const char *rule)
{
	const char *equals = strchr(rule, '=');
	const char *colon = strchr(rule, ':');
	unsigned int argument = 0, mask = 0;
	long number = number_of(rule, strcspn(rule, ":="));

	if (!equals ||
	    (colon && sscanf(colon, ":%u:%i", &argument, (int *)&mask) != 2)) {
		errno = EINVAL;
		fail(rule);
	}
	add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					 offsetof(struct seccomp_data, nr)));
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					 (unsigned int)number, 0,
					 colon ? 3 : 1));
	if (colon) {
		add((struct sock_filter)BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS,
			(unsigned int)offsetof(struct seccomp_data, args) +
				8 * argument));
		add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
						 mask, 0, 1));
	}
	add((struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K,
		SECCOMP_RET_ERRNO | (unsigned int)atoi(equals + 1)));
}

static int install(unsigned int flags)
{
	struct sock_fprog all = { .len = length, .filter = program };
	long fd;

	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	all.len = length;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &all);
	if (fd < 0)
		fail("install");
	return (int)fd;
}

int main(int argc, char **argv)
{
	int at = 1, status, notifier = 0;
	pid_t child;

	for (; at < argc && strcmp(argv[at], "--") != 0; at++)
		if (strcmp(argv[at], "--notifier") == 0)
			notifier = 1;
		else
			add_rule(argv[at]);
	if (at + 1 >= argc)
		return 100;
	install(notifier ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	/* The notifier is there as long as somebody holds its descriptor. */
	child = notifier ? fork() : 0;
	if (child == 0) {
		execvp(argv[at + 1], argv + at + 1);
		fail(argv[at + 1]);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
