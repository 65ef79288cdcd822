/* faults.c - linked into unibench-faults, the program with its system calls behind the linker's
 * --wrap: those that unibench's own code makes, not those of libraries. Two variables say which
 * fails:
 *
 *     UNIBENCH_FAULT=GROUP:HOW:K      the K-th call (from 1) of the group, over all processes
 *     UNIBENCH_FAULT_FIRED=PATH       made when that call comes
 *
 * GROUP is files (what changes them), reads, writes (write alone), processes or memory. HOW is once
 * (that call fails), always (it and all after it: a full disk), short (the write takes one byte) or
 * kill (the process is gone before the call, as by a cut of power). */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum group { FILES, READS, WRITES, PROCESSES, MEMORY };
enum how { ONCE, ALWAYS, SHORT, KILL };

static struct {
    bool armed;
    enum group group;
    enum how how;
    long k;
    atomic_long *count; /* of this process and all that it forks */
    const char *fired;
} fault;

static int find(const char *const *names, int n, const char *text, size_t length)
{
    for (int i = 0; i < n; i++)
        if (strlen(names[i]) == length && strncmp(names[i], text, length) == 0)
            return i;
    fprintf(stderr, "faults: '%s': expected GROUP:HOW:K\n", text);
    _exit(99);
}

int __real_open(const char *path, int flags, ...);
int __real_close(int file);
void *__real_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset);

__attribute__((constructor)) static void arm(void)
{
    static const char *const groups[] = {"files", "reads", "writes", "processes", "memory"};
    static const char *const hows[] = {"once", "always", "short", "kill"};
    const char *text = getenv("UNIBENCH_FAULT");
    fault.fired = getenv("UNIBENCH_FAULT_FIRED");
    if (!text || !fault.fired)
        return;
    fault.group = (enum group)find(groups, 5, text, strcspn(text, ":"));
    text += strcspn(text, ":") + 1;
    fault.how = (enum how)find(hows, 4, text, strcspn(text, ":"));
    text += strcspn(text, ":") + 1;
    fault.k = strtol(text, NULL, 10);
    fault.count = __real_mmap(NULL, sizeof *fault.count, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fault.armed = fault.count != MAP_FAILED && fault.k > 0;
}

/* Whether this call is to fail; sets errno. */
static bool fails(enum group group, int code)
{
    if (!fault.armed || group != fault.group)
        return false;
    const long n = atomic_fetch_add(fault.count, 1) + 1;
    if (n < fault.k || (n > fault.k && fault.how != ALWAYS))
        return false;
    if (n == fault.k) {
        const int file = __real_open(fault.fired, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        __real_close(file);
    }
    if (fault.how == KILL)
        raise(SIGKILL);
    errno = code;
    return true;
}

/* ---- files ------------------------------------------------------------------------------ */

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    const enum group group = (flags & O_ACCMODE) == O_RDONLY ? READS : FILES;
    return fails(group, EIO) ? -1 : __real_open(path, flags, mode);
}

/* Closes all the same: Linux does, whatever close returns. */
int __wrap_close(int file);
int __wrap_close(int file)
{
    const bool written = (fcntl(file, F_GETFL) & O_ACCMODE) != O_RDONLY;
    const bool bad = fails(written ? FILES : READS, EIO);
    const int result = __real_close(file);
    if (bad)
        errno = EIO;
    return bad ? -1 : result;
}

ssize_t __real_write(int file, const void *data, size_t length);
ssize_t __wrap_write(int file, const void *data, size_t length);
ssize_t __wrap_write(int file, const void *data, size_t length)
{
    if (fails(FILES, ENOSPC))
        return -1;
    const bool hit = fails(WRITES, ENOSPC);
    if (hit && fault.how != SHORT)
        return -1;
    return __real_write(file, data, hit && length ? 1 : length);
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    return fails(*mode == 'r' ? READS : FILES, EIO) ? NULL : __real_fopen(path, mode);
}

size_t __real_fwrite(const void *data, size_t size, size_t n, FILE *stream);
size_t __wrap_fwrite(const void *data, size_t size, size_t n, FILE *stream);
size_t __wrap_fwrite(const void *data, size_t size, size_t n, FILE *stream)
{
    return fails(FILES, ENOSPC) ? 0 : __real_fwrite(data, size, n, stream);
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
    return fails(READS, EIO) ? NULL : __real_opendir(path);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return fails(FILES, EIO) ? -1 : __real_rename(from, to);
}

int __real_renameat2(int a, const char *from, int b, const char *to, unsigned flags);
int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned flags);
int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    return fails(FILES, EINVAL) ? -1 : __real_renameat2(a, from, b, to, flags);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    return fails(FILES, ENOSPC) ? -1 : __real_mkdir(path, mode);
}

ssize_t __real_read(int file, void *out, size_t length);
ssize_t __wrap_read(int file, void *out, size_t length);
ssize_t __wrap_read(int file, void *out, size_t length)
{
    return fails(READS, EIO) ? -1 : __real_read(file, out, length);
}

/* Those of one argument that give 0 or -1. */
int __real_fsync(int file);
int __wrap_fsync(int file);
int __wrap_fsync(int file)
{
    return fails(FILES, EIO) ? -1 : __real_fsync(file);
}

int __real_fflush(FILE *stream);
int __wrap_fflush(FILE *stream);
int __wrap_fflush(FILE *stream)
{
    return fails(FILES, ENOSPC) ? -1 : __real_fflush(stream);
}

int __real_mkostemp(char *name, int flags);
int __wrap_mkostemp(char *name, int flags);
int __wrap_mkostemp(char *name, int flags)
{
    return fails(FILES, ENOSPC) ? -1 : __real_mkostemp(name, flags);
}

int __real_fchmod(int file, mode_t mode);
int __wrap_fchmod(int file, mode_t mode);
int __wrap_fchmod(int file, mode_t mode)
{
    return fails(FILES, EPERM) ? -1 : __real_fchmod(file, mode);
}

int __real_remove(const char *path);
int __wrap_remove(const char *path);
int __wrap_remove(const char *path)
{
    return fails(FILES, EIO) ? -1 : __real_remove(path);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
    return fails(FILES, EIO) ? -1 : __real_unlink(path);
}

/* ---- processes -------------------------------------------------------------------------- */

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
    return fails(PROCESSES, EAGAIN) ? -1 : __real_fork();
}

int __real_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags)
{
    return fails(PROCESSES, EMFILE) ? -1 : __real_pipe2(ends, flags);
}

int __real_signalfd(int file, const sigset_t *set, int flags);
int __wrap_signalfd(int file, const sigset_t *set, int flags);
int __wrap_signalfd(int file, const sigset_t *set, int flags)
{
    return fails(PROCESSES, EMFILE) ? -1 : __real_signalfd(file, set, flags);
}

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset)
{
    return fails(PROCESSES, ENOMEM) ? MAP_FAILED
                                    : __real_mmap(at, length, protection, flags, file, offset);
}

/* ---- memory ----------------------------------------------------------------------------- */

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails(MEMORY, ENOMEM) ? NULL : __real_aligned_alloc(alignment, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    return fails(MEMORY, ENOMEM) ? NULL : __real_realloc(old, size);
}
