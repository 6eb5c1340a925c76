#include "unit.h"

#include <linux/capability.h>

#include "base/str.h"
#include "cred/caps.h"

#define BIT(cap) (UINT64_C(1) << (cap))

static const struct {
	const char *list;
	uint64_t set;
} lists[] = {
	{ "none", 0 },
	{ "chown", BIT(CAP_CHOWN) },
	{ "CHOWN", BIT(CAP_CHOWN) },
	{ "cap_chown", BIT(CAP_CHOWN) },
	{ "CAP_CHOWN", BIT(CAP_CHOWN) },
	{ "Cap_Chown", BIT(CAP_CHOWN) },
	{ "0", BIT(CAP_CHOWN) },
	{ "10", BIT(CAP_NET_BIND_SERVICE) },
	{ "40", BIT(40) },
	{ "63", BIT(63) },
	{ "net_bind_service,chown", BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_CHOWN) },
	{ "chown,chown,0", BIT(CAP_CHOWN) },
	{ "31,32", BIT(31) | BIT(32) },
	{ "setgid,CAP_SETUID,8", BIT(CAP_SETGID) | BIT(CAP_SETUID) |
				 BIT(CAP_SETPCAP) },
};

TEST(names_and_numbers_become_a_set)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		uint64_t set = 77;

		if (!caps_read(lists[i].list, &set))
			fail_msg("'%s' was refused", lists[i].list);
		if (set != lists[i].set)
			fail_msg("%s became %llx", lists[i].list,
				 (unsigned long long)set);
	}
}

static const char *const no_lists[] = {
	"", ",", "chown,", ",chown", "chown,,setuid", " chown", "chown ",
	"chown, setuid", "chown setuid", "none,chown", "chown,none", "None",
	"all", "full", "root", "cap_", "cap_cap_chown", "-1", "+1", "0x0", "64",
	"4294967296", "18446744073709551616", "1e1", "chow", "chownn",
	"chown;setuid", "net-bind-service", "!chown", "-chown",
	"chown=ep", "cap_net_bind_service_that_is_longer_than_any_name",
};

TEST(what_is_no_capability_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(no_lists); i++) {
		uint64_t set = 77;

		if (caps_read(no_lists[i], &set))
			fail_msg("'%s' was taken", no_lists[i]);
		assert_int_equal(set, 77);
	}
}

static const char *describe(uint64_t set)
{
	static char buffer[2048];
	struct text t;

	text_start(&t, buffer, sizeof(buffer));
	caps_describe(set, &t);
	assert_false(t.cut);
	return buffer;
}

TEST(a_set_is_described_by_names)
{
	assert_string_equal(describe(0), "none");
	assert_string_equal(describe(BIT(CAP_CHOWN)), "chown");
	assert_string_equal(describe(BIT(CAP_CHOWN) | BIT(CAP_SETUID)),
			    "chown,setuid");
}

TEST(what_is_described_is_understood)
{
	uint64_t set;

	for (int cap = 0; cap <= CAP_CHECKPOINT_RESTORE; cap++) {
		assert_true(caps_read(describe(BIT(cap)), &set));
		assert_true(set == BIT(cap));
	}
	assert_true(caps_read(describe(BIT(41) - 1), &set));
	assert_true(set == BIT(41) - 1);
}

TEST(a_capability_without_a_name_is_described_too)
{
	assert_int_not_equal(strlen(describe(BIT(63))), 0);
	assert_int_not_equal(strlen(describe(BIT(62) | BIT(63))), 0);
	assert_int_not_equal(strlen(describe(~UINT64_C(0))), 0);
}
