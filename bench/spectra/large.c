/* large.c - huge pages; see large.h. */
#include "bench/spectra/large.h"

#include <sys/mman.h>
#include <unistd.h>

enum { LEAST = 1 << 22 };

void *ub_alloc_large(size_t bytes)
{
    void *p = ub_alloc(bytes);
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)p + page - 1) / page * page, end = (uintptr_t)p + bytes;
    if (bytes >= LEAST) /* a hint: where it fails, pages are small */
        madvise((void *)first, end - first, MADV_HUGEPAGE);
    return p;
}
