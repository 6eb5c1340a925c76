#include "drop/command.h"

#include <endian.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/str.h"
#include "base/text.h"

const char *command_path(const char *const variables[], size_t count,
			 char *const env[])
{
	const char *path;

	while (count-- > 0)
		if (strncmp(variables[count], "PATH=", 5) == 0)
			return variables[count] + 5;
	path = str_variable(env, "PATH", 4);
	return path ? path : COMMAND_DEFAULT_PATH;
}

bool command_find(const char *name, const char *path, char file[PATH_MAX])
{
	if (name[0] == '/')
		return str_copy(str_word(name), file, PATH_MAX);
	if (strchr(name, '/'))
		return false;
	for (const char *at = path;; at++) {
		size_t length = strcspn(at, ":");
		struct text t;

		text_start(&t, file, PATH_MAX);
		text_add_bytes(&t, at, length);
		text_add(&t, "/%s", name);
		at += length;
		if (length && !t.cut && access(file, X_OK) == 0)
			return true;
		if (!*at)
			return false;
	}
}

/* Version 3 of the attribute is of another user namespace, and has no effect. */
uint64_t command_file_caps(const char *file)
{
	struct vfs_cap_data data = { 0 };
	struct statvfs fs;
	uint32_t magic;

	if (getxattr(file, "security.capability", &data, sizeof(data)) <= 0 ||
	    statvfs(file, &fs) < 0 || (fs.f_flag & ST_NOSUID))
		return 0;
	magic = le32toh(data.magic_etc);
	if (!(magic & VFS_CAP_FLAGS_EFFECTIVE))
		return 0;
	return le32toh(data.data[0].permitted) |
	       (uint64_t)le32toh(data.data[1].permitted) << 32;
}
