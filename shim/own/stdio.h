/*
 * own_stdio: let the target open /dev/stdout again.
 *
 * /dev/stdout is /proc/self/fd/1, and to open that is to open the pipe anew,
 * which belongs to root with mode 0600: nginx's `access_log /dev/stdout` fails
 * with EACCES (moby issue 31243). runc gives the pipes to the user itself, but
 * only when the image says USER.
 */
#ifndef STEPDOWN_OWN_STDIO_H
#define STEPDOWN_OWN_STDIO_H

struct fault;
struct plan;
struct run;
struct text;

/* Append what own_stdio_run() would do. */
void own_stdio_describe(const struct plan *plan, struct text *out);

/*
 * Give the pipes and terminals among descriptors 0 to 2 to the target's uid.
 * Never a regular file or a named FIFO, which would be the host's, nor a device
 * like /dev/null that others share; a socket cannot be opened anew anyway.
 *
 * Returns 0: what the kernel refuses is a warning, for the application may
 * well do without.
 */
int own_stdio_run(const struct plan *plan, struct run *run, struct fault *f);

#endif
