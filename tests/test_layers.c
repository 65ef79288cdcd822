/* Arrows point one way (base <- datasets <- systems <- bench <- report <- cli): every #include of
 * every folder is one that its row allows. The linker does not see to it: headers are found from
 * the root, and static libraries leave out what nothing calls. */
#include "tests/support.h"

#include <fts.h>
#include <stdio.h>

/* A file belongs to the row of the longest folder that holds it; a folder without subfolders of
 * its own here stands for all beneath. `may`: rows, between blanks. */
struct layer {
    const char *folder, *may;
};

static const struct layer layers[] = {
    {"base", " base "},
    {"datasets", " base datasets "},
    {"systems/graph", " base systems/graph "},
    {"systems", " base datasets systems/graph systems "},
    {"bench/spectra", " base bench/spectra "},
    {"bench/curvature", " base datasets systems/graph systems bench/spectra "
                        " bench/curvature "},
    {"bench/observables", " base datasets systems/graph systems bench/spectra "
                          " bench/curvature bench/store bench/observables "},
    {"bench/store", " base bench/store "},
    {"bench/arrays", " base bench/spectra bench/arrays "},
    {"bench/suite", " base datasets systems bench/observables bench/store "
                    " bench/suite "},
    {"bench/run", " base datasets systems/graph systems bench/observables "
                  " bench/store bench/arrays bench/suite bench/run "},
    {"bench/perf", " base datasets systems/graph systems bench/spectra "
                   " bench/curvature bench/observables bench/suite bench/run bench/perf "},
    {"report/statistics", " base report/statistics "},
    {"report/frame", " base datasets systems bench/store report/frame "},
    {"report/laws", " base datasets systems bench/observables bench/store report/statistics "
                    " report/frame report/laws "},
    {"report/digest", " base systems bench/store bench/observables report/statistics "
                      " report/frame report/laws report/tables report/digest "},
    {"report/figure", " base report/figure "},
    {"report/tables", " base report/tables "},
    {"report/references", " base report/tables report/references "},
    {"report/sections", " base bench/spectra bench/arrays bench/observables bench/store "
                        " report/statistics report/frame report/laws report/digest "
                        " report/figure report/tables report/sections "},
    {"report/explorer", " base bench/store bench/observables report/statistics report/frame "
                        " report/laws report/digest report/tables report/sections "
                        " report/explorer "},
    {"report/pages",
     " base bench/store bench/observables report/statistics report/laws report/digest "
     " report/figure report/tables report/references report/sections report/explorer report "
     " report/pages "},
    {"report/publish", " base datasets systems bench/store bench/observables report/laws "
                       " report/digest report/figure report/tables report/references "
                       " report/sections report/pages "
                       " report report/publish "},
    {"report/compare", " base bench/store report/statistics report/frame report/laws "
                       " report/digest report/tables report/history report report/compare "},
    {"report/history", " base report/statistics report/figure report/tables report/history "},
    {"report", " base bench/store report/laws report "},
    {"cli", " base datasets systems/graph systems bench/spectra "
            " bench/curvature bench/observables bench/store bench/arrays "
            " bench/suite bench/run report/statistics report/frame "
            " report/laws report/digest report/figure report/tables "
            " report/sections report/pages report/compare report/history report cli "},
};
enum { LAYERS = sizeof layers / sizeof *layers };

static const struct layer *layer_of(const char *path)
{
    const struct layer *best = NULL;
    size_t length = 0;
    for (size_t i = 0; i < LAYERS; i++) {
        const size_t n = strlen(layers[i].folder);
        if (n > length && strncmp(path, layers[i].folder, n) == 0 && path[n] == '/') {
            best = &layers[i];
            length = n;
        }
    }
    return best;
}

static bool may_include(const char *file, const char *header)
{
    const struct layer *from = layer_of(file), *to = layer_of(header);
    char word[64];
    if (!from || !to)
        return false;
    snprintf(word, sizeof word, " %s ", to->folder);
    return strstr(from->may, word) != NULL;
}

/* ---- circles ----------------------------------------------------------------------------------
 */

/* A module is a .c and .h of one name; `reaches` is filled in by includes, then closed. */
enum { MODULES = 1024 };
struct modules {
    size_t count;
    char *name[MODULES];
    bool reaches[MODULES][MODULES];
};

static size_t module_of(struct modules *m, const char *file)
{
    const size_t length = strlen(file) - 2;
    for (size_t i = 0; i < m->count; i++)
        if (strlen(m->name[i]) == length && strncmp(m->name[i], file, length) == 0)
            return i;
    assert_true(m->count < MODULES);
    m->name[m->count] = ub_strdup(file);
    m->name[m->count][length] = '\0';
    return m->count++;
}

static void close_paths(struct modules *m)
{
    for (size_t k = 0; k < m->count; k++)
        for (size_t i = 0; i < m->count; i++)
            for (size_t j = 0; m->reaches[i][k] && j < m->count; j++)
                m->reaches[i][j] = m->reaches[i][j] || m->reaches[k][j];
}

/* The size of the largest circle; one of two is a module and what is private to it. Prints those
 * that are larger. */
static size_t largest_circle(const struct modules *m)
{
    size_t largest = 0;
    for (size_t i = 0; i < m->count; i++) {
        size_t circle = 1;
        for (size_t j = 0; j < m->count; j++)
            circle += i != j && m->reaches[i][j] && m->reaches[j][i];
        if (circle > 2)
            print_error("%s is in a circle of %zu modules\n", m->name[i], circle);
        largest = circle > largest ? circle : largest;
    }
    return largest;
}

static void modules_free(struct modules *m)
{
    for (size_t i = 0; i < m->count; i++)
        ub_free(m->name[i]);
    ub_free(m);
}

static void test_circles_are_seen(void **state)
{
    (void)state;
    struct modules *m = ub_calloc(1, sizeof *m);
    const char *const files[] = {"a/x.c", "a/y.h", "a/z.c", "a/w.h"};
    size_t at[4];
    for (size_t i = 0; i < 4; i++)
        at[i] = module_of(m, files[i]);
    assert_int_equal(module_of(m, "a/x.h"), at[0]);
    m->reaches[at[0]][at[1]] = m->reaches[at[1]][at[2]] = m->reaches[at[2]][at[3]] = true;
    close_paths(m);
    assert_int_equal(largest_circle(m), 1);
    m->reaches[at[2]][at[0]] = true;
    close_paths(m);
    assert_int_equal(largest_circle(m), 3);
    modules_free(m);
}

/* ---- files ------------------------------------------------------------------------------------
 */

/* How many includes of ours the file has; prints and counts those that are not allowed. */
static size_t check_file(const char *root, const char *path, struct modules *m, size_t *bad)
{
    struct ub_error err = {0};
    size_t length, count = 0;
    const char *name = path + strlen(root) + 1;
    char *text = (char *)ub_read_file(path, 1 << 24, &length, &err);
    assert_non_null(text);
    static const char include[] = "#include \"";
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, include, strlen(include)) != 0)
            continue;
        char *header = line + strlen(include);
        header[strcspn(header, "\"")] = '\0';
        count++;
        m->reaches[module_of(m, name)][module_of(m, header)] = true;
        if (may_include(name, header))
            continue;
        print_error("%s includes %s; see tests/test_layers.c\n", name, header);
        ++*bad;
    }
    ub_free(text);
    return count;
}

static bool is_source(const FTSENT *entry)
{
    const char *dot = strrchr(entry->fts_name, '.');
    return entry->fts_info == FTS_F && dot && (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0);
}

static void test_arrows_point_one_way(void **state)
{
    (void)state;
    static char root[] = UNIBENCH_SOURCE;
    static const char *const tops[] = {"base", "datasets", "systems", "bench", "report", "cli"};
    struct modules *m = ub_calloc(1, sizeof *m);
    size_t count = 0, bad = 0;
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++) {
        char *top = ub_path(root, tops[i]);
        FTS *tree = fts_open((char *[]){top, NULL}, FTS_PHYSICAL, NULL);
        assert_non_null(tree);
        for (const FTSENT *entry; (entry = fts_read(tree));)
            if (is_source(entry))
                count += check_file(root, entry->fts_path, m, &bad);
        fts_close(tree);
        ub_free(top);
    }
    assert_int_equal(bad, 0);
    assert_true(count > 300); /* the files were there */
    close_paths(m);
    assert_true(largest_circle(m) <= 2);
    modules_free(m);
}

/* Folders with a dozen sources and more say what lives in them. */
static void test_large_folders_have_a_readme(void **state)
{
    (void)state;
    static char root[] = UNIBENCH_SOURCE;
    for (size_t i = 0; i < LAYERS; i++) {
        char *folder = ub_path(root, layers[i].folder), *readme = ub_path(folder, "README.md");
        FTS *tree = fts_open((char *[]){folder, NULL}, FTS_PHYSICAL, NULL);
        size_t sources = 0;
        for (const FTSENT *entry; (entry = fts_read(tree));)
            sources += entry->fts_level == 1 && is_source(entry);
        fts_close(tree);
        if (sources >= 12 && !ub_exists(readme))
            fail_msg("%s has %zu sources and no README.md", layers[i].folder, sources);
        ub_free(readme);
        ub_free(folder);
    }
}

static void test_a_wrong_arrow_is_seen(void **state)
{
    (void)state;
    assert_true(may_include("report/pages/pages.c", "bench/store/store.h"));
    assert_false(may_include("base/files.c", "bench/store/store.h"));
    assert_false(may_include("bench/spectra/eigen.c", "systems/systems.h"));
    assert_false(may_include("bench/run/train.c", "report/report.h"));
    assert_false(may_include("bench/run/train.c", "cli/cli.h"));
    assert_false(may_include("report/pages/pages.c", "tests/support.h"));
    assert_false(may_include("elsewhere/new.c", "base/base.h")); /* a new folder needs a row */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrows_point_one_way),
        cmocka_unit_test(test_a_wrong_arrow_is_seen),
        cmocka_unit_test(test_circles_are_seen),
        cmocka_unit_test(test_large_folders_have_a_readme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
