/* published.h - the runs.csv of every published suite, packed or not. */
#ifndef UB_TEST_PUBLISHED_H
#define UB_TEST_PUBLISHED_H

#include "support.h"

#include <dirent.h>

/* The sum of what `check` counts in each. */
static inline size_t published_each(size_t (*check)(const char *path))
{
    char *results = ub_path(UNIBENCH_SOURCE, "results");
    DIR *folder = opendir(results);
    size_t count = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        struct ub_text path = {0};
        ub_text_add(&path, "%s/%s/runs.csv", results, entry->d_name);
        if (!ub_exists(path.data))
            ub_text_add(&path, ".gz"); /* all but the small ones are packed */
        if (entry->d_name[0] != '.' && ub_exists(path.data))
            count += check(path.data);
        ub_text_free(&path);
    }
    closedir(folder);
    ub_free(results);
    return count;
}

#endif
