/* Problems: blocks of products against single ones, linearisation, threads, precision, accuracy.
 * Hessians: test_hessian.c. */
#include "support.h"
#include "tiny.h"

#include <string.h>

/* ---- products ---- */

struct fixture { /* an MLP over many chunks, the last of them padded */
    struct ub_dataset *data;
    int64_t size;
    double *theta;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.data = tiny_dataset(UB_CLASSIFICATION, 3001, 0, 24, 5)};
    struct ub_problem *p = tiny_problem(f.data, "mlp:widths=16x12,activation=gelu", "ce");
    f.size = ub_problem_size(p);
    f.theta = ub_calloc((size_t)f.size, sizeof *f.theta);
    ub_problem_init(p, 1, f.theta);
    ub_problem_free(p);
    return f;
}

static void fixture_free(struct fixture *f)
{
    ub_free(f->theta);
    tiny_free(f->data);
}

static struct ub_problem *fixture_problem(const struct fixture *f, enum ub_precision precision,
                                          int threads)
{
    struct ub_error err = {0};
    struct ub_problem *p =
        ub_problem_new(&(struct ub_problem_spec){.model = "mlp:widths=16x12,activation=gelu",
                                                 .loss = "ce",
                                                 .data = f->data,
                                                 .precision = precision,
                                                 .threads = threads},
                       &err);
    assert_non_null(p);
    return p;
}

/* 15 = 8 + 4 + 2 + 1: every block size, against one product at a time. */
static void blocks_are_single_products(void **state)
{
    (void)state;
    enum { COUNT = 15 };
    struct fixture f = fixture_new();
    struct ub_problem *p = fixture_problem(&f, UB_F64, 1);
    double *V = tiny_normals(COUNT * f.size, "V");
    double *together = ub_calloc(COUNT, (size_t)f.size * sizeof *together);
    double *one = ub_calloc((size_t)f.size, sizeof *one);
    ub_problem_linearize(p, f.theta);
    ub_problem_hvp(p, COUNT, V, together);
    for (int k = 0; k < COUNT; k++) {
        ub_problem_hvp(p, 1, V + k * f.size, one);
        assert_true(tiny_error(f.size, together + k * f.size, one) < 1e-12);
    }
    assert_int_equal(ub_problem_hvps(p), 2 * COUNT);
    ub_problem_hvp(p, 0, V, together);
    assert_int_equal(ub_problem_hvps(p), 2 * COUNT);
    ub_free(V);
    ub_free(together);
    ub_free(one);
    ub_problem_free(p);
    fixture_free(&f);
}

/* Products belong to the point of the last linearisation, whatever ran since and whichever blocks
 * had been used before; the caller's vector may change in the meantime. */
static void products_follow_the_linearization(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct ub_problem *p = fixture_problem(&f, UB_F64, 1), *fresh = fixture_problem(&f, UB_F64, 1);
    const size_t bytes = (size_t)f.size * sizeof(double);
    double *V = tiny_normals(3 * f.size, "V"), *moved = ub_alloc(bytes), *grad = ub_alloc(bytes);
    double *a = ub_alloc(3 * bytes), *b = ub_alloc(3 * bytes);
    for (int64_t i = 0; i < f.size; i++)
        moved[i] = 1.5 * f.theta[i] + 0.01;
    ub_problem_linearize(p, f.theta);
    ub_problem_hvp(p, 3, V, a);
    ub_problem_linearize(p, moved);
    memcpy(a, moved, bytes);
    memset(moved, 0, bytes);
    ub_problem_gradient(p, f.theta, grad);
    ub_problem_linearize(fresh, a);
    ub_problem_hvp(fresh, 3, V, b);
    ub_problem_hvp(p, 3, V, a);
    assert_memory_equal(a, b, 3 * bytes);
    ub_problem_hvp(p, 3, V, a); /* and again, from the kept values */
    assert_memory_equal(a, b, 3 * bytes);
    double *const all[] = {V, moved, grad, a, b};
    for (int i = 0; i < 5; i++)
        ub_free(all[i]);
    ub_problem_free(p);
    ub_problem_free(fresh);
    fixture_free(&f);
}

/* ---- threads and precision ---- */

static void everything(struct ub_problem *p, const double *theta, const double *V, double *out)
{
    const int64_t n = ub_problem_size(p);
    out[0] = ub_problem_loss(p, theta);
    out[1] = ub_problem_gradient(p, theta, out + 2);
    ub_problem_linearize(p, theta);
    ub_problem_hvp(p, 7, V, out + 2 + n);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const size_t numbers = 2 + 8 * (size_t)f.size;
    double *V = tiny_normals(7 * f.size, "V");
    for (enum ub_precision precision = UB_F32; precision <= UB_F64; precision++) {
        double *one = ub_calloc(numbers, sizeof *one), *many = ub_calloc(numbers, sizeof *many);
        for (int threads = 1; threads <= 4; threads *= 2) {
            struct ub_problem *p = fixture_problem(&f, precision, threads);
            everything(p, f.theta, V, threads == 1 ? one : many);
            if (threads > 1)
                assert_memory_equal(one, many, numbers * sizeof *one);
            everything(p, f.theta, V, many); /* nor does doing it twice */
            assert_memory_equal(one, many, numbers * sizeof *one);
            ub_problem_free(p);
        }
        ub_free(one);
        ub_free(many);
    }
    ub_free(V);
    fixture_free(&f);
}

static void single_precision_agrees_with_double(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const size_t numbers = 2 + 8 * (size_t)f.size;
    double *V = tiny_normals(7 * f.size, "V");
    double *results[2] = {ub_calloc(numbers, sizeof(double)), ub_calloc(numbers, sizeof(double))};
    for (enum ub_precision precision = UB_F32; precision <= UB_F64; precision++) {
        struct ub_problem *p = fixture_problem(&f, precision, 2);
        everything(p, f.theta, V, results[precision]);
        ub_problem_free(p);
    }
    assert_near(results[0][1], results[1][1], 1e-6 * results[1][1]);
    assert_true(results[0][1] != results[1][1]); /* float is really float */
    assert_true(tiny_error(f.size, results[0] + 2, results[1] + 2) < 2e-5);
    for (int k = 1; k <= 7; k++)
        assert_true(tiny_error(f.size, results[0] + 2 + k * f.size, results[1] + 2 + k * f.size) <
                    5e-5);
    ub_free(results[0]);
    ub_free(results[1]);
    ub_free(V);
    fixture_free(&f);
}

/* The mean over all samples is the weighted mean over two halves: no chunk is lost or doubled. */
static void samples_count_once_each(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct ub_dataset first = *f.data, second = *f.data;
    first.train.count = 1234;
    second.train.count = f.data->train.count - 1234;
    second.train.inputs += 1234 * f.data->features;
    second.train.targets += 1234 * f.data->outputs;
    second.train.labels += 1234;
    const struct ub_dataset *sets[] = {f.data, &first, &second};
    const size_t n = (size_t)f.size;
    double loss[3], *grad = ub_calloc(3 * n, sizeof *grad), *mixed = ub_calloc(n, sizeof *mixed);
    for (int i = 0; i < 3; i++) {
        const struct fixture part = {.data = (struct ub_dataset *)sets[i], .size = f.size};
        struct ub_problem *p = fixture_problem(&part, UB_F64, 1);
        loss[i] = ub_problem_gradient(p, f.theta, grad + (size_t)i * n);
        ub_problem_free(p);
    }
    const double share = 1234 / (double)f.data->train.count;
    for (size_t i = 0; i < n; i++)
        mixed[i] = share * grad[n + i] + (1 - share) * grad[2 * n + i];
    assert_near(share * loss[1] + (1 - share) * loss[2], loss[0], 1e-13);
    assert_true(tiny_error(f.size, mixed, grad) < 1e-12);
    ub_free(grad);
    ub_free(mixed);
    fixture_free(&f);
}

/* ---- evaluation ---- */

enum { OUTPUTS = 3 };

/* Of the model linear: its weights (outputs x features) come first, then its biases. */
static void linear_outputs(const struct ub_dataset *d, const double *theta, const double *x,
                           double *out)
{
    for (int64_t o = 0; o < OUTPUTS; o++)
        out[o] =
            theta[OUTPUTS * d->features + o] + tiny_dot(d->features, theta + o * d->features, x);
}

static double accuracy_by_hand(const struct ub_dataset *d, const struct ub_split *split,
                               const double *theta)
{
    int64_t correct = 0;
    for (int64_t n = 0; n < split->count; n++) {
        double z[OUTPUTS];
        int best = 0;
        linear_outputs(d, theta, split->inputs + n * d->features, z);
        for (int k = 1; k < OUTPUTS; k++)
            best = z[k] > z[best] ? k : best;
        correct += best == split->labels[n];
    }
    return (double)correct / (double)split->count;
}

static void evaluation_counts_correct_answers(void **state)
{
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 1013, 347, 4, OUTPUTS);
    struct ub_problem *p = tiny_problem(d, "linear", "ce");
    double *theta = tiny_normals(ub_problem_size(p), "theta");
    double loss, accuracy, test_loss;
    ub_problem_evaluate(p, false, theta, &loss, &accuracy);
    assert_near(loss, ub_problem_loss(p, theta), 0);
    assert_near(accuracy, accuracy_by_hand(d, &d->train, theta), 1e-15);
    ub_problem_evaluate(p, true, theta, &test_loss, &accuracy);
    assert_near(accuracy, accuracy_by_hand(d, &d->test, theta), 1e-15);

    struct ub_dataset swapped = *d; /* the test split's loss is a training loss on it */
    swapped.train = d->test;
    struct ub_problem *q = tiny_problem(&swapped, "linear", "ce");
    assert_near(test_loss, ub_problem_loss(q, theta), 1e-14);
    ub_problem_evaluate(q, false, theta, NULL, NULL);
    ub_problem_free(q);

    memset(theta, 0, (size_t)ub_problem_size(p) * sizeof *theta); /* ties: the first class wins */
    int64_t first = 0;
    for (int64_t i = 0; i < d->train.count; i++)
        first += d->train.labels[i] == 0;
    ub_problem_evaluate(p, false, theta, &loss, &accuracy);
    assert_near(accuracy, (double)first / (double)d->train.count, 1e-15);
    assert_near(loss, log(OUTPUTS), 1e-14);

    theta[0] = NAN; /* what is not a number is not right */
    ub_problem_evaluate(p, false, theta, &loss, &accuracy);
    assert_true(isnan(loss) && accuracy == 0);
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(d);
}

static void what_is_not_there_is_nan(void **state)
{
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_REGRESSION, 9, 0, 4, 1);
    struct ub_problem *p = tiny_problem(d, "mlp", "mse");
    double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta), loss, accuracy;
    ub_problem_evaluate(p, false, theta, &loss, &accuracy);
    assert_true(isfinite(loss) && isnan(accuracy));
    ub_problem_evaluate(p, true, theta, &loss, &accuracy);
    assert_true(isnan(loss) && isnan(accuracy));
    assert_int_equal(ub_problem_gradients(p), 0);
    ub_problem_gradient(p, theta, theta);
    assert_int_equal(ub_problem_gradients(p), 1);
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(d);
}

/* Both hidden layers of an identity network, sample by sample over several chunks. */
static void hidden_activations_are_of_their_sample(void **state)
{
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_REGRESSION, 2003, 0, 3, 1);
    struct ub_problem *p = tiny_problem(d, "deep-linear:widths=2x1", "mse");
    const double theta[] = {1, 2, 0, 0, -1, 3, 2, 1, 5}; /* (2,3), (1,2), (1,1) */
    assert_int_equal(ub_problem_size(p), 9);
    double *first = ub_calloc(2003 * 2, sizeof *first), *second = ub_calloc(2003, sizeof *second);
    ub_problem_hidden(p, 1, theta, second);
    ub_problem_hidden(p, 0, theta, first);
    for (int n = 0; n < 2003; n++) {
        const double *x = d->train.inputs + 3 * n;
        assert_near(first[2 * n], x[0] + 2 * x[1], 1e-14);
        assert_near(first[2 * n + 1], 3 * x[2] - x[1], 1e-14);
        assert_near(second[n], 2 * first[2 * n] + first[2 * n + 1], 1e-13);
    }
    ub_free(first);
    ub_free(second);
    ub_problem_free(p);
    tiny_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_single_products),
        cmocka_unit_test(products_follow_the_linearization),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(single_precision_agrees_with_double),
        cmocka_unit_test(samples_count_once_each),
        cmocka_unit_test(evaluation_counts_correct_answers),
        cmocka_unit_test(what_is_not_there_is_nan),
        cmocka_unit_test(hidden_activations_are_of_their_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
