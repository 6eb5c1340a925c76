/*
 * unix_path: the file of a socket whose address is a path.
 *
 * The file is made by the socket's owner and never given away, so there is no
 * moment at which another file could be given in its place. bind(2) takes a
 * path, which servers compare with their configuration, and a path may be
 * exchanged before bind looks at it. So root's rights over other people's files
 * are used only where nobody but root can exchange a directory of the path;
 * elsewhere the owner binds with its own rights, and gains nothing by it.
 */
#ifndef STEPDOWN_LISTEN_UNIX_PATH_H
#define STEPDOWN_LISTEN_UNIX_PATH_H

struct listener;

/* What was tried when it failed, and what to do about it; each may be NULL. */
struct unix_path_failure {
	const char *act;
	const char *hint;
};

/*
 * Bind the socket fd to the path of the listener, with its mode, owner and
 * group. To be called between fsids_enter() with the listener's owner and
 * fsids_leave(): it lowers the effective capabilities, and leaves that to raise
 * them again.
 *
 * A socket that is there already and that nobody accepts on is removed first;
 * anything else that is there is an error. No part of the path may be a
 * symbolic link, and no directory is created.
 *
 * Returns 0, or -1 with *failure and errno, which is 0 if the words say it all.
 * The file may then be there, and the next run takes it for a stale one.
 */
int unix_path_bind(int fd, const struct listener *l,
		   struct unix_path_failure *failure);

#endif
