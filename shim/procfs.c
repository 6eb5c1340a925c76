#include "procfs.h"

#include <fcntl.h>
#include <unistd.h>

#include "descriptor.h"
#include "text.h"

bool procfs_read(int dir, const char *path, char *out, size_t size)
{
	int fd = descriptor_open_in(dir, path, O_RDONLY);
	ssize_t length = -1;

	if (fd >= 0) {
		length = read(fd, out, size - 1);
		close(fd);
	}
	out[length > 0 ? length : 0] = '\0';
	return length > 0;
}

bool procfs_read_of(int proc, pid_t pid, const char *name, char *out,
		    size_t size)
{
	char path[32];
	struct text t;

	text_start(&t, path, sizeof(path));
	text_add(&t, "%d/%s", (int)pid, name);
	return procfs_read(proc, path, out, size);
}
