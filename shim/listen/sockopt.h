/*
 * sockopt: the options of a socket that are set before it is bound.
 */
#ifndef STEPDOWN_LISTEN_SOCKOPT_H
#define STEPDOWN_LISTEN_SOCKOPT_H

struct fault;
struct listener;

/*
 * Set what every socket of ours gets, and what the URL asks for.
 *
 * family: of the socket; it is not the address's where "*" fell back to IPv4.
 * Returns 0, or -1 with a fault. A buffer that the kernel cuts is a warning.
 */
int sockopt_set(int fd, const struct listener *l, int family, struct fault *f);

#endif
