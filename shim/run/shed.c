#include "run/shed.h"

#include <link.h>
#include <stdbool.h>
#include <sys/auxv.h>

#include "base/sys.h"

/* Of the linker: the ELF header, with which the program's image begins. */
extern const char __executable_start[];

enum {
	STACK_USED = 1024 * 1024,	/* more than any step takes */
	FRAME = 512			/* more than ours takes */
};

static uintptr_t page_size(void)
{
	return getauxval(AT_PAGESZ);
}

static inline void shed(uintptr_t start, uintptr_t end)
{
	if (start < end)
		sys_give_back(start, end - start);
}

void shed_object(void *start, size_t size)
{
	uintptr_t page = page_size();
	uintptr_t at = (uintptr_t)start;

	shed((at + page - 1) & -page, (at + size + page - 1) & -page);
}

/*
 * Our own frame and what is right below it is in use. The part of the range
 * that was never stack is not mapped; the kernel passes over it, and reports
 * ENOMEM at the end (madvise(2)).
 */
__attribute__((noinline)) void shed_stack(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) - FRAME;

	here &= -page_size();
	shed(here - STACK_USED, here);
}

static bool is_kept(uintptr_t page, uintptr_t size, const uintptr_t *keep,
		    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (keep[i] >= page - size && keep[i] < page + size)
			return true;
	return false;
}

/* The end of the segment that begins with the ELF header. */
static uintptr_t image_end(uintptr_t start)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)__executable_start;
	const ElfW(Phdr) *segment =
		(const ElfW(Phdr) *)(__executable_start + header->e_phoff);

	for (size_t i = 0; i < header->e_phnum; i++)
		if (segment[i].p_type == PT_LOAD && segment[i].p_offset == 0)
			return start + segment[i].p_memsz;
	return start;
}

/*
 * A fault brings 16 pages around it back (fault_around_bytes), so the pages
 * that are in use must never go; that is why there is a list, and not one call.
 */
__attribute__((noinline)) void shed_code(const uintptr_t *keep, size_t count)
{
	uintptr_t size = page_size();
	uintptr_t start = (uintptr_t)__executable_start & -size;
	uintptr_t end = (image_end(start) + size - 1) & -size;
	uintptr_t from = start;

	for (uintptr_t page = start; page < end; page += size)
		if (is_kept(page, size, keep, count)) {
			shed(from, page);
			from = page + size;
		}
	shed(from, end);
}
