#include "unit.h"

#include "cred/ids.h"

static struct plan plan;
static gid_t runtime[IDS_MAX_GROUPS];
static struct fault f;

static const char group_file[] = "root:x:0:\n"
				 "disk:x:6:root\n"
				 "wheel:x:10:a,root,b\n"
				 "app:x:4343:\n"
				 "media:x:6001:app\n"
				 "backup:x:6002:x,app\n"
				 "again:x:6001:app\n"
				 "prime:x:4242:app\n";

static int resolve(const char *list)
{
	const char *file = temporary_file(0, group_file, strlen(group_file));

	memset(&f, 0, sizeof(f));
	plan.target.gid = 4242;
	return ids_resolve_groups(&(struct ids_groups_spec){
		.list = list,
		.named = plan.named,
		.root = "root",
		.file = file,
		.runtime = plan.start.groups,
		.nruntime = plan.start.ngroups,
	}, &plan.target, &f);
}

static void started_with(const gid_t *list, size_t count)
{
	memset(&plan, 0, sizeof(plan));
	plan.start.groups = runtime;
	memcpy(runtime, list, count * sizeof(*list));
	plan.start.ngroups = count;
	strcpy(plan.target.name, "app");
	plan.named = true;
}

static void assert_groups(const char *list, const char *wanted)
{
	char text[256] = "";

	if (resolve(list) < 0)
		fail_msg("%s: %s", list ? list : "(default)", f.what);
	for (size_t i = 0; i < plan.target.ngroups; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%u", i ? " " : "", plan.target.groups[i]);
	assert_string_equal(text, wanted);
}

static const gid_t from_runtime[] = { 0, 6, 7, 10, 2000, 4242 };

TEST(each_word_gives_its_groups)
{
	started_with(from_runtime, ARRAY_LEN(from_runtime));
	assert_groups(NULL, "7 2000 6001 6002");
	assert_groups("auto", "7 2000 6001 6002");
	assert_groups("none", "");
	assert_groups("init", "6001 6002");
	assert_groups("runtime", "7 2000");
	assert_groups("runtime,init,auto", "7 2000 6001 6002");
	assert_groups("9,media,9,6,4242,0", "0 6 9 6001");
}

TEST(a_number_has_no_groups_of_its_own_by_default)
{
	started_with(from_runtime, ARRAY_LEN(from_runtime));
	plan.named = false;
	assert_groups("auto", "7 2000");
	assert_groups("init", "6001 6002");
	plan.target.name[0] = '\0';
	assert_groups("init,5", "5");
}

TEST(what_is_no_group_is_a_usage_fault)
{
	static const char *const lists[] = {
		"", ",", "auto,", ",auto", "none,1", "1,none", "Auto", "-1",
		"4294967295", "nobody-has-it", "runtime ,1", "auto,,1"
	};

	started_with(from_runtime, ARRAY_LEN(from_runtime));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (resolve(lists[i]) != -1)
			fail_msg("'%s' was taken", lists[i]);
		assert_fault(&f, EXIT_USAGE, "--groups");
	}
}

static gid_t many[IDS_MAX_GROUPS];

TEST(as_many_as_the_kernel_takes_and_no_more)
{
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = 100000 + (gid_t)i;
	started_with(many, ARRAY_LEN(many));
	assert_int_equal(resolve("runtime"), 0);
	assert_int_equal(plan.target.ngroups, IDS_MAX_GROUPS);
	assert_memory_equal(plan.target.groups, many, sizeof(many));
	assert_int_equal(resolve("runtime,1"), -1);
	assert_fault(&f, EXIT_USAGE, "65536");
	assert_int_equal(resolve("1,runtime"), -1);
	assert_int_equal(resolve("runtime,init"), -1);
}

TEST(any_list_is_sorted)
{
	static gid_t list[1000];
	static const unsigned int ranges[] = { 1, 2, 10, 5000, 4000000000u };

	srand(7);
	for (size_t count = 0; count <= ARRAY_LEN(list); count += 1 + count / 9)
		for (size_t r = 0; r < ARRAY_LEN(ranges); r++) {
			for (size_t i = 0; i < count; i++)
				list[i] = (gid_t)rand() * 3 % ranges[r];
			ids_sort(list, count);
			for (size_t i = 1; i < count; i++)
				assert_true(list[i - 1] <= list[i]);
		}
}
