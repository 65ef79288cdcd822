/* Suite files: finding them, their top level, and duplicates. */
#include "bench/suite/suite.h"
#include "bench/suite/private.h"
#include "datasets/datasets.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static const char *const top_keys[] = {"name", "description", "include", "defaults", "runs"};

bool ub_check_keys(const struct ub_yaml *map, const char *const *keys, size_t n, const char *what,
                   struct ub_error *err)
{
    for (size_t i = 0; i < map->count; i++) {
        bool known = false;
        for (size_t j = 0; !known && j < n; j++)
            known = strcmp(map->keys[i], keys[j]) == 0;
        if (known)
            continue;
        struct ub_text list = {0};
        const char *near = ub_suggest(map->keys[i], keys, n);
        if (near)
            ub_text_add(&list, "did you mean '%s'?", near);
        for (size_t j = 0; !near && j < n; j++)
            ub_text_add(&list, "%s%s", j ? ", " : "expected one of ", keys[j]);
        ub_fail(err, UB_INPUT, "%s:%d: unknown %s '%s'; %s", map->path, map->items[i]->line, what,
                map->keys[i], list.data);
        ub_text_free(&list);
        return false;
    }
    return true;
}

static void clear_cell(struct ub_suite_cell *cell)
{
    ub_run_spec_clear(&cell->spec);
    ub_free(cell->control);
}

/* ---- duplicates ------------------------------------------------------------------------- */

struct entry {
    char id[17];
    size_t index;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* What `again`, the same run, is a control of, becomes what the cell is one of, too. */
static bool join_controls(struct ub_suite_cell *cell, const struct ub_suite_cell *again,
                          struct ub_error *err)
{
    char *joined, *law;
    if (ub_control_join(cell->control, again->control, &joined, &law)) {
        ub_free(cell->control);
        cell->control = joined;
        return true;
    }
    const bool elsewhere = strcmp(cell->path, again->path) != 0;
    char *label = ub_run_spec_label(&again->spec);
    ub_fail(err, UB_INPUT,
            "%s:%d: control '%s' of this block contradicts that of %s%sline %d, which has the same "
            "run (%s); expected both to hold, or both to fail",
            again->path, again->line, law, elsewhere ? cell->path : "", elsewhere ? ", " : "",
            cell->line, label);
    ub_free(label);
    ub_free(law);
    return false;
}

bool ub_suite_drop_duplicates(struct ub_suite *suite, struct ub_error *err)
{
    size_t n = suite->count;
    struct entry *entries = ub_calloc(n + 1, sizeof *entries);
    bool *drop = ub_calloc(n + 1, sizeof *drop);
    for (size_t i = 0; i < n; i++) {
        ub_run_spec_id(&suite->cells[i].spec, entries[i].id);
        entries[i].index = i;
    }
    qsort(entries, n, sizeof *entries, compare_entries);
    bool good = true;
    for (size_t i = 1, first = 0; good && i < n; i++) {
        drop[entries[i].index] = strcmp(entries[i].id, entries[first].id) == 0;
        if (drop[entries[i].index])
            good = join_controls(&suite->cells[entries[first].index],
                                 &suite->cells[entries[i].index], err);
        else
            first = i;
    }
    suite->count = good ? 0 : n;
    for (size_t i = 0; good && i < n; i++) {
        if (drop[i])
            clear_cell(&suite->cells[i]);
        else
            suite->cells[suite->count++] = suite->cells[i];
    }
    suite->duplicates += n - suite->count;
    ub_free(entries);
    ub_free(drop);
    return good;
}

/* ---- top level -------------------------------------------------------------------------- */

static bool read_text(const struct ub_yaml *root, const char *key, char **out, struct ub_error *err)
{
    const struct ub_yaml *node = ub_yaml_find(root, key);
    if (node && node->kind != UB_YAML_SCALAR)
        return ub_fail(err, UB_INPUT, "%s:%d: '%s' is no text; expected one", node->path,
                       node->line, key);
    *out = ub_strdup(node ? node->text : "");
    return true;
}

/* The name is a folder's name, too (out/NAME). */
static bool check_name(const struct ub_yaml *root, const char *name, struct ub_error *err)
{
    const struct ub_yaml *node = ub_yaml_find(root, "name");
    if (!node)
        return ub_fail(err, UB_INPUT, "%s:%d: no 'name'; expected one, as in name: quick",
                       root->path, root->line);
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t length = strlen(name);
    if (length > 0 && length <= 64 && strspn(name, letters) == length)
        return true;
    return ub_fail(err, UB_INPUT,
                   "%s:%d: name '%s'; expected up to 64 letters, digits, '-' and '_'", node->path,
                   node->line, name);
}

static bool read_runs(struct ub_suite *suite, const struct ub_yaml *root,
                      const struct ub_yaml *defaults, struct ub_error *err)
{
    const struct ub_yaml *runs = ub_yaml_find(root, "runs");
    if (!runs || runs->kind == UB_YAML_SCALAR || runs->count == 0)
        return ub_fail(err, UB_INPUT, "%s:%d: no 'runs'; expected a list of blocks, or one block",
                       root->path, runs ? runs->line : root->line);
    if (runs->kind == UB_YAML_MAP)
        return ub_suite_add_blocks(suite, runs, defaults, err);
    for (size_t i = 0; i < runs->count; i++)
        if (!ub_suite_add_blocks(suite, runs->items[i], defaults, err))
            return false;
    return true;
}

/* Those of included files are checked, and not kept. */
static bool read_head(const struct ub_yaml *root, char **name, char **description,
                      struct ub_error *err)
{
    if (root->kind != UB_YAML_MAP)
        return ub_fail(err, UB_INPUT, "%s:%d: expected a map with name, description and runs",
                       root->path, root->line);
    return ub_check_keys(root, top_keys, sizeof top_keys / sizeof *top_keys, "key", err) &&
           read_text(root, "name", name, err) && check_name(root, *name, err) &&
           read_text(root, "description", description, err);
}

const char *ub_suite_keep_path(struct ub_suite *suite, const char *path)
{
    for (size_t i = 0; i < suite->n_files; i++)
        if (strcmp(suite->files[i], path) == 0)
            return suite->files[i];
    suite->files = ub_realloc(suite->files, (suite->n_files + 1) * sizeof *suite->files);
    return suite->files[suite->n_files++] = ub_strdup(path);
}

static bool read_body(struct ub_suite *suite, const struct ub_yaml *root,
                      const struct ub_suite_file *file, struct ub_error *err)
{
    const struct ub_yaml *defaults = ub_yaml_find(root, "defaults");
    const struct ub_yaml *include = ub_yaml_find(root, "include");
    ub_suite_keep_path(suite, file->path);
    if (defaults && defaults->kind != UB_YAML_MAP)
        return ub_fail(err, UB_INPUT, "%s:%d: 'defaults' is no map; expected settings of blocks",
                       defaults->path, defaults->line);
    if (defaults && !ub_check_block_keys(defaults, err))
        return false;
    const struct ub_yaml *with = defaults ? ub_yaml_find(defaults, "with") : NULL;
    if (with)
        return ub_fail(err, UB_INPUT, "%s:%d: 'with' is a block's; expected it there", with->path,
                       with->line);
    if (include && !ub_suite_include(suite, include, file, err))
        return false;
    const bool runs = !include || ub_yaml_find(root, "runs");
    return !runs || read_runs(suite, root, defaults, err);
}

bool ub_suite_add_file(struct ub_suite *suite, const struct ub_yaml *root,
                       const struct ub_suite_file *file, struct ub_error *err)
{
    char *name = NULL, *description = NULL;
    const bool good =
        read_head(root, &name, &description, err) && read_body(suite, root, file, err);
    ub_free(suite->name); /* of a file that is included: the outermost is the last to end */
    ub_free(suite->description);
    suite->name = name;
    suite->description = description;
    return good;
}

static bool read_root(struct ub_suite *suite, const struct ub_yaml *root, struct ub_error *err)
{
    const struct ub_suite_file file = {.path = suite->path};
    if (!ub_suite_add_file(suite, root, &file, err) || !ub_suite_drop_duplicates(suite, err))
        return false;
    return suite->count > 0 ||
           ub_fail(err, UB_INPUT, "%s:%d: everything is excluded; expected a run", root->path,
                   root->line);
}

static struct ub_suite *from_yaml(const struct ub_yaml *root, const char *path,
                                  struct ub_error *err)
{
    if (!root)
        return NULL;
    struct ub_suite *suite = ub_calloc(1, sizeof *suite);
    suite->path = ub_strdup(path);
    if (read_root(suite, root, err))
        return suite;
    ub_suite_free(suite);
    return NULL;
}

struct ub_suite *ub_suite_read(const char *path, struct ub_error *err)
{
    struct ub_yaml *root = ub_yaml_read(path, err);
    struct ub_suite *suite = from_yaml(root, path, err);
    ub_yaml_free(root);
    return suite;
}

struct ub_suite *ub_suite_parse(const char *text, const char *path, struct ub_error *err)
{
    struct ub_yaml *root = ub_yaml_parse(text, path, err);
    struct ub_suite *suite = from_yaml(root, path, err);
    ub_yaml_free(root);
    return suite;
}

size_t ub_suite_drop_absent(struct ub_suite *suite, const char *data, char **names)
{
    const size_t before = suite->count;
    struct ub_text list = {0};
    char *last = ub_strdup(""); /* cells of a dataset are neighbors, most often */
    bool there = false;
    suite->count = 0;
    for (size_t i = 0; i < before; i++) {
        struct ub_suite_cell *cell = &suite->cells[i];
        if (cell->optional && strcmp(cell->spec.dataset, last) != 0) {
            ub_free(last);
            last = ub_strdup(cell->spec.dataset);
            there = ub_dataset_present(last, data);
            if (!there && !(list.data && strstr(list.data, cell->spec.dataset_label)))
                ub_text_add(&list, "%s%s", list.length ? ", " : "", cell->spec.dataset_label);
        }
        if (!cell->optional || there)
            suite->cells[suite->count++] = *cell;
        else
            clear_cell(cell);
    }
    ub_free(last);
    *names = list.data;
    return before - suite->count;
}

void ub_suite_free(struct ub_suite *suite)
{
    if (!suite)
        return;
    for (size_t i = 0; i < suite->count; i++)
        clear_cell(&suite->cells[i]);
    ub_free(suite->cells);
    ub_control_laws_clear(&suite->controls);
    for (size_t i = 0; i < suite->n_files; i++)
        ub_free(suite->files[i]);
    ub_free(suite->files);
    ub_free(suite->name);
    ub_free(suite->description);
    ub_free(suite->path);
    ub_free(suite);
}

/* ---- finding ---------------------------------------------------------------------------- */

char *ub_suite_folder(void)
{
    const char *set = getenv("UNIBENCH_SUITES");
    return set && *set ? ub_strdup(set) : ub_share_path("suites", UNIBENCH_SUITE_FOLDER);
}

char **ub_suite_names(size_t *count)
{
    char **names = NULL;
    *count = 0;
    struct dirent **entries = NULL;
    char *folder = ub_suite_folder();
    int n = scandir(folder, &entries, NULL, alphasort);
    ub_free(folder);
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name, *end = strrchr(name, '.');
        if (end && end != name && strcmp(end, ".yaml") == 0) {
            names = ub_realloc(names, (*count + 1) * sizeof *names);
            names[*count] = ub_strdup(name);
            names[(*count)++][end - name] = '\0';
        }
        free(entries[i]);
    }
    free(entries);
    return names;
}

static char *unknown_suite(const char *name, struct ub_error *err)
{
    size_t n;
    char **names = ub_suite_names(&n);
    const char *near = ub_suggest(name, (const char *const *)names, n);
    if (near)
        ub_fail(err, UB_INPUT, "no suite '%s'; did you mean '%s'?", name, near);
    else
        ub_fail(err, UB_INPUT,
                "no suite '%s'; expected a YAML file or a name that 'unibench list suites' shows",
                name);
    for (size_t i = 0; i < n; i++)
        ub_free(names[i]);
    ub_free(names);
    return NULL;
}

char *ub_suite_find(const char *name, struct ub_error *err)
{
    const char *end = strrchr(name, '.');
    bool is_path =
        strchr(name, '/') || (end && (strcmp(end, ".yaml") == 0 || strcmp(end, ".yml") == 0));
    if (is_path)
        return ub_strdup(name); /* reading it says what is wrong with it */
    struct ub_text file = {0};
    ub_text_add(&file, "%s.yaml", name);
    char *folder = ub_suite_folder();
    char *path = ub_path(folder, file.data);
    ub_free(folder);
    ub_text_free(&file);
    if (ub_exists(path))
        return path;
    ub_free(path);
    return unknown_suite(name, err);
}
