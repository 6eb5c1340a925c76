#include "cred/caps.h"

#include <cap-ng.h>
#include <ctype.h>
#include <errno.h>
#include <linux/securebits.h>
#include <string.h>
#include <strings.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

/* The kernel keeps its sets in 64 bits. */
enum { CAPS_LIMIT = 64 };

/* By number, as in linux/capability.h. */
static const char *const names[] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill",
	"setgid", "setuid", "setpcap", "linux_immutable", "net_bind_service",
	"net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct",
	"sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time",
	"sys_tty_config", "mknod", "lease", "audit_write", "audit_control",
	"setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm",
	"block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
};

/* A name or number of a capability, or -1. */
static int find(const char *word)
{
	uint64_t number;

	if (str_number(word, 0, CAPS_LIMIT - 1, &number))
		return (int)number;
	if (strncasecmp(word, "cap_", 4) == 0)
		word += 4;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(word, names[i]) == 0)
			return (int)i;
	return -1;
}

bool caps_read(const char *list, void *set)
{
	struct slice rest = str_word(list);
	uint64_t found = 0;

	if (strcmp(list, "none") == 0)
		rest.at = NULL;
	while (rest.at) {
		char name[CAPS_NAME_MAX];
		int cap = -1;

		if (str_copy(str_cut(&rest, ','), name, sizeof(name)))
			cap = find(name);
		if (cap < 0)
			return false;
		found |= CAPS_BIT(cap);
	}
	*(uint64_t *)set = found;
	return true;
}

struct slice caps_word(const void *list, size_t i)
{
	(void)list;
	return i < ARRAY_LEN(names) ? str_word(names[i])
				    : (struct slice){ NULL, 0 };
}

void caps_name(int cap, char name[CAPS_NAME_MAX])
{
	struct text out;

	text_start(&out, name, CAPS_NAME_MAX);
	caps_describe(CAPS_BIT(cap), &out);
	for (char *c = name; *c; c++)
		*c = (char)toupper(*c);
}

void caps_describe(uint64_t set, struct text *out)
{
	const char *comma = "";

	if (set == 0)
		text_add(out, "none");
	for (unsigned int cap = 0; cap < CAPS_LIMIT; cap++) {
		if (!(set & CAPS_BIT(cap)))
			continue;
		if (cap < ARRAY_LEN(names))
			text_add(out, "%s%s", comma, names[cap]);
		else
			text_add(out, "%s%u", comma, cap);
		comma = ",";
	}
}

/*
 * For the calling thread: libcap-ng keeps the one that it began with. The
 * kernel may write to the header, and qemu-user demands that it can.
 */
static int call(long number, struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct thread = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	return (int)syscall(number, &thread, data);
}

int caps_held(uint64_t *permitted, uint64_t *effective)
{
	struct __user_cap_data_struct data[2] = { 0 };

	if (call(SYS_capget, data) < 0)
		return -1;
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	*effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return 0;
}

int caps_set_effective(uint64_t effective)
{
	struct __user_cap_data_struct data[2] = { 0 };

	if (call(SYS_capget, data) < 0)
		return -1;
	data[0].effective = (uint32_t)effective;
	data[1].effective = (uint32_t)(effective >> 32);
	return call(SYS_capset, data);
}

uint64_t caps_bounding(uint64_t known)
{
	uint64_t set = known;

	for (int cap = 0; cap < CAPS_LIMIT; cap++) {
		int has = known & CAPS_BIT(cap) ? 1 :
			  prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break;
		set |= has ? CAPS_BIT(cap) : 0;
	}
	return set;
}

static int refused(const char *act, struct fault *f)
{
	return fault_set(f, EXIT_STEP, errno, "%s", act);
}

/*
 * Drop from the bounding set what is not kept. libcap-ng knows only the
 * capabilities of its own day, and Debian's build reports success when a drop
 * failed. A read costs a seventh of a drop, and what is permitted is mostly in
 * the set, so it is dropped unread.
 */
static int reduce_bounding(uint64_t keep, uint64_t permitted)
{
	const uint64_t rest = caps_bounding(permitted) & ~keep;

	for (int cap = 0; cap < CAPS_LIMIT; cap++)
		if ((rest & CAPS_BIT(cap)) &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	return 0;
}

/*
 * With SECBIT_NOROOT, uid 0 alone gives no capabilities; its lock makes that
 * last in all descendants. The other securebits can give none back, and
 * programs rely on them: ping and named set KEEP_CAPS, and a server that leaves
 * a kept uid 0 relies on the kernel to clear its sets. What the runtime has
 * locked stays.
 */
static int lock_noroot(void)
{
	int now = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	if (now < 0 || (now & SECBIT_NOROOT_LOCKED))
		return now < 0 ? -1 : 0;
	return prctl(PR_SET_SECUREBITS,
		     now | SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
}

int caps_reduce(uint64_t keep, uint64_t held, uint64_t bounding,
		bool new_privs, struct fault *f)
{
	uint64_t permitted, effective;

	if (caps_held(&permitted, &effective) < 0)
		return refused("read the capabilities", f);
	if (permitted & CAPS_BIT(CAP_SETPCAP)) {
		if (caps_set_effective(CAPS_BIT(CAP_SETPCAP)) < 0)
			return refused("keep CAP_SETPCAP alone", f);
		if (bounding != UINT64_MAX &&
		    reduce_bounding(keep | bounding, permitted) < 0)
			return refused("reduce the bounding set", f);
		if (!new_privs && lock_noroot() < 0)
			return refused("lock the securebits", f);
	}
	capng_clear(CAPNG_SELECT_CAPS);
	for (unsigned int cap = 0; cap < CAPS_LIMIT; cap++) {
		if ((keep | held) & CAPS_BIT(cap))
			capng_update(CAPNG_ADD,
				     CAPNG_PERMITTED | CAPNG_EFFECTIVE, cap);
		if (keep & CAPS_BIT(cap))
			capng_update(CAPNG_ADD, CAPNG_INHERITABLE, cap);
	}
	/* It promises no errno, but the call that it makes sets one. */
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return refused("drop the capabilities", f);
	/* Only what is permitted and inheritable has stayed ambient. */
	for (int cap = 0; cap < CAPS_LIMIT; cap++)
		if ((keep & CAPS_BIT(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return refused("set the ambient capabilities", f);
	return 0;
}

int caps_leave(uint64_t keep, struct fault *f)
{
	const uint32_t low = (uint32_t)keep, high = (uint32_t)(keep >> 32);
	struct __user_cap_data_struct data[2] = { { low, low, low },
						  { high, high, high } };

	return call(SYS_capset, data) < 0 ? refused("drop the capabilities", f)
					  : 0;
}

int caps_open_ports(struct fault *f, unsigned int first)
{
	return fault_lines(
		f, "--sysctl net.ipv4.ip_unprivileged_port_start=%u",
		"securityContext.sysctls: [{name: "
		"net.ipv4.ip_unprivileged_port_start, value: \"%u\"}]", first);
}

int caps_missing(struct fault *f, uint64_t set)
{
	const int first = __builtin_ctzll(set);
	char list[sizeof(f->docker)], name[CAPS_NAME_MAX];
	struct text flags, yaml;

	caps_name(first, name);
	/* --cap-add does not reach a process that is not root. */
	if (geteuid() != 0) {
		fault_lines(f, "--user=0", "securityContext.runAsUser: 0");
		fault_hint(f, "uid %u has no CAP_%s: start as root, or setcap "
			   "...=p this file in the image (docker's COPY loses "
			   "it, no_new_privs voids it)%s", geteuid(), name,
			   first == CAP_NET_BIND_SERVICE
				   ? ", or open the port" :
			   first == CAP_CHOWN
				   ? ", or chown in the image, or "
				     "securityContext.fsGroup" : "");
		return first == CAP_NET_BIND_SERVICE ? caps_open_ports(f, 0)
						     : -1;
	}
	if (set & CAPS_BIT(CAP_NET_BIND_SERVICE))
		fault_hint(f, "for ports, the sysctl "
			      "net.ipv4.ip_unprivileged_port_start=0 will do too");
	else if (set == CAPS_BIT(first))
		fault_hint(f, "CAP_%s is not %s", name,
			   caps_bounding(~set) & set ? "effective"
						     : "in the bounding set");
	text_start(&flags, f->docker, sizeof(f->docker));
	text_start(&yaml, list, sizeof(list));
	for (int cap = first; cap < CAPS_LIMIT; cap++) {
		if (!(set & CAPS_BIT(cap)))
			continue;
		caps_name(cap, name);
		text_add(&flags, "--cap-add=%s ", name);
		text_add(&yaml, "%s%s", cap == first ? "" : ", ", name);
	}
	text_add(&flags, "(compose: cap_add: [%s])", list);
	text_start(&yaml, f->kubernetes, sizeof(f->kubernetes));
	text_add(&yaml, "securityContext.capabilities.add: [%s]", list);
	return -1;
}

int caps_hint(struct fault *f, int cap)
{
	uint64_t permitted, effective;

	if (cap < 0 || caps_held(&permitted, &effective) < 0 ||
	    (effective & CAPS_BIT(cap)))
		return -1;
	return caps_missing(f, CAPS_BIT(cap));
}

/*
 * setfsuid(2) returns the previous id and reports no failure; (uid_t)-1 only
 * reads it. Leaving fsuid 0 does not clear CAP_SETUID and CAP_SETGID.
 */
static int set_both(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	if ((uid_t)setfsuid((uid_t)-1) == uid &&
	    (gid_t)setfsgid((gid_t)-1) == gid)
		return 0;
	errno = EPERM;
	return -1;
}

int fsids_enter(uid_t uid, gid_t gid, struct fsids *before)
{
	uint64_t permitted;
	int err;

	before->uid = (uid_t)setfsuid((uid_t)-1);
	before->gid = (gid_t)setfsgid((gid_t)-1);
	if (caps_held(&permitted, &before->effective) < 0)
		return -1;
	if (set_both(uid, gid) == 0 &&
	    caps_set_effective(before->effective) == 0)
		return 0;
	err = errno;
	fsids_leave(before);
	errno = err;
	return -1;
}

int fsids_leave(const struct fsids *before)
{
	return set_both(before->uid, before->gid) < 0
		       ? -1 : caps_set_effective(before->effective);
}
