/* share.c - where the files are that come with the program. */
#define _GNU_SOURCE
#include "base/base.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* PREFIX/share/unibench of a program PREFIX/bin/unibench; NULL when that cannot be told. */
static char *share_of_program(void)
{
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return NULL;
    program[length] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (!slash)
            return NULL;
        *slash = '\0';
    }
    return ub_path(program, "share/unibench");
}

char *ub_share_path(const char *name, const char *in_source)
{
    char *share = share_of_program();
    char *path = share ? ub_path(share, name) : NULL;
    ub_free(share);
    if (path && ub_exists(path))
        return path;
    ub_free(path);
    return ub_strdup(in_source);
}
