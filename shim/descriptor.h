/*
 * descriptor: fcntl(2). The C library's function of that name has the locks of
 * files in it, and they are half a kilobyte.
 */
#ifndef STEPDOWN_DESCRIPTOR_H
#define STEPDOWN_DESCRIPTOR_H

/*
 * command: F_GETFD, F_SETFD, F_GETFL, F_SETFL or F_DUPFD_CLOEXEC; argument: 0
 * where it takes none. Returns what fcntl(2) does, or -1 with errno.
 */
int descriptor_control(int fd, int command, int argument);

#endif
