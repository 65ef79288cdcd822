/* Figures of spectra by layer and by weight, and which are drawn where there are many: what is
 * drawn is what was planted. */
#include "drawn_spectra.h"

static void test_layers(void **state)
{
    struct spectra_group g = group_of(*state, "digits", "GD");
    struct ub_figure *f = draw_layers(&g, "t", "Covariance of activations", 0);
    const struct ub_panel *p = titled(f, "CNN"), *fits = f->panels[1];
    assert_int_equal(f->rows, 2);
    const struct ub_mark *first = mark_of(p, UB_MARK_LINE, -2, 0);
    assert_int_equal(first->n, 3);
    assert_near(first->y[1], 4, 0);
    assert_int_equal(fits->axis[1].n_categories, 2);
    assert_string_equal(fits->axis[1].categories[1], "hidden2");
    const struct ub_mark *bar = mark_of(fits, UB_MARK_BARS, -2, 0);
    assert_near(bar->x[0], 2, 0);
    assert_near(bar->low[0], 1.9, 1e-12);
    assert_near(bar->high[0], 2.2, 1e-12);
    assert_true(isnan(mark_of(fits, UB_MARK_BARS, -2, 1)->x[0])); /* nothing fitted */
    assert_null(draw_layers(&g, "t", "Covariance of activations", 1));
    assert_null(draw_layers(&g, "t", "NTK", 0));
    struct ub_figure *blocks = draw_layers(&g, "t", "Hessian of layers", 0);
    assert_non_null(blocks);
    assert_int_equal(blocks->panels[1]->axis[1].n_categories, 1);
    ub_figure_free(blocks);
    ub_figure_free(f);
    spectra_group_clear(&g);
}

static void thirty_layers(struct ub_run_writer *w, const struct planted *p)
{
    (void)p;
    for (int i = 0; i < 30; i++) {
        char name[64];
        snprintf(name, sizeof name, "covariance-spectrum.layer%02d", i);
        ub_run_writer_add(w, 0, name, 0, i + 1, 0);
    }
}

/* What was planted in a folder, and the groups of its spectra. */
struct opened {
    struct ub_store *store;
    struct study *study;
    struct spectra_groups all;
};

static struct opened open_groups(const char *folder)
{
    struct ub_error err = {0};
    struct opened o = {.store = ub_store_open(folder, &err)};
    o.study = study_new(o.store, &err);
    o.all = spectra_groups_of(o.study, 1);
    return o;
}

static void close_groups(struct opened *o, char *folder)
{
    spectra_groups_clear(&o->all);
    study_free(o->study);
    ub_store_free(o->store);
    support_remove(folder);
}

/* Of thirty layers twelve: the first, the last, and about every third between. */
static void test_many_layers(void **state)
{
    (void)state;
    char *folder = support_folder();
    plant(folder, &(struct planted){.model = "mlp",
                                    .optimizer = "gd",
                                    .dataset = "digits",
                                    .status = UB_RUN_OK,
                                    .rows = thirty_layers});
    struct opened o = open_groups(folder);
    assert_int_equal(o.all.count, 1);
    const struct spectra_group g = o.all.group[0];
    struct ub_figure *f = draw_layers(&g, "t", "Covariance of activations", 0);
    const struct ub_axis *axis = &f->panels[1]->axis[UB_VERTICAL];
    assert_int_equal(axis->n_categories, 12);
    assert_string_equal(axis->categories[0], "layer00");
    assert_string_equal(axis->categories[11], "layer29");
    for (int i = 1; i < 12; i++) {
        const int apart = atoi(axis->categories[i] + 5) - atoi(axis->categories[i - 1] + 5);
        assert_true(apart == 2 || apart == 3);
    }
    struct matrices set = matrices_of(group_trace(&g, 0));
    const struct matrix *last =
        matrix_of_kind(&set, group_trace(&g, 0), "Covariance of activations");
    assert_string_equal(last->layer, "layer29"); /* all have as many eigenvalues */
    matrices_clear(&set);
    ub_figure_free(f);
    close_groups(&o, folder);
}

/* Of forty models twelve, the first and the last among them, and the caption says so. */
static void test_many_models(void **state)
{
    (void)state;
    enum { MODELS = 40 };
    char *folder = support_folder(), model[MODELS][32];
    for (int i = 0; i < MODELS; i++) {
        snprintf(model[i], sizeof model[i], "two-layer:width=%d", i + 1);
        plant(folder, &(struct planted){.model = model[i],
                                        .optimizer = "gd",
                                        .dataset = "digits",
                                        .status = UB_RUN_OK,
                                        .rows = thirty_layers});
    }
    struct opened o = open_groups(folder);
    assert_int_equal(o.all.group[0].count, 12);
    assert_string_equal(o.all.group[0].who, "Seed 0 of 12 of 40 models, evenly chosen");
    for (size_t i = 0; i < 12; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(group_model(&o.all.group[0], i),
                                    group_model(&o.all.group[0], k));
    close_groups(&o, folder);
}

static void test_weights(void **state)
{
    struct spectra_group g = group_of(*state, "digits", "GD");
    struct ub_figure *f = draw_weights(&g, "t", "Weight matrices", 0);
    const struct ub_panel *p = titled(f, "CNN");
    const struct ub_mark *shares = mark_of(p, UB_MARK_LINE, -2, 0);
    for (int k = 0; k < 4; k++) {
        assert_near(shares->x[k], pow(4, 2 - k), 0);
        assert_near(shares->y[k], (k + 1) / 4.0, 0);
    }
    const struct ub_mark *tail = mark_of(p, UB_MARK_LINE, -2, 1); /* 3/4 x^(1 - 2) from 1 to 16 */
    assert_near(tail->x[0], 1, 0);
    assert_near(tail->y[0], 0.75, 1e-12);
    assert_near(tail->x[1], 16, 0);
    assert_near(tail->y[1], 0.75 / 16, 1e-12);
    assert_near(mark_of(p, UB_MARK_RUG, -2, 0)->x[0], 5, 0);
    assert_near(mark_of(f->panels[1], UB_MARK_BARS, -2, 0)->high[0], 2.4, 0);
    ub_figure_free(f);
    spectra_group_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_many_layers),
        cmocka_unit_test(test_many_models),
        cmocka_unit_test(test_weights),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
