/* Predicted risks against simulations of what they predict, and the observables built on them. */
#include "observing.h"

#include "bench/spectra/eigenlearning.h"

enum { MOST = 200 };

/* Population risk of regression from n samples of D Gaussian features, by Cholesky of X X' + delta
 * I (n < D or delta > 0): |w - w*|^2 in the metric of the variances, plus the noise's. */
static double simulated(int n, int D, const double *variance, const double *w, double delta,
                        double noise, struct ub_random *r)
{
    static double X[MOST * MOST], K[MOST * MOST], a[MOST];
    double risk = noise * noise;
    for (int i = 0; i < n; i++) {
        a[i] = noise * ub_random_normal(r);
        for (int k = 0; k < D; k++) {
            X[i * D + k] = sqrt(variance[k]) * ub_random_normal(r);
            a[i] += w[k] * X[i * D + k];
        }
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            K[i * n + j] = tiny_dot(D, X + i * D, X + j * D) + (i == j ? delta : 0);
    assert_int_equal(LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', n, 1, K, n, a, 1), 0);
    for (int k = 0; k < D; k++) {
        double found = 0;
        for (int i = 0; i < n; i++)
            found += a[i] * X[i * D + k];
        risk += variance[k] * (found - w[k]) * (found - w[k]);
    }
    return risk;
}

static double mean_of(const double *x, int n, double *se)
{
    double mean = 0, square = 0;
    for (int i = 0; i < n; i++)
        mean += x[i] / n;
    for (int i = 0; i < n; i++)
        square += pow(x[i] - mean, 2) / (n - 1);
    *se = sqrt(square / n);
    return mean;
}

/* 60 draws each; the theory's own error at these sizes is O(1/n), 2%, beside 4 standard errors. */
static void risks_are_those_of_simulations(void **state)
{
    (void)state;
    enum { D = 150, DRAWS = 60 };
    static const struct {
        int n;
        double delta, noise;
    } cases[] = {{50, 0, 0}, {50, 0, 0.5}, {50, 2, 0.5}, {100, 0, 0.3}, {100, 0.5, 0.3}};
    double variance[D], w[D], square[D], risk[DRAWS], se;
    for (int k = 0; k < D; k++) {
        variance[k] = pow(k + 1, -0.8);
        w[k] = (k % 3 ? 1 : -1) * pow(k + 1, -0.4);
        square[k] = variance[k] * w[k] * w[k];
    }
    double worst = 0;
    struct ub_random r = ub_random_stream(1, "eigenlearning");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (int t = 0; t < DRAWS; t++)
            risk[t] = simulated(cases[c].n, D, variance, w, cases[c].delta, cases[c].noise, &r);
        const struct ub_eigenlearning e = ub_eigenlearning(
            variance, square, D, cases[c].n, cases[c].delta, cases[c].noise * cases[c].noise);
        const double mean = mean_of(risk, DRAWS, &se);
        print_message("n = %d, ridge %g, noise %g: simulated %.4f +- %.4f, predicted %.4f\n",
                      cases[c].n, cases[c].delta, cases[c].noise, mean, se, e.test);
        worst = fmax(worst, fabs(mean - e.test) / (0.005 * e.test + se));
    }
    assert_oracle("law eigenlearning",
                  "means of simulated regressions, in standard errors and O(1/n)", worst, 4);
}

/* Isotropic, no ridge: kappa = p/n - 1, L = n/p, E0 = p/(p - n), all by hand. */
static void of_isotropic_inputs_it_is_in_closed_form(void **state)
{
    (void)state;
    enum { P = 90 };
    double one[P], square[P];
    for (int k = 0; k < P; k++) {
        one[k] = 1;
        square[k] = 2.0 / P;
    }
    const double n = 30, p = P;
    struct ub_eigenlearning e = ub_eigenlearning(one, square, P, n, 0, 0.25);
    assert_near(e.kappa, p / n - 1, 1e-12);
    assert_near(e.overfitting, p / (p - n), 1e-12);
    assert_oracle("law eigenlearning", "the closed form of isotropic inputs",
                  e.test - p / (p - n) * (pow(1 - n / p, 2) * 2 + 0.25), 1e-12);
    assert_near(e.train, 0, 1e-24);
    e = ub_eigenlearning(one, square, P, 300, 0, 0.25); /* least squares: s^2 n/(n - p) */
    assert_near(e.kappa, 0, 0);
    assert_near(e.test, 0.25 * 300 / (300 - p), 1e-12);
    assert_near(e.train, 0.25 * (1 - p / 300), 1e-12);
    e = ub_eigenlearning(one, square, P, n, 7, 0.25); /* kappa (n - p/(1 + kappa)) = 7 */
    assert_near(e.kappa * (n - p / (1 + e.kappa)), 7, 1e-10);
    assert_near(e.train / e.test, pow(7 / (n * e.kappa), 2), 1e-12);
    assert_true(isnan(ub_eigenlearning(one, square, P, P, 0, 0.25).test));
    assert_true(isfinite(ub_eigenlearning(one, square, P, P, 1e-3, 0.25).test));
}

/* Excess risk of 3000 draws, exact in expectation: within 4 standard errors. */
static void isotropic_risks_are_exact_at_any_size(void **state)
{
    (void)state;
    enum { DRAWS = 3000 };
    static const int sizes[][2] = {{12, 20}, {12, 16}, {5, 40}};
    double worst = 0;
    double one[MOST], w[MOST], risk[DRAWS], se;
    struct ub_random r = ub_random_stream(2, "isotropic");
    for (int c = 0; c < 3; c++) {
        const int n = sizes[c][0], p = sizes[c][1];
        for (int k = 0; k < p; k++) {
            one[k] = 1;
            w[k] = sqrt(1.5 / p);
        }
        for (int t = 0; t < DRAWS; t++)
            risk[t] = simulated(n, p, one, w, 0, 0.5, &r) - 0.25;
        const double mean = mean_of(risk, DRAWS, &se), exact = ub_isotropic_excess(n, p, 1.5, 0.25);
        print_message("n = %d, p = %d: simulated %.4f +- %.4f, exact %.4f\n", n, p, mean, se,
                      exact);
        worst = fmax(worst, fabs(mean - exact) / se);
    }
    /* Of more samples than features: s^2 E tr (X'X)^-1, the trace by singular values of X. */
    double traces[DRAWS];
    for (int t = 0; t < DRAWS; t++) {
        double X[20 * 8], s[8], none[1], superb[8];
        for (int i = 0; i < 20 * 8; i++)
            X[i] = ub_random_normal(&r);
        assert_int_equal(
            LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', 20, 8, X, 8, s, none, 1, none, 8, superb),
            0);
        traces[t] = 0;
        for (int k = 0; k < 8; k++)
            traces[t] += 1 / (s[k] * s[k]);
    }
    const double mean = mean_of(traces, DRAWS, &se);
    worst = fmax(worst, fabs(mean - ub_isotropic_excess(20, 8, 3, 1)) / se);
    assert_oracle("law double-descent",
                  "means of simulated least squares either side of the peak, in standard errors",
                  worst, 4);
    assert_true(isinf(ub_isotropic_excess(20, 20, 1, 0.1)));
    assert_true(isinf(ub_isotropic_excess(20, 21, 1, 0.1)));
}

/* ---- observables ---- */

static struct fixture solved(const char *dataset, const char *model, const char *init,
                             const char *optimizer)
{
    struct ub_error err = {0};
    struct fixture f = {.data = ub_dataset_load(dataset, 3, NULL, &err)};
    if (f.data)
        f.problem = ub_problem_new(&(struct ub_problem_spec){.model = model,
                                                             .loss = "mse",
                                                             .init = init,
                                                             .data = f.data,
                                                             .precision = UB_F64,
                                                             .threads = 1},
                                   &err);
    f.size = f.problem ? ub_problem_size(f.problem) : 0;
    f.optimizer = f.problem ? ub_optimizer_new(optimizer, f.size, &err) : NULL;
    if (!f.optimizer ||
        !ub_optimizer_attach(f.optimizer, &(struct ub_training){f.problem, 1, 3}, &err))
        fail_msg("%s", err.text);
    f.theta = ub_calloc((size_t)f.size, sizeof *f.theta);
    f.theta0 = ub_calloc((size_t)f.size, sizeof *f.theta0);
    f.grad = ub_calloc((size_t)f.size, sizeof *f.grad);
    f.recorded = ub_calloc(1, sizeof *f.recorded);
    ub_problem_init(f.problem, 3, f.theta);
    memcpy(f.theta0, f.theta, (size_t)f.size * sizeof *f.theta);
    ub_problem_gradient(f.problem, f.theta, f.grad);
    ub_optimizer_step(f.optimizer, f.theta, f.grad);
    return f;
}

static void solved_free(struct fixture *f)
{
    ub_optimizer_free(f->optimizer);
    ub_problem_free(f->problem);
    ub_dataset_free(f->data);
    ub_free(f->theta);
    ub_free(f->theta0);
    ub_free(f->grad);
    ub_free(f->recorded);
}

static bool observe(struct fixture *f, const char *text, struct ub_error *err)
{
    struct ub_observers *o = ub_observers_new(&text, 1, "test", err);
    if (!o)
        fail_msg("%s", err->text);
    struct ub_record record = {.context = f->recorded, .add = add_row, .fact = add_fact};
    const struct ub_moment moment = {.step = 1,
                                     .theta = f->theta,
                                     .grad = f->grad,
                                     .problem = f->problem,
                                     .optimizer = f->optimizer,
                                     .theta0 = f->theta0};
    const bool good = ub_observers_measure(o, &moment, 1, &record, err);
    ub_observers_free(o);
    return good;
}

static void planted_modes_are_those_of_the_data(void **state)
{
    (void)state;
    enum { D = 40 };
    struct ub_error err = {0};
    struct fixture f = solved("gaussian:features=40,samples=15,alpha=1.1,beta=0.3,noise=0.4",
                              "linear:bias=false", "lecun:gain=0", "ridge:ridge=0.7");
    double value[D], square[D], sum = 0;
    for (int k = 0; k < D; k++) {
        value[k] = pow(k + 1, -1.1);
        square[k] = pow(k + 1, -1.1 - 0.6);
        sum += square[k];
    }
    for (int k = 0; k < D; k++)
        square[k] /= sum;
    const struct ub_eigenlearning e = ub_eigenlearning(value, square, D, 15, 0.7, 0.16);
    assert_true(observe(&f, "predicted-risk:modes=3", &err));
    assert_oracle("observable predicted-risk", "eigenlearning of the planted spectrum",
                  value_of(f.recorded, 1, "predicted-risk", 0) - e.test, 1e-9);
    assert_near(value_of(f.recorded, 1, "predicted-train-risk", 0), e.train, 1e-9);
    assert_near(value_of(f.recorded, 1, "predicted-learnability", 2),
                value[2] / (value[2] + e.kappa), 1e-9);
    assert_int_equal(count_rows(f.recorded, "predicted-learnability"), 3);
    f.recorded->n_rows = 0;
    assert_true(observe(&f, "predicted-risk:order=shuffled", &err));
    assert_true(value_of(f.recorded, 1, "predicted-risk", 0) > 1.5 * e.test);
    solved_free(&f);
}

/* From 1500 test samples the eigenvalues of 30 features are good to sqrt(2/1500) = 4%; the risk, a
 * mean over them, to less: 3%. */
static void sampled_modes_tend_to_the_planted_ones(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct fixture f =
        solved("gaussian:features=30,samples=15,test-samples=1500,noise=0.3,outputs=2",
               "linear:bias=false", "lecun:gain=0", "ridge:ridge=0.1");
    assert_true(observe(&f, "predicted-risk", &err));
    const double planted = value_of(f.recorded, 1, "predicted-risk", 0);
    f.recorded->n_rows = 0;
    assert_true(observe(&f, "predicted-risk:eigenvalues=sampled", &err));
    const double sampled = value_of(f.recorded, 1, "predicted-risk", 0);
    assert_oracle("observable predicted-risk", "sampled eigenvalues: the planted ones'",
                  sampled / planted - 1, 0.03);
    solved_free(&f);
}

static void check_silence(const char *data, const char *model, const char *init, const char *text)
{
    struct ub_error err = {0};
    struct fixture f = solved(data, model, init, "gd:lr=0.01");
    if (!observe(&f, text, &err))
        fail_msg("%s", err.text);
    if (f.recorded->n_rows != 0)
        fail_msg("%s of %s on %s has %zu rows", text, model, data, f.recorded->n_rows);
    solved_free(&f);
}

static void predictions_that_do_not_apply_are_left_out(void **state)
{
    (void)state;
    static const char gaussian[] = "gaussian:samples=9,features=4,test-samples=20";
    check_silence("teacher-student:samples=9", "linear:bias=false", "lecun:gain=0",
                  "predicted-risk");
    check_silence(gaussian, "linear:bias=true", "lecun:gain=0", "predicted-risk");
    check_silence(gaussian, "mlp:widths=4", "lecun", "predicted-risk");
    check_silence(gaussian, "linear:bias=false", "lecun", "predicted-risk"); /* not from zero */
    check_silence("gaussian:samples=9", "linear", "lecun", "predicted-risk:eigenvalues=sampled");
    check_silence("gaussian:samples=9,test-samples=9,outputs=2", "mlp:widths=4", "lecun",
                  "predicted-risk:eigenvalues=sampled"); /* kernels of their own */
}

/* (W - W*)' Lambda (W - W*) by hand: test samples give it to their error, 5 of them. */
static void excess_risk_is_the_distance_to_the_teacher(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct fixture f = solved("gaussian:features=12,samples=20,alpha=0,beta=0,noise=0.5,"
                              "test-samples=4000",
                              "linear:bias=false", "lecun:gain=0", "ridge");
    const struct ub_planted *p = f.data->population;
    double exact = 0;
    for (int k = 0; k < 12; k++)
        exact += p->variance[k] * pow(f.theta[k] - p->coefficient[k], 2);
    assert_true(observe(&f, "excess-risk", &err));
    const struct ub_row *row = find_row(f.recorded, 1, "excess-risk", 0);
    assert_non_null(row);
    assert_true(row->error < 0.1 * exact);
    assert_oracle("observable excess-risk",
                  "the distance to the teacher in the metric of the inputs, in intervals",
                  (row->value - exact) / row->error, 2.5); /* 5 standard errors */
    assert_near(value_of(f.recorded, 1, "isotropic-excess-risk", 0), 0.25 * 12 / (20 - 12 - 1),
                1e-12);
    solved_free(&f);
    f = solved("gaussian:features=12,samples=20,alpha=1,test-samples=40", "linear", "lecun",
               "ridge");
    assert_true(observe(&f, "excess-risk", &err));
    assert_int_equal(count_rows(f.recorded, "isotropic-excess-risk"), 0);
    solved_free(&f);
    f = solved("digits:size=20,test=0.5", "linear", "lecun", "ridge"); /* nothing is known */
    assert_true(observe(&f, "excess-risk", &err));
    assert_int_equal(f.recorded->n_rows, 0);
    solved_free(&f);
}

/* The sum is n without a ridge; with one, the sum over eigenvalues of X X' that the test finds by
 * itself. Targets do not sum to it where they are no basis. */
static void learnabilities_sum_to_the_samples(void **state)
{
    (void)state;
    static const char *const models[] = {
        "linear:bias=false", "random-features:width=60,activation=tanh,zero-readout=true"};
    struct ub_error err = {0};
    for (int k = 0; k < 2; k++) {
        struct fixture f = solved("gaussian:features=30,alpha=0.5,samples=12,test-samples=20,"
                                  "target=basis",
                                  models[k], k ? "lecun" : "lecun:gain=0", "ridge");
        assert_true(observe(&f, "learnability", &err));
        const double sum = value_of(f.recorded, 1, "learnability-sum", 0);
        assert_oracle("law learnability-sum, observable learnability",
                      k ? "the number of samples, random features"
                        : "the number of samples, a linear kernel",
                      sum - 12, 1e-10);
        assert_near(value_of(f.recorded, 1, "predicted-learnability-sum", 0), 12, 1e-6);
        assert_int_equal(count_rows(f.recorded, "learnability"), 32);
        solved_free(&f);
    }
    struct fixture f =
        solved("gaussian:features=30,alpha=0.5,samples=12,test-samples=20,target=basis",
               "linear:bias=false", "lecun:gain=0", "ridge:ridge=5");
    double K[12 * 12], value[12], expected = 0;
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < 12; j++)
            K[i * 12 + j] =
                tiny_dot(30, f.data->train.inputs + i * 30, f.data->train.inputs + j * 30);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', 12, K, 12, value), 0);
    for (int i = 0; i < 12; i++)
        expected += value[i] / (value[i] + 5);
    assert_true(observe(&f, "learnability", &err));
    assert_oracle("law learnability-sum, observable learnability",
                  "with a ridge: the sum over dense eigenvalues of the kernel",
                  value_of(f.recorded, 1, "learnability-sum", 0) - expected, 1e-10);
    assert_near(value_of(f.recorded, 1, "predicted-learnability-sum", 0), expected, 1e-10);
    assert_true(expected < 11);
    solved_free(&f);
    f = solved("gaussian:samples=12,test-samples=20", "linear", "lecun:gain=0", "ridge");
    assert_true(observe(&f, "learnability", &err));
    assert_int_equal(count_rows(f.recorded, "learnability"), 1);
    assert_int_equal(count_rows(f.recorded, "learnability-sum"), 0);
    solved_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(risks_are_those_of_simulations),
        cmocka_unit_test(of_isotropic_inputs_it_is_in_closed_form),
        cmocka_unit_test(isotropic_risks_are_exact_at_any_size),
        cmocka_unit_test(planted_modes_are_those_of_the_data),
        cmocka_unit_test(sampled_modes_tend_to_the_planted_ones),
        cmocka_unit_test(predictions_that_do_not_apply_are_left_out),
        cmocka_unit_test(excess_risk_is_the_distance_to_the_teacher),
        cmocka_unit_test(learnabilities_sum_to_the_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
