/* The matrix at an optimizer's edge, P^-1/2 (H + l2 I) P^-1/2: one and the same for whatever
 * measures it, for every registered optimizer, with and without coupled decay. Against H by its
 * products, P by the optimizer's steps (test_optimizers.c, test_norms.c) and LAPACK. */
#include "metrics.h"
#include "observing.h"

#include "bench/observables/flow.h"
#include "systems/ball.h"

static const double decays[] = {0, 0.5};
enum { DECAYS = 2, STEPS = 4 };

/* A run of `name` with coupled decay; batches are the whole set. Some optimizers take nothing but
 * what is linear in its parameters. */
static struct fixture run_of(const char *name, double l2)
{
    char text[128];
    snprintf(text, sizeof text, "%s:lr=0.01,l2=%g", name, l2);
    if (strcmp(name, "ridge") != 0)
        return fixture_new(text);
    return fixture_of(tiny_dataset(UB_REGRESSION, 20, 7, 4, 3), "linear", "mse", text);
}

/* H + l2 I where the run is. */
static double *objective_hessian(const struct fixture *f)
{
    double *h = dense_hessian(f);
    for (int64_t i = 0; i < f->size; i++)
        h[i * f->size + i] += f->optimizer->l2;
    return h;
}

/* A <- R A R */
static void sandwich(int64_t n, const double *R, double *A)
{
    double *half = ub_calloc((size_t)(n * n), sizeof *half);
    for (int pass = 0; pass < 2; pass++) { /* A R, and then its transpose's */
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                half[j * n + i] = 0;
                for (int64_t k = 0; k < n; k++)
                    half[j * n + i] += A[i * n + k] * R[k * n + j];
            }
        memcpy(A, half, (size_t)(n * n) * sizeof *A);
    }
    ub_free(half);
}

/* Ascending eigenvalues of the symmetric A, which is overwritten. */
static double *eigenvalues(int64_t n, double *A)
{
    double *values = ub_calloc((size_t)n, sizeof *values);
    assert_int_equal(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)n, A, (lapack_int)n, values), 0);
    return values;
}

/* As the optimizer meets it, where the run is. */
static double *edge_matrix(const struct fixture *f)
{
    double *h = objective_hessian(f);
    double *root = metric_power(f->optimizer, f->theta, f->grad, UB_INVERSE_ROOT);
    sandwich(f->size, root, h);
    ub_free(root);
    return h;
}

static void check_value(const struct fixture *f, const char *name, int64_t index, double expected,
                        double scale)
{
    const double value = value_of(f->recorded, STEPS, name, index);
    if (!(fabs(value - expected) <= 1e-6 * scale))
        fail_msg("%s with l2=%g: %s %d is %.9g; expected %.9g", f->optimizer->kind->name,
                 f->optimizer->l2, name, (int)index, value, expected);
}

/* Sharpness, spectrum and density of the preconditioned Hessian; edge ratio. */
static void check_edge(const struct fixture *f)
{
    double *a = edge_matrix(f), *values = eigenvalues(f->size, a);
    const double low = values[0], top = values[f->size - 1], size = fmax(-low, top);
    check_value(f, "sharpness", 0, top, size);
    for (int64_t i = 0; i < 3; i++)
        check_value(f, "spectrum.hessian.preconditioned", i, values[f->size - 1 - i], size);
    check_value(f, "density-outlier.hessian.preconditioned", 0, -low > top ? low : top, size);
    const double threshold = ub_optimizer_threshold(f->optimizer);
    if (isfinite(threshold) && f->optimizer->kind->geometry != UB_UNMEASURED)
        check_value(f, "edge-ratio", 0, top / threshold, size / threshold);
    else
        assert_int_equal(count_rows(f->recorded, "edge-ratio"), 0);
    ub_free(a);
    ub_free(values);
}

/* The objective's own: the landscape's Hessian, and its maximum over the Euclidean ball. */
static void check_plain(const struct fixture *f)
{
    double *h = objective_hessian(f), *values = eigenvalues(f->size, h);
    const double top = values[f->size - 1];
    for (int64_t i = 0; i < 2; i++) {
        check_value(f, "spectrum.hessian", i, values[f->size - 1 - i], top);
        check_value(f, "hessian-spectrum", i, values[f->size - 1 - i], top);
    }
    check_value(f, "generalized-sharpness", 0, top, top);
    ub_free(h);
    ub_free(values);
}

static double quadratic_form(int64_t n, const double *A, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            sum += x[i] * A[i * n + j] * x[j];
    return sum;
}

/* Curvature along the objective's gradient, in the coordinates P^1/2 theta. */
static void check_gradient(const struct fixture *f)
{
    const int64_t n = f->size;
    double *a = edge_matrix(f), *y = ub_calloc((size_t)n, sizeof *y);
    double *root = metric_power(f->optimizer, f->theta, f->grad, UB_INVERSE_ROOT), square = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            y[i] += root[i * n + j] * (f->grad[j] + f->optimizer->l2 * f->theta[j]);
        square += y[i] * y[i];
    }
    const double along = quadratic_form(n, a, y) / square;
    check_value(f, "gradient-rayleigh", 0, along, fabs(along));
    ub_free(a);
    ub_free(y);
    ub_free(root);
}

#define EDGE_MEASURES                                                                              \
    "sharpness:at=4,tolerance=1e-9", "spectrum:at=4,top=3,tolerance=1e-9",                         \
        "spectrum:at=4,preconditioned=true,top=3,tolerance=1e-9",                                  \
        "density:at=4,preconditioned=true,deflate=1,probes=2,points=2,tolerance=1e-9",             \
        "hessian-spectrum:at=4,top=2,tolerance=1e-9", "gradient-alignment:at=4",                   \
        "generalized-sharpness:at=4,norm=euclidean,tolerance=1e-9"

static void sharpness_is_the_top_of_its_own_spectrum(void **state)
{
    (void)state;
    int checked = 0;
    for (size_t k = 0; ub_optimizers[k]; k++)
        for (int d = 0; d < DECAYS; d++) {
            if (ub_optimizers[k]->geometry == UB_IN_A_NORM)
                continue;
            struct fixture f = run_of(ub_optimizers[k]->name, decays[d]);
            TRAIN(&f, STEPS, EDGE_MEASURES);
            check_edge(&f);
            check_plain(&f);
            check_gradient(&f);
            fixture_free(&f);
            checked += ub_optimizers[k]->threshold != NULL;
        }
    assert_true(checked >= 2 * 18);
}

/* ---- descent over a norm's ball: the generalized sharpness of the same matrix ---- */

/* The ball's maximum is at least that over draws of its oracle, and the maximizer's own form. */
static void check_ball(const struct fixture *f)
{
    const int64_t n = f->size;
    double factor = 0, most = 0, *h = objective_hessian(f);
    double *d = ub_calloc((size_t)n, sizeof *d), *g = tiny_normals(200 * n, "ball");
    const struct ub_ball *ball = ub_optimizer_ball(f->optimizer, f->theta, f->grad, &factor);
    if (ball) {
        for (int k = 0; k < 200; k++) {
            ub_ball_oracle(ball, g + k * n, d);
            most = fmax(most, quadratic_form(n, h, d));
        }
        const double found = value_of(f->recorded, STEPS, "generalized-sharpness", 0);
        if (!(found >= most * (1 - 1e-9)))
            fail_msg("%s with l2=%g: %g is below %g", f->optimizer->kind->name, f->optimizer->l2,
                     found, most);
        check_value(f, "sharpness", 0, factor * found, factor * found);
        if (f->optimizer->l2 > 0) { /* and is more by l2 |d|^2 than the loss's */
            for (int64_t i = 0; i < n; i++)
                h[i * n + i] -= f->optimizer->l2;
            double loss = 0;
            for (int k = 0; k < 200; k++) {
                ub_ball_oracle(ball, g + k * n, d);
                loss = fmax(loss, quadratic_form(n, h, d));
            }
            assert_true(most > loss);
        }
    } else {
        double *values = eigenvalues(n, h);
        check_value(f, "sharpness", 0, values[n - 1], values[n - 1]);
        ub_free(values);
    }
    ub_free(h);
    ub_free(d);
    ub_free(g);
}

static void balls_are_of_the_objective(void **state)
{
    (void)state;
    for (size_t k = 0; ub_optimizers[k]; k++)
        for (int d = 0; d < DECAYS; d++) {
            if (ub_optimizers[k]->geometry != UB_IN_A_NORM)
                continue;
            struct fixture f = run_of(ub_optimizers[k]->name, decays[d]);
            TRAIN(&f, STEPS, "sharpness:at=4,tolerance=1e-7",
                  "generalized-sharpness:at=4,starts=100,max-products=100000");
            check_ball(&f);
            fixture_free(&f);
        }
}

/* Blocks are exact: the largest eigenvalue of a tensor's own block of H + l2 I. */
static void block_descent_sees_its_blocks(void **state)
{
    (void)state;
    for (int d = 0; d < DECAYS; d++) {
        struct fixture f = run_of("block-cd", decays[d]);
        TRAIN(&f, STEPS, "sharpness:at=4,tolerance=1e-9");
        double *h = objective_hessian(&f), most = 0;
        const struct ub_layout *layout = ub_problem_layout(f.problem);
        for (int64_t b = 0; b < layout->count; b++) {
            const int64_t m = layout->params[b].size, first = layout->params[b].offset;
            double *block = ub_calloc((size_t)(m * m), sizeof *block);
            for (int64_t i = 0; i < m * m; i++)
                block[i] = h[(first + i / m) * f.size + first + i % m];
            double *values = eigenvalues(m, block);
            most = fmax(most, values[m - 1]);
            ub_free(block);
            ub_free(values);
        }
        check_value(&f, "sharpness", 0, most, most);
        ub_free(h);
        fixture_free(&f);
    }
}

/* ---- layers: blocks of the whole, as it is met ---- */

static void layers_are_blocks_of_what_is_met(void **state)
{
    (void)state;
    static const char *const names[] = {"adam", "shampoo", "soap"};
    for (int k = 0; k < 3; k++) {
        struct fixture f = run_of(names[k], 0.5);
        TRAIN(&f, STEPS, "spectrum:at=4,preconditioned=true,layer=fc2,tolerance=1e-9,top=3");
        const struct ub_layout *layout = ub_problem_layout(f.problem);
        int64_t first = -1, count = 0;
        for (int64_t i = 0; i < layout->count; i++)
            if (strncmp(layout->params[i].name, "fc2.", 4) == 0) {
                first = first < 0 ? layout->params[i].offset : first;
                count += layout->params[i].size;
            }
        double *a = edge_matrix(&f), *block = ub_calloc((size_t)(count * count), sizeof *block);
        for (int64_t i = 0; i < count * count; i++)
            block[i] = a[(first + i / count) * f.size + first + i % count];
        double *values = eigenvalues(count, block);
        for (int64_t i = 0; i < 3; i++)
            check_value(&f, "spectrum.hessian.fc2.preconditioned", i, values[count - 1 - i],
                        values[count - 1]);
        ub_free(a);
        ub_free(block);
        ub_free(values);
        fixture_free(&f);
    }
}

/* ---- what coupled decay is not part of ---- */

static void the_loss_has_no_decay_in_it(void **state)
{
    (void)state;
    static const char *const kinds[] = {
        "gauss-newton", "residual", "fisher", "empirical-fisher", "gradient-covariance", "ntk"};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char text[96], name[64];
        double values[DECAYS];
        snprintf(text, sizeof text, "spectrum:at=0,tolerance=1e-9,top=1,operator=%s", kinds[k]);
        snprintf(name, sizeof name, "spectrum.%s", kinds[k]);
        for (int d = 0; d < DECAYS; d++) {
            struct fixture f = run_of("gd", decays[d]);
            TRAIN(&f, 0, text);
            values[d] = value_of(f.recorded, 0, name, 0);
            fixture_free(&f);
        }
        assert_near(values[0], values[1], 1e-12 * fabs(values[0]));
    }
}

/* ---- other points, and steps ---- */

/* The midpoint's Hessian in the metric of the iterate. */
static void midpoints_are_met_by_the_iterates_metric(void **state)
{
    (void)state;
    struct fixture f = run_of("adam", 0.5);
    const int64_t n = f.size;
    double *path = ub_calloc((size_t)(3 * n), sizeof *path);
    for (int t = STEPS - 2; t <= STEPS; t++) {
        struct fixture to = run_of("adam", 0.5);
        TRAIN(&to, t, "loss");
        memcpy(path + (t - STEPS + 2) * n, to.theta, (size_t)n * sizeof *path);
        fixture_free(&to);
    }
    TRAIN(&f, STEPS, "midpoint-sharpness:every=1,tolerance=1e-9");
    double *root = metric_power(f.optimizer, f.theta, f.grad, UB_INVERSE_ROOT);
    for (int64_t i = 0; i < n; i++)
        f.theta[i] = (path[i] + 2 * path[n + i] + path[2 * n + i]) / 4;
    double *h = objective_hessian(&f);
    sandwich(n, root, h);
    double *values = eigenvalues(n, h);
    check_value(&f, "midpoint-sharpness", 0, values[n - 1], values[n - 1]);
    ub_free(path);
    ub_free(root);
    ub_free(h);
    ub_free(values);
    fixture_free(&f);
}

/* On a quadratic without bias: gradients turn by (H + l2 I) times the step, whole or in batches. */
static void curvature_along_steps_is_the_objectives(void **state)
{
    (void)state;
    for (int d = 0; d < DECAYS; d++) {
        char text[64];
        snprintf(text, sizeof text, "gd:lr=0.1,l2=%g", decays[d]);
        struct fixture f =
            fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 1, 1), "linear:bias=false", "mse", text);
        assert_int_equal(f.size, 1);
        TRAIN(&f, STEPS, "directional-smoothness:at=4", "batch-sharpness:at=4,batch=9",
              "batch-top-eigenvalue:at=4,batch=9", "sharpness:at=4,tolerance=1e-9");
        double *h = objective_hessian(&f);
        check_value(&f, "directional-smoothness", 0, h[0], h[0]);
        check_value(&f, "batch-sharpness", 0, h[0], h[0]);
        check_value(&f, "batch-top-eigenvalue", 0, h[0], h[0]);
        check_value(&f, "sharpness", 0, h[0], h[0]);
        ub_free(h);
        fixture_free(&f);
    }
}

/* ---- flows ---- */

/* The flow's sharpness where it starts: H + l2 I in the metric of the mean square so far. */
static void flows_meet_the_same_matrix(void **state)
{
    (void)state;
    static const char *const names[] = {"gd", "rmsprop", "scalar-rmsprop"};
    for (int k = 0; k < 3; k++)
        for (int d = 0; d < DECAYS; d++) {
            struct ub_error err = {0};
            struct fixture f = run_of(names[k], decays[d]);
            TRAIN(&f, STEPS, "loss");
            struct ub_flow *flow = ub_flow_new(f.problem, f.optimizer, f.theta, 1, 4, true, &err);
            assert_non_null(flow);
            f.optimizer->frozen = true; /* P of the mean square as it is */
            double *a = edge_matrix(&f), *values = eigenvalues(f.size, a);
            const double top = values[f.size - 1];
            assert_near(ub_flow_sharpness(flow), top, 1e-4 * top);
            ub_flow_free(flow);
            ub_free(a);
            ub_free(values);
            fixture_free(&f);
        }
}

/* On a quadratic of one parameter the flow decays by exp(-lr (h + l2) t). */
static void flows_descend_the_objective(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 1, 1), "linear:bias=false",
                                  "mse", "gd:lr=0.1,l2=0.5");
    double *h = objective_hessian(&f);
    ub_problem_gradient(f.problem, f.theta, f.grad);
    const double away = (f.grad[0] + 0.5 * f.theta[0]) / h[0];
    struct ub_flow *flow = ub_flow_new(f.problem, f.optimizer, f.theta, 1, 4000, true, &err);
    assert_non_null(flow);
    assert_true(ub_flow_advance(flow, 3));
    assert_near(ub_flow_theta(flow)[0], f.theta[0] - away * (1 - exp(-0.1 * h[0] * 3)),
                1e-4 * fabs(away));
    ub_flow_free(flow);
    ub_free(h);
    fixture_free(&f);
}

/* ---- the metric's own promises ---- */

static void two_by_two(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    (void)grad;
    m->values[0] = 4;
    m->values[1] = 0.25;
    m->bases = o->own;
}

/* A whole P: one tensor that is the vector, its basis rotated. */
static void whole_metrics_have_powers(void **state)
{
    (void)state;
    double basis[] = {0.6, 0.8, -0.8, 0.6}, room[2];
    struct ub_tensor whole = {.rows = 2, .columns = 1, .vector = true};
    whole.left = (struct ub_axis){.n = 2, .basis = basis};
    struct ub_axes bases = {.count = 1, .tensors = &whole, .room = room};
    const struct ub_optimizer_kind none = {.name = "none"};
    const struct ub_optimizer_kind kind = kind_with_metric(&none, two_by_two);
    const struct ub_optimizer o = {.kind = &kind, .size = 2, .own = &bases};
    const double powers[] = {-1, -0.5, 0.5};
    for (int p = UB_INVERSE; p <= UB_ROOT; p++) {
        double *m = metric_power(&o, basis, basis, (enum ub_power)p);
        for (int i = 0; i < 4; i++)
            assert_near(m[i],
                        pow(4, powers[p]) * basis[i / 2] * basis[i % 2] +
                            pow(0.25, powers[p]) * basis[2 + i / 2] * basis[2 + i % 2],
                        1e-14);
        ub_free(m);
    }
}

static void entries_of_every_kind(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_metric m = {0};
    const double x[] = {1, 2, 3, 4};
    double out[4];
    double *values = ub_metric_values(&m, 4);
    memcpy(values, (double[]){0, 4, NAN, INFINITY}, 4 * sizeof *values);
    assert_true(ub_metric_ready(&m, "test", &err));
    for (int p = UB_INVERSE; p <= UB_ROOT; p++) {
        ub_metric_apply(&m, (enum ub_power)p, 1, x, out);
        assert_true(out[0] == 0 && isnan(out[2]) && isnan(out[3]));
        assert_near(out[1], 2 * pow(4, p == UB_INVERSE ? -1 : p == UB_ROOT ? 0.5 : -0.5), 1e-15);
    }
    ub_metric_identity(&m, 4);
    ub_metric_apply(&m, UB_INVERSE, 1, x, out);
    assert_memory_equal(out, x, sizeof x);
    values = ub_metric_values(&m, 4);
    values[2] = -1;
    assert_false(ub_metric_ready(&m, "test", &err));
    assert_non_null(strstr(err.text, "'test': entry 2 of its preconditioner is -1"));
    ub_metric_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sharpness_is_the_top_of_its_own_spectrum),
        cmocka_unit_test(balls_are_of_the_objective),
        cmocka_unit_test(block_descent_sees_its_blocks),
        cmocka_unit_test(layers_are_blocks_of_what_is_met),
        cmocka_unit_test(the_loss_has_no_decay_in_it),
        cmocka_unit_test(midpoints_are_met_by_the_iterates_metric),
        cmocka_unit_test(curvature_along_steps_is_the_objectives),
        cmocka_unit_test(flows_meet_the_same_matrix),
        cmocka_unit_test(flows_descend_the_objective),
        cmocka_unit_test(whole_metrics_have_powers),
        cmocka_unit_test(entries_of_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
