/* What an observable declares is looked at without a section of its own: a figure of each row that
 * is declared with one and that no section draws, and of no other. */
#include "made_store.h"

#include "bench/observables/observables.h"
#include "report/frame/names.h"
#include "report/report.h"
#include "report/sections/sections.h"

#include <string.h>
#include <unistd.h>

enum { SEEDS = 3, STEPS = 20, MODES = 6 };

static void add_rows(struct ub_run_writer *w, double size)
{
    for (int k = 0; k <= STEPS; k++) {
        ub_run_writer_add(w, k, "loss", 0, size * exp(-k), (double)NAN);
        ub_run_writer_add(w, k, "gradient-norm", 0, size * exp(-0.5 * k), (double)NAN);
        for (int i = 0; i < MODES; i++)
            ub_run_writer_add(w, k, "mode-strength", i, size * k / (i + 1), (double)NAN);
        ub_run_writer_add(w, k, "mode-target", 0, size, (double)NAN);    /* declared with none */
        ub_run_writer_add(w, k, "of-another-age", 0, size, (double)NAN); /* not declared */
    }
    ub_run_writer_add(w, STEPS, "distance", 0, size, (double)NAN); /* once a run: no line */
    for (int i = 0; i < MODES; i++)
        ub_run_writer_add(w, STEPS, "kernel-mode-rate", i, size / (1 + i * i), (double)NAN);
    for (int layer = 1; layer <= 10; layer++) { /* more than there are colors */
        char name[UB_TITLE];
        snprintf(name, sizeof name, "feature-equation.fc%d.weight", layer);
        ub_run_writer_add(w, 0, name, 0, layer, (double)NAN);
        ub_run_writer_add(w, STEPS, name, 0, 0, (double)NAN);
    }
}

static void write_runs(const char *folder)
{
    struct ub_error err = {0};
    assert_true(ub_store_lock(folder, false, &err));
    for (int model = 0; model < MADE_MODELS; model++)
        for (int seed = 0; seed < SEEDS; seed++) {
            const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                             .model = (char *)made_models[model],
                                             .loss = (char *)"mse",
                                             .init = (char *)"pytorch:gain=1",
                                             .optimizer = (char *)made_optimizers[0],
                                             .steps = STEPS,
                                             .seed = (uint64_t)seed};
            const struct ub_pair provenance[] = {{(char *)"unibench", (char *)"test"}};
            struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
            assert_non_null(w);
            add_rows(w, 1 + model + 0.1 * seed);
            if (!ub_run_writer_commit(w, UB_RUN_OK, "", provenance, 1, &err))
                fail_msg("%s", err.text);
        }
}

static char *read_page(const char *folder, const char *name)
{
    struct ub_error err = {0};
    size_t length;
    char *path = ub_path(folder, name);
    unsigned char *text = ub_read_file(path, UINT64_C(1) << 20, &length, &err);
    if (!text)
        fail_msg("%s", err.text);
    ub_free(path);
    return (char *)text;
}

static bool has_figure(const char *folder, const char *page, const char *row)
{
    struct ub_text stem = {0}, link = {0};
    char *found = plate_stem_of("row", row, 0);
    ub_text_add(&stem, "%s.png", found);
    ub_text_add(&link, "(%s.png)", found);
    char *path = ub_path(folder, stem.data);
    const bool there = access(path, R_OK) == 0, linked = strstr(page, link.data) != NULL;
    if (there != linked)
        fail_msg("%s: file %d, link %d", row, there, linked);
    ub_free(path);
    ub_free(found);
    ub_text_free(&stem);
    ub_text_free(&link);
    return there;
}

static void declared_rows_have_figures_and_no_others(void **state)
{
    static const char *const with[] = {"gradient-norm", "mode-strength", "distance",
                                       "kernel-mode-rate", "feature-equation.WEIGHT"};
    static const char *const without[] = {"loss", "mode-target", "of-another-age", "accuracy"};
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *report = ub_path(folder, "report");
    write_runs(folder);
    struct ub_store *store = ub_store_open(folder, &err);
    assert_non_null(store);
    if (!ub_report_write(store, report, &err))
        fail_msg("%s", err.text);
    char *page = read_page(report, "topics.md");
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        if (!has_figure(report, page, with[i]))
            fail_msg("%s has no figure", with[i]);
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (has_figure(report, page, without[i]))
            fail_msg("%s has a figure", without[i]);
    assert_non_null(strstr(page, "\n## Measured\n"));
    assert_non_null(strstr(page, "gradient-norm: Euclidean norm of the gradient"));
    assert_non_null(strstr(page, "The one measurement of each run; units: units of parameter."));
    assert_non_null(strstr(page, "Shown: the first 8 of 10"));
    assert_non_null(strstr(page, "Values of 0 have no place on the axis."));
    ub_free(page);
    ub_store_free(store);
    ub_free(report);
    support_remove(folder);
}

/* A name that no observable declares would keep nothing from being drawn twice. */
static void sections_draw_rows_that_are_declared(void **state)
{
    (void)state;
    size_t named = 0;
    for (size_t i = 0; ub_sections[i]; i++)
        for (const char *const *row = ub_sections[i]->draws; row && *row; row++, named++) {
            bool found = false;
            for (size_t k = 0; ub_observables[k]; k++)
                for (const struct ub_quantity *q = ub_observables[k]->rows; q && q->name; q++)
                    found = found || strcmp(q->name, *row) == 0;
            if (!found)
                fail_msg("section %s draws '%s', which nothing declares", ub_sections[i]->name,
                         *row);
        }
    assert_true(named > 0);
}

static void names_of_traces_outlive_them(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder();
    write_runs(folder);
    struct ub_store *store = ub_store_open(folder, &err);
    struct ub_frame *frame = ub_frame_new(store, &err);
    assert_non_null(frame);
    for (size_t row = 0; row < frame->rows; row++) {
        char *const *names;
        const size_t n = ub_frame_names(frame, row, &names);
        assert_int_equal(n, 7 + 10);
        for (size_t i = 0; i < n; i++)
            assert_true(ub_frame_has(frame, row, names[i]));
    }
    ub_frame_free(frame);
    ub_store_free(store);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_rows_have_figures_and_no_others),
        cmocka_unit_test(sections_draw_rows_that_are_declared),
        cmocka_unit_test(names_of_traces_outlive_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
