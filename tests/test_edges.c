/* Tables and figures of optimizers at their edges, on stores written by hand: their numbers are
 * computed here anew. */
#include "cli_support.h"

#include "report/report.h"
#include "report/sections/sections.h"

static struct study *study_of(const char *folder, struct ub_store **store)
{
    struct ub_error err = {0};
    *store = ub_store_open(folder, &err);
    struct study *study = *store ? study_new(*store, &err) : NULL;
    if (!study)
        fail_msg("%s", err.text);
    return study;
}

/* A run whose rho rises to 1 at measurement 20 and then alternates about `plateau`; without
 * `reaches` it rises to 0.9 and no end. */
struct planted {
    const char *model, *optimizer, *formula, *dataset;
    double plateau;
    bool reaches, diverges;
};

static void plant(const char *folder, const struct planted *p)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"sharpness"};
    const struct ub_run_spec spec = {.dataset = (char *)p->dataset,
                                     .model = (char *)p->model,
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)p->optimizer,
                                     .steps = 990,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    assert_non_null(w);
    for (int k = 0; k < 100; k++) {
        const double late = p->plateau + (k % 2 ? 0.01 : -0.01);
        const double rho = k < 20 ? 0.04 * k + 0.1 : k == 20 ? 1.001 : late;
        ub_run_writer_add(w, 10 * k, "edge-ratio", 0, p->reaches ? rho : 0.2 + 0.007 * k, 0);
    }
    ub_run_writer_fact(w, "threshold", 20);
    const struct ub_pair provenance[] = {{(char *)"edge.quantity", (char *)"largest of H"},
                                         {(char *)"edge.threshold", (char *)p->formula},
                                         {(char *)"edge.citation", (char *)"Somebody 2000"}};
    if (!ub_run_writer_commit(w, p->diverges ? UB_RUN_DIVERGED : UB_RUN_OK, "", provenance,
                              p->formula ? 3 : 0, &err))
        fail_msg("%s", err.text);
}

static const struct planted planted[] = {
    {"mlp:widths=8", "gd:lr=0.1", "2/lr", "digits", 1.02, true, false},
    {"mlp:widths=8", "gd:lr=0.2", "2/lr", "digits", 1.06, true, false},
    {"mlp:widths=8", "gd:lr=0.3", "2/lr", "digits", 1.00, false, false},
    {"cnn", "gd:lr=0.1", "2/lr", "digits", 1.05, true, false},
    {"mlp:widths=8", "adam:lr=0.1", "38/lr", "digits", 1, false, false},
    {"mlp:widths=8", "adam:lr=0.2", "38/lr", "digits", 1, true, true},
    {"mlp:widths=8", "lion:lr=0.2", NULL, "digits", 1, false, false},
    {"gru", "gd:lr=0.1", "2/lr", "sorting", 1.3, true, false},
};

static void plant_all(const char *folder)
{
    struct ub_error err = {0};
    assert_true(ub_store_lock(folder, false, &err));
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++)
        plant(folder, &planted[i]);
}

static const char *cell_of(const struct table *t, const char *row, const char *column)
{
    size_t c = 0;
    while (c < t->columns && strcmp(t->header[c], column) != 0)
        c++;
    for (size_t r = 0; c < t->columns && r < table_rows(t); r++)
        if (strcmp(t->cell[r * t->columns], row) == 0)
            return t->cell[r * t->columns + c];
    fail_msg("no cell %s, %s", row, column);
    return NULL;
}

static const struct ub_law_verdict *about_rho(const struct study *study)
{
    for (size_t i = 0; i < study->n_laws; i++)
        if (is_about_rho(study->laws[i]))
            return study->laws[i];
    fail_msg("no law is about rho");
    return NULL;
}

static size_t group_called(const struct study *study, const char *model, const char *optimizer)
{
    const struct ub_law_verdict *v = about_rho(study);
    for (size_t g = 0; g < v->groups.count; g++) {
        const struct ub_run_spec *spec = &study->store->runs[v->groups.group[g].row[0]].spec;
        if (strcmp(spec->model, model) == 0 && strcmp(spec->optimizer, optimizer) == 0)
            return g;
    }
    fail_msg("no system %s %s", model, optimizer);
    return 0;
}

static struct ub_interval level_of(const struct study *study, const char *model,
                                   const char *optimizer)
{
    return ub_datum_interval(&about_rho(study)->data[group_called(study, model, optimizer)]);
}

/* Of the law, on the dataset that this model has been trained on. */
static struct ub_rows rows_beside(const struct study *study, const char *model)
{
    const struct ub_law_verdict *v = about_rho(study);
    const size_t like = v->groups.group[group_called(study, model, "gd:lr=0.1")].row[0];
    struct ub_rows rows = law_rows(v);
    size_t n = 0;
    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(study->store->runs[rows.row[i]].spec.dataset,
                   study->store->runs[like].spec.dataset) == 0)
            rows.row[n++] = rows.row[i];
    rows.count = n;
    return rows;
}

static void plateaus_are_means_over_systems(void **state)
{
    char *folder = support_folder();
    struct ub_store *store;
    (void)state;
    plant_all(folder);
    struct study *study = study_of(folder, &store);
    const struct ub_law_verdict *v = about_rho(study);
    struct labels reasons = {0};
    struct ub_rows digits = rows_beside(study, "cnn"), sorting = rows_beside(study, "gru");
    struct table *t = plateaus_table(study, v, &digits, &reasons);
    assert_int_equal(table_rows(t), 3);
    assert_int_equal(t->columns, 3);

    /* Two systems with like errors: the plain mean of some 1.02 and 1.06; the half-width of the
     * random-effects interval is then Student's on the two values, t_1 times half their distance.
     */
    const struct ub_interval a = level_of(study, "mlp:widths=8", "gd:lr=0.1");
    const struct ub_interval b = level_of(study, "mlp:widths=8", "gd:lr=0.2");
    assert_near(a.estimate, 1.02, 0.0101);
    assert_near(b.estimate, 1.06, 0.0101);
    const double mean = (a.estimate + b.estimate) / 2;
    const double half = 12.7062 * (b.estimate - a.estimate) / 2;
    assert_true(a.se < 0.02); /* or the errors would decide */
    char expected[64];
    snprintf(expected, sizeof expected, "%.3f [%.2f, %.2f] (a: 1)", mean, mean - half, mean + half);
    assert_string_equal(cell_of(t, "GD", "MLP"), expected);

    const struct ub_interval c = level_of(study, "cnn", "gd:lr=0.1");
    snprintf(expected, sizeof expected, "%.3f [%.2f, %.2f]", c.estimate, c.low, c.high);
    assert_string_equal(cell_of(t, "GD", "CNN"), expected);
    assert_string_equal(cell_of(t, "Adam", "MLP"), "- (a: 1, b: 1)");
    assert_string_equal(cell_of(t, "Adam", "CNN"), "");
    assert_int_equal(reasons.count, 2);
    assert_string_equal(reasons.text[0], "no level yet, still rising");
    assert_string_equal(reasons.text[1], "diverged");
    table_free(t);
    t = plateaus_table(study, v, &sorting, &reasons); /* sorting alone */
    assert_int_equal(table_rows(t), 1);
    assert_int_equal(t->columns, 2);
    const struct ub_interval gru = level_of(study, "gru", "gd:lr=0.1");
    snprintf(expected, sizeof expected, "%.3f [%.2f, %.2f]", gru.estimate, gru.low, gru.high);
    assert_string_equal(cell_of(t, "GD", "GRU"), expected);
    ub_rows_clear(&digits);
    ub_rows_clear(&sorting);
    labels_free(&reasons);
    table_free(t);
    study_free(study);
    ub_store_free(store);
    support_remove(folder);
}

static void time_is_counted_from_where_a_level_begins(void **state)
{
    (void)state;
    struct ub_level level = {.first_step = 30, .window = {.reached = true}};
    double step[] = {0, 10, 20, 30, 40};
    const struct ub_series rho = {.count = 5, .step = step};
    assert_near(unit_of_time(&level, &rho), 30, 0);
    level.window.reached = false;
    assert_near(unit_of_time(&level, &rho), 40, 0);
    level = (struct ub_level){.window = {.reached = true}}; /* from the first measurement on */
    assert_near(unit_of_time(&level, &rho), 40, 0);
    assert_near(unit_of_time(&level, &(struct ub_series){0}), 0, 0);
}

static void thresholds_come_from_the_runs(void **state)
{
    char *folder = support_folder();
    struct ub_store *store;
    (void)state;
    plant_all(folder);
    struct study *study = study_of(folder, &store);
    struct table *t = thresholds_table(study);
    assert_int_equal(table_rows(t), 2); /* gd at three rates is one row; lion has no edge */
    assert_string_equal(cell_of(t, "gd", "threshold"), "2/lr");
    assert_string_equal(cell_of(t, "adam", "threshold"), "38/lr");
    assert_string_equal(cell_of(t, "adam", "what sits at the edge"), "largest of H");
    assert_string_equal(cell_of(t, "adam", "citation"), "Somebody 2000");
    table_free(t);
    study_free(study);
    ub_store_free(store);
    support_remove(folder);
}

/* What training leaves in the store is what the table shows. */
static void runs_record_their_edge(void **state)
{
    static const char *const commands[] = {"gd:lr=0.1", "rmsprop:lr=0.01", "signsgd:lr=0.01",
                                           "gauss-newton:lr=0.5"};
    char *folder = support_folder();
    struct ub_store *store;
    (void)state;
    for (int k = 0; k < 4; k++) {
        char command[256];
        snprintf(command, sizeof command,
                 "train --dataset digits:size=20 --model linear --loss mse --optimizer %s "
                 "--steps 2 --out store",
                 commands[k]);
        cli_run(folder, command, 0, "");
    }
    char *path = ub_path(folder, "store");
    struct study *study = study_of(path, &store);
    struct table *t = thresholds_table(study);
    assert_int_equal(table_rows(t), 4);
    assert_string_equal(cell_of(t, "signsgd", "what sits at the edge"),
                        "largest d'Hd over the unit ball of its norm");
    assert_string_equal(cell_of(t, "gd", "threshold"), "2/lr");
    assert_string_equal(cell_of(t, "gd", "what sits at the edge"), "largest eigenvalue of H");
    assert_string_equal(cell_of(t, "rmsprop", "what sits at the edge"),
                        "largest eigenvalue of P^-1 H");
    assert_string_equal(cell_of(t, "gauss-newton", "what sits at the edge"),
                        "largest eigenvalue of P^-1 H");
    table_free(t);
    study_free(study);
    ub_store_free(store);
    ub_free(path);
    support_remove(folder);
}

static size_t occurrences(const char *text, const char *what)
{
    size_t n = 0;
    while ((text = strstr(text, what)) != NULL) {
        n++;
        text += strlen(what);
    }
    return n;
}

/* A store of few optimizers keeps one panel a loss; one of many has a panel an optimizer. */
static void many_optimizers_have_panels(void **state)
{
    static const char *const more[] = {"nesterov:lr=0.1", "heavy-ball:lr=0.1", "rmsprop:lr=0.1"};
    struct ub_error err = {0};
    (void)state;
    for (int many = 0; many < 2; many++) {
        char *folder = support_folder();
        plant_all(folder);
        for (int k = 0; many && k < 3; k++)
            plant(folder, &(struct planted){"cnn", more[k], "2/lr", "digits", 1, true, false});
        struct ub_store *store = ub_store_open(folder, &err);
        char *report = ub_path(folder, "report");
        assert_non_null(store);
        if (!ub_report_write(store, report, &err))
            fail_msg("%s", err.text);
        char *page = cli_read(report, "law-edge-of-stability.md");
        char *runs = cli_read(report, "runs.md");
        assert_int_equal(occurrences(page, "\n## Every optimizer, measured by its own edge"), many);
        assert_int_equal(occurrences(page, "\n## All systems, measured by their own edge"), !many);
        assert_int_equal(occurrences(page, "(collapse.png)"), 1);
        assert_int_equal(occurrences(page, "<details>"), occurrences(page, "</details>"));
        assert_int_equal(occurrences(runs, "\n## Provenance\n"), 1);
        assert_int_equal(occurrences(runs, "\n- edge."), 0); /* provenance keeps to its own */
        ub_free(runs);
        ub_free(page);
        ub_free(report);
        ub_store_free(store);
        support_remove(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plateaus_are_means_over_systems),
        cmocka_unit_test(time_is_counted_from_where_a_level_begins),
        cmocka_unit_test(thresholds_come_from_the_runs),
        cmocka_unit_test(runs_record_their_edge),
        cmocka_unit_test(many_optimizers_have_panels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
