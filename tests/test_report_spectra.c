/* Figures of spectra, made from stores written by hand: what is drawn is what was planted, where
 * the positions are computed here anew. Figures by layer: test_layer_spectra.c. */
#include "drawn_spectra.h"
#include "read_back.h"

#include "report/report.h"

#include <unistd.h>

static size_t index_of(const struct spectra_group *g, const char *model)
{
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(group_model(g, i), model) == 0)
            return i;
    fail_msg("no model %s", model);
    return 0;
}

/* ---- names ---------------------------------------------------------------------------------- */

static void test_titles(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"hessian", "Hessian", ""},
        {"gauss-newton.fc1", "Gauss-Newton of layers", "fc1"},
        {"activation-covariance.fc1", "Covariance of activations", "fc1"},
        {"hessian.preconditioned", "Hessian, preconditioned", ""},
        {"hessian.stage1.block1.conv1.preconditioned", "Hessian of layers, preconditioned",
         "stage1.block1.conv1"},
        {"gradient-covariance", "Gradient covariance", ""},
        {"ntk-mean", "NTK, mean over outputs", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *kind, *layer;
        title_split(cases[i][0], &kind, &layer);
        assert_string_equal(kind, cases[i][1]);
        assert_string_equal(layer, cases[i][2]);
        ub_free(kind);
        ub_free(layer);
    }
}

static void test_matrices(void **state)
{
    const struct spectra_group g = group_of(*state, "digits", "GD");
    const struct ub_trace *trace = group_trace(&g, 0);
    struct matrices set = matrices_of(trace);
    assert_int_equal(set.count, 6); /* hessian, its block, inputs, two hidden, a weight */
    assert_string_equal(matrix_of_kind(&set, trace, "Hessian")->values, "spectrum.hessian");
    assert_string_equal(matrix_of_kind(&set, trace, "Hessian of layers")->layer, "fc1");
    const struct matrix *widest = matrix_of_kind(&set, trace, "Covariance of activations");
    assert_string_equal(widest->layer, "hidden1"); /* three eigenvalues, not two */
    assert_string_equal(matrix_of_kind(&set, trace, "Weight matrices")->outliers,
                        "noise-outliers.fc1.weight");
    assert_true(matrix_of_kind(&set, trace, "Covariance of inputs")->of_data);
    assert_null(matrix_of_kind(&set, trace, "NTK"));
    matrices_clear(&set);
    spectra_group_clear((struct spectra_group *)&g);
    struct spectra_group least = group_of(*state, "sorting", "GD");
    struct labels kinds = group_kinds(&least, OF_SPECTRUM, false);
    assert_int_equal(kinds.count, 5); /* two observables of the Hessian are one */
    labels_free(&kinds);
    spectra_group_clear(&least);
}

static void test_known_values(void **state)
{
    (void)state;
    double value[] = {10, 1, 1e-3, 1e-9, 1}, error[] = {0, (double)NAN, 1e-4, 0, 0};
    struct ub_series s = {.count = 5, .value = value, .error = error};
    assert_int_equal(known_values(&s), 3); /* 1e-9 of ten is rounding */
    error[2] = 2e-3;
    assert_int_equal(known_values(&s), 2);
    value[0] = -1;
    assert_int_equal(known_values(&s), 0);
}

/* ---- groups --------------------------------------------------------------------------------- */

static void test_groups(void **state)
{
    const struct fixture *x = *state;
    struct spectra_groups all = spectra_groups_of(x->study, SIZE_MAX);
    assert_int_equal(all.count, 7); /* digits with six optimizers, sorting */
    assert_null(all.rest);
    const bool first = strstr(all.group[0].name, "digits"),
               second = strstr(all.group[1].name, "digits");
    assert_true(first != second); /* one of each dataset leads */
    spectra_groups_clear(&all);
    all = spectra_groups_of(x->study, 5);
    assert_int_equal(all.count, 5);
    assert_non_null(strstr(all.rest, "MSE, digits"));
    spectra_groups_clear(&all);
    struct spectra_group g;
    g = group_of(x, "digits", "GD");
    assert_int_equal(g.count, 2);
    for (size_t i = 0; i < g.count; i++)
        assert_true(x->store->runs[g.run[i]].status == UB_RUN_OK);
    spectra_group_clear(&g);
    g = group_of(x, "sorting", "GD");
    assert_int_equal(g.count, 1); /* lstm measured no spectrum */
    assert_string_equal(g.who, "Seed 4 of each model");
    spectra_group_clear(&g);
}

/* ---- ranks ---------------------------------------------------------------------------------- */

static double scale_of(const struct spectra_group *g, size_t model)
{
    const struct ub_run_spec *spec = &g->study->store->runs[g->run[model]].spec;
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++)
        if (strcmp(planted[i].model, spec->model) == 0 && planted[i].seed == spec->seed &&
            strcmp(planted[i].optimizer, spec->optimizer) == 0)
            return planted[i].scale;
    return 0;
}

static void test_ranks(void **state)
{
    struct spectra_group g = group_of(*state, "digits", "GD");
    struct ub_figure *f = draw_ranks(&g, "t", "", 0);
    const struct ub_panel *p = titled(f, "Hessian");
    const size_t model = index_of(&g, "CNN");
    const double scale = 100 * scale_of(&g, model);
    const struct ub_mark *points = mark_of(p, UB_MARK_LINE, (int)model, 0);
    assert_int_equal(points->n, RANKS - 2);
    assert_true(points->style.points);
    for (int k = 1; k <= RANKS - 2; k++) {
        assert_near(points->x[k - 1], k, 0);
        assert_near(points->y[k - 1], scale * pow(k, -1.5), 1e-9 * scale);
    }
    const struct ub_mark *rings = mark_of(p, UB_MARK_LINE, (int)model, 1);
    assert_int_equal(rings->n, 2);
    assert_true(rings->style.hollow);
    assert_near(rings->y[1], points->y[1], 0);
    const struct ub_mark *fit = mark_of(p, UB_MARK_LINE, (int)model, 2);
    assert_near(fit->x[0], 3, 0);
    assert_near(fit->x[1], 12, 0);
    assert_near(fit->y[0], points->y[2], 1e-9 * scale);
    assert_near(fit->y[1], points->y[11], 1e-9 * scale);
    int row = 0;
    while (f->panels[2 * row] != p)
        row++;
    const struct ub_panel *fits = f->panels[2 * row + 1];
    const struct ub_mark *bar = mark_of(fits, UB_MARK_BARS, (int)model, 0);
    assert_string_equal(fits->axis[1].categories[(int)bar->y[0]], "CNN");
    assert_near(bar->x[0], 1.5, 0);
    assert_near(bar->low[0], 1.4, 1e-12);
    assert_near(bar->high[0], 1.7, 1e-12);
    assert_near(mark_of(p, UB_MARK_RULE, -2, 0)->x[0], CLASSES, 0);
    assert_near(mark_of(p, UB_MARK_RULE, -2, 1)->x[0], CLASSES * CLASSES, 0);
    const struct ub_mark *inputs = mark_of(titled(f, "Covariance of inputs"), UB_MARK_LINE, -1, 0);
    assert_int_equal(inputs->n, 3); /* once, for both models */
    assert_null(draw_ranks(&g, "t", "", 1));
    ub_figure_free(f);
    spectra_group_clear(&g);
}

static void test_classes(void **state)
{
    struct spectra_group g = group_of(*state, "digits", "GD");
    struct ub_figure *f = draw_classes(&g, "t", "", 0);
    const struct ub_panel *p = titled(f, "CNN");
    const struct ub_mark *means = mark_of(p, UB_MARK_LINE, 1, 0);
    assert_int_equal(means->n, 2); /* class means make up most of 8 and 4 */
    assert_near(means->y[0], 8, 0);
    assert_near(means->y[1], 4, 0);
    const struct ub_mark *cross = mark_of(p, UB_MARK_LINE, 0, 0);
    assert_int_equal(cross->n, 1);
    assert_near(cross->x[0], 3, 0);
    assert_near(mark_of(p, UB_MARK_LINE, -1, 0)->x[0], 4, 0); /* within: rank 4 */
    const struct ub_mark *rings = mark_of(p, UB_MARK_LINE, 1, 1);
    assert_int_equal(rings->n, CLASSES);
    assert_near(rings->y[2], 1, 0);
    assert_int_equal(mark_of(p, UB_MARK_LINE, 5, 0)->n, 5); /* of six, zero is not known */
    ub_figure_free(f);
    spectra_group_clear(&g);
}

/* ---- densities ------------------------------------------------------------------------------ */

static void test_density(void **state)
{
    struct spectra_group g = group_of(*state, "digits", "GD");
    struct ub_figure *f = draw_density(&g, "t", "Hessian", 0);
    const struct ub_panel *p = titled(f, "CNN");
    const struct ub_mark *start = mark_of(p, UB_MARK_LINE, 5, 0);
    const struct ub_mark *end = mark_of(p, UB_MARK_LINE, 1, 0);
    const struct ub_mark *band = mark_of(p, UB_MARK_BAND, 1, 0);
    assert_int_equal(end->n, POINTS);
    for (int i = 0; i < POINTS; i++) {
        const double x = -1 + 0.5 * i;
        assert_near(start->y[i], density(0, x), 1e-12);
        assert_near(end->x[i], x, 1e-12);
        assert_near(end->y[i], density(99, x), 1e-12);
        assert_near(band->high[i], density(99, x) + (i == 5 ? 100 : 0.5), 1e-12);
        if (i != 5)
            assert_near(band->low[i], density(99, x) - 0.5, 1e-12);
    }
    assert_near(band->low[5], 16e-6, 1e-12); /* cut at a millionth of the peak, 2 (4 + 4) */
    const struct ub_mark *outliers = mark_of(p, UB_MARK_RUG, 1, 0);
    assert_int_equal(outliers->n, 2);
    assert_near(outliers->x[0], 30, 0);
    assert_near(mark_of(p, UB_MARK_RUG, 6, 0)->x[1], 3, 0); /* class means */
    assert_int_equal(mark_of(p, UB_MARK_RUG, -1, 0)->n, 5); /* cross-class */
    assert_true(p->axis[0].scale == UB_SIGNED);
    ub_figure_free(f);
    spectra_group_clear(&g);
}

static void test_density_evolution(void **state)
{
    struct spectra_group g = group_of(*state, "digits", "GD");
    struct ub_figure *f = draw_density_evolution(&g, "t", "Hessian", 0);
    const struct ub_panel *p = titled(f, "CNN");
    const struct ub_mark *heat = mark_of(p, UB_MARK_HEAT, -2, 0);
    assert_int_equal(heat->n, STEPS + 1);
    assert_near(heat->y[0], -1, 1e-9);
    assert_near(heat->y[heat->rows], 4, 1e-9);
    const double low = f->color_axis.low, high = f->color_axis.high;
    for (size_t j = 0; j < heat->rows; j++) {
        const double x = (heat->y[j] + heat->y[j + 1]) / 2; /* straight lines keep 4 + x */
        const double wanted = log(density(99, x) / low) / log(high / low);
        assert_near(heat->cell[2 * heat->rows + j], wanted, 1e-9);
    }
    assert_near(mark_of(p, UB_MARK_LINE, 1, 2)->x[0], 100, 1e-9); /* step 99's outliers */
    const struct ub_mark *below = mark_of(f->panels[1], UB_MARK_BARS, -2, 0);
    assert_near(below->y[0], 0.25, 0);
    assert_near(below->high[0], 0.3, 1e-12);
    ub_figure_free(f);
    spectra_group_clear(&g);
}

/* ---- through training ----------------------------------------------------------------------- */

static void test_step_edges(void **state)
{
    (void)state;
    double *edge = step_edges((double[]){0, 9, 99}, 3); /* step + 1: 1, 10, 100 */
    for (int i = 0; i < 4; i++)
        assert_near(edge[i], pow(10, i - 0.5), 1e-9 * pow(10, i));
    ub_free(edge);
    edge = step_edges((double[]){0}, 1);
    assert_true(edge[0] < 1 && edge[1] > 1);
    ub_free(edge);
}

static void test_evolution(void **state)
{
    struct spectra_group g = group_of(*state, "digits", "GD");
    struct ub_figure *f = draw_evolution(&g, "t", "Hessian", 0);
    const struct ub_panel *p = titled(f, "CNN");
    const struct ub_mark *heat = mark_of(p, UB_MARK_HEAT, -2, 0);
    const double scale = scale_of(&g, index_of(&g, "CNN"));
    const double low = f->color_axis.low, high = f->color_axis.high;
    double least = HUGE_VAL, most = 0;
    for (size_t i = 0; i < g.count; i++) {
        least = fmin(least, scale_of(&g, i) * pow(RANKS - 2, -1.5));
        most = fmax(most, scale_of(&g, i) * 100);
    }
    assert_near(low, least, 1e-9 * least);
    assert_near(high, most, 1e-9 * most);
    assert_int_equal(heat->rows, RANKS);
    for (size_t i = 0; i < STEPS; i++)
        for (size_t j = 0; j < RANKS; j++) {
            const double value = scale * (double)(at_steps[i] + 1) * pow((double)j + 1, -1.5);
            const double shade = heat->cell[i * RANKS + j];
            if (j >= RANKS - 2)
                assert_true(isnan(shade)); /* below its error */
            else
                assert_near(shade, log(value / low) / log(high / low), 1e-9);
        }
    const struct ub_mark *bars = mark_of(f->panels[1], UB_MARK_BARS, 0, 0);
    assert_near(bars->x[1], 10, 0);
    assert_near(bars->y[1], 1.5, 0);
    assert_near(bars->low[1], 1.4, 1e-12);
    assert_near(bars->high[1], 1.7, 1e-12);
    assert_null(draw_evolution(&g, "t", "Weight matrices", 0)); /* of one step */
    ub_figure_free(f);
    spectra_group_clear(&g);
}

/* ---- the page ------------------------------------------------------------------------------- */

static void test_page(void **state)
{
    struct fixture *x = *state;
    struct ub_error err = {0};
    char *folder = ub_path(x->folder, "report");
    if (!ub_report_write(x->store, folder, &err))
        fail_msg("%s", err.text);
    char *page = read_text(folder, "topics.md");
    const char *section = strstr(page, "\n## Spectra\n");
    assert_non_null(section);
    assert_non_null(strstr(section, "MSE, digits)"));
    assert_null(strstr(section, "### Fisher: spectrum")); /* nothing above zero at any step */
    assert_non_null(strstr(section, "### Spectra by rank (GD, MSE, sorting)"));
    assert_non_null(strstr(section, "Seed 4 of each model. "));
    assert_int_equal(count_of(section, "\n### Spectra by rank ("), 7);
    assert_non_null(strstr(section, "<summary>Spectra by rank: 6 figures</summary>"));
    assert_non_null(strstr(section, "<summary>Spectra by layer: "));
    assert_true(strstr(section, "<summary>") > strstr(section, "### Spectra by rank ("));
    assert_int_equal(count_of(page, "\n## Spectra\n"), 1);
    for (const char *at = page; (at = strstr(at, "](")) != NULL; at++) {
        const char *end = strchr(at, ')');
        char name[256], *path; /* every file that the page names is there */
        snprintf(name, sizeof name, "%.*s", (int)(end - at - 2), at + 2);
        path = ub_path(folder, name);
        assert_true(access(path, R_OK) == 0);
        ub_free(path);
    }
    ub_free(page);
    ub_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_titles),       cmocka_unit_test(test_matrices),
        cmocka_unit_test(test_known_values), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_ranks),        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_density),      cmocka_unit_test(test_density_evolution),
        cmocka_unit_test(test_step_edges),   cmocka_unit_test(test_evolution),
        cmocka_unit_test(test_page),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
