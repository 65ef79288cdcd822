/* Weights without a scale and softmax readouts: which weights are found, their rows against plain
 * loops, the norm's epsilon against finite differences of the forward pass written out, the exact
 * identities of steps; and the laws about them on small runs. */
#include "law_suite.h"
#include "observing.h"

static struct fixture regression(const char *model, const char *optimizer)
{
    return fixture_of(tiny_dataset(UB_REGRESSION, 16, 7, 4, 3), model, "mse", optimizer);
}

static double largest(const struct fixture *f, const char *name, int64_t index)
{
    double most = 0;
    for (size_t i = 0; i < f->recorded->n_rows; i++)
        if (strcmp(f->recorded->names[i], name) == 0 && f->recorded->rows[i].index == index)
            most = fmax(most, fabs(f->recorded->rows[i].value));
    return most;
}

/* ---- which weights ---- */

/* By theorem: a batch norm takes the mean of its unit away and with it the bias, so that the weight
 * alone has no scale; layer and rms norms leave the bias, so that both together have none; readouts
 * and networks without norm have one. */
static void weights_without_a_scale_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *norm;
        int64_t own; /* numbers of fc1 that belong together: weight 5 x 4, bias 5 */
    } norms[] = {{"batch", 20}, {"layer", 25}, {"rms", 25}, {"none", 20}};
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
        char model[96];
        snprintf(model, sizeof model, "mlp:widths=5x6,activation=relu,norm=%s%s", norms[i].norm,
                 i < 3 ? ",epsilon=1e-12" : "");
        struct fixture f = regression(model, "gd:lr=0.01");
        TRAIN(&f, 0, "symmetry");
        const bool normed = i < 3;
        for (int64_t w = 0; w < 3; w++) {
            const double change = value_of(f.recorded, 0, "scale-change", w);
            print_message("%s, weight %d: %.1e\n", norms[i].norm, (int)w, change);
            assert_true(normed && w < 2 ? change < 1e-9 : change > 0.05);
        }
        assert_near(value_of(f.recorded, 0, "weight-norm", 0), tiny_norm(norms[i].own, f.theta),
                    1e-14);
        assert_int_equal(count_rows(f.recorded, "scale-change"), 3);
        fixture_free(&f);
    }
}

/* ---- against plain loops ---- */

static void rows_are_those_of_plain_loops(void **state)
{
    (void)state;
    enum { N = 25 }; /* fc1 with its bias, first in the vector */
    struct fixture f =
        regression("mlp:widths=5,activation=tanh,norm=layer,epsilon=1e-12", "gd:lr=0.1,l2=0.2");
    double before[N], grad[N];
    TRAIN(&f, 7, "symmetry:at=end");
    memcpy(before, f.theta, sizeof before);
    memcpy(grad, f.grad, sizeof grad);
    TRAIN(&f, 8, "symmetry:at=end");
    double step[N];
    for (int i = 0; i < N; i++)
        step[i] = ((1 - 0.1 * 0.2) * before[i] - f.theta[i]) / 0.1;
    const double b = tiny_norm(N, before), a = tiny_norm(N, f.theta);
    assert_near(value_of(f.recorded, 8, "weight-norm", 0), a, 1e-14);
    assert_near(value_of(f.recorded, 8, "weight-gradient-norm", 0), tiny_norm(N, f.grad), 1e-14);
    assert_near(value_of(f.recorded, 8, "radial-gradient", 0),
                tiny_dot(N, f.theta, f.grad) / (a * tiny_norm(N, f.grad)), 1e-14);
    assert_oracle("observable symmetry", "angles and norms of the weights by plain loops",
                  value_of(f.recorded, 8, "weight-angle", 0) -
                      acos(tiny_dot(N, before, f.theta) / (a * b)),
                  1e-9);
    assert_near(value_of(f.recorded, 8, "step-gradient", 0), tiny_norm(N, step) * b, 1e-13);
    assert_true(tiny_error(N, step, grad) < 1e-12); /* the step was along the gradient */
    assert_true(value_of(f.recorded, 8, "weight-angle", 0) > 1e-3);
    fixture_free(&f);
}

/* ---- epsilon ---- */

enum { SAMPLES = 16, IN = 4, UNITS = 5, OUT = 3 };

/* Mean squared loss of x -> fc2 relu(rms norm(fc1 x)), without biases in fc1, with what the norm
 * puts out for sample i multiplied by 1 + s epsilon/(m_i + epsilon), m_i its mean square. */
static double forward(const struct fixture *f, double epsilon, double s)
{
    const double *w = f->theta, *v = w + UNITS * IN;
    double loss = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double a[UNITS] = {0}, m = 0;
        for (int u = 0; u < UNITS; u++) {
            for (int k = 0; k < IN; k++)
                a[u] += w[u * IN + k] * f->data->train.inputs[i * IN + k];
            m += a[u] * a[u] / UNITS;
        }
        for (int o = 0; o < OUT; o++) {
            double z = 0;
            for (int u = 0; u < UNITS; u++)
                z += v[o * UNITS + u] * fmax(0, a[u]) / sqrt(m + epsilon) *
                     (1 + s * epsilon / (m + epsilon));
            loss += pow(z - f->data->train.targets[i * OUT + o], 2) / 2 / SAMPLES;
        }
    }
    return loss;
}

/* <g, w> = mean over samples of <dl/dy, y> epsilon/(m + epsilon), y what the norm puts out: with
 * the weight scaled by 1 + s, y grows by s epsilon/(m + epsilon) to first order. */
static void epsilon_leaves_what_the_formula_says(void **state)
{
    (void)state;
    static const double epsilons[] = {1e-1, 1e-3, 1e-5};
    double worst = 0;
    for (int k = 0; k < 3; k++) {
        char model[128];
        snprintf(model, sizeof model,
                 "mlp:widths=5,activation=relu,norm=rms,affine=false,bias=false,epsilon=%g",
                 epsilons[k]);
        struct fixture f = regression(model, "gd:lr=0.1");
        TRAIN(&f, 0, "symmetry");
        assert_near(forward(&f, epsilons[k], 0), ub_problem_loss(f.problem, f.theta), 1e-12);
        const double h = 1e-4,
                     along = (forward(&f, epsilons[k], h) - forward(&f, epsilons[k], -h)) / (2 * h),
                     radial = tiny_dot(UNITS * IN, f.grad, f.theta);
        print_message("epsilon %g: <g, w> = %.6e, by differences %.6e\n", epsilons[k], radial,
                      along);
        assert_true(fabs(radial) > epsilons[k] / 100);
        worst = fmax(worst, fabs(radial - along) / (1e-6 * fabs(radial) + 1e-11));
        fixture_free(&f);
    }
    assert_oracle("law noether",
                  "what a norm's epsilon leaves, by differences of the forward pass, in their "
                  "errors",
                  worst, 1);
}

/* ---- the identities ---- */

static void norms_grow_by_the_square_of_the_step(void **state)
{
    (void)state;
    static const char *const models[] = {
        "mlp:widths=5x6,activation=relu,norm=batch,epsilon=1e-12",
        "mlp:widths=5x6,activation=tanh,norm=layer,epsilon=1e-12",
        "mlp:widths=5x6,activation=gelu,norm=rms,affine=false,epsilon=1e-12",
        "mlp:widths=5x6,activation=relu,norm=layer,parametrization=mup,base-width=2,epsilon=1e-12"};
    double worst = 0;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct fixture f = regression(models[i], "gd:lr=0.1,l2=0.1,schedule=linear");
        TRAIN(&f, 30, "symmetry");
        for (int64_t w = 0; w < 2; w++) {
            worst = fmax(worst, largest(&f, "norm-residual", w));
            assert_true(largest(&f, "weight-angle", w) > 1e-2);
        }
        assert_true(largest(&f, "norm-residual", 2) > 1e-4);
        fixture_free(&f);
    }
    assert_oracle("law noether", "the exact step of weights before a norm", worst, 1e-10);
}

/* Of any weight the identity misses 2 c eta <g, w>: what the row says where there is a scale. */
static void others_miss_it_by_the_radial_gradient(void **state)
{
    (void)state;
    const double eta = 0.1, l2 = 0.1;
    struct fixture f = regression("mlp:widths=5,activation=tanh", "gd:lr=0.1,l2=0.1");
    TRAIN(&f, 20, "symmetry");
    for (int64_t t = 0; t < 20; t++) {
        const double w = value_of(f.recorded, t, "weight-norm", 0),
                     g = value_of(f.recorded, t, "weight-gradient-norm", 0),
                     radial = value_of(f.recorded, t, "radial-gradient", 0);
        assert_near(value_of(f.recorded, t + 1, "norm-residual", 0),
                    fabs(2 * (1 - eta * l2) * eta * radial * g / w), 1e-14);
    }
    assert_true(largest(&f, "norm-residual", 0) > 1e-4);
    fixture_free(&f);
}

static double sum_missed(const char *model, const char *loss, const char *optimizer)
{
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3), model, loss, optimizer);
    TRAIN(&f, 30, "symmetry");
    const double most = count_rows(f.recorded, "class-sum-residual") == 30
                            ? largest(&f, "class-sum-residual", 0)
                            : (double)NAN;
    print_message("%s, %s, %s: %.1e\n", model, loss, optimizer, most);
    fixture_free(&f);
    return most;
}

static void sums_over_classes_decay_alone(void **state)
{
    (void)state;
    const double worst =
        fmax(fmax(sum_missed(mlp, "ce", "gd:lr=0.3,l2=0.1"),
                  sum_missed("linear", "ce", "gd:lr=0.3,l2=0.1")),
             sum_missed("mlp:widths=3", "ce", "gd:lr=0.3")); /* as wide as classes */
    assert_oracle("law noether-softmax", "sums over classes: (1 - eta l2)^t, exact", worst, 1e-14);
    assert_true(sum_missed(mlp, "mse", "gd:lr=0.3,l2=0.1") > 1e-3);
    assert_true(sum_missed(mlp, "ce", "adam:lr=0.01") > 1e-3);
    assert_true(isnan(sum_missed("mlp:widths=5,fixed-readout=true", "ce", "gd:lr=0.3")));
}

static void angles_need_the_step_before(void **state)
{
    (void)state;
    struct fixture f = regression("mlp:widths=5,norm=layer", "gd:lr=0.1");
    TRAIN(&f, 9, "symmetry:at=0+4+9");
    assert_null(find_row(f.recorded, 0, "weight-angle", 0));
    assert_non_null(find_row(f.recorded, 4, "weight-angle", 0)); /* it looked at step 3 */
    assert_int_equal(count_rows(f.recorded, "weight-angle"), 2 * 2);
    assert_int_equal(count_rows(f.recorded, "weight-norm"), 3 * 2);
    fixture_free(&f);
}

/* Rows of means are those of the single steps that they stand for. */
static void means_are_over_the_steps_since(void **state)
{
    (void)state;
    struct fixture f = regression("mlp:widths=5,norm=layer", "gd:lr=0.3");
    double angle = 0, norm = 0, gradient = 0, miss = 0;
    TRAIN(&f, 8, "symmetry");
    for (int64_t t = 5; t <= 8; t++) {
        angle += pow(value_of(f.recorded, t, "weight-angle", 0), 2) / 4;
        norm += pow(value_of(f.recorded, t, "weight-norm", 0), 4) / 4;
        gradient += pow(value_of(f.recorded, t, "step-gradient", 0), 2) / 4;
        miss = fmax(miss, value_of(f.recorded, t, "norm-residual", 0));
    }
    TRAIN(&f, 8, "symmetry:every=1,means=4");
    assert_int_equal(count_rows(f.recorded, "weight-norm"), 3 * 2);
    assert_int_equal(count_rows(f.recorded, "weight-angle"), 2 * 2);
    assert_near(value_of(f.recorded, 8, "weight-angle", 0), sqrt(angle), 1e-15);
    assert_near(value_of(f.recorded, 8, "weight-norm", 0), pow(norm, 0.25), 1e-14);
    assert_near(value_of(f.recorded, 8, "step-gradient", 0), sqrt(gradient), 1e-14);
    assert_near(value_of(f.recorded, 8, "norm-residual", 0), miss, 1e-18);
    fixture_free(&f);
}

/* ---- the laws ---- */

extern const struct ub_law ub_law_noether, ub_law_noether_softmax;

static const char suite[] =
    "name: symmetry\n"
    "defaults:\n"
    "  precision: f64\n"
    "  steps: 40\n"
    "  loss: ce\n"
    "  dataset: {digits: {size: 32, scale: center}}\n"
    "  optimizer: {gd: {lr: {relative: 0.5}, l2: 0.01}}\n"
    "  measure: {symmetry: {every: 1}}\n"
    "runs:\n"
    "  - model: {mlp: {widths: 8, activation: relu, norm: layer, epsilon: 1e-12}}\n"
    "  - model: {mlp: {widths: 9, activation: relu}}\n"
    "    loss: mse\n"
    "  - model: {mlp: {widths: 10, activation: relu, norm: batch, epsilon: 1e-12}}\n"
    "    optimizer: {sgd: {lr: {relative: 0.5}, l2: 0.01, batch: 8}}\n"
    "  - model: {mlp: {widths: 11, activation: relu, norm: layer}}\n"
    "    loss: mse\n";

static void laws_hold_where_they_must_and_nowhere_else(void **state)
{
    (void)state;
    struct law_suite r = law_suite_run(suite);
    static const char *const widths[] = {"8", "9", "10", "11"};
    for (int i = 0; i < 4; i++) {
        const struct ub_datum norm = law_suite_datum(&r, &ub_law_noether, "model.width", widths[i]),
                              sum = law_suite_datum(&r, &ub_law_noether_softmax, "model.width",
                                                    widths[i]);
        const bool good = i % 2 == 0;
        assert_null(norm.why);
        assert_null(sum.why);
        if (i < 3) /* the usual epsilon: near the bound, on either side */
            assert_int_equal(ub_datum_meets(&ub_law_noether.is, &norm), good);
        assert_int_equal(ub_datum_meets(&ub_law_noether_softmax.is, &sum), good);
        assert_int_equal(law_suite_takes(&r, &ub_law_noether, "model.width", widths[i]), good);
        assert_int_equal(law_suite_takes(&r, &ub_law_noether_softmax, "model.width", widths[i]),
                         good);
    }
    law_suite_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_without_a_scale_are_found),
        cmocka_unit_test(rows_are_those_of_plain_loops),
        cmocka_unit_test(epsilon_leaves_what_the_formula_says),
        cmocka_unit_test(norms_grow_by_the_square_of_the_step),
        cmocka_unit_test(others_miss_it_by_the_radial_gradient),
        cmocka_unit_test(sums_over_classes_decay_alone),
        cmocka_unit_test(angles_need_the_step_before),
        cmocka_unit_test(means_are_over_the_steps_since),
        cmocka_unit_test(laws_hold_where_they_must_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
