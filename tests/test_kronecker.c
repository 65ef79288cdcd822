/* Optimizers whose preconditioner is a Kronecker product, Shampoo and SOAP: updates by independent
 * formulas, and edges. */
#include "layouts.h"
#include "metrics.h"

#include <string.h>

/* ---- Shampoo ---- */

/* P of Shampoo as a dense matrix from the gradients so far: (L x R)^1/4, for a vector L^1/2. */
static void shampoo_dense(int count, double gradients[][SIZE], const double *weights, double eps,
                          const struct ub_param *p, double *dense)
{
    int64_t rows, columns;
    ub_matrix_shape(p, &rows, &columns);
    const int64_t n = rows * columns;
    double left[16] = {0}, right[16] = {0}, product[144];
    for (int64_t i = 0; i < 4; i++) {
        left[i * rows + i] = i < rows ? eps : left[i * rows + i];
        right[i * columns + i] = i < columns ? eps : right[i * columns + i];
    }
    for (int t = 0; t < count; t++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                const double both =
                    weights[t] * gradients[t][p->offset + i] * gradients[t][p->offset + j];
                if (i % columns == j % columns)
                    left[i / columns * rows + j / columns] += both;
                if (i / columns == j / columns)
                    right[i % columns * columns + j % columns] += both;
            }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            product[i * n + j] = left[i / columns * rows + j / columns] *
                                 (p->rank < 2 ? 1 : right[i % columns * columns + j % columns]);
    dense_power(n, product, p->rank < 2 ? 0.5 : 0.25, dense);
}

static void check_shampoo(const char *text, const double weights[3], double eps)
{
    struct ub_random r = ub_random_stream(5, "shampoo");
    struct ub_optimizer *o = optimizer(text);
    double g[3][SIZE], theta[SIZE] = {0}, before[SIZE], root[SIZE], twice[SIZE];
    for (int t = 0; t < 3; t++) {
        fill(&r, SIZE, g[t]);
        metric_apply(o, g[t], UB_INVERSE_ROOT, g[t], root);
        metric_apply(o, g[t], UB_INVERSE_ROOT, root, twice);
        memcpy(before, theta, sizeof theta);
        ub_optimizer_step(o, theta, g[t]);
    }
    for (int k = 0; k < TENSORS; k++) {
        double dense[144], back[12], step[12];
        const int64_t offset = params[k].offset, n = params[k].size;
        shampoo_dense(3, g, weights, eps, &params[k], dense);
        for (int64_t i = 0; i < n; i++)
            step[i] = (before[offset + i] - theta[offset + i]) / 0.1;
        dense_product(n, n, 1, dense, step, back);
        for (int64_t i = 0; i < n; i++) {
            assert_near(back[i], g[2][offset + i], 1e-8);
            assert_near(twice[offset + i], step[i], 1e-8);
        }
    }
    ub_optimizer_free(o);
}

static void shampoo_is_its_kronecker_product(void **state)
{
    (void)state;
    check_shampoo("shampoo:lr=0.1,epsilon=0.01", (double[]){1, 1, 1}, 0.01);
    check_shampoo("shampoo:lr=0.1,epsilon=0.01,beta2=0.5", (double[]){0.125, 0.25, 0.5}, 0.01);
    check_shampoo("shampoo:lr=0.1,epsilon=0.01,every=2", (double[]){1, 1, 1}, 0.01);
}

/* Long axes keep their diagonal: a vector is then Adagrad. Roots are kept between refreshes. */
static void shampoo_with_limits(void **state)
{
    (void)state;
    struct ub_optimizer *o = optimizer("shampoo:lr=0.1,epsilon=0.01,largest=2,every=2");
    double theta[SIZE] = {0}, before[SIZE], g[SIZE];
    for (int i = 0; i < SIZE; i++)
        g[i] = 1 + i;
    ub_optimizer_step(o, theta, g);
    for (int t = 0; t < 2; t++) {
        memcpy(before, theta, sizeof theta);
        ub_optimizer_step(o, theta, g);
        for (int i = 12; i < 15; i++) {
            const double root = sqrt((t == 0 ? 1 : 3) * g[i] * g[i] + 0.01);
            assert_near(before[i] - theta[i], 0.1 * g[i] / root, 1e-12);
        }
    }
    ub_optimizer_free(o);
}

/* ---- SOAP: in rotated coordinates the same method, and Adam where there is no rotation ---- */

static void orthogonal(int64_t n, const char *name, double *q)
{
    double values[4], *x = tiny_normals(n * n, name);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            q[i * n + j] = x[i * n + j] + x[j * n + i];
    dense_eigen(n, q, values);
    ub_free(x);
}

/* A x B' for 4 x 3. */
static void turn(const double *a, const double *b, const double *x, double *out)
{
    double half[12], back[9];
    dense_product(4, 4, 3, a, x, half);
    dense_transpose(3, 3, b, back);
    dense_product(4, 3, 3, half, back, out);
}

static double asymmetry(const char *text, int steps)
{
    struct ub_random r = ub_random_stream(6, "soap");
    struct ub_optimizer *o = optimizer_on(&matrix_layout, text);
    struct ub_optimizer *turned = optimizer_on(&matrix_layout, text);
    double a[16], b[9], x[12] = {0}, y[12] = {0}, g[12], h[12], image[12];
    orthogonal(4, "left", a);
    orthogonal(3, "right", b);
    for (int t = 0; t < steps; t++) {
        fill(&r, 12, g);
        turn(a, b, g, h);
        ub_optimizer_step(o, x, g);
        ub_optimizer_step(turned, y, h);
    }
    turn(a, b, x, image);
    ub_optimizer_free(o);
    ub_optimizer_free(turned);
    return tiny_error(12, y, image);
}

static void soap_knows_no_axes(void **state)
{
    (void)state;
    assert_true(asymmetry("soap:lr=0.1,every=2", 25) < 1e-6);
    assert_true(asymmetry("shampoo:lr=0.1", 25) < 1e-6);
    assert_true(asymmetry("muon:lr=0.1", 25) < 1e-6);
    assert_true(asymmetry("spectral-gd:lr=0.1", 25) < 1e-6);
    assert_true(asymmetry("adam:lr=0.1", 25) > 1e-2);
    assert_true(asymmetry("soap:lr=0.1,largest=3,every=2", 25) > 1e-2);
}

/* Without bases it is Adam; and with gradients that are diagonal, whose bases are the given one. */
static void soap_is_adam_in_the_given_basis(void **state)
{
    (void)state;
    static const char tail[] = "lr=0.1,beta1=0.8,beta2=0.9,epsilon=0.01";
    char text[128];
    double g[12] = {0}, theta[3][12] = {{0}};
    struct ub_optimizer *o[3];
    const char *const forms[] = {"adam:%s", "soap:%s,largest=2", "soap:%s,every=2"};
    for (int k = 0; k < 3; k++) {
        char form[64];
        snprintf(form, sizeof form, "%s", forms[k]);
        *strchr(form, '%') = 0;
        snprintf(text, sizeof text, "%s%s%s", form, tail, strchr(forms[k], '%') + 2);
        o[k] = optimizer_on(&matrix_layout, text);
    }
    for (int t = 0; t < 12; t++) {
        for (int i = 0; i < 3; i++)
            g[i * 4] = sin(1.0 + t) + i; /* entries (i, i) */
        for (int k = 0; k < 3; k++)
            ub_optimizer_step(o[k], theta[k], g);
    }
    assert_true(tiny_error(12, theta[1], theta[0]) < 1e-14);
    assert_true(tiny_error(12, theta[2], theta[0]) < 1e-12);
    for (int k = 0; k < 3; k++)
        ub_optimizer_free(o[k]);
}

/* The bases converge to the eigenvectors of the moments: P becomes diagonal there. */
static void soap_finds_the_eigenbasis(void **state)
{
    (void)state;
    struct ub_optimizer *o =
        optimizer_on(&matrix_layout, "soap:lr=0.1,beta1=0,beta2=0.9,epsilon=1e-7,every=1");
    double a[16], b[9], x[12] = {0}, g[12], image[12], before[12];
    orthogonal(4, "left", a);
    orthogonal(3, "right", b);
    struct ub_random r = ub_random_stream(8, "basis");
    for (int t = 0; t < 600; t++) {
        double core[12] = {0};
        for (int i = 0; i < 3; i++)
            core[i * 4] = (t == 0 ? ub_random_normal(&r) : 1) * (i + 1) * (t % 2 ? 1 : -1);
        if (t == 0)
            fill(&r, 12, core); /* a start in another basis */
        turn(a, b, core, g);
        memcpy(before, x, sizeof x);
        ub_optimizer_step(o, x, g);
    }
    /* In the eigenbasis g is diag(1, 2, 3), mean squares 1, 4, 9: a step of +-A I B'. */
    double unit[12] = {0};
    for (int i = 0; i < 3; i++)
        unit[i * 4] = 0.1;
    turn(a, b, unit, image);
    for (int i = 0; i < 12; i++)
        assert_near(before[i] - x[i], image[i], 1e-6);
    ub_optimizer_free(o);
}

/* ---- edges: Shampoo and SOAP diverge at theirs ---- */

/* Warmed up by random gradients, its preconditioner then held, the mean gradient 0. */
static struct ub_optimizer *warm(const char *text, double lr)
{
    struct ub_random r = ub_random_stream(9, "warm");
    struct ub_optimizer *o = optimizer(text);
    double theta[SIZE] = {0}, g[SIZE];
    for (int t = 0; t < 12; t++) {
        fill(&r, SIZE, g);
        ub_optimizer_step(o, theta, g);
    }
    o->frozen = true;
    o->steps = 100000000; /* no bias left to correct */
    if (strcmp(o->kind->name, "soap") == 0)
        memset(o->state, 0, SIZE * sizeof *o->state);
    o->base = o->lr = lr;
    return o;
}

static double top_preconditioned(const char *text, const double *h)
{
    struct ub_optimizer *o = warm(text, 1);
    const double zero[SIZE] = {0};
    double *unit = ub_calloc(SIZE * SIZE, sizeof *unit);
    double *root = metric_power(o, zero, zero, UB_INVERSE_ROOT);
    dense_product(SIZE, SIZE, SIZE, root, h, unit);
    double *both = ub_calloc(SIZE * SIZE, sizeof *both);
    dense_product(SIZE, SIZE, SIZE, unit, root, both);
    const double top = dense_top(SIZE, both);
    ub_optimizer_free(o);
    ub_free(unit);
    ub_free(root);
    ub_free(both);
    return top;
}

static bool diverges(const char *text, const double *h, double lr)
{
    struct ub_optimizer *o = warm(text, lr);
    double theta[SIZE], g[SIZE];
    for (int i = 0; i < SIZE; i++)
        theta[i] = cos(1.0 + i);
    dense_product(SIZE, SIZE, 1, h, theta, g);
    const double start = tiny_norm(SIZE, g);
    bool grown = false;
    for (int t = 0; t < 6000 && !grown; t++) {
        ub_optimizer_step(o, theta, g);
        dense_product(SIZE, SIZE, 1, h, theta, g);
        grown = !(tiny_norm(SIZE, g) < 1e6 * start);
    }
    grown = grown || tiny_norm(SIZE, g) > start;
    ub_optimizer_free(o);
    return grown;
}

static double edge_error(const char *text)
{
    double worst = 0;
    for (int kind = RANDOM; kind <= ILL_CONDITIONED; kind++) {
        double *h = quadratic_new(SIZE, (enum quadratic_kind)kind);
        struct ub_optimizer *o = optimizer(text);
        const double predicted = o->kind->rate_for(o, top_preconditioned(text, h));
        double low = predicted / 2, high = predicted * 2;
        ub_optimizer_free(o);
        assert_false(diverges(text, h, low));
        assert_true(diverges(text, h, high));
        while (high / low > 1.0005) {
            const double middle = sqrt(low * high);
            *(diverges(text, h, middle) ? &high : &low) = middle;
        }
        worst = fmax(worst, fabs(sqrt(low * high) / predicted - 1));
        ub_free(h);
    }
    return worst;
}

static void layout_aware_divergence_sets_in_at_the_edge(void **state)
{
    (void)state;
    static const char against[] = "where divergence sets in on quadratics, relative";
    assert_oracle(
        "edge shampoo", against,
        fmax(edge_error("shampoo:lr=1"), edge_error("shampoo:lr=1,beta2=0.9,every=5,largest=3")),
        1e-3);
    assert_oracle(
        "edge soap", against,
        fmax(fmax(edge_error("soap:lr=1,epsilon=0.01,every=3"), edge_error("soap:lr=1,beta1=0")),
             edge_error("soap:lr=1,beta1=0.5,largest=3")),
        1e-3);
}

/* Without momentum a step is -lr P^-1 g, the P readied before it. */
static void roots_are_those_of_the_step(void **state)
{
    (void)state;
    const char *const texts[] = {"shampoo:lr=0.1,every=2", "soap:lr=0.1,beta1=0,every=2"};
    for (int k = 0; k < 2; k++) {
        struct ub_random r = ub_random_stream(10, "roots");
        struct ub_optimizer *o = optimizer(texts[k]);
        double theta[SIZE] = {0}, before[SIZE], g[SIZE], back[SIZE], root[SIZE], twice[SIZE];
        for (int t = 0; t < 5; t++) {
            fill(&r, SIZE, g);
            memcpy(before, theta, sizeof theta);
            metric_apply(o, g, UB_INVERSE_ROOT, g, root);
            metric_apply(o, g, UB_INVERSE_ROOT, root, twice);
            metric_apply(o, g, UB_ROOT, root, back);
            for (int i = 0; i < SIZE; i++)
                assert_near(back[i], g[i], 1e-9);
            metric_apply(o, g, UB_INVERSE, g, back);
            for (int i = 0; i < SIZE; i++)
                assert_near(back[i], twice[i], 1e-9);
            ub_optimizer_step(o, theta, g);
            for (int i = 0; i < SIZE; i++)
                assert_near(before[i] - theta[i], 0.1 * twice[i], 1e-9);
        }
        ub_optimizer_free(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shampoo_is_its_kronecker_product),
        cmocka_unit_test(shampoo_with_limits),
        cmocka_unit_test(soap_knows_no_axes),
        cmocka_unit_test(soap_is_adam_in_the_given_basis),
        cmocka_unit_test(soap_finds_the_eigenbasis),
        cmocka_unit_test(roots_are_those_of_the_step),
        cmocka_unit_test(layout_aware_divergence_sets_in_at_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
