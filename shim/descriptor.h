/*
 * descriptor: calls on descriptors by their numbers. The C library's functions
 * have the locks of files in them, and ways around kernels of 2008, a kilobyte
 * in all.
 */
#ifndef STEPDOWN_DESCRIPTOR_H
#define STEPDOWN_DESCRIPTOR_H

#include <sys/types.h>

/*
 * open(2) and openat(2). It is always close-on-exec; a file that is made has
 * mode 0600. Returns a descriptor, or -1 with errno.
 */
int descriptor_open(const char *path, int flags);
int descriptor_open_in(int folder, const char *path, int flags);

/*
 * fcntl(2). command: F_GETFD, F_SETFD, F_GETFL, F_SETFL or F_DUPFD_CLOEXEC;
 * argument: 0 where it takes none. Returns what that does, or -1 with errno.
 */
int descriptor_control(int fd, int command, int argument);

/* socket(2). Returns the socket, or -1 with errno. */
int descriptor_socket(int family, int type);

/* fchown(2), also with O_PATH. Returns 0, or -1 with errno. */
int descriptor_chown(int fd, uid_t uid, gid_t gid);

/* fchmod(2), not with O_PATH. Returns 0, or -1 with errno. */
int descriptor_chmod(int fd, mode_t mode);

/* fchdir(2). Returns 0, or -1 with errno. */
int descriptor_chdir(int fd);

/*
 * How many descriptors may be open, as far as anybody needs to know: the soft
 * RLIMIT_NOFILE, or most if it is more or cannot be read.
 */
unsigned int descriptor_limit(unsigned int most);

/* socketpair(2) of AF_UNIX. Returns 0, or -1 with errno. */
int descriptor_pair(int type, int pair[2]);

#endif
