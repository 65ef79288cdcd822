/* Which runs a table takes together, and of how many it speaks: stores written by hand with runs
 * that must not be pooled, and with ones that left nothing. */
#include "support.h"

#include "report/sections/batches.h"
#include "report/sections/sections.h"

struct planted {
    const char *dataset, *model, *optimizer;
    uint64_t seed;
    enum ub_run_status status;
    const char *observable[3];
    double value[3], lr, width;
};

static void plant(const char *folder, const struct planted *p)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"loss"};
    const struct ub_run_spec spec = {.dataset = (char *)p->dataset,
                                     .model = (char *)p->model,
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch",
                                     .optimizer = (char *)p->optimizer,
                                     .steps = 200,
                                     .seed = p->seed,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    assert_non_null(w);
    for (int64_t step = 0; p->status != UB_RUN_FAILED && step <= 200; step += 10)
        for (int k = 0; k < 3 && p->observable[k]; k++)
            ub_run_writer_add(w, step, p->observable[k], 0, p->value[k], (double)NAN);
    if (p->status != UB_RUN_FAILED) { /* a run that failed leaves no facts */
        ub_run_writer_fact(w, "lr", p->lr);
        ub_run_writer_fact(w, "samples", 500);
        ub_run_writer_fact(w, "width", p->width);
        ub_run_writer_fact(w, "threshold", 20);
        ub_run_writer_fact(w, "initial-sharpness", 30);
    }
    if (!ub_run_writer_commit(w, p->status, "", NULL, 0, &err))
        fail_msg("%s", err.text);
}

struct opened {
    char *folder;
    struct ub_store *store;
    struct study *study;
};

static struct opened open_planted(const struct planted *planted, size_t n)
{
    struct ub_error err = {0};
    struct opened o = {.folder = support_folder()};
    assert_true(ub_store_lock(o.folder, false, &err));
    for (size_t i = 0; i < n; i++)
        plant(o.folder, &planted[i]);
    o.store = ub_store_open(o.folder, &err);
    o.study = o.store ? study_new(o.store, &err) : NULL;
    if (!o.study)
        fail_msg("%s", err.text);
    return o;
}

static void close_planted(struct opened *o)
{
    study_free(o->study);
    ub_store_free(o->store);
    support_remove(o->folder);
}

/* The cell of the row that begins so. */
static const char *cell(const struct table *t, const char *row, size_t column)
{
    for (size_t r = 0; r < table_rows(t); r++)
        if (strcmp(t->cell[r * t->columns], row) == 0)
            return t->cell[r * t->columns + column];
    for (size_t r = 0; r < table_rows(t); r++)
        print_error("row '%s'\n", t->cell[r * t->columns]);
    fail_msg("no row '%s'", row);
    return NULL;
}

/* In the row of a planted run's system. */
static const char *cell_of(const struct table *t, const struct opened *o, const struct planted *p,
                           size_t column)
{
    const char *found = NULL;
    for (size_t i = 0; i < o->store->count; i++) {
        const struct ub_run_spec *spec = &o->store->runs[i].spec;
        if (strcmp(spec->dataset, p->dataset) != 0 || strcmp(spec->model, p->model) != 0 ||
            strcmp(spec->optimizer, p->optimizer) != 0)
            continue;
        found = cell(t, o->study->system_name[o->study->system_of[i]], column);
    }
    assert_non_null(found);
    return found;
}

/* Batch sharpness 2 and 4 over 2/lr = 4 on two models, nesterov apart, a seed that failed. */
static void batches_pool_seeds_only(void **state)
{
    (void)state;
    static const char sgd[] = "sgd:batch=8,beta=0,lr=0.5,nesterov=false";
    static const char nesterov[] = "sgd:batch=8,beta=0,lr=0.5,nesterov=true";
    const struct planted planted[] = {
        {"digits", "mlp", sgd, 0, UB_RUN_OK, {"batch-sharpness", "sharpness"}, {2, 4}, 0.5, 0},
        {"digits", "mlp", sgd, 1, UB_RUN_OK, {"batch-sharpness", "sharpness"}, {3, 4}, 0.5, 0},
        {"digits", "mlp", sgd, 2, UB_RUN_FAILED, {NULL}, {0}, 0, 0},
        {"digits", "cnn", sgd, 0, UB_RUN_OK, {"batch-sharpness", "sharpness"}, {4, 4}, 0.5, 0},
        {"text", "mlp", sgd, 0, UB_RUN_OK, {"batch-sharpness", "sharpness"}, {8, 4}, 0.5, 0},
        {"digits", "mlp", nesterov, 0, UB_RUN_OK, {"batch-sharpness"}, {12}, 0.5, 0},
    };
    struct opened o = open_planted(planted, 6);
    struct table *t = batches_table(o.study);
    assert_int_equal(table_rows(t), 4);
    assert_string_equal(cell_of(t, &o, &planted[0], 3), "1 of 3");
    assert_string_equal(cell_of(t, &o, &planted[0], 4), "0.625 [0.500, 0.750]");
    assert_string_equal(cell_of(t, &o, &planted[3], 4), "1.000 [1.000, 1.000]");
    assert_string_equal(cell_of(t, &o, &planted[4], 4), "2.000 [2.000, 2.000]");
    assert_string_equal(cell_of(t, &o, &planted[5], 4), "-");
    assert_string_equal(cell_of(t, &o, &planted[5], 5), "3.000 [3.000, 3.000]");
    table_free(t);

    char *out = ub_path(o.folder, "figures");
    assert_true(ub_make_folders(out, &(struct ub_error){0}));
    struct plates plates = {.folder = out};
    struct ub_error err = {0};
    assert_true(plot_batches(o.study, &plates, &err));
    assert_int_equal(plates.count, 2);
    plates_free(&plates);
    ub_free(out);
    close_planted(&o);
}

/* 35 batch sizes: two pages and one figure of where they settle, none dropped. */
static void every_recipe_has_a_panel(void **state)
{
    (void)state;
    enum { SIZES = 35 };
    struct planted planted[SIZES];
    char text[SIZES][64];
    for (int i = 0; i < SIZES; i++) {
        snprintf(text[i], sizeof text[i], "sgd:batch=%d,beta=0,lr=0.5,nesterov=false", i + 1);
        planted[i] = (struct planted){.dataset = "digits",
                                      .model = "mlp",
                                      .optimizer = text[i],
                                      .observable = {"batch-sharpness"},
                                      .value = {4},
                                      .lr = 0.5};
    }
    struct opened o = open_planted(planted, SIZES);
    char *out = ub_path(o.folder, "figures");
    struct ub_error err = {0};
    assert_true(ub_make_folders(out, &err));
    struct plates plates = {.folder = out};
    assert_true(plot_batches(o.study, &plates, &err));
    assert_int_equal(plates.count, 3);
    assert_string_equal(plates.plate[1].stem, "batch-sharpness-2");
    struct table *t = batches_table(o.study);
    assert_int_equal(table_rows(t), SIZES);
    table_free(t);
    plates_free(&plates);
    ub_free(out);
    close_planted(&o);
}

/* 150 rates: more than four pages of panels, so that those of one batch size and momentum share
 * one. */
static void too_many_recipes_share_panels(void **state)
{
    (void)state;
    enum { RATES = 150 };
    struct planted *planted = ub_calloc(RATES, sizeof *planted);
    char(*text)[64] = ub_calloc(RATES, sizeof *text);
    for (int i = 0; i < RATES; i++) {
        snprintf(text[i], sizeof text[i], "sgd:batch=%d,beta=0,lr=%g,nesterov=false", 1 << i % 2,
                 0.01 * (i + 1));
        planted[i] = (struct planted){.dataset = "digits",
                                      .model = "mlp",
                                      .optimizer = text[i],
                                      .observable = {"batch-sharpness"},
                                      .value = {4},
                                      .lr = 0.01 * (i + 1)};
    }
    struct opened o = open_planted(planted, RATES);
    struct recipes r = recipes_of(o.study);
    size_t rung;
    assert_int_equal(r.count, RATES);
    struct ub_groups panels = batch_panels(&r, true, 120, &rung);
    assert_int_equal(rung, 1);
    assert_int_equal(panels.count, 2);
    assert_int_equal(panels.group[0].count + panels.group[1].count, RATES);
    ub_groups_clear(&panels);
    panels = batch_panels(&r, true, 1, &rung);
    assert_int_equal(panels.count, 1);
    assert_int_equal(panels.group[0].count, RATES);
    ub_groups_clear(&panels);
    panels = batch_panels(&r, false, RATES, &rung); /* a line a rate */
    assert_int_equal(rung, 0);
    assert_int_equal(panels.count, RATES);
    ub_groups_clear(&panels);
    recipes_clear(&r);
    close_planted(&o);
    ub_free(planted);
    ub_free(text);
}

/* The first run failed; the other two disagree. */
static void flows_are_of_all_seeds(void **state)
{
    (void)state;
    static const char gd[] = "gd:lr=0.1";
    const char *const rows[] = {"loss", "central-flow-loss", "central-flow-distance"};
    const struct planted planted[] = {
        {"digits", "mlp", gd, 0, UB_RUN_FAILED, {NULL}, {0}, 0, 0},
        {"digits", "mlp", gd, 1, UB_RUN_OK, {rows[0], rows[1], rows[2]}, {1, 1, 0.1}, 0.1, 0},
        {"digits", "mlp", gd, 2, UB_RUN_OK, {rows[0], rows[1], rows[2]}, {1, 1, 0.3}, 0.1, 0},
    };
    struct opened o = open_planted(planted, 3);
    struct table *t = flows_table(o.study);
    assert_int_equal(table_rows(t), 1);
    assert_string_equal(cell_of(t, &o, &planted[0], 1), "2 of 3");
    assert_string_equal(cell_of(t, &o, &planted[0], 6), "0.2 [0.1, 0.3]");
    table_free(t);
    close_planted(&o);
}

static void catapults_count_every_run(void **state)
{
    (void)state;
    static const char gd[] = "gd:lr=0.1";
    const char *const rows[] = {"catapult-peak", "catapult-back", "edge-ratio"};
    const struct planted planted[] = {
        {"digits", "mlp", gd, 0, UB_RUN_FAILED, {NULL}, {0}, 0, 0},
        {"digits", "mlp", gd, 1, UB_RUN_DIVERGED, {NULL}, {0}, 0.1, 0},
        {"digits", "mlp", gd, 2, UB_RUN_OK, {rows[0], rows[1], rows[2]}, {7, 1, 0.9}, 0.1, 0},
        {"digits", "mlp", gd, 3, UB_RUN_OK, {rows[0], rows[1], rows[2]}, {9, 0, 0.7}, 0.1, 0},
    };
    struct opened o = open_planted(planted, 4);
    struct table *t = catapults_table(o.study);
    assert_int_equal(table_rows(t), 1);
    assert_string_equal(cell_of(t, &o, &planted[0], 1), "1.50");
    assert_string_equal(cell_of(t, &o, &planted[0], 2), "1 of 4");
    assert_string_equal(cell_of(t, &o, &planted[0], 3), "1 of 4");
    assert_string_equal(cell_of(t, &o, &planted[0], 4), "1 of 2");
    assert_string_equal(cell_of(t, &o, &planted[0], 5), "8");
    table_free(t);
    close_planted(&o);
}

/* Slopes 0 and 1 at two rates and 2 on other data: pooled, none of them. */
static void coordinates_pool_neither_data_nor_rates(void **state)
{
    (void)state;
    static const struct {
        const char *dataset, *optimizer, *name, *slope;
        double power;
    } checks[] = {{"digits", "gd:lr=0.1", "MLP, GD, lr 0.1, digits", "0.00", 0},
                  {"digits", "gd:lr=0.2", "MLP, GD, lr 0.2, digits", "1.00", 1},
                  {"text", "gd:lr=0.1", "MLP, GD, text", "2.00", 2},
                  {"text", "adam:lr=0.1", "MLP, Adam, text", "-1.00", -1}};
    struct planted planted[12];
    char model[3][64];
    for (int w = 0; w < 3; w++)
        snprintf(model[w], sizeof model[w], "mlp:parametrization=mup,widths=%d", 8 << w);
    for (int i = 0; i < 12; i++)
        planted[i] = (struct planted){.dataset = checks[i / 3].dataset,
                                      .model = model[i % 3],
                                      .optimizer = checks[i / 3].optimizer,
                                      .observable = {"activation-update.output"},
                                      .value = {pow(8 << i % 3, checks[i / 3].power)},
                                      .lr = 0.1,
                                      .width = 8 << i % 3};
    struct opened o = open_planted(planted, 12);
    struct table *t = coordinates_table(o.study);
    assert_int_equal(table_rows(t), 4);
    assert_string_equal(t->header[2], "mup output");
    for (int k = 0; k < 4; k++)
        assert_string_equal(cell(t, checks[k].name, 2), checks[k].slope);
    table_free(t);
    close_planted(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_pool_seeds_only),
        cmocka_unit_test(every_recipe_has_a_panel),
        cmocka_unit_test(too_many_recipes_share_panels),
        cmocka_unit_test(flows_are_of_all_seeds),
        cmocka_unit_test(catapults_count_every_run),
        cmocka_unit_test(coordinates_pool_neither_data_nor_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
