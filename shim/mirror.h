/*
 * mirror: what an application has set on its socket before it is given
 * another one.
 */
#ifndef STEPDOWN_MIRROR_H
#define STEPDOWN_MIRROR_H

#include <stdbool.h>

/* Are both of the same type, in the same network, and the first not bound? */
bool mirror_fits(int application, int ours);

/*
 * Give ours the options of the application's socket. What needs a capability
 * to be set, or cannot be read back, stays as it is.
 */
void mirror_copy(int application, int ours);

#endif
