/*
 * broker: answers the application's bind(2) with sockets that were bound
 * before the drop. See init.h for when each of these is called.
 */
#ifndef STEPDOWN_BROKER_H
#define STEPDOWN_BROKER_H

struct fault;
struct plan;
struct run;

/*
 * Before the fork: make what parent and child talk through. Returns 0, or -1
 * with a fault; the application is not started then.
 */
int broker_before(const struct plan *plan, struct run *run, struct fault *f);

/*
 * In the child, right before launch(), which closes all descriptors that it
 * does not hand over. Returns 0, or -1 with a fault; the child ends with it.
 */
int broker_child(const struct plan *plan, struct run *run, struct fault *f);

/*
 * In the parent, right after the fork; cannot fail. Sets run->notify_fd if
 * there is something to serve, and closes every descriptor above 2 that
 * neither the broker nor signals_fd is.
 */
void broker_parent(const struct plan *plan, struct run *run, int signals_fd);

/* run->notify_fd can be read, or was hung up. Must not block. */
void broker_serve(const struct plan *plan, struct run *run);

#endif
