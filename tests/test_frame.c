/* A store as a table: columns, selections, groups, pivots, traces. */
#include "sample_store.h"

#include "report/frame/factor.h"

/* Stores in memory: only what frames read of runs. */
static struct ub_run run_of(const char *dataset, const char *model, const char *optimizer,
                            uint64_t seed)
{
    return (struct ub_run){.spec = {.dataset = (char *)dataset,
                                    .model = (char *)model,
                                    .loss = (char *)"mse",
                                    .init = (char *)"pytorch:gain=1",
                                    .optimizer = (char *)optimizer,
                                    .steps = 100,
                                    .seed = seed}};
}

static struct ub_frame *frame_of(struct ub_store *store, struct ub_run *runs, size_t n)
{
    struct ub_error err = {0};
    *store = (struct ub_store){.path = (char *)"", .count = n, .runs = runs};
    struct ub_frame *f = ub_frame_new(store, &err);
    if (!f)
        fail_msg("%s", err.text);
    return f;
}

static void options_become_typed_columns(void **state)
{
    (void)state;
    struct ub_fact facts[] = {{(char *)"lr", 0.125}, {(char *)"samples", 80}};
    struct ub_run runs[] = {
        run_of("digits:scale=center,size=100", "mlp:activation=tanh,bias=true,widths=64x64",
               "gd:lr=edge(16)", 0),
        run_of("gaussian:alpha=1.5,samples=300,size=0", "mlp:activation=tanh,widths=64x32",
               "adam:beta1=0.9,lr=0.001", 1),
        run_of("gaussian:alpha=1.5,samples=300,size=200", "two-layer:width=128",
               "adam:beta1=0.9,lr=0.001", 1),
        run_of("digits:size=0", "deep-linear:depth=3,width=64,widths=none", "gd:lr=0.5", 2),
    };
    runs[0].facts = facts;
    runs[0].n_facts = 2;
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, runs, 4);
    assert_string_equal(ub_frame_word(f, 0, "model"), "mlp");
    assert_string_equal(ub_frame_word(f, 0, "model.activation"), "tanh");
    assert_near(ub_frame_number(f, 0, "model.width"), 64, 0);
    assert_near(ub_frame_number(f, 0, "model.depth"), 2, 0);
    assert_string_equal(ub_frame_word(f, 0, "optimizer.lr"), "edge(16)");
    assert_near(ub_frame_number(f, 0, "optimizer.lr"), 0.125, 0);
    assert_near(ub_frame_number(f, 0, "lr"), 0.125, 0);
    assert_near(ub_frame_number(f, 0, "dataset.size"), 80, 0);
    assert_string_equal(ub_frame_word(f, 0, "dataset.size"), "100");
    assert_string_equal(ub_frame_word(f, 1, "model.width"), "64x32");
    assert_true(isnan(ub_frame_number(f, 1, "model.width")));
    assert_string_equal(ub_frame_word(f, 1, "model.depth"), "");
    assert_string_equal(ub_frame_word(f, 1, "dataset.size"), "300");
    assert_string_equal(ub_frame_word(f, 2, "dataset.size"), "200");
    assert_near(ub_frame_number(f, 1, "optimizer.beta1"), 0.9, 0);
    assert_true(isnan(ub_frame_number(f, 0, "optimizer.beta1")));
    assert_near(ub_frame_number(f, 2, "model.width"), 128, 0);
    assert_near(ub_frame_number(f, 3, "model.width"), 64, 0);
    assert_near(ub_frame_number(f, 3, "model.depth"), 3, 0);
    assert_near(ub_frame_number(f, 3, "seed"), 2, 0);
    assert_null(ub_frame_column(f, "dataset.samples"));
    assert_int_equal(ub_frame_column(f, "model.widths")->role, UB_COLUMN_ALIAS);
    assert_string_equal(ub_frame_word(f, 0, "model.widths"), "64x64");
    assert_string_equal(ub_frame_word(f, 2, "model.widths"), "");
    assert_string_equal(ub_frame_word(f, 3, "model.widths"), "none");
    ub_frame_free(f);
}

/* More columns than are made room for at first. */
static void facts_of_any_number_are_columns(void **state)
{
    (void)state;
    enum { FACTS = 300 };
    static struct ub_fact facts[FACTS];
    static char name[FACTS][16];
    struct ub_run run = run_of("digits:size=100", "linear:bias=true", "gd:lr=1", 0);
    for (int i = 0; i < FACTS; i++) {
        snprintf(name[i], sizeof name[i], "fact-%d", i);
        facts[i] = (struct ub_fact){name[i], i};
    }
    run.facts = facts;
    run.n_facts = FACTS;
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, &run, 1);
    for (int i = 0; i < FACTS; i++)
        assert_near(ub_frame_number(f, 0, name[i]), i, 0);
    ub_frame_free(f);
}

static bool is_model(const struct ub_frame *f, size_t row, const void *name)
{
    return strcmp(ub_frame_word(f, row, "model"), name) == 0;
}

static void rows_are_selected_and_ordered(void **state)
{
    (void)state;
    struct ub_run runs[] = {
        run_of("digits", "two-layer:width=128", "gd:lr=1", 0),
        run_of("digits", "two-layer:width=64", "gd:lr=1", 0),
        run_of("digits", "linear:bias=true", "gd:lr=1", 0),
        run_of("digits", "two-layer:width=1024", "gd:lr=1", 0),
        run_of("digits", "two-layer:width=64", "gd:lr=1", 1),
    };
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, runs, 5);
    struct ub_rows sorted = ub_frame_sort(f, NULL, "model.width");
    const size_t expected[] = {1, 4, 0, 3, 2};
    assert_memory_equal(sorted.row, expected, sizeof expected);
    struct ub_rows wide = ub_frame_where(f, &sorted, is_model, "two-layer");
    assert_int_equal(wide.count, 4);
    assert_memory_equal(wide.row, expected, 4 * sizeof *expected);
    const struct ub_column *width = ub_frame_column(f, "model.width");
    assert_int_equal(width->n_words, 3);
    assert_string_equal(width->words[2], "1024"); /* by value, not by letters */
    ub_rows_clear(&wide);
    ub_rows_clear(&sorted);
    ub_frame_free(f);
}

static void groups_differ_in_what_may_not_vary(void **state)
{
    (void)state;
    struct ub_run runs[12];
    char model[12][32];
    size_t n = 0;
    for (int width = 64; width <= 256; width *= 2)
        for (uint64_t seed = 0; seed < 2; seed++)
            for (int adam = 0; adam < 2; adam++) {
                snprintf(model[n], sizeof model[n], "two-layer:width=%d", width);
                runs[n] = run_of("digits", model[n], adam ? "adam:lr=0.1" : "gd:lr=0.1", seed);
                n++;
            }
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, runs, n);
    static const char *const no[] = {NULL}, *const width[] = {"model.width", NULL},
                             *const optimizer[] = {"optimizer", NULL},
                             *const options[] = {"optimizer.*", NULL};
    const struct {
        const char *const *within;
        size_t groups, each;
    } cases[] = {{no, 6, 2}, {width, 2, 6}, {optimizer, 3, 4}, {options, 6, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_groups g = ub_frame_group(f, NULL, cases[i].within);
        assert_int_equal(g.count, cases[i].groups);
        for (size_t k = 0; k < g.count; k++)
            assert_int_equal(g.group[k].count, cases[i].each);
        ub_groups_clear(&g);
    }
    struct ub_groups g = ub_frame_group(f, NULL, width);
    char *name = ub_frame_group_name(f, &g, 0);
    assert_string_equal(name, "GD");
    ub_free(name);
    ub_groups_clear(&g);
    g = ub_frame_group(f, NULL, NULL);
    name = ub_frame_group_name(f, &g, 5);
    assert_string_equal(name, "width 256, Adam");
    ub_free(name);
    ub_groups_clear(&g);
    struct ub_pivot p = ub_frame_pivot(f, NULL, "optimizer", "model.width");
    assert_int_equal(p.n_rows, 2);
    assert_int_equal(p.n_columns, 3);
    assert_string_equal(p.column_word[0], "64");
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(p.cell[i].count, 2);
    ub_pivot_clear(&p);
    ub_frame_free(f);
}

/* Many runs of drawn specs: groups are what comparing every pair of texts says they are, and time
 * does not grow with the square of their number (it could not be waited for). */
static void groups_of_many_runs_are_those_of_brute_force(void **state)
{
    (void)state;
    enum { N = 20000, CHECKED = 500 };
    struct ub_random r = ub_random_stream(1, "frame");
    struct ub_run *runs = ub_calloc(N, sizeof *runs);
    char(*text)[2][64] = ub_calloc(N, sizeof *text);
    for (size_t i = 0; i < N; i++) {
        snprintf(text[i][0], 64, "two-layer:width=%d", 8 << ub_random_below(&r, 5));
        snprintf(text[i][1], 64, "gd:lr=%g", 0.001 * (double)ub_random_below(&r, 1000));
        runs[i] = run_of("digits", text[i][0], text[i][1], i);
    }
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, runs, N);
    struct ub_groups g = ub_frame_group(f, NULL, NULL);
    size_t *group_of = ub_calloc(N, sizeof *group_of), total = 0;
    for (size_t k = 0; k < g.count; k++)
        for (size_t i = 0; i < g.group[k].count; i++, total++)
            group_of[g.group[k].row[i]] = k;
    assert_int_equal(total, N);
    for (size_t i = 0; i < CHECKED; i++)
        for (size_t j = 0; j < CHECKED; j++) {
            const bool same =
                strcmp(text[i][0], text[j][0]) == 0 && strcmp(text[i][1], text[j][1]) == 0;
            assert_true(same == (group_of[i] == group_of[j]));
        }
    ub_free(group_of);
    ub_groups_clear(&g);
    ub_frame_free(f);
    ub_free(text);
    ub_free(runs);
}

static void traces_are_read_when_asked_for(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder();
    if (!ub_store_lock(folder, false, &err))
        fail_msg("%s", err.text);
    struct ub_run_spec a = sample_spec(0), b = sample_spec(1);
    write_run(folder, &a, UB_RUN_OK, "", 2.5);
    write_run(folder, &b, UB_RUN_FAILED, "crashed", 1);
    struct ub_store *store = open_good(folder);
    struct ub_frame *f = ub_frame_new(store, &err);
    assert_non_null(f);
    for (size_t i = 0; i < 2; i++) {
        const bool ok = store->runs[i].status == UB_RUN_OK;
        for (int again = 0; again < 2; again++) {
            struct ub_series loss = ub_frame_series(f, i, "loss", 0);
            assert_int_equal(loss.count, ok ? 2 : 0);
            if (ok)
                assert_near(loss.value[0], 2.5, 0);
            ub_series_clear(&loss);
        }
        struct ub_series two = ub_frame_spectrum(f, i, "sharpness", -1);
        assert_int_equal(two.count, ok ? 2 : 0);
        ub_series_clear(&two);
        assert_near(ub_frame_number(f, i, "lr"), 0.1, 0);
    }
    ub_frame_free(f);
    ub_store_free(store);
    support_remove(folder);
}

/* Of many runs others are read ahead: each has its own trace, and one that cannot be read is said
 * when it is asked for. */
static void traces_read_ahead_are_those_asked_for(void **state)
{
    (void)state;
    enum { RUNS = 80, DAMAGED = 40 };
    struct ub_error err = {0};
    char *folder = support_folder();
    if (!ub_store_lock(folder, false, &err))
        fail_msg("%s", err.text);
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct ub_run_spec spec = sample_spec(seed);
        write_run(folder, &spec, seed == 3 ? UB_RUN_FAILED : UB_RUN_OK, "", (double)seed);
    }
    struct ub_store *store = open_good(folder);
    struct ub_frame *f = ub_frame_new(store, &err);
    assert_int_equal(store->count, RUNS);
    char *run = ub_store_run_folder(folder, store->runs[DAMAGED].id);
    char *path = ub_path(run, "trace.csv.gz");
    assert_true(ub_write_file(path, "step", 4, &err));
    for (size_t i = 0; i < RUNS; i++) {
        const bool due = store->runs[i].status == UB_RUN_OK && i != DAMAGED;
        struct ub_series loss = ub_frame_series(f, i, "loss", 0);
        assert_int_equal(loss.count, due ? 2 : 0);
        if (due)
            assert_near(loss.value[0], (double)store->runs[i].spec.seed, 0);
        ub_series_clear(&loss);
        assert_int_equal(ub_frame_good(f, &err), i < DAMAGED);
    }
    assert_non_null(strstr(err.text, path));
    ub_free(path);
    ub_free(run);
    ub_frame_free(f);
    ub_store_free(store);
    support_remove(folder);
}

/* As the store writes it, and again where a name stands in quotes, as here, or a hand has saved it
 * with other ends of lines. */
static void traces_are_text_line_by_line(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder();
    if (!ub_store_lock(folder, false, &err))
        fail_msg("%s", err.text);
    struct ub_run_spec spec = sample_spec(0);
    write_run(folder, &spec, UB_RUN_OK, "", 2.5);
    struct ub_store *store = open_good(folder);
    char *run = ub_store_run_folder(folder, store->runs[0].id);
    char *path = ub_path(run, "trace.csv.gz");
    size_t written, length;
    char *before = ub_read_text(path, 1 << 20, &written, &err);
    static const char *const ends[] = {"\n", "\r\n"};
    for (size_t e = 0; e < 2; e++) {
        struct ub_text saved = {0};
        for (const char *c = before; *c; c++)
            ub_text_append(&saved, *c == '\n' ? ends[e] : c, *c == '\n' ? strlen(ends[e]) : 1);
        assert_true(ub_write_file(path, saved.data, saved.length, &err));
        ub_text_free(&saved);
        char *text = ub_trace_text(store, &store->runs[0], &length, &err);
        assert_non_null(text);
        assert_int_equal(length, written);
        assert_string_equal(text, before);
        ub_free(text);
    }
    ub_free(before);
    ub_free(path);
    ub_free(run);
    ub_store_free(store);
    support_remove(folder);
}

/* A group's name says no more than tells it from the others. */
static void names_have_what_tells_groups_apart(void **state)
{
    (void)state;
    static const char *const models[] = {"mlp:activation=tanh,bias=true",
                                         "mlp:activation=relu,bias=true",
                                         "cnn:activation=relu,kernel=3", "linear:bias=true"};
    static const char *const names[] = {"MLP tanh, GD, lr 0.1", "MLP relu, GD", "CNN, GD",
                                        "linear, Adam"};
    struct ub_run runs[5];
    for (size_t i = 0; i < 4; i++)
        runs[i] = run_of("digits:size=0", models[i], i == 3 ? "adam:lr=0.2" : "gd:lr=0.1", 0);
    runs[4] = run_of("digits:size=0", models[0], "gd:lr=0.3", 0);
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, runs, 5);
    struct ub_groups g = ub_frame_group(f, NULL, (const char *const[]){NULL});
    assert_int_equal(g.count, 5);
    for (size_t i = 0; i < 4; i++) {
        char *name = ub_frame_group_name(f, &g, i);
        assert_string_equal(name, names[i]);
        ub_free(name);
    }
    ub_groups_clear(&g);
    ub_frame_free(f);
}

/* 30 widths of one model and another: too many for 12 colors, so that models of one name are taken
 * together; for one, all are. Every row is in a group, whatever the rung. */
static void factors_grow_coarse_and_leave_nothing_out(void **state)
{
    (void)state;
    static const char *const whole[] = {"model", "model.*", NULL}, *const name[] = {"model", NULL};
    static const char *const *const rungs[] = {whole, name, NULL};
    static const struct {
        size_t most, groups, rung;
        const char *first, *last;
    } cases[] = {{31, 31, 0, "two-layer net, width 1", "linear"},
                 {30, 2, 1, "two-layer net", "linear"},
                 {1, 1, 2, "all", "all"}};
    struct ub_run runs[62];
    char text[31][64];
    for (size_t i = 0; i < 31; i++) {
        snprintf(text[i], sizeof text[i], i < 30 ? "two-layer:width=%zu" : "linear", i + 1);
        runs[2 * i] = run_of("digits", text[i], "gd:lr=0.1", 0);
        runs[2 * i + 1] = run_of("text", text[i], "gd:lr=0.2", 1);
    }
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, runs, 62);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct ub_factor factor = ub_factor_new(f, NULL, rungs, cases[c].most);
        assert_int_equal(factor.groups.count, cases[c].groups);
        assert_int_equal(factor.rung, cases[c].rung);
        assert_string_equal(factor.name[0], cases[c].first);
        assert_string_equal(factor.name[factor.groups.count - 1], cases[c].last);
        for (size_t i = 0; i < 62; i++)
            assert_true(factor.of[i] < factor.groups.count);
        ub_factor_clear(&factor);
    }
    struct ub_rows some = {.count = 1, .row = (size_t[]){7}};
    struct ub_factor one = ub_factor_new(f, &some, rungs, 12);
    assert_int_equal(one.of[7], 0);
    assert_true(one.of[6] == SIZE_MAX);
    assert_string_equal(one.name[0], "two-layer net"); /* though nothing differs */
    ub_factor_clear(&one);
    ub_frame_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_become_typed_columns),
        cmocka_unit_test(facts_of_any_number_are_columns),
        cmocka_unit_test(rows_are_selected_and_ordered),
        cmocka_unit_test(groups_differ_in_what_may_not_vary),
        cmocka_unit_test(groups_of_many_runs_are_those_of_brute_force),
        cmocka_unit_test(traces_are_read_when_asked_for),
        cmocka_unit_test(traces_read_ahead_are_those_asked_for),
        cmocka_unit_test(traces_are_text_line_by_line),
        cmocka_unit_test(names_have_what_tells_groups_apart),
        cmocka_unit_test(factors_grow_coarse_and_leave_nothing_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
