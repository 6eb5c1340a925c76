/*
 * shed: give memory back, for a process that stays for months in every
 * container and needs little of what it did to start.
 *
 * Nothing here can fail in a way that matters: what the kernel does not take
 * stays.
 */
#ifndef STEPDOWN_RUN_SHED_H
#define STEPDOWN_RUN_SHED_H

#include <stddef.h>
#include <stdint.h>

/* The whole pages of a static object; they read as zeroes afterwards. */
void shed_object(void *start, size_t size);

/* The stack below the caller's frame. */
void shed_stack(void);

/*
 * All pages of the program's own code and constants, but for those at the
 * addresses in keep and the ones after them: the file backs them, and they come
 * back when they are used. keep: where the caller's code is, and that of what
 * it calls while it waits.
 */
void shed_code(const uintptr_t *keep, size_t count);

#endif
