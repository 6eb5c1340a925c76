/*
 * ids: changing who this process is, by raw system calls.
 *
 * The C library's functions change every thread, with a kilobyte of signals and
 * semaphores. When ids are changed here there is one thread: those of own have
 * been joined, and that of the broker starts later.
 */
#ifndef STEPDOWN_IDS_H
#define STEPDOWN_IDS_H

#include <stddef.h>
#include <sys/types.h>

/* Each returns 0, or -1 with errno, as the call of setgroups(2) and so on. */
int ids_set_groups(size_t count, const gid_t *groups);
int ids_set_gid(gid_t real, gid_t effective, gid_t saved);
int ids_set_uid(uid_t real, uid_t effective, uid_t saved);

#endif
