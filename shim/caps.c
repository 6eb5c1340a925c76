#include "caps.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"
#include "parse.h"
#include "text.h"

/* The kernel keeps its sets in 64 bits. */
enum { CAPS_LIMIT = 64, CAPS_NAME_MAX = 32 };

static uint64_t bit(int cap)
{
	return UINT64_C(1) << cap;
}

/* A name or number of a capability, or -1. */
static int find(const char *word)
{
	uint64_t number;

	if (parse_number(word, 0, CAPS_LIMIT - 1, &number))
		return (int)number;
	if (strncasecmp(word, "cap_", 4) == 0)
		word += 4;
	return *word ? capng_name_to_capability(word) : -1;
}

int caps_parse(const char *list, uint64_t *set, struct fault *f)
{
	const char *at = list;
	uint64_t found = 0;

	if (strcmp(list, "none") == 0) {
		*set = 0;
		return 0;
	}
	for (;;) {
		size_t length = strcspn(at, ",");
		char word[CAPS_NAME_MAX];
		int cap = -1;

		if (length < sizeof(word)) {
			memcpy(word, at, length);
			word[length] = '\0';
			cap = find(word);
		}
		if (cap < 0) {
			fault_set(f, EXIT_USAGE, 0,
				  "--keep-caps %s: no capability '%.*s'", list,
				  (int)length, at);
			return fault_hint(f,
					  "names are those of capabilities(7), as in net_bind_service,chown");
		}
		found |= bit(cap);
		if (!at[length])
			break;
		at += length + 1;
	}
	*set = found;
	return 0;
}

void caps_describe(uint64_t set, struct text *out)
{
	const char *comma = "";

	if (set == 0)
		text_add(out, "none");
	for (int cap = 0; cap < CAPS_LIMIT; cap++) {
		const char *name;

		if (!(set & bit(cap)))
			continue;
		name = capng_capability_to_name((unsigned int)cap);
		if (name)
			text_add(out, "%s%s", comma, name);
		else
			text_add(out, "%s%d", comma, cap);
		comma = ",";
	}
}

/* libcap-ng's picture of the wanted sets, one of its types at a time. */
static void choose(capng_type_t type, uint64_t set)
{
	for (int cap = 0; cap < CAPS_LIMIT; cap++)
		if (set & bit(cap))
			capng_update(CAPNG_ADD, type, (unsigned int)cap);
}

/*
 * What this process holds. Not capng_get_caps_process(): it reads the bounding
 * and ambient sets from /proc/PID/status, which may not be mounted, and its
 * parser would be a fifth of the whole binary.
 */
struct held {
	uint64_t permitted;
	uint64_t effective;
};

static int read_held(struct held *held)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	held->permitted = data[0].permitted |
			  (uint64_t)data[1].permitted << 32;
	held->effective = data[0].effective |
			  (uint64_t)data[1].effective << 32;
	return 0;
}

/*
 * Set permitted, effective and inheritable, nothing more. capng_apply() tells
 * failures apart by its return value and does not promise an errno.
 */
static int set_process(uint64_t permitted, uint64_t effective,
		       uint64_t inheritable)
{
	capng_clear(CAPNG_SELECT_CAPS);
	choose(CAPNG_PERMITTED, permitted);
	choose(CAPNG_EFFECTIVE, effective);
	choose(CAPNG_INHERITABLE, inheritable);
	return capng_apply(CAPNG_SELECT_CAPS);
}

/*
 * Drop from the bounding set what is not kept, by number up to the last one
 * the kernel has: libcap-ng knows only the capabilities of its own day, and
 * Debian's build of it reports success when a drop failed. Reading costs a
 * seventh of dropping, and an engine has mostly dropped the greater part.
 */
static int reduce_bounding(uint64_t keep)
{
	for (int cap = 0; cap < CAPS_LIMIT; cap++) {
		int in_set = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (in_set < 0 && errno == EINVAL && cap > 0)
			return 0;	/* past the kernel's last */
		if (in_set < 0)
			return -1;
		if (in_set && !(keep & bit(cap)) &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

/*
 * uid 0 means nothing any more (NOROOT), a change of uid changes no set
 * (NO_SETUID_FIXUP), no set survives one by request (KEEP_CAPS off), nothing
 * becomes ambient again; all locked, for this process and all it starts. What
 * the runtime has locked already stays as it is.
 */
static int lock_securebits(void)
{
	const int wanted = SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP |
			   SECBIT_NO_CAP_AMBIENT_RAISE | SECURE_ALL_LOCKS;
	int now = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	int fixed;

	if (now < 0)
		return -1;
	fixed = (now & SECURE_ALL_LOCKS) >> 1;
	return prctl(PR_SET_SECUREBITS, (wanted & ~fixed) | (now & fixed), 0,
		     0, 0);
}

/* Which of the wanted ones were never there? */
static int missing(uint64_t wanted, struct fault *f)
{
	for (int cap = 0; cap < CAPS_LIMIT; cap++)
		if (wanted & bit(cap)) {
			const char *name =
				capng_capability_to_name((unsigned int)cap);

			fault_set(f, EXIT_STEP, EPERM, "keep capability %s",
				  name ? name : "(unnamed)");
			return caps_hint(f, cap);
		}
	return 0;
}

int caps_reduce(uint64_t keep, struct fault *f)
{
	const uint64_t setpcap = bit(CAP_SETPCAP);
	struct held held;

	if (read_held(&held) < 0)
		return fault_set(f, EXIT_STEP, errno, "read the capabilities");
	if (missing(keep & ~held.permitted, f) < 0)
		return -1;
	if (!(held.permitted & setpcap)) {
		fault_set(f, EXIT_STEP, EPERM, "empty the bounding set");
		return caps_hint(f, CAP_SETPCAP);
	}
	/*
	 * CAP_SETPCAP stays until the bounding set and the securebits are
	 * done, all else goes at once. Ambient capabilities must be permitted
	 * and inheritable first, and be raised before SECBIT_NO_CAP_AMBIENT_RAISE.
	 */
	if (set_process(keep | setpcap, setpcap, keep) < 0)
		return fault_set(f, EXIT_STEP, errno, "set the capabilities");
	capng_clear(CAPNG_SELECT_AMBIENT);
	choose(CAPNG_AMBIENT, keep);
	if (capng_apply(CAPNG_SELECT_AMBIENT) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "set the ambient capabilities");
	if (reduce_bounding(keep) < 0)
		return fault_set(f, EXIT_STEP, errno, "empty the bounding set");
	if (lock_securebits() < 0)
		return fault_set(f, EXIT_STEP, errno, "lock the securebits");
	if (set_process(keep, keep, keep) < 0)
		return fault_set(f, EXIT_STEP, errno, "drop the capabilities");
	return 0;
}

int caps_hint(struct fault *f, int cap)
{
	char name[CAPS_NAME_MAX];
	const char *known = capng_capability_to_name((unsigned int)cap);
	struct held held;

	if (!known || read_held(&held) < 0 || (held.effective & bit(cap)))
		return -1;
	strncpy(name, known, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (char *c = name; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	return fault_hint(f,
			  "CAP_%s is not %s; start the container with --cap-add=%s, or with securityContext.capabilities.add: [\"%s\"]",
			  name,
			  prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0
				  ? "effective"
				  : "in the bounding set",
			  name, name);
}
