/* Files of a dataset under the names that they are distributed by; see source.h. */
#include "datasets/source.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { LONGEST_NAME = 256, DEEPEST = 3 };

/* Lower case, without the marks that copies differ in, and without .gz. */
static void simplify(const char *name, char out[LONGEST_NAME])
{
    size_t n = strlen(name), k = 0;
    if (n > 3 && strcasecmp(name + n - 3, ".gz") == 0)
        n -= 3;
    for (size_t i = 0; i < n && k + 1 < LONGEST_NAME; i++)
        if (!strchr("-_. ", name[i]))
            out[k++] = (char)tolower((unsigned char)name[i]);
    out[k] = '\0';
}

static bool is_alike(const char *a, const char *b)
{
    char x[LONGEST_NAME], y[LONGEST_NAME];
    simplify(a, x);
    simplify(b, y);
    return strcmp(x, y) == 0;
}

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* The name itself, then NAME.gz, then others in the order of their bytes. */
static bool is_better(const char *name, const char *a, const char *b)
{
    const size_t n = strlen(name);
    const bool exact_a = strncmp(a, name, n) == 0, exact_b = strncmp(b, name, n) == 0;
    return exact_a != exact_b ? exact_a : strcmp(a, b) < 0;
}

/* The best entry of a folder with a name like `name`; NULL: none. Caller frees its path. */
static char *entry_like(const char *folder, const char *name, bool folders)
{
    char *best = NULL;
    DIR *entries = opendir(folder);
    for (const struct dirent *e; entries && (e = readdir(entries));) {
        if (!is_alike(e->d_name, name) || (best && !is_better(name, e->d_name, best)))
            continue;
        char *path = ub_path(folder, e->d_name);
        if (is_folder(path) == folders) {
            ub_free(best);
            best = ub_strdup(e->d_name);
        }
        ub_free(path);
    }
    if (entries)
        closedir(entries);
    char *path = best ? ub_path(folder, best) : NULL;
    ub_free(best);
    return path;
}

char *ub_data_like(const char *folder, const char *name)
{
    char *path = entry_like(folder, name, false);
    char *inner = path ? NULL : entry_like(folder, name, true); /* as archives are unpacked */
    if (inner)
        path = entry_like(inner, name, false);
    ub_free(inner);
    return path;
}

static bool holds(const char *folder, const char *const *files)
{
    char *path = NULL;
    for (; *files && !path; files++)
        path = ub_data_like(folder, *files);
    ub_free(path);
    return path != NULL;
}

/* `folder` itself or, below it, the first that holds one of the files. */
static char *search(const char *folder, const struct ub_data_places *places, int depth)
{
    const char *const *const lists[] = {places->inner, places->folders};
    if (holds(folder, places->files))
        return ub_strdup(folder);
    char *found = NULL;
    for (size_t k = 0; k < 2 && depth < DEEPEST; k++)
        for (const char *const *name = lists[k]; *name && !found; name++) {
            char *below = entry_like(folder, *name, true);
            found = below ? search(below, places, depth + 1) : NULL;
            ub_free(below);
        }
    return found;
}

/* Whether one of the last two parts of the path is another dataset's name: MNIST/raw holds no
 * Fashion-MNIST, though its files have the same names. */
static bool belongs_to_others(const char *folder, const struct ub_data_places *places)
{
    char *path = ub_strdup(folder);
    bool others = false;
    for (int part = 0; part < 2 && !others; part++) {
        size_t n = strlen(path);
        while (n > 1 && path[n - 1] == '/')
            path[--n] = '\0';
        char *slash = strrchr(path, '/');
        for (const char *const *name = places->others; name && *name; name++)
            others = others || is_alike(slash ? slash + 1 : path, *name);
        if (!slash)
            break;
        *slash = '\0';
    }
    ub_free(path);
    return others;
}

char *ub_data_place(const char *folder, const struct ub_data_places *places)
{
    char *found = NULL;
    for (const char *const *name = places->folders; *name && !found; name++) {
        char *below = entry_like(folder, *name, true);
        found = below ? search(below, places, 1) : NULL;
        ub_free(below);
    }
    if (found || belongs_to_others(folder, places))
        return found;
    if (holds(folder, places->files))
        return ub_strdup(folder);
    for (const char *const *name = places->inner; *name && !found; name++) {
        char *below = entry_like(folder, *name, true);
        found = below && holds(below, places->files) ? ub_strdup(below) : NULL;
        ub_free(below);
    }
    return found;
}

/* ---- what to say when there is none ---- */

static void list(struct ub_text *text, const char *const *names, const char *between)
{
    for (const char *const *name = names; *name; name++)
        ub_text_add(text, "%s%s", name == names ? "" : between, *name);
}

/* A copy in another format, or packed: the reader knows that it is there. */
static char *near_miss(const char *folder, const struct ub_data_places *places, const char **why)
{
    for (const struct ub_data_hint *hint = places->hints; hint && hint->file; hint++) {
        const char *const files[] = {hint->file, NULL};
        struct ub_data_places elsewhere = *places;
        elsewhere.files = files;
        char *there = ub_data_place(folder, &elsewhere);
        char *path = there ? ub_data_like(there, hint->file) : NULL;
        ub_free(there);
        *why = hint->why;
        if (path)
            return path;
    }
    return NULL;
}

bool ub_data_absent(const char *folder, const char *dataset, const struct ub_data_places *places,
                    struct ub_error *err)
{
    const char *why = "";
    if (!folder || !ub_exists(folder))
        return ub_data_missing(folder, dataset, *places->files, err);
    struct ub_text files = {0}, folders = {0};
    list(&files, places->files, "' or '");
    list(&folders, places->folders, ", ");
    ub_text_add(&folders, ", or their ");
    list(&folders, places->inner, ", ");
    char *near = near_miss(folder, places, &why);
    ub_fail(err, UB_INPUT,
            "%s: no file '%s' in %s; looked for that name, in any case, with -, _ or . alike, .gz "
            "or not, there and in %s%s%s%s%s (datasets/fetch %s downloads the files; --data or "
            "UNIBENCH_DATA says where they are)",
            dataset, files.data, folder, folders.data, near ? "; found " : "", near ? near : "",
            near ? ": " : "", near ? why : "", dataset);
    ub_free(near);
    ub_text_free(&files);
    ub_text_free(&folders);
    return false;
}
