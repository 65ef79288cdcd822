/* Largest margins over the maximum norm against an enumeration of all vertices of the linear
 * program; margins along runs by hand; and the law on sign descent and gradient descent. */
#include "law_suite.h"
#include "observing.h"

#include "bench/observables/box_margin.h"

#include <lapacke.h>
#include <math.h>

extern const struct ub_law ub_law_max_margin_signs;

enum { ROWS = 7, WIDE = 3, UNKNOWNS = WIDE + 1, CONSTRAINTS = ROWS + 2 * WIDE };

/* Constraint k as a . (w, gamma) <= b: rows gamma - c_i . w <= 0, then +-w_j <= 1. */
static double constraint(const double *c, int k, double a[UNKNOWNS])
{
    memset(a, 0, UNKNOWNS * sizeof *a);
    if (k < ROWS) {
        for (int j = 0; j < WIDE; j++)
            a[j] = -c[k * WIDE + j];
        a[WIDE] = 1;
        return 0;
    }
    a[(k - ROWS) / 2] = (k - ROWS) % 2 ? -1 : 1;
    return 1;
}

static bool is_feasible(const double *c, const double *x)
{
    for (int k = 0; k < CONSTRAINTS; k++) {
        double a[UNKNOWNS];
        const double b = constraint(c, k, a);
        if (tiny_dot(UNKNOWNS, a, x) > b + 1e-9)
            return false;
    }
    return true;
}

/* The best feasible point at which four constraints hold as equations: the optimum is one. */
static double enumerated(const double *c)
{
    double best = 0;
    for (int set = 0; set < 1 << CONSTRAINTS; set++) {
        double A[UNKNOWNS * UNKNOWNS], x[UNKNOWNS];
        int pivots[UNKNOWNS], n = 0;
        if (__builtin_popcount((unsigned)set) != UNKNOWNS)
            continue;
        for (int k = 0; k < CONSTRAINTS; k++)
            if (set >> k & 1) {
                x[n] = constraint(c, k, A + (ptrdiff_t)n * UNKNOWNS);
                n++;
            }
        if (LAPACKE_dgesv(LAPACK_ROW_MAJOR, UNKNOWNS, 1, A, UNKNOWNS, pivots, x, 1) == 0 &&
            is_feasible(c, x))
            best = fmax(best, x[WIDE]);
    }
    return best;
}

static void margins_are_the_largest(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(1, "test.box-margin");
    double worst = 0;
    int separable = 0;
    for (int draw = 0; draw < 40; draw++) {
        double c[ROWS * WIDE], gamma;
        for (int i = 0; i < ROWS * WIDE; i++)
            c[i] = ub_random_normal(&r) + (i % WIDE == 0 ? (draw % 2 ? 1.5 : 0.3) : 0);
        assert_true(ub_box_margin(ROWS, WIDE, c, &gamma));
        worst = fmax(worst, fabs(gamma - enumerated(c)));
        separable += gamma > 1e-9;
    }
    print_message("%d of 40 separable\n", separable);
    assert_true(separable > 5 && separable < 35);
    assert_oracle("observable max-norm-margin", "an enumeration of the program's vertices", worst,
                  1e-8);
}

static void margins_are_those_of_outputs(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 4, 0, 6, 3), "linear:bias=true",
                                  "ce", "signsgd:lr=0.1");
    double z[4 * 3], least = INFINITY, largest = 0;
    TRAIN(&f, 20, "max-norm-margin:at=20");
    ub_problem_outputs(f.problem, f.theta, z);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++)
            if (k != f.data->train.labels[i])
                least = fmin(least, z[3 * i + f.data->train.labels[i]] - z[3 * i + k]);
    for (int64_t i = 0; i < f.size; i++)
        largest = fmax(largest, fabs(f.theta[i]));
    assert_near(value_of(f.recorded, 20, "max-norm", 0), largest, 1e-14);
    assert_near(value_of(f.recorded, 20, "max-norm-margin", 0), least / largest, 1e-12);
    assert_true(least / largest <= value_of(f.recorded, 20, "max-norm-hard-margin", 0));
    fixture_free(&f);
}

static const char suite[] =
    "name: signs\n"
    "defaults: {dataset: {digits: {classes: 1x7, size: 40}}, model: {linear: {bias: false}},\n"
    "           init: {lecun: {gain: 0}}, loss: ce, precision: f64, data-seed: 1}\n"
    "runs:\n"
    "  - {optimizer: {signsgd: {lr: 0.0005}}, steps: 15000, measure: {max-norm-margin: {every: "
    "150}}}\n"
    "  - {optimizer: {adam: {lr: 0.0005, beta2: 0.95, epsilon: 0}}, steps: 15000,\n"
    "     measure: {max-norm-margin: {every: 150}}}\n"
    "  - {optimizer: {adam: {lr: 0.0005, beta2: 0.9999, epsilon: 0}}, steps: 15000,\n"
    "     measure: {max-norm-margin: {every: 150}}}\n"
    "  - {optimizer: {normalized-gd: {lr: 0.02}}, steps: 3000,\n"
    "     measure: {max-norm-margin: {every: 30}}}\n"
    "  - {dataset: {digits: {classes: 1x7, size: 200, target: shuffled}},\n"
    "     optimizer: {signsgd: {lr: 0.001}}, steps: 100, measure: {max-norm-margin: {every: "
    "10}}}\n";

static void signs_go_to_it_and_gradients_do_not(void **state)
{
    (void)state;
    const struct ub_law *law = &ub_law_max_margin_signs;
    struct law_suite s = law_suite_run(suite);
    assert_int_equal(law_suite_applies(&s, law), 4); /* not to normalized-gd by itself */
    struct ub_datum d = law_suite_datum(&s, law, "optimizer.beta2", "0.95");
    assert_oracle("law max-margin-signs", "the largest margin by linear programming",
                  fabs(d.value - 1), 0.05);
    assert_true(ub_datum_meets(&law->is, &d));
    d = law_suite_datum(&s, law, "optimizer.beta2", "0.9999");
    assert_non_null(d.why); /* forgets in 10,000 steps what falls in 400 */
    d = law_suite_datum(&s, law, "optimizer", "normalized-gd");
    assert_false(ub_datum_meets(&law->is, &d));
    assert_true(d.value < 0.8);
    d = law_suite_datum(&s, law, "dataset.target", "shuffled");
    assert_true(d.why && d.against);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(margins_are_the_largest),
        cmocka_unit_test(margins_are_those_of_outputs),
        cmocka_unit_test(signs_go_to_it_and_gradients_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
