/* Phase diagrams: which runs make a grid, and that one is drawn where there is one, and nowhere
 * else. */
#include "made_store.h"

#include "report/report.h"
#include "report/sections/phases.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 4, SEEDS = 2 };

/* Loss (rate - best)^2 over widths and rates; the largest rate diverges. `all`: every pair, else
 * each width with one rate of its own. */
static char *swept_store(bool all)
{
    struct ub_error err = {0};
    char *folder = support_folder();
    assert_true(ub_store_lock(folder, false, &err));
    for (int i = 0; i < SIDE * SIDE * SEEDS; i++) {
        const int width = i / SEEDS % SIDE, rate = i / SEEDS / SIDE;
        char model[64], optimizer[64];
        if (!all && width != rate)
            continue;
        snprintf(model, sizeof model, "mlp:widths=%d", 16 << width);
        snprintf(optimizer, sizeof optimizer, "gd:lr=%g", 0.125 * (1 << rate));
        const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                         .model = model,
                                         .loss = (char *)"mse",
                                         .init = (char *)"pytorch:gain=1",
                                         .optimizer = optimizer,
                                         .steps = 10,
                                         .seed = (uint64_t)(i % SEEDS)};
        struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
        assert_non_null(w);
        ub_run_writer_fact(w, "lr", 0.125 * (1 << rate));
        ub_run_writer_fact(w, "final-loss", 0.1 + pow(rate - width, 2));
        assert_true(ub_run_writer_commit(w, rate == SIDE - 1 ? UB_RUN_DIVERGED : UB_RUN_OK, "",
                                         NULL, 0, &err));
    }
    return folder;
}

static void pairs_of_values_make_a_grid(void **state)
{
    (void)state;
    for (int all = 0; all < 2; all++) {
        struct ub_error err = {0};
        char *folder = swept_store(all);
        struct ub_store *store = ub_store_open(folder, &err);
        struct study *study = study_new(store, &err);
        assert_non_null(study);
        struct phases p = phases_of(study);
        assert_int_equal(p.swept, 2);
        assert_int_equal(p.count, all);
        if (all) {
            const struct grid *g = &p.grid[0];
            assert_string_equal(g->x->name, "model.width");
            assert_string_equal(g->y->name, "optimizer.lr");
            assert_int_equal(g->nx, SIDE);
            assert_int_equal(g->ny, SIDE);
            assert_int_equal(g->filled, SIDE * SIDE);
            for (int i = 0; i < SIDE; i++) {
                assert_near(g->at_x[i], 16 << i, 0);
                assert_near(g->at_y[i], 0.125 * (1 << i), 0);
            }
            for (size_t i = 0; i < g->rows.count; i++) {
                const size_t row = g->rows.row[i], cell = grid_cell(g, row);
                assert_near(ub_frame_number(study->frame, row, "model.width"),
                            g->at_x[cell / g->ny], 0);
                assert_near(ub_frame_number(study->frame, row, "optimizer.lr"),
                            g->at_y[cell % g->ny], 0);
            }
        }
        phases_clear(&p);
        study_free(study);
        ub_store_free(store);
        support_remove(folder);
    }
}

static char *topics_of(const char *folder)
{
    struct ub_error err = {0};
    size_t length;
    struct ub_store *store = ub_store_open(folder, &err);
    char *report = ub_path(folder, "report"), *path = ub_path(report, "topics.md");
    assert_non_null(store);
    if (!ub_report_write(store, report, &err))
        fail_msg("%s", err.text);
    char *text = (char *)ub_read_file(path, UINT64_C(1) << 22, &length, &err);
    assert_non_null(text);
    ub_free(path);
    ub_free(report);
    ub_store_free(store);
    return text;
}

static bool is_drawn(const char *folder)
{
    char *path = ub_path(folder, "report/phases-model.width-optimizer.lr.png");
    const bool there = access(path, R_OK) == 0;
    ub_free(path);
    return there;
}

static void a_grid_is_drawn(void **state)
{
    (void)state;
    char *folder = swept_store(true), *topics = topics_of(folder);
    assert_true(is_drawn(folder));
    assert_non_null(strstr(topics, "\n## Phase diagrams\n"));
    assert_non_null(strstr(topics, "Loss at the end over width of the model and learning rate"));
    assert_null(strstr(topics, "None is drawn"));
    ub_free(topics);
    support_remove(folder);
}

static void a_diagonal_is_not_and_the_page_says_why(void **state)
{
    (void)state;
    char *folder = swept_store(false), *topics = topics_of(folder);
    assert_false(is_drawn(folder));
    assert_non_null(strstr(topics, "None is drawn: no two of the 2 numeric axes"));
    ub_free(topics);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_values_make_a_grid),
        cmocka_unit_test(a_grid_is_drawn),
        cmocka_unit_test(a_diagonal_is_not_and_the_page_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
