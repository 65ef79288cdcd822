/* Optimizers that know their layout: updates by independent formulas, and edges. */
#include "layouts.h"
#include "metrics.h"

#include "bench/observables/ball_maximum.h"

#include <string.h>

/* ---- updates ---- */

static void check_descent(const char *text, const char *name, bool scaled, bool rates)
{
    struct ub_random r = ub_random_stream(2, text);
    struct ub_optimizer *o = optimizer(text);
    struct ub_ball *ball = ub_ball_new(name, &layout, SIZE, rates);
    double theta[SIZE] = {0}, expected[SIZE] = {0}, g[SIZE], d[SIZE], factor;
    for (int t = 0; t < 3; t++) {
        fill(&r, SIZE, g);
        const double dual = ub_ball_oracle(ball, g, d);
        assert_non_null(o->kind->ball(o, g, &factor));
        assert_near(factor, scaled ? 1 : 1 / dual, 1e-14);
        ub_optimizer_step(o, theta, g);
        for (int i = 0; i < SIZE; i++) {
            expected[i] -= 0.1 * (scaled ? dual : 1) * d[i];
            assert_near(theta[i], expected[i], 1e-13);
        }
    }
    assert_near(ub_optimizer_threshold(o), 20, 1e-12);
    ub_ball_free(ball);
    ub_optimizer_free(o);
}

static void descents_step_by_their_oracles(void **state)
{
    (void)state;
    check_descent("signsgd:lr=0.1", "max", false, true);
    check_descent("signsgd:lr=0.1,scaled=true", "max", true, true);
    check_descent("block-cd:lr=0.1", "block", true, false);
    check_descent("block-cd:lr=0.1,scaled=false", "block", false, false);
    check_descent("spectral-gd:lr=0.1", "spectral", true, false);
    check_descent("spectral-gd:lr=0.1,scaled=false", "spectral", false, false);
}

/* Block descent moves the tensor with the longest gradient, by lr g. */
static void block_descent_moves_one_tensor(void **state)
{
    (void)state;
    struct ub_optimizer *o = optimizer("block-cd:lr=0.5");
    double theta[SIZE] = {0}, g[SIZE];
    for (int i = 0; i < SIZE; i++)
        g[i] = i >= 12 && i < 15 ? 10 : 1;
    ub_optimizer_step(o, theta, g);
    for (int i = 0; i < SIZE; i++)
        assert_near(theta[i], i >= 12 && i < 15 ? -5 : 0, 1e-14);
    ub_optimizer_free(o);
}

/* Newton-Schulz acts on singular values alone: X X' and what the quintic makes of a's. */
static void newton_schulz_is_its_polynomial(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(3, "schulz");
    struct ub_optimizer *o = optimizer("muon:lr=1,momentum=0,scale=none,others=euclidean");
    double theta[SIZE] = {0}, g[SIZE], before[4], after[4];
    fill(&r, SIZE, g);
    ub_optimizer_step(o, theta, g);
    for (int t = 0; t < TENSORS; t++) {
        if (params[t].rank < 2)
            continue;
        const double *from = g + params[t].offset, *to = theta + params[t].offset;
        const int64_t k = singular(&params[t], from, before), n = params[t].size;
        double size = tiny_norm(n, from) + 1e-7, inner = 0, sum = 0;
        for (int64_t i = 0; i < k; i++) {
            double s = before[i] / size;
            for (int j = 0; j < 5; j++)
                s = 3.4445 * s - 4.7750 * pow(s, 3) + 2.0315 * pow(s, 5);
            inner += before[i] * s;
            before[i] = s;
            sum += s * s;
        }
        /* <g, -X> as if the singular vectors are those of g, and |X|_F, |X|_2 */
        assert_near(-tiny_dot(n, from, to), inner, 1e-10 * inner);
        assert_near(tiny_norm(n, to), sqrt(sum), 1e-10);
        singular(&params[t], to, after);
        double most = 0;
        for (int64_t i = 0; i < k; i++)
            most = fmax(most, before[i]);
        assert_near(after[k - 1], most, 1e-9);
    }
    for (int i = 12; i < 15; i++)
        assert_near(theta[i], -g[i] / tiny_norm(3, g + 12), 1e-14);
    ub_optimizer_free(o);
}

/* Momentum, Nesterov's and scales: steps with momentum are those without on the mixed gradient. */
static void check_muon(const char *scale, bool nesterov, const double factors[TENSORS])
{
    struct ub_random r = ub_random_stream(4, "muon");
    char text[160];
    snprintf(text, sizeof text, "muon:lr=0.1,momentum=0.5,nesterov=%s,scale=%s,others=sign,decay=2",
             nesterov ? "true" : "false", scale);
    struct ub_optimizer *o = optimizer(text);
    struct ub_optimizer *plain = optimizer("muon:lr=1,momentum=0,scale=none,others=sign");
    double theta[SIZE] = {0}, expected[SIZE] = {0}, m[SIZE] = {0}, g[SIZE], mixed[SIZE];
    for (int t = 0; t < 3; t++) {
        double u[SIZE] = {0};
        fill(&r, SIZE, g);
        for (int i = 0; i < SIZE; i++) {
            m[i] = 0.5 * m[i] + g[i];
            mixed[i] = nesterov ? g[i] + 0.5 * m[i] : m[i];
        }
        ub_optimizer_step(plain, u, mixed);
        ub_optimizer_step(o, theta, g);
        for (int k = 0; k < TENSORS; k++)
            for (int64_t i = params[k].offset; i < params[k].offset + params[k].size; i++) {
                expected[i] += 0.1 * (factors[k] * u[i] - 2 * expected[i]);
                assert_near(theta[i], expected[i], 1e-12);
            }
    }
    ub_optimizer_free(o);
    ub_optimizer_free(plain);
}

static void muon_steps_by_its_options(void **state)
{
    (void)state;
    check_muon("none", true, (double[]){1, 1, 1, 1});
    check_muon("none", false, (double[]){1, 1, 1, 1});
    check_muon("tall", true, (double[]){sqrt(4 / 3.0), 1, 1, 1});
    check_muon("spectral", true, (double[]){sqrt(4 / 3.0), 1, sqrt(0.5), sqrt(0.75)});
    check_muon("rms", false, (double[]){0.4, 1, 0.4, 0.4});

    struct ub_optimizer *o =
        optimizer("muon:lr=2,momentum=0,scale=none,hidden-only=true,others=adam,adam-factor=0.5");
    double theta[SIZE] = {0}, g[SIZE];
    for (int i = 0; i < SIZE; i++)
        g[i] = i % 3 - 1.5;
    ub_optimizer_step(o, theta, g); /* Adam's first step is a sign */
    for (int i = 0; i < SIZE; i++)
        if (i < 15 || i >= 23)
            assert_near(theta[i], g[i] > 0 ? -1 : 1, 1e-8);
    assert_true(tiny_norm(8, theta + 15) > 0 && fabs(theta[15]) < 1.99);
    assert_true(isnan(ub_optimizer_threshold(o)));
    ub_optimizer_free(o);
}

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

/* ---- edges: descent over balls ---- */

static double change(const double *h, const double *from, const double *to)
{
    return (dense_form(SIZE, h, to) - dense_form(SIZE, h, from)) / 2;
}

static double step_change(struct ub_optimizer *o, const double *h, const double *x)
{
    double g[SIZE], y[SIZE];
    dense_product(SIZE, SIZE, 1, h, x, g);
    memcpy(y, x, sizeof y);
    ub_optimizer_step(o, y, g);
    return change(h, x, y);
}

/* With its factor the sharpness is at `ratio` times the threshold, at x. */
static void set_rate(struct ub_optimizer *o, const double *h, const double *x, double sharpness,
                     double ratio)
{
    double g[SIZE], factor;
    dense_product(SIZE, SIZE, 1, h, x, g);
    assert_non_null(o->kind->ball(o, g, &factor));
    o->base = o->lr = o->kind->rate_for(o, factor * sharpness) * ratio;
    assert_near(ub_optimizer_threshold(o), factor * sharpness / ratio, 1e-9 * factor * sharpness);
}

/* The ratio at which a step from the maximizer ceases to descend. */
static void check_turn(struct ub_optimizer *o, const double *h, const double *x, double sharpness)
{
    double low = 0.5, high = 2;
    char of[64];
    while (high - low > 1e-9) {
        const double middle = (low + high) / 2;
        set_rate(o, h, x, sharpness, middle);
        *(step_change(o, h, x) > 0 ? &high : &low) = middle;
    }
    snprintf(of, sizeof of, "edge %s", o->kind->name);
    assert_oracle(of, "where steps over the norm's ball cease to descend, quadratics, relative",
                  low - 1, 1e-3);
}

static void check_descents(const char *text, enum quadratic_kind kind, bool exact)
{
    struct ub_random r = ub_random_stream(11, text);
    struct ub_optimizer *o = optimizer(text);
    double *h = quadratic_new(SIZE, (enum quadratic_kind)kind), x[SIZE], factor;
    struct ub_operator a = ub_operator_dense(SIZE, h);
    fill(&r, SIZE, x);
    struct ub_ball_maximum *m = ub_ball_maximum_new(o->kind->ball(o, x, &factor));
    const struct ub_ball_result top = ub_ball_maximize(
        m, &a, &(struct ub_ball_effort){.starts = 300, .tolerance = 1e-10, .products = 1000000});
    assert_true(top.value > 0 && top.converged);
    int ascents = 0;
    char of[64];
    for (int k = 0; k < 300; k++) {
        fill(&r, SIZE, x);
        set_rate(o, h, x, top.value, 0.999);
        ascents += !(step_change(o, h, x) < 0);
    }
    snprintf(of, sizeof of, "edge %s", o->kind->name);
    assert_oracle(of, "300 steps on quadratics at 0.999 of it: ascents", ascents, 0);
    memcpy(x, top.direction, sizeof x); /* whose gradient has itself as the oracle's answer */
    set_rate(o, h, x, top.value, 0.999);
    assert_true(step_change(o, h, x) < 0);
    if (exact)
        check_turn(o, h, x, top.value);
    ub_ball_maximum_free(m);
    ub_operator_free(&a);
    ub_optimizer_free(o);
    ub_free(h);
}

static void descents_end_at_the_edge(void **state)
{
    (void)state;
    const char *const texts[] = {"signsgd:lr=1",     "signsgd:lr=1,scaled=true",
                                 "block-cd:lr=1",    "block-cd:lr=1,scaled=false",
                                 "spectral-gd:lr=1", "spectral-gd:lr=1,scaled=false"};
    for (int kind = RANDOM; kind <= ILL_CONDITIONED; kind++) {
        for (int k = 0; k < 6; k++)
            check_descents(texts[k], (enum quadratic_kind)kind, true);
        /* Newton-Schulz steps are no exact oracle: the bound holds, and need not be attained. */
        check_descents("muon:lr=1,momentum=0,others=sign", (enum quadratic_kind)kind, false);
        check_descents("muon:lr=1,momentum=0,others=euclidean,scale=spectral",
                       (enum quadratic_kind)kind, false);
    }
}

static void edges_that_are_not_known(void **state)
{
    (void)state;
    const char *const texts[] = {"muon:lr=1", "muon:lr=1,momentum=0", "muon:lr=1,others=sign",
                                 "muon:lr=1,others=sign,momentum=0,decay=1", "lion:lr=1"};
    for (int k = 0; k < 5; k++) {
        struct ub_optimizer *o = optimizer(texts[k]);
        double g[SIZE] = {1}, factor;
        assert_true(isnan(ub_optimizer_threshold(o)));
        assert_true(!o->kind->ball || !o->kind->ball(o, g, &factor));
        ub_optimizer_free(o);
    }
    struct ub_error err = {0};
    assert_null(ub_optimizer_new("muon:lr=edge(4)", SIZE, &err));
    assert_input_error(&err, "no learning rate");
    struct ub_optimizer *o = ub_optimizer_new("muon:lr=edge(4),momentum=0,others=sign", SIZE, &err);
    assert_near(ub_optimizer_threshold(o), 4, 1e-12);
    ub_optimizer_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descents_step_by_their_oracles),
        cmocka_unit_test(block_descent_moves_one_tensor),
        cmocka_unit_test(newton_schulz_is_its_polynomial),
        cmocka_unit_test(muon_steps_by_its_options),
        cmocka_unit_test(shampoo_is_its_kronecker_product),
        cmocka_unit_test(shampoo_with_limits),
        cmocka_unit_test(soap_knows_no_axes),
        cmocka_unit_test(soap_is_adam_in_the_given_basis),
        cmocka_unit_test(soap_finds_the_eigenbasis),
        cmocka_unit_test(roots_are_those_of_the_step),
        cmocka_unit_test(layout_aware_divergence_sets_in_at_the_edge),
        cmocka_unit_test(descents_end_at_the_edge),
        cmocka_unit_test(edges_that_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
