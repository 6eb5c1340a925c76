#include "ids.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"

int ids_set_groups(size_t count, const gid_t *groups)
{
	return (int)syscall(COMPAT_SETGROUPS, count, groups);
}

int ids_set_gid(gid_t real, gid_t effective, gid_t saved)
{
	return (int)syscall(COMPAT_SETRESGID, real, effective, saved);
}

int ids_set_uid(uid_t real, uid_t effective, uid_t saved)
{
	return (int)syscall(COMPAT_SETRESUID, real, effective, saved);
}
