#include "bench/suite/identity.h"
#include "systems/systems.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const uint64_t largest_file = (uint64_t)4 << 30; /* the most that any loader takes */

struct content {
    char *path;
    struct stat was; /* before it was read */
    char sha256[UB_SHA256_TEXT];
};

struct ub_contents {
    size_t count;
    struct content *file;
};

struct ub_contents *ub_contents_new(void)
{
    return ub_calloc(1, sizeof(struct ub_contents));
}

void ub_contents_free(struct ub_contents *known)
{
    if (!known)
        return;
    for (size_t i = 0; i < known->count; i++)
        ub_free(known->file[i].path);
    ub_free(known->file);
    ub_free(known);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

static bool hash_file(const char *path, char sha256[UB_SHA256_TEXT], struct ub_error *err)
{
    size_t length;
    unsigned char *bytes = ub_read_file(path, largest_file, &length, err);
    if (!bytes)
        return false;
    ub_sha256(bytes, length, sha256);
    ub_free(bytes);
    return true;
}

/* The entry of a path, made when there is none yet. */
static struct content *entry_of(struct ub_contents *known, const char *path)
{
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->file[i].path, path) == 0)
            return &known->file[i];
    known->file = ub_realloc(known->file, (known->count + 1) * sizeof *known->file);
    known->file[known->count] = (struct content){.path = ub_strdup(path)};
    return &known->file[known->count++];
}

static const char *content_of(struct ub_contents *known, const char *path, struct ub_error *err)
{
    struct stat now;
    struct content *file = entry_of(known, path);
    if (stat(path, &now) != 0) {
        ub_fail(err, UB_INPUT, "%s: cannot open: %s", path, strerror(errno));
        return NULL;
    }
    if (*file->sha256 && is_unchanged(&file->was, &now))
        return file->sha256;
    *file->sha256 = '\0';
    if (!hash_file(path, file->sha256, err))
        return NULL;
    file->was = now;
    return file->sha256;
}

/* Those of the dataset, then that of the weights it starts from. */
static bool files_of(const struct ub_run_spec *spec, const char *data, struct ub_paths *out,
                     struct ub_error *err)
{
    if (!ub_dataset_files(spec->dataset, data, out, err))
        return false;
    ub_paths_add(out, spec->init ? ub_init_file(spec->init) : NULL);
    return true;
}

bool ub_spec_identify(struct ub_run_spec *spec, const char *data, struct ub_contents *known,
                      struct ub_error *err)
{
    struct ub_paths paths;
    struct ub_text joined = {0};
    bool good = files_of(spec, data, &paths, err);
    for (size_t i = 0; good && i < paths.count; i++) {
        const char *content = content_of(known, paths.path[i], err);
        good = content != NULL;
        if (good)
            ub_text_add(&joined, "%s%s", i ? ";" : "", content);
    }
    good = good && ub_run_spec_set_files(spec, joined.data ? joined.data : "");
    ub_text_free(&joined);
    ub_paths_clear(&paths);
    return good;
}

bool ub_suite_identify(struct ub_suite *suite, const char *data, struct ub_contents *known,
                       struct ub_error *err)
{
    for (size_t i = 0; i < suite->count; i++) {
        struct ub_suite_cell *cell = &suite->cells[i];
        cell->absent = !ub_dataset_present(cell->spec.dataset, data);
        if (!cell->absent && !ub_spec_identify(&cell->spec, data, known, err))
            return false;
    }
    return ub_suite_drop_duplicates(suite, err);
}

static bool files_hold(const struct ub_run_spec *spec, const struct ub_paths *paths,
                       struct ub_contents *known, struct ub_error *err)
{
    for (size_t i = 0; i < paths->count && i < spec->n_files; i++) {
        const char *content = content_of(known, paths->path[i], err);
        if (!content)
            return false;
        if (strcmp(content, spec->files[i]) != 0)
            return ub_fail(err, UB_INPUT,
                           "%s: not the file of this run: its SHA-256 is %.16s...; expected "
                           "%.16s...",
                           paths->path[i], content, spec->files[i]);
    }
    if (paths->count == spec->n_files)
        return true;
    const char *last = paths->count ? paths->path[paths->count - 1] : spec->dataset;
    return ub_fail(err, UB_INPUT, "%s: file %zu of %zu; expected the %zu of this run", last,
                   paths->count, paths->count, spec->n_files);
}

bool ub_spec_files_hold(const struct ub_run_spec *spec, const char *data, struct ub_contents *known,
                        struct ub_error *err)
{
    struct ub_paths paths;
    struct ub_contents *own = known ? NULL : ub_contents_new();
    const bool good =
        files_of(spec, data, &paths, err) && files_hold(spec, &paths, known ? known : own, err);
    ub_contents_free(own);
    ub_paths_clear(&paths);
    return good;
}
