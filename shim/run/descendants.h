/*
 * offspring: the processes that descend from this one, by /proc. For an init
 * that is not the first process of its pid namespace: there kill(-1) would
 * reach every process of the user.
 */
#ifndef STEPDOWN_RUN_DESCENDANTS_H
#define STEPDOWN_RUN_DESCENDANTS_H

/*
 * Send a signal to each descendant. One that is started meanwhile may be
 * missed; calling again each time a child has ended finds it.
 *
 * Returns 0, or -1 when /proc is not mounted, belongs to another pid namespace
 * or cannot be read; then nobody was sent anything.
 */
int offspring_signal(int number);

#endif
