/* Batch sharpness and the mean top eigenvalue of mini-batches: against all batches of a tiny
 * training set, one by one, with dense Hessians. */
#include "observing.h"

#include "bench/observables/draws.h"

enum { SAMPLES = 6, MANY = 400 };

static struct fixture six(const char *optimizer)
{
    return fixture_of(tiny_dataset(UB_CLASSIFICATION, SAMPLES, 0, 4, 3), mlp, "mse", optimizer);
}

/* Some way from the start, where per-sample gradients differ. */
static void move(struct fixture *f)
{
    double *away = tiny_normals(f->size, "away");
    for (int64_t i = 0; i < f->size; i++)
        f->theta[i] += 0.3 * away[i];
    ub_free(away);
}

/* g'Hg, |g|^2 and lambda_max of one batch, dense. */
static void dense_batch(struct ub_problem *batch, const double *theta, double out[3])
{
    struct ub_error err = {0};
    const int64_t n = ub_problem_size(batch);
    double *unit = ub_calloc((size_t)n, (size_t)n * 8), *h = ub_calloc((size_t)n, (size_t)n * 8);
    double *g = ub_calloc((size_t)n, sizeof *g), *values = ub_calloc((size_t)n, sizeof *values);
    for (int64_t i = 0; i < n; i++)
        unit[i * n + i] = 1;
    ub_problem_gradient(batch, theta, g);
    ub_problem_linearize(batch, theta);
    ub_problem_hvp(batch, n, unit, h);
    out[0] = 0;
    for (int64_t i = 0; i < n; i++)
        out[0] += g[i] * tiny_dot(n, h + i * n, g);
    out[1] = tiny_dot(n, g, g);
    assert_true(ub_eigen_dense(n, h, values, false, &err));
    out[2] = values[n - 1];
    ub_free(unit);
    ub_free(h);
    ub_free(g);
    ub_free(values);
}

/* Over all ordered pairs, each as likely; with replacement a sample may come with itself. */
static void enumerate(const struct fixture *f, bool replacement, double *sharpness, double *top)
{
    struct ub_error err = {0};
    struct ub_problem *batch = ub_problem_batch_new(f->problem, 2, &err);
    double sum[3] = {0}, pairs = 0;
    for (int64_t i = 0; i < SAMPLES; i++)
        for (int64_t j = 0; j < SAMPLES; j++) {
            double one[3];
            if (i == j && !replacement)
                continue;
            ub_problem_take(batch, (int64_t[]){i, j});
            dense_batch(batch, f->theta, one);
            for (int k = 0; k < 3; k++)
                sum[k] += one[k];
            pairs++;
        }
    *sharpness = sum[0] / sum[1];
    *top = sum[2] / pairs;
    ub_problem_free(batch);
}

/* Measures `times` times at the same parameters, each with other batches. */
static void measure_often(struct fixture *f, const char *text, int64_t times)
{
    struct ub_error err = {0};
    struct ub_observers *o = ub_observers_new(&text, 1, "test", &err);
    assert_non_null(o);
    memset(f->recorded, 0, sizeof *f->recorded);
    for (int64_t step = 0; step < times; step++)
        measure(f, o, step, times);
    ub_observers_free(o);
}

/* The share of intervals that hold `expected`, and the mean's distance in standard errors. */
static void check_intervals(const struct recorded *r, const char *name, double expected)
{
    double held = 0, sum = 0, squares = 0;
    for (int64_t step = 0; step < MANY; step++) {
        const struct ub_row *row = find_row(r, step, name, 0);
        assert_non_null(row);
        assert_true(row->error > 0);
        held += fabs(row->value - expected) <= row->error;
        sum += row->value;
        squares += row->value * row->value;
    }
    const double mean = sum / MANY, spread = sqrt(squares / MANY - mean * mean);
    char of[80];
    if (!(held >= 0.91 * MANY && held <= 0.985 * MANY))
        fail_msg("%s: %g of %d intervals hold the truth", name, held, MANY);
    snprintf(of, sizeof of, "observable %s", name);
    assert_oracle(of, "all batches, one by one, with dense Hessians, in standard errors",
                  (mean - expected) / (spread / sqrt(MANY)), 4);
}

static void intervals_hold_the_mean_over_all_batches(void **state)
{
    (void)state;
    struct fixture f = six("gd:lr=0.1");
    double sharpness, top;
    move(&f);
    enumerate(&f, false, &sharpness, &top);
    measure_often(&f, "batch-sharpness:every=1,batch=2,draws=100", MANY);
    check_intervals(f.recorded, "batch-sharpness", sharpness);
    for (int64_t step = 0; step < MANY; step += 50) {
        const struct ub_row *row = find_row(f.recorded, step, "batch-sharpness", 0);
        const struct ub_row *ratio = find_row(f.recorded, step, "batch-edge-ratio", 0);
        assert_near(ratio->value, row->value * 0.1 / 2, 1e-14);
        assert_near(ratio->error, row->error * 0.1 / 2, 1e-14);
    }
    assert_null(find_row(f.recorded, 0, "batch-edge-ratio", 1));
    measure_often(&f, "batch-sharpness:every=1,batch=2,draws=100,misstate=0.8", 1);
    const struct ub_row *row = find_row(f.recorded, 0, "batch-sharpness", 0);
    assert_near(value_of(f.recorded, 0, "batch-edge-ratio", 0), row->value * 0.1 / 1.6, 1e-14);
    measure_often(&f, "batch-top-eigenvalue:every=1,batch=2,draws=20,tolerance=1e-6", MANY);
    check_intervals(f.recorded, "batch-top-eigenvalue", top);
    fixture_free(&f);
}

/* Pairs that may repeat a sample have another mean: the draws follow the optimizer's. */
static void draws_are_the_optimizers(void **state)
{
    (void)state;
    struct fixture f = six("sgd:lr=0.1,batch=2,replacement=true");
    double with, without, top;
    move(&f);
    enumerate(&f, false, &without, &top);
    enumerate(&f, true, &with, &top);
    measure_often(&f, "batch-sharpness:every=1,draws=20000", 1);
    const struct ub_row *row = find_row(f.recorded, 0, "batch-sharpness", 0);
    assert_near(row->value, with, 1.5 * row->error);
    assert_true(fabs(with - without) > 3 * row->error); /* the test can tell */
    fixture_free(&f);
    f = six("sgd:lr=0.1,batch=2,beta=0.5");
    move(&f);
    measure_often(&f, "batch-sharpness:every=1,draws=20000", 1);
    row = find_row(f.recorded, 0, "batch-sharpness", 0);
    assert_near(row->value, without, 1.5 * row->error);
    assert_near(value_of(f.recorded, 0, "batch-edge-ratio", 0), row->value / 10, 1e-12);
    assert_near(value_of(f.recorded, 0, "batch-edge-ratio", 1), row->value / 30, 1e-12);
    fixture_free(&f);
}

static void a_batch_of_all_samples_is_the_whole(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"gd:lr=0.1", "heavy-ball:lr=0.1,beta=0.5",
                                             "nesterov:lr=0.1"};
    for (int i = 0; i < 3; i++) {
        struct fixture f = six(optimizers[i]);
        move(&f);
        memcpy(f.theta0, f.theta, (size_t)f.size * sizeof *f.theta);
        double *g = ub_calloc((size_t)f.size, sizeof *g), whole[3];
        dense_batch(f.problem, f.theta, whole);
        TRAIN(&f, 0, "batch-sharpness:at=0", "batch-top-eigenvalue:at=0,tolerance=1e-8");
        const double got = value_of(f.recorded, 0, "batch-sharpness", 0);
        assert_oracle("law batch-sharpness", "g'Hg/|g|^2 with the dense Hessian, relative",
                      got / (whole[0] / whole[1]) - 1, 1e-12);
        assert_near(find_row(f.recorded, 0, "batch-sharpness", 0)->error, 0, 0);
        assert_near(value_of(f.recorded, 0, "batch-top-eigenvalue", 0), whole[2], 1e-7);
        assert_near(fact(f.recorded, "hvps.batch-sharpness"), 1, 0);
        if (i == 1) { /* 2(1 - beta)/lr = 10 and 2(1 + beta)/lr = 30 */
            assert_near(value_of(f.recorded, 0, "batch-edge-ratio", 0), got / 10, 1e-12);
            assert_near(value_of(f.recorded, 0, "batch-edge-ratio", 1), got / 30, 1e-12);
        }
        if (i == 2) /* its batch edge is not known */
            assert_int_equal(count_rows(f.recorded, "batch-edge-ratio"), 0);
        ub_free(g);
        fixture_free(&f);
    }
}

/* The same step has the same batches, whatever was measured before it and beside it. */
static void batches_depend_on_seed_and_step_only(void **state)
{
    (void)state;
    struct fixture f = six("gd:lr=0.1");
    TRAIN(&f, 4, "batch-sharpness:every=1,batch=2");
    const double first = value_of(f.recorded, 4, "batch-sharpness", 0);
    TRAIN(&f, 4, "batch-top-eigenvalue:every=1,batch=3", "batch-sharpness:at=4,batch=2");
    assert_near(value_of(f.recorded, 4, "batch-sharpness", 0), first, 0);
    f.optimizer->training.seed = 4;
    TRAIN(&f, 4, "batch-sharpness:at=4,batch=2");
    assert_true(value_of(f.recorded, 4, "batch-sharpness", 0) != first);
    fixture_free(&f);
}

static void batches_have_distinct_samples(void **state)
{
    (void)state;
    struct fixture f = six("gd:lr=0.1");
    struct ub_error err = {0};
    struct ub_call *call = ub_call_parse("x:batch=4,draws=3", "test", &err);
    const struct ub_option options[] = {UB_DRAW_OPTIONS("3"),
                                        {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL}};
    const struct ub_moment moment = {.problem = f.problem, .optimizer = f.optimizer};
    struct ub_draws b = {0};
    int seen[SAMPLES] = {0};
    assert_true(ub_call_check(call, options, "test", &err));
    assert_true(ub_draws_start(&b, call, &moment, "probes:test", &err));
    for (int draw = 0; draw < 3000; draw++) {
        bool taken[SAMPLES] = {false};
        ub_draws_next(&b);
        for (int k = 0; k < 4; k++) {
            assert_false(taken[b.samples[k]]);
            taken[b.samples[k]] = true;
            seen[b.samples[k]]++;
        }
    }
    for (int i = 0; i < SAMPLES; i++) /* binomial: 2000, standard deviation 26 */
        assert_near(seen[i], 2000, 110);
    ub_draws_close(&b);
    ub_call_free(call);
    fixture_free(&f);
}

static void bad_batches_are_refused(void **state)
{
    (void)state;
    struct fixture f = six("gd:lr=0.1");
    struct ub_error err = {0};
    const char *text = "batch-sharpness:batch=7";
    struct ub_observers *o = ub_observers_new(&text, 1, "test", &err);
    struct ub_record record = {.context = f.recorded, .add = add_row, .fact = add_fact};
    const struct ub_moment moment = {
        .theta = f.theta, .grad = f.grad, .problem = f.problem, .optimizer = f.optimizer};
    assert_false(ub_observers_measure(o, &moment, 0, &record, &err));
    assert_input_error(&err, "7 samples; expected 1 to 6");
    ub_observers_free(o);
    fixture_free(&f);
}

/* By hand: r = 6/4; residuals x - r y = -0.5, 0, 0.5; s = 0.5; t(0.975, 2) = 4.302653. */
static void ratios_have_the_delta_methods_interval(void **state)
{
    (void)state;
    double half;
    const double x[] = {1, 1.5, 3.5}, y[] = {1, 1, 2};
    assert_near(ub_ratio_of_means(3, x, y, &half), 1.5, 1e-15);
    assert_near(half, 4.302652729911275 * 0.5 / (sqrt(3) * 4.0 / 3), 1e-9);
    assert_near(ub_ratio_of_means(3, x, NULL, &half), 2, 1e-15);
    assert_near(half, 4.302652729911275 * sqrt(1.75) / sqrt(3), 1e-9);
    ub_ratio_of_means(1, x, y, &half);
    assert_near(half, 0, 0);
}

/* Curvatures x = y (1 + noise) along gradients of squares y = exp(spread z): the mean of x over
 * that of y is 1. */
static double ratio_coverage(int64_t draws, double spread)
{
    enum { TRIALS = 1000, MOST = 64 };
    struct ub_random r = ub_random_stream(5, "ratio of means");
    double x[MOST], y[MOST], half;
    int covered = 0;
    for (int t = 0; t < TRIALS; t++) {
        for (int64_t i = 0; i < draws; i++) {
            y[i] = exp(spread * ub_random_normal(&r));
            x[i] = y[i] * (1 + 0.5 * ub_random_normal(&r));
        }
        const double ratio = ub_ratio_of_means(draws, x, y, &half);
        covered += fabs(ratio - 1) <= half;
    }
    return (double)covered / TRIALS;
}

static void intervals_of_ratios_cover(void **state)
{
    (void)state;
    const int64_t draws[] = {8, 16, 64};
    const double spreads[] = {0.2, 0.5, 0.8};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            const double share = ratio_coverage(draws[i], spreads[k]);
            print_message("%2d draws, squares' spread %.1f: covers %.3f\n", (int)draws[i],
                          spreads[k], share);
            if (draws[i] >= 16 || spreads[k] < 0.8) /* few, of skewed squares: a little less */
                assert_true(share >= 0.90);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_hold_the_mean_over_all_batches),
        cmocka_unit_test(draws_are_the_optimizers),
        cmocka_unit_test(a_batch_of_all_samples_is_the_whole),
        cmocka_unit_test(batches_depend_on_seed_and_step_only),
        cmocka_unit_test(batches_have_distinct_samples),
        cmocka_unit_test(bad_batches_are_refused),
        cmocka_unit_test(ratios_have_the_delta_methods_interval),
        cmocka_unit_test(intervals_of_ratios_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
