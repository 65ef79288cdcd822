/* memory.c - allocation that either succeeds or ends the process with one line. */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64 }; /* a cache line, and the widest vector register */
enum { HUGE_PAGE = 1 << 21 };

_Noreturn static void out_of_memory(size_t bytes)
{
    fprintf(stderr, "unibench: out of memory asking for %zu bytes\n", bytes);
    _Exit(UB_INTERNAL);
}

/* In huge pages, where the system has them for who asks: the first touch of memory, which is most
 * of a large program's start, then takes a third of the time. */
static void *alloc_huge(size_t bytes)
{
    const size_t whole = (bytes / HUGE_PAGE + 1) * HUGE_PAGE;
    void *p = aligned_alloc(HUGE_PAGE, whole);
    if (!p)
        out_of_memory(bytes);
    madvise(p, whole, MADV_HUGEPAGE); /* a hint: where it fails, pages are small */
    return p;
}

void *ub_alloc(size_t bytes)
{
    if (bytes > SIZE_MAX - HUGE_PAGE)
        out_of_memory(bytes);
    if (bytes >= 2 * (size_t)HUGE_PAGE)
        return alloc_huge(bytes);
    /* Small things are many, and aligned_alloc takes several times as long as malloc. */
    void *p = bytes < ALIGNMENT ? malloc(bytes ? bytes : 1)
                                : aligned_alloc(ALIGNMENT, (bytes / ALIGNMENT + 1) * ALIGNMENT);
    if (!p)
        out_of_memory(bytes);
    return p;
}

void *ub_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        out_of_memory(SIZE_MAX);
    void *p = ub_alloc(count * size);
    memset(p, 0, count * size);
    return p;
}

void *ub_realloc(void *old, size_t bytes)
{
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

char *ub_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(ub_realloc(NULL, bytes), text, bytes); /* not aligned: texts are many and short */
}

void ub_free(void *pointer)
{
    free(pointer);
}

bool ub_size_fits(int64_t a, int64_t b, size_t size, uint64_t limit)
{
    int64_t product, bytes;
    if (a < 0 || b < 0 || size > INT64_MAX)
        return false;
    if (__builtin_mul_overflow(a, b, &product) ||
        __builtin_mul_overflow(product, (int64_t)size, &bytes))
        return false;
    return (uint64_t)bytes < limit;
}
