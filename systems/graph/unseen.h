/* unseen.h - tells ThreadSanitizer what a library reads and writes that was built without it; else
 * two threads that hand the library the same memory would race unseen. Nothing in other builds. */
#ifndef UB_UNSEEN_H
#define UB_UNSEEN_H

#include <stddef.h>

#if defined __has_feature
#if __has_feature(thread_sanitizer)
#define UB_THREAD_SANITIZER 1
#endif
#endif
#if defined __SANITIZE_THREAD__
#define UB_THREAD_SANITIZER 1
#endif

#ifdef UB_THREAD_SANITIZER
void __tsan_read_range(void *address, long size);
void __tsan_write_range(void *address, long size);
#endif

static inline void ub_unseen_read(const void *address, size_t bytes)
{
#ifdef UB_THREAD_SANITIZER
    __tsan_read_range((void *)address, (long)bytes);
#else
    (void)address, (void)bytes;
#endif
}

static inline void ub_unseen_write(void *address, size_t bytes)
{
#ifdef UB_THREAD_SANITIZER
    __tsan_write_range(address, (long)bytes);
#else
    (void)address, (void)bytes;
#endif
}

#endif
