/* Central flows and their semidefinite program against solutions known otherwise.
 *
 * The flow: on L(a, b) = (ab - t)^2/2 every derivative is a polynomial and the sharpness of P^-1 H
 * is the larger root of a quadratic. With one direction at the edge the complementarity problem is
 * a quotient: the oscillation's variance is what makes the sharpness stand still. That ordinary
 * differential equation is integrated here anew, in steps a hundred times finer. For gd it is the
 * projected gradient flow that self-stabilization predicts (Damian, Nichani and Lee 2022,
 * arXiv:2209.15594; Cohen, Damian et al. 2024, arXiv:2410.24206). */
#include "observing.h"

#include "bench/observables/flow.h"
#include "bench/observables/semidefinite.h"

static const double target = 2;

enum rule { GD, SCALAR_RMSPROP, RMSPROP };

struct toy {
    enum rule rule;
    double lr, gamma;
    double w[2], nu[2]; /* nu: one for scalar-rmsprop */
};

struct mode { /* the top eigenpair of P^-1 H; u'Pu = 1 */
    double sharpness, u[2], P[2], H[3];
};

static struct mode mode_of(const struct toy *z)
{
    const double a = z->w[0], b = z->w[1];
    struct mode m = {.P = {1, 1}, .H = {b * b, 2 * a * b - target, a * a}};
    for (int i = 0; i < 2 && z->rule != GD; i++)
        m.P[i] = sqrt(z->nu[z->rule == RMSPROP ? i : 0]);
    const double x = m.H[0] / m.P[0], y = m.H[1] / sqrt(m.P[0] * m.P[1]), d = m.H[2] / m.P[1];
    m.sharpness = (x + d) / 2 + hypot((x - d) / 2, y);
    const double size = hypot(y, m.sharpness - x);
    m.u[0] = y / size / sqrt(m.P[0]);
    m.u[1] = (m.sharpness - x) / size / sqrt(m.P[1]);
    return m;
}

/* d z/dt with variance s of the oscillation along u, that is S = s u u'. */
static struct toy rate_of(const struct toy *z, double s)
{
    const struct mode m = mode_of(z);
    const double a = z->w[0], b = z->w[1], u = m.u[0], v = m.u[1], residual = a * b - target;
    const double g[2] = {residual * b, residual * a};
    const double pull[2] = {2 * b * u * v + a * v * v, b * u * u + 2 * a * u * v};
    const double hu[2] = {m.H[0] * u + m.H[1] * v, m.H[1] * u + m.H[2] * v};
    struct toy rate = {0};
    double total = 0;
    for (int i = 0; i < 2; i++) {
        rate.w[i] = -z->lr * (g[i] + s * pull[i]) / m.P[i];
        rate.nu[i] = z->gamma * (g[i] * g[i] + s * hu[i] * hu[i] - z->nu[i]);
        total += g[i] * g[i] + s * hu[i] * hu[i];
    }
    if (z->rule == SCALAR_RMSPROP)
        rate.nu[0] = z->gamma * (total - z->nu[0]);
    return rate;
}

static struct toy moved(const struct toy *z, const struct toy *rate, double time)
{
    struct toy next = *z;
    for (int i = 0; i < 2; i++) {
        next.w[i] += time * rate->w[i];
        next.nu[i] += time * rate->nu[i];
    }
    return next;
}

static double sharpening(const struct toy *z, double s)
{
    const double h = 1e-5;
    const struct toy rate = rate_of(z, s);
    const struct toy ahead = moved(z, &rate, h), behind = moved(z, &rate, -h);
    return (mode_of(&ahead).sharpness - mode_of(&behind).sharpness) / (2 * h);
}

/* Below the edge nothing oscillates; at it the sharpness, affine in s, must not rise. */
static double variance_of(const struct toy *z)
{
    if (mode_of(z).sharpness < 2 / z->lr)
        return 0;
    const double free = sharpening(z, 0);
    return free > 0 ? free / (free - sharpening(z, 1)) : 0;
}

static void integrate(struct toy *z, double time, int64_t count)
{
    for (int64_t k = 0; k < count; k++) {
        const struct toy rate = rate_of(z, variance_of(z));
        *z = moved(z, &rate, time / (double)count);
    }
}

static struct fixture toy_fixture(const struct toy *z, const char *optimizer)
{
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 1, 0, 1, 1);
    data->train.inputs[0] = 1;
    data->train.targets[0] = target;
    struct fixture f = fixture_of(data, "scalar-chain:depth=2,start=0", "mse", optimizer);
    memcpy(f.theta, z->w, sizeof z->w);
    if (z->rule != GD) {
        f.optimizer->state[0] = z->nu[0];
        if (z->rule == RMSPROP)
            f.optimizer->state[1] = z->nu[1];
        f.optimizer->steps = 1;
    }
    return f;
}

static void check_toy(struct toy z, const char *optimizer, int64_t steps)
{
    enum { SUBSTEPS = 400 };
    struct fixture f = toy_fixture(&z, optimizer);
    struct ub_error err = {0};
    struct ub_flow *flow = ub_flow_new(f.problem, f.optimizer, f.theta, 2, SUBSTEPS, true, &err);
    const double start = mode_of(&z).sharpness;
    int64_t oscillated = 0;
    double path = 0, spread = 0;
    if (!flow)
        fail_msg("%s", err.text);
    assert_true(start < 0.97 * 2 / z.lr); /* it begins below the edge, so there is a crossing */
    for (int64_t t = 0; t < steps; t++) {
        assert_true(ub_flow_advance(flow, 1));
        integrate(&z, 1, 100 * SUBSTEPS);
        const struct mode m = mode_of(&z);
        const double *w = ub_flow_theta(flow), s = variance_of(&z);
        path = fmax(path, fmax(fabs(w[0] - z.w[0]), fabs(w[1] - z.w[1])));
        assert_near(ub_flow_sharpness(flow) * z.lr / 2, m.sharpness * z.lr / 2, 4e-3);
        if (ub_flow_state(flow).rank == 0 || s == 0)
            continue;
        oscillated++;
        /* The edge is held to second order in the substep. */
        assert_near(ub_flow_sharpness(flow) * z.lr / 2, 1, 1e-6);
        const double variance = s * (m.u[0] * m.u[0] + m.u[1] * m.u[1]);
        spread =
            fmax(spread, fabs(ub_flow_state(flow).variance - variance) / (0.02 * variance + 1e-4));
        assert_near(ub_flow_state(flow).excess, 0.5 * s * m.sharpness,
                    0.01 * s * m.sharpness + 1e-3);
    }
    assert_true(oscillated >= 2);
    assert_oracle("law central-flow, observable central-flow",
                  "two weights: the flow written out, in Euler's steps", path, 4e-3);
    assert_oracle("law central-flow, observable central-flow",
                  "its variance written out, within 2% of it", spread, 1);
    ub_flow_free(flow);
    fixture_free(&f);
}

static void gd_flows_along_its_edge(void **state)
{
    (void)state;
    check_toy((struct toy){.rule = GD, .lr = 0.285, .w = {2.5, 0.1}}, "gd:lr=0.285", 8);
    check_toy((struct toy){.rule = GD, .lr = 0.5, .w = {1.5, 0.2}}, "gd:lr=0.5", 8);
}

static void scalar_rmsprop_flows_along_its_edge(void **state)
{
    (void)state;
    check_toy(
        (struct toy){
            .rule = SCALAR_RMSPROP, .lr = 0.2, .gamma = 0.1 / 0.9, .w = {2.5, 0.1}, .nu = {1}},
        "scalar-rmsprop:beta=0.9,lr=0.2", 25);
}

static void rmsprop_flows_along_its_edge(void **state)
{
    (void)state;
    check_toy(
        (struct toy){
            .rule = RMSPROP, .lr = 0.2, .gamma = 0.1 / 0.9, .w = {2.5, 0.1}, .nu = {1, 1.5}},
        "rmsprop:beta=0.9,lr=0.2", 25);
}

/* ---- the semidefinite program ---- */

enum { MOST_K = 3, MOST_M = MOST_K * (MOST_K + 1) / 2 };

static void multiply(int64_t k, const double *left, const double *right, double *out)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++) {
            out[i * k + j] = 0;
            for (int64_t l = 0; l < k; l++)
                out[i * k + j] += left[i * k + l] * right[l * k + j];
        }
}

/* x = Q diag(+, 0) Q' of this rank and z = Q diag(0, +) Q': complementary. */
static void complementary_pair(struct ub_random *r, int64_t k, int64_t rank, double *x, double *z)
{
    double basis[MOST_K * MOST_K], values[MOST_K], X[MOST_K * MOST_K] = {0};
    double Z[MOST_K * MOST_K] = {0};
    struct ub_error err = {0};
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i; j < k; j++)
            basis[i * k + j] = basis[j * k + i] = ub_random_normal(r);
    assert_true(ub_eigen_dense(k, basis, values, true, &err));
    for (int64_t e = 0; e < k; e++) {
        const double size = 0.5 + ub_random_uniform(r);
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < k; j++)
                (e < rank ? X : Z)[i * k + j] += size * basis[e * k + i] * basis[e * k + j];
    }
    ub_semidefinite_pack(k, X, x);
    ub_semidefinite_pack(k, Z, z);
}

static void known_solutions_are_found(void **state)
{
    struct ub_random r = ub_random_stream(0, "known solutions");
    (void)state;
    for (int64_t k = 1; k <= MOST_K; k++)
        for (int64_t rank = 0; rank <= k; rank++)
            for (int trial = 0; trial < 10; trial++) {
                const int64_t m = ub_semidefinite_size(k);
                double root[MOST_M * MOST_M], turned[MOST_M * MOST_M], A[MOST_M * MOST_M];
                double x[MOST_M], z[MOST_M], q[MOST_M], found[MOST_M] = {0};
                complementary_pair(&r, k, rank, x, z);
                for (int64_t i = 0; i < m; i++)
                    for (int64_t j = 0; j < m; j++)
                        turned[j * m + i] = root[i * m + j] = ub_random_normal(&r) + 2 * (i == j);
                multiply(m, root, turned, A);
                for (int64_t i = 0; i < m; i++) {
                    q[i] = -z[i];
                    for (int64_t j = 0; j < m; j++)
                        q[i] += A[i * m + j] * x[j];
                }
                assert_true(ub_semidefinite_solve(k, A, q, found) < 1e-8);
                for (int64_t i = 0; i < m; i++)
                    assert_near(found[i], x[i], 1e-4);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gd_flows_along_its_edge),
        cmocka_unit_test(scalar_rmsprop_flows_along_its_edge),
        cmocka_unit_test(rmsprop_flows_along_its_edge),
        cmocka_unit_test(known_solutions_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
