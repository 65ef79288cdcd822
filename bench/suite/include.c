/* `include`: the runs of other suites, as those of this one. */
#include "bench/suite/private.h"

#include <stdlib.h>
#include <string.h>

/* Where an entry's file is: names are those of bundled suites; paths start from the folder of the
 * file that has the entry. NULL when there is no suite of that name. */
static char *path_of(const struct ub_yaml *entry, struct ub_error *err)
{
    struct ub_error why = {0};
    char *path = ub_suite_find(entry->text, &why);
    if (!path) {
        ub_fail(err, UB_INPUT, "%s:%d: include: %s", entry->path, entry->line, why.text);
        return NULL;
    }
    const bool is_bundled = strcmp(path, entry->text) != 0;
    const char *slash = strrchr(entry->path, '/');
    if (is_bundled || *path == '/' || !slash)
        return path;
    struct ub_text text = {0};
    ub_text_add(&text, "%.*s/%s", (int)(slash - entry->path), entry->path, path);
    ub_free(path);
    return text.data;
}

static bool same_file(const char *a, const char *b)
{
    char *real_a = realpath(a, NULL), *real_b = realpath(b, NULL);
    const bool same = strcmp(real_a ? real_a : a, real_b ? real_b : b) == 0;
    free(real_a);
    free(real_b);
    return same;
}

/* Fails when a file is being read already: it would include itself. */
static bool check_round(const struct ub_yaml *entry, const char *path,
                        const struct ub_suite_file *by, struct ub_error *err)
{
    for (const struct ub_suite_file *f = by; f; f = f->by)
        if (same_file(f->path, path))
            return ub_fail(err, UB_INPUT,
                           "%s:%d: include '%s' goes round: %s is being read already; expected "
                           "suites that do not include this one",
                           entry->path, entry->line, entry->text, path);
    return true;
}

static bool is_read(const struct ub_suite *suite, const char *path)
{
    for (size_t i = 0; i < suite->n_files; i++)
        if (same_file(suite->files[i], path))
            return true;
    return false;
}

static bool add_file(struct ub_suite *suite, const struct ub_yaml *entry, const char *path,
                     const struct ub_suite_file *by, struct ub_error *err)
{
    struct ub_error why = {0};
    struct ub_yaml *root = ub_yaml_read(path, &why);
    if (!root)
        return ub_fail(err, UB_INPUT, "%s:%d: include: %s", entry->path, entry->line, why.text);
    const struct ub_suite_file file = {path, by};
    const bool good = ub_suite_add_file(suite, root, &file, err);
    ub_yaml_free(root);
    return good;
}

static bool include_one(struct ub_suite *suite, const struct ub_yaml *entry,
                        const struct ub_suite_file *by, struct ub_error *err)
{
    if (entry->kind != UB_YAML_SCALAR)
        return ub_fail(err, UB_INPUT, "%s:%d: include: expected a suite's name or path, or a list",
                       entry->path, entry->line);
    char *path = path_of(entry, err);
    const bool good = path && check_round(entry, path, by, err) &&
                      (is_read(suite, path) || add_file(suite, entry, path, by, err));
    ub_free(path);
    return good;
}

bool ub_suite_include(struct ub_suite *suite, const struct ub_yaml *include,
                      const struct ub_suite_file *by, struct ub_error *err)
{
    if (include->kind != UB_YAML_LIST)
        return include_one(suite, include, by, err);
    if (include->count == 0)
        return ub_fail(err, UB_INPUT, "%s:%d: include: an empty list; expected suites",
                       include->path, include->line);
    for (size_t i = 0; i < include->count; i++)
        if (!include_one(suite, include->items[i], by, err))
            return false;
    return true;
}
