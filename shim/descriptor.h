/*
 * descriptor: calls on descriptors by their numbers. The C library's functions
 * have the locks of files in them, and ways around kernels of 2008, a kilobyte
 * in all.
 */
#ifndef STEPDOWN_DESCRIPTOR_H
#define STEPDOWN_DESCRIPTOR_H

/*
 * fcntl(2). command: F_GETFD, F_SETFD, F_GETFL, F_SETFL or F_DUPFD_CLOEXEC;
 * argument: 0 where it takes none. Returns what that does, or -1 with errno.
 */
int descriptor_control(int fd, int command, int argument);

/* socket(2). Returns the socket, or -1 with errno. */
int descriptor_socket(int family, int type);

/* socketpair(2) of AF_UNIX. Returns 0, or -1 with errno. */
int descriptor_pair(int type, int pair[2]);

#endif
