/* Who may write to a store. The lock belongs to the open file that a runner and its workers share,
 * so it is free only when the last of them is gone: the next runner can never meet a worker that
 * outlived its parent. */
#include "bench/store/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* A killed runner's workers end within milliseconds: wait for them. */
static bool take(int fd, bool exclusive)
{
    int operation = (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
    for (int tries = 0; tries < 40; tries++) {
        if (flock(fd, operation) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return errno == ENOLCK || errno == EOPNOTSUPP; /* a file system without locks */
        pause_ms(50);
    }
    return false;
}

/* Removes what matches `pattern` in `folder`. */
static void remove_matching(const char *folder, const char *pattern)
{
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!ub_glob(pattern, entry->d_name))
            continue;
        char *path = ub_path(folder, entry->d_name);
        struct ub_error ignored = {0}; /* what cannot be removed is never read either */
        ub_remove_tree(path, &ignored);
        ub_free(path);
    }
    if (entries)
        closedir(entries);
}

/* Removes what killed writers left: their runs, and files that ub_write_file had not yet renamed.
 */
static void remove_all_temporaries(const char *store)
{
    char *runs = ub_path(store, "runs");
    remove_matching(runs, ".tmp-*");
    remove_matching(store, "*.tmp-??????");
    ub_free(runs);
}

void ub_store_clean(const char *store, int64_t pid)
{
    char pattern[64], *runs = ub_path(store, "runs");
    snprintf(pattern, sizeof pattern, ".tmp-*-%" PRId64, pid);
    remove_matching(runs, pattern);
    ub_free(runs);
}

bool ub_store_lock(const char *store, bool exclusive, struct ub_error *err)
{
    char *runs = ub_path(store, "runs"), *path = ub_path(store, ".lock");
    bool good = ub_make_folders(runs, err);
    int fd = good ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (good && fd < 0)
        good = ub_fail(err, UB_INPUT, "%s: cannot write: %s", path, strerror(errno));
    if (good && !take(fd, exclusive))
        good = ub_fail(err, UB_INPUT, "%s: another unibench is writing to this store", store);
    if (good && exclusive)
        remove_all_temporaries(store);
    if (!good && fd >= 0)
        close(fd);
    ub_free(runs);
    ub_free(path);
    return good; /* the descriptor stays open: the lock lasts as long as the process */
}
