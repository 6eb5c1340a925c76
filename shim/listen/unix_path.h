/*
 * sockfile: the file of a socket whose address is a path.
 */
#ifndef STEPDOWN_LISTEN_UNIX_PATH_H
#define STEPDOWN_LISTEN_UNIX_PATH_H

struct fault;
struct listener;

/*
 * Bind the socket fd to the path of the listener, with its mode and owner. A
 * socket that is there already and that nobody accepts on is removed first;
 * anything else that is there is an error. No part of the path may be a
 * symbolic link, and no folder is created.
 *
 * Returns 0, or -1 with a fault; the file may then be there, and the next run
 * takes it for a stale one.
 */
int sockfile_bind(int fd, const struct listener *l, struct fault *f);

#endif
