/* What is published: complete or not at all, as wide as a paper's columns, with text that can be
 * read there, and every table and figure in main.tex. */
#include "cli_support.h"
#include "made_store.h"
#include "pdf_text.h"

#include "report/figure/private.h"
#include "report/report.h"

#include <fts.h>
#include <sys/stat.h>

/* ---- what is there -------------------------------------------------------------------------- */

static char *published(const char *folder)
{
    struct ub_error err = {0};
    const struct made m = {.folder = folder,
                           .seeds = 2,
                           .rho = {1, 1.02, 0.6},
                           .spread = 0.01,
                           .noise = 3,
                           .diverged_optimizer = -1};
    char *to = ub_path(folder, "paper");
    made_store(&m);
    struct ub_store *s = ub_store_open(folder, &err);
    if (!s || !ub_report_publish(s, to, &err))
        fail_msg("%s", err.text);
    ub_store_free(s);
    return to;
}

static char *read_named(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name), *text = ub_read_text(path, 1 << 28, NULL, &err);
    if (!text)
        fail_msg("%s", err.text);
    ub_free(path);
    return text;
}

static bool has_file(const char *folder, const char *stem, const char *end)
{
    struct ub_text path = {0};
    struct stat s;
    ub_text_add(&path, "%s/%s%s", folder, stem, end);
    const bool has = stat(path.data, &s) == 0 && s.st_size > 0;
    ub_text_free(&path);
    return has;
}

/* ---- figures -------------------------------------------------------------------------------- */

static uint32_t big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void check_png(const char *path, double inches)
{
    struct ub_error err = {0};
    size_t length;
    unsigned char *png = ub_read_file(path, 1 << 28, &length, &err);
    assert_true(png && length > 64);
    assert_int_equal(big_endian(png + 16), lround(inches * UB_PRINT_DPI));
    assert_true(big_endian(png + 20) <= UB_PRINT_HEIGHT * UB_PRINT_DPI);
    const char *at = (const char *)png;
    const char *phys = pdf_find(at, at + length, "pHYs");
    assert_non_null(phys);
    assert_near(big_endian((const unsigned char *)phys + 4), UB_PRINT_DPI / 0.0254, 1);
    ub_free(png);
}

static void check_svg(const char *path, double inches)
{
    struct ub_error err = {0};
    char *svg = ub_read_text(path, 1 << 28, NULL, &err);
    double width = 0;
    assert_non_null(svg);
    const char *tag = strstr(svg, "<svg"), *attribute = tag ? strstr(tag, "width=\"") : NULL;
    assert_true(attribute && sscanf(attribute, "width=\"%lf", &width) == 1);
    assert_near(width, 72 * inches, 0.5); /* Cairo's user units here are points */
    ub_free(svg);
}

/* By the PDF's own matrices, whatever the layout meant. */
static void check_pdf(const char *path, double inches)
{
    const struct pdf_page page = pdf_read(path);
    assert_near(page.width, 72 * inches, 0.5);
    assert_true(page.height <= 72 * UB_PRINT_HEIGHT + 0.5);
    assert_true(page.texts > 5);
    if (page.least < 7 - 1e-3 || page.most > 10)
        fail_msg("%s has text of %g to %g points", path, page.least, page.most);
}

/* Each file of figures/ by what it must be. Returns how many. */
static size_t check_figures(const char *to)
{
    char *folder = ub_path(to, "figures"), *roots[] = {folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL, NULL);
    size_t n = 0;
    for (FTSENT *e; (e = fts_read(tree)) != NULL;) {
        if (e->fts_info != FTS_F)
            continue;
        const char *end = strrchr(e->fts_path, '.');
        const double inches = strstr(e->fts_name, "-1col") ? 3.25 : 6.75;
        assert_true(strstr(e->fts_name, "-1col") || strstr(e->fts_name, "-2col"));
        if (strcmp(end, ".png") == 0)
            check_png(e->fts_path, inches);
        else if (strcmp(end, ".svg") == 0)
            check_svg(e->fts_path, inches);
        else
            check_pdf(e->fts_path, inches);
        n++;
    }
    fts_close(tree);
    ub_free(folder);
    return n;
}

/* "\input{tables/NAME}" and "\ubfigure{figures/NAME}" of main.tex: all that is there. */
static size_t check_named(const char *to, const char *text, const char *command,
                          const char *const *ends)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, command)) != NULL;) {
        const char *name = strchr(at, '{') + 1;
        char stem[256];
        snprintf(stem, sizeof stem, "%.*s", (int)strcspn(name, "}"), name);
        for (int i = 0; i < 3; i++)
            if (!has_file(to, stem, ends[i]))
                fail_msg("no %s%s", stem, ends[i]);
        at = name;
        n++;
    }
    return n;
}

static void test_all_is_there(void **state)
{
    (void)state;
    static const char *const figures[] = {".png", ".svg", ".pdf"};
    static const char *const tables[] = {".csv", ".md", ".tex"};
    char *folder = support_folder(), *to = published(folder);
    char *text = read_named(to, "main.tex"), *bib = read_named(to, "references.bib");
    const size_t n = check_named(to, text, "\\ubfigure{figures/", figures);
    assert_true(n >= 6); /* of three figures, both widths */
    assert_int_equal(check_figures(to), 3 * n);
    assert_true(check_named(to, text, "\\input{tables/", tables) >= 4);
    assert_non_null(strstr(text, "\\begin{document}"));
    assert_non_null(strstr(text, "\\cite{law:edge-of-stability"));
    assert_non_null(strstr(bib, "@misc{law:edge-of-stability,"));
    assert_non_null(strstr(bib, "@misc{optimizer:nesterov,"));
    assert_non_null(strstr(bib, "@misc{optimizer:gd:edge,"));
    assert_non_null(strstr(bib, "eprint = {2103.00065}"));
    ub_free(text);
    ub_free(bib);
    ub_free(to);
    support_remove(folder);
}

/* runs.csv is the report's, and is cited by its digest; so is the program. */
static void test_results_are_cited(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *to = published(folder), sha256[UB_SHA256_TEXT], field[128];
    char *runs = ub_path(to, "runs.csv"), *reported = ub_path(folder, "reported.csv");
    struct ub_store *s = ub_store_open(folder, &err);
    assert_true(s && ub_report_runs_csv(s, reported, &err));
    char *text = read_named(to, "runs.csv"), *expected = read_named(folder, "reported.csv");
    assert_string_equal(text, expected);
    assert_true(ub_sha256_file(runs, sha256, &err));
    char *bib = read_named(to, "references.bib"), *tex = read_named(to, "main.tex");
    snprintf(field, sizeof field, "sha256 = {%s}", sha256);
    const char *results = strstr(bib, "@misc{results,");
    assert_non_null(results);
    assert_non_null(strstr(results, field));
    snprintf(field, sizeof field, "title = {{Results of %zu runs of ", s->count);
    assert_non_null(strstr(results, field));
    assert_non_null(strstr(bib, "@misc{unibench,"));
    assert_non_null(strstr(tex, "\\cite{results}"));
    assert_non_null(strstr(tex, "\\cite{unibench}"));
    char *const all[] = {runs, reported, text, expected, bib, tex, to};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
    ub_store_free(s);
    support_remove(folder);
}

/* ---- folders -------------------------------------------------------------------------------- */

static size_t entries_of(const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void publish_again(const char *folder, const char *to, const char *part)
{
    struct ub_error err = {0};
    struct ub_store *s = ub_store_open(folder, &err);
    assert_non_null(s);
    const bool good = ub_report_publish(s, to, &err);
    if (part)
        assert_input_error(&err, part);
    else if (!good)
        fail_msg("%s", err.text);
    assert_int_equal(good, part == NULL);
    ub_store_free(s);
}

static void test_folders(void **state)
{
    (void)state;
    char *folder = support_folder(), *to = published(folder);
    const size_t before = entries_of(folder);
    char *first = read_named(to, "main.tex");
    support_write(to, "main.aux", "LaTeX's", 7);
    publish_again(folder, to, NULL);
    char *second = read_named(to, "main.tex");
    assert_string_equal(first, second);
    assert_false(has_file(to, "main", ".aux"));
    support_write(to, "notes.txt", "mine", 4);
    publish_again(folder, to, "has notes.txt, which publish did not write");
    assert_true(has_file(to, "notes", ".txt"));
    char *file = ub_path(to, "notes.txt"), *list = ub_path(to, "files.txt");
    publish_again(folder, file, "is a file; expected a folder");
    assert_int_equal(remove(file), 0);
    assert_int_equal(remove(list), 0);
    publish_again(folder, to, "which publish did not write"); /* nothing says that it did */
    assert_int_equal(entries_of(folder), before);             /* nothing is left beside it */
    char *empty = ub_path(folder, "a/b/empty/");
    struct ub_error err = {0};
    assert_true(ub_make_folders(empty, &err));
    publish_again(folder, empty, NULL);
    assert_true(has_file(empty, "main", ".tex"));
    char *const owned[] = {first, second, file, list, empty, to};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        ub_free(owned[i]);
    support_remove(folder);
}

static void test_bad_input(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"publish", "no store given; expected unibench publish STORE --to DIR"},
        {"publish store", "no --to given; expected unibench publish STORE --to DIR"},
        {"publish store --to ''", "--to"},
        {"publish none --to paper", "none"},
        {"publish store --to store/runs/paper", "is in the folder of the store's runs"},
    };
    char *folder = support_folder(), *store = ub_path(folder, "store");
    const struct made m = {
        .folder = store, .seeds = 1, .rho = {1, 1, 1}, .noise = 1, .diverged_optimizer = -1};
    made_store(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cli_outcome o = cli_finish(folder, cases[i][0]);
        assert_int_equal(o.code, UB_INPUT);
        if (!strstr(o.err, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], o.err);
        cli_clear(&o);
        assert_false(has_file(folder, "paper", ""));
    }
    ub_free(store);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_there),
        cmocka_unit_test(test_results_are_cited),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
