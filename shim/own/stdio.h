/*
 * stdio: let the target open /dev/stdout again.
 *
 * /dev/stdout is /proc/self/fd/1, and to open that is to open the pipe anew,
 * which belongs to root with mode 0600: nginx's `access_log /dev/stdout` fails
 * with EACCES (moby issue 31243). runc gives the pipes to the user itself, but
 * only when the image says USER.
 */
#ifndef STEPDOWN_OWN_STDIO_H
#define STEPDOWN_OWN_STDIO_H

#include <sys/types.h>

struct fault;
struct text;

/* Append what own_stdio_run() would do. */
void own_stdio_describe(uid_t uid, struct text *out);

/*
 * Give the pipes and the pseudo-terminals among descriptors 0 to 2 to this uid.
 * Never a regular file or a named FIFO, which would be the host's, nor another
 * device, which others share: /dev/null, /dev/tty, /dev/ptmx, a console. A
 * socket cannot be opened anew anyway.
 *
 * What the kernel refuses is a warning, for the application may well do without.
 */
void own_stdio_run(uid_t uid);

#endif
