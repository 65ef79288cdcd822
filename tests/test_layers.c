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
    {"bench/curvature", " base datasets systems/graph systems bench/spectra bench/curvature "},
    {"bench/observables", " base datasets systems/graph systems bench/spectra bench/curvature"
                          " bench/observables "},
    {"bench/laws", " base datasets systems bench bench/laws "},
    {"bench", " base datasets systems/graph systems bench/spectra bench/curvature"
              " bench/observables bench "},
    {"bench/perf", " base datasets systems/graph systems bench/spectra bench/curvature"
                   " bench/observables bench bench/perf "},
    {"report", " base datasets systems/graph systems bench/spectra bench/curvature"
               " bench/observables bench/laws bench report "},
    {"bench/cli", " base datasets systems/graph systems bench/spectra bench/curvature"
                  " bench/observables bench/laws bench report bench/cli "},
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

/* How many includes of ours the file has; prints and counts those that are not allowed. */
static size_t check_file(const char *root, const char *path, size_t *bad)
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
    size_t count = 0, bad = 0;
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++) {
        char *top = ub_path(root, tops[i]);
        FTS *tree = fts_open((char *[]){top, NULL}, FTS_PHYSICAL, NULL);
        assert_non_null(tree);
        for (const FTSENT *entry; (entry = fts_read(tree));)
            if (is_source(entry))
                count += check_file(root, entry->fts_path, &bad);
        fts_close(tree);
        ub_free(top);
    }
    assert_int_equal(bad, 0);
    assert_true(count > 300); /* the files were there */
}

static void test_a_wrong_arrow_is_seen(void **state)
{
    (void)state;
    assert_true(may_include("report/pages.c", "bench/store.h"));
    assert_false(may_include("base/files.c", "bench/store.h"));
    assert_false(may_include("bench/spectra/eigen.c", "systems/systems.h"));
    assert_false(may_include("bench/train.c", "report/report.h"));
    assert_false(may_include("bench/train.c", "bench/cli/cli.h"));
    assert_false(may_include("report/pages.c", "tests/support.h"));
    assert_false(may_include("elsewhere/new.c", "base/base.h")); /* a new folder needs a row */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrows_point_one_way),
        cmocka_unit_test(test_a_wrong_arrow_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
