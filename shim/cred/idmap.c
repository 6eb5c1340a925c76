#include "cred/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "cred/groups.h"
#include "plan.h"

/* 340 lines of three numbers, since Linux 4.15; five of them before. */
enum { MAP_SIZE = 340 * 34 + 1 };

/* The number of the first user namespace (include/linux/proc_ns.h). */
static const ino_t first_namespace = 0xEFFFFFFDu;

/* Read a file of /proc, which may come in parts. -1 with errno. */
static ssize_t read_whole(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -1;
	while (got > 0 && length < size) {
		got = read(fd, buffer + length, size - length);
		if (got > 0)
			length += (size_t)got;
	}
	close(fd);
	return got < 0 ? -1 : (ssize_t)length;
}

/* The next number of a line, or false at its end. */
static bool next_number(const char **at, const char *end, uint64_t *number)
{
	bool found = false;

	*number = 0;
	while (*at < end && **at == ' ')
		(*at)++;
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		*number = *number * 10 + (uint64_t)(**at - '0');
		found = true;
	}
	return found;
}

bool idmap_holds(const char *map, size_t length, uint32_t id)
{
	const char *end = map + length;

	while (map < end) {
		const char *line_end = memchr(map, '\n', (size_t)(end - map));
		uint64_t first, outside, count;

		if (!line_end)
			line_end = end;
		if (next_number(&map, line_end, &first) &&
		    next_number(&map, line_end, &outside) &&
		    next_number(&map, line_end, &count) && id >= first &&
		    id - first < count)
			return true;
		map = line_end + 1;
	}
	return false;
}

static int unmapped(const char *kind, uint32_t id, const char *file,
		    struct fault *f)
{
	fault_set(f, EXIT_STEP, 0,
		  "%s %u is not mapped (%s)", kind, id,
		  file);
	return fault_hint(f,
			  "map it: podman run --%smap, /etc/sub%s, dockerd --userns-remap",
			  kind, kind);
}

/* Each of the ids must be in the map; without a map nothing is known. */
static int check_map(const char *kind, const char *file, const uint32_t *ids,
		     size_t count, struct fault *f)
{
	char map[MAP_SIZE];
	ssize_t length = read_whole(file, map, sizeof(map));

	for (size_t i = 0; length >= 0 && i < count; i++)
		if (!idmap_holds(map, (size_t)length, ids[i]))
			return unmapped(kind, ids[i], file, f);
	return 0;
}

/*
 * A process without privilege may map one gid only if it gives setgroups(2) up
 * for its namespace (CVE-2014-8989).
 */
static int check_setgroups(struct fault *f)
{
	char word[8];
	ssize_t length = read_whole("/proc/self/setgroups", word, sizeof(word));

	if (length < 4 || memcmp(word, "deny", 4) != 0)
		return 0;
	fault_set(f, EXIT_STEP, EPERM,
		  "set the groups (/proc/self/setgroups says deny)");
	return fault_hint(f,
			  "rootless engines need newgidmap and /etc/subgid");
}

int idmap_check(const struct plan *plan, struct fault *f)
{
	const struct start *s = &plan->start;
	const struct target *t = &plan->target;
	struct stat st;

	if (stat("/proc/self/ns/user", &st) < 0 || st.st_ino == first_namespace)
		return 0;
	if (t->uid != s->uid &&
	    check_map("uid", "/proc/self/uid_map", &t->uid, 1, f) < 0)
		return -1;
	if (t->gid != s->gid &&
	    check_map("gid", "/proc/self/gid_map", &t->gid, 1, f) < 0)
		return -1;
	if (groups_same(t->groups, t->ngroups, s->groups, s->ngroups))
		return 0;
	if (check_map("gid", "/proc/self/gid_map", t->groups, t->ngroups, f) < 0)
		return -1;
	return check_setgroups(f);
}
