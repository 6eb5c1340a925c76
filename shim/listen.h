/*
 * listen: open, bind and listen. Step 1: ports below
 * net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE.
 */
#ifndef STEPDOWN_LISTEN_H
#define STEPDOWN_LISTEN_H

struct fault;
struct plan;
struct run;
struct text;

/* Append what listen_run() would do, a line per --listen. */
void listen_describe(const struct plan *plan, struct text *out);

/*
 * Take the inherited sockets, then open every socket of the plan, into
 * run->sockets, in this order, each close-on-exec; launch hands them over.
 *
 * Returns 0, or -1 with a fault; sockets opened so far stay open in run, and
 * the files of unix sockets stay.
 */
int listen_run(const struct plan *plan, struct run *run, struct fault *f);

#endif
