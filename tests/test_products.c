/* Products with the Jacobian, the Gauss-Newton matrix and the gradients' second moment, for every
 * model of the registry, against differences and against their definitions; and mini-batches. */
#include "kinds.h"
#include "support.h"

struct subject {
    const struct ub_dataset *data;
    const char *model;
    bool softmax, coupled;
    struct ub_problem *problem;
    int64_t n, z; /* parameters; outputs of all samples */
    double *theta, *v, *u;
};

static struct subject subject_new(const struct ub_dataset *data, const char *model,
                                  const char *loss)
{
    struct subject s = {.data = data, .model = model, .softmax = strcmp(loss, "ce") == 0};
    s.problem = tiny_problem(data, model, loss);
    assert_non_null(s.problem);
    s.n = ub_problem_size(s.problem);
    s.z = data->train.count * ub_positions(data) * data->outputs;
    s.theta = ub_calloc((size_t)s.n, sizeof *s.theta);
    ub_problem_init(s.problem, 3, s.theta);
    s.v = tiny_normals(s.n, "v");
    s.u = tiny_normals(s.z, "u");
    s.coupled = strstr(model, "resnet") || strstr(model, "norm=batch");
    ub_problem_linearize(s.problem, s.theta);
    return s;
}

static void subject_free(struct subject *s)
{
    ub_problem_free(s->problem);
    ub_free(s->theta);
    ub_free(s->v);
    ub_free(s->u);
}

static void check(const struct subject *s, const char *what, int64_t n, const double *got,
                  const double *expected, double tolerance)
{
    const double error = tiny_error(n, got, expected);
    if (!(error < tolerance))
        fail_msg("%s of %s: off by %.3g", what, s->model, error);
}

/* ---- Jacobian ---- */

/* Fourth-order central differences of the outputs along v. */
static void differences(const struct subject *s, double *out)
{
    const double h = 1e-3 / tiny_norm(s->n, s->v), place[] = {-2, -1, 1, 2};
    const double weight[] = {1, -8, 8, -1};
    double *at = ub_calloc((size_t)s->n, sizeof *at), *z = ub_calloc((size_t)s->z, sizeof *z);
    memset(out, 0, (size_t)s->z * sizeof *out);
    for (int k = 0; k < 4; k++) {
        for (int64_t i = 0; i < s->n; i++)
            at[i] = s->theta[i] + place[k] * h * s->v[i];
        ub_problem_outputs(s->problem, at, z);
        for (int64_t i = 0; i < s->z; i++)
            out[i] += weight[k] * z[i] / (12 * h);
    }
    ub_free(at);
    ub_free(z);
}

static void check_jacobian(const struct subject *s)
{
    double *jv = ub_calloc((size_t)s->z, sizeof *jv), *ju = ub_calloc((size_t)s->n, sizeof *ju);
    double *expected = ub_calloc((size_t)s->z, sizeof *expected);
    differences(s, expected);
    ub_problem_jvp(s->problem, 1, s->v, jv);
    check(s, "Jv", s->z, jv, expected, 1e-6);
    ub_problem_vjp(s->problem, 1, s->u, ju);
    const double left = tiny_dot(s->z, s->u, jv), right = tiny_dot(s->n, ju, s->v);
    if (!(fabs(left - right) < 1e-11 * (tiny_norm(s->z, s->u) * tiny_norm(s->z, jv) + 1e-9)))
        fail_msg("%s: u'(Jv) = %.15g, (J'u)'v = %.15g", s->model, left, right);
    ub_free(jv);
    ub_free(ju);
    ub_free(expected);
}

/* ---- Gauss-Newton ---- */

/* One position's Hessian of the loss times t: t itself, or p (t - p't) for the softmax p of z. */
static void curve(const struct subject *s, const double *z, const double *t, double weight,
                  double *out)
{
    const int64_t k = s->data->outputs;
    double most = -INFINITY, total = 0, mean = 0;
    for (int64_t j = 0; j < k; j++)
        most = fmax(most, z[j]);
    for (int64_t j = 0; j < k; j++)
        total += exp(z[j] - most);
    for (int64_t j = 0; j < k; j++)
        mean += exp(z[j] - most) / total * t[j];
    for (int64_t j = 0; j < k; j++)
        out[j] = weight * (s->softmax ? exp(z[j] - most) / total * (t[j] - mean) : t[j]);
}

/* The loss' Hessian in the outputs times t, by hand: means over samples, and over a sample's
 * positions that are asked for. */
static void curve_all(const struct subject *s, const double *t, double *out)
{
    const int64_t count = s->data->train.count, positions = ub_positions(s->data);
    double *z = ub_calloc((size_t)s->z, sizeof *z);
    ub_problem_outputs(s->problem, s->theta, z);
    for (int64_t i = 0; i < count; i++) {
        const int32_t *labels = positions > 1 ? s->data->train.labels : NULL;
        labels = labels ? labels + i * positions : NULL; /* -1: not asked for */
        int64_t asked = 0;
        for (int64_t k = 0; k < positions; k++)
            asked += !labels || labels[k] >= 0;
        for (int64_t k = 0; k < positions; k++) {
            const int64_t at = (i * positions + k) * s->data->outputs;
            const double weight = 1.0 / (double)(count * asked);
            curve(s, z + at, t + at, labels && labels[k] < 0 ? 0 : weight, out + at);
        }
    }
    ub_free(z);
}

static void check_gauss_newton(const struct subject *s)
{
    double *t = ub_calloc((size_t)s->z, sizeof *t), *ht = ub_calloc((size_t)s->z, sizeof *ht);
    double *got = ub_calloc((size_t)s->n, sizeof *got);
    double *expected = ub_calloc((size_t)s->n, sizeof *expected);
    ub_problem_jvp(s->problem, 1, s->v, t);
    curve_all(s, t, ht);
    ub_problem_vjp(s->problem, 1, ht, expected);
    ub_problem_product(s->problem, UB_GAUSS_NEWTON, 1, s->v, got);
    check(s, "Gauss-Newton product", s->n, got, expected, 1e-10);
    assert_true(tiny_dot(s->n, s->v, got) >= 0);
    ub_free(t);
    ub_free(ht);
    ub_free(got);
    ub_free(expected);
}

/* ---- gradients of samples and items ---- */

/* Mean over items of g (g'v): each item's gradient from its slope in the outputs. */
static void item_moment(const struct subject *s, double *moment)
{
    double *z = ub_calloc((size_t)s->z, sizeof *z), *u = ub_calloc((size_t)s->z, sizeof *u);
    double *g = ub_calloc((size_t)s->n, sizeof *g);
    const int64_t k = s->data->outputs;
    ub_problem_outputs(s->problem, s->theta, z);
    memset(moment, 0, (size_t)s->n * sizeof *moment);
    for (int64_t i = 0; i < s->z / k; i++) {
        if (!kinds_asked(s->data, i))
            continue;
        kinds_slope(s->data, s->softmax, z, i, u + i * k);
        ub_problem_vjp(s->problem, 1, u, g);
        const double along = kinds_share(s->data, i) * tiny_dot(s->n, g, s->v);
        for (int64_t a = 0; a < s->n; a++)
            moment[a] += along * g[a];
        memset(u + i * k, 0, (size_t)k * sizeof *u);
    }
    ub_free(z);
    ub_free(u);
    ub_free(g);
}

/* Each sample's gradient, from a batch of that sample alone: mean of g, and mean of g (g'v). */
static void sample_gradients(const struct subject *s, double *mean, double *moment)
{
    struct ub_error err = {0};
    struct ub_problem *one = ub_problem_batch_new(s->problem, 1, &err);
    double *g = ub_calloc((size_t)s->n, sizeof *g);
    assert_non_null(one);
    for (int64_t i = 0; i < s->data->train.count; i++) {
        ub_problem_take(one, &i);
        ub_problem_gradient(one, s->theta, g);
        const double along = tiny_dot(s->n, g, s->v);
        for (int64_t k = 0; k < s->n; k++) {
            mean[k] += g[k] / (double)s->data->train.count;
            moment[k] += along * g[k] / (double)s->data->train.count;
        }
    }
    ub_free(g);
    ub_problem_free(one);
}

static void check_moment(const struct subject *s)
{
    double *mean = ub_calloc((size_t)s->n, sizeof *mean), *got = ub_calloc((size_t)s->n, 8);
    double *moment = ub_calloc((size_t)s->n, sizeof *moment);
    ub_problem_product(s->problem, UB_GRADIENT_MOMENT, 1, s->v, got);
    item_moment(s, moment);
    check(s, "product with the items' moment", s->n, got, moment, 1e-10);
    if (!s->coupled) { /* a sample's loss is its own */
        memset(moment, 0, (size_t)s->n * sizeof *moment);
        sample_gradients(s, mean, moment);
        if (ub_positions(s->data) == 1)
            check(s, "product with the samples' moment", s->n, got, moment, 1e-10);
        ub_problem_gradient(s->problem, s->theta, got);
        check(s, "mean gradient of batches", s->n, mean, got, 1e-11);
    }
    ub_free(mean);
    ub_free(got);
    ub_free(moment);
}

/* ---- blocks ---- */

enum { MANY = 11 };

typedef void product(struct ub_problem *p, int64_t count, const double *in, double *out);

static void gauss_newton(struct ub_problem *p, int64_t count, const double *in, double *out)
{
    ub_problem_product(p, UB_GAUSS_NEWTON, count, in, out);
}

static void moment(struct ub_problem *p, int64_t count, const double *in, double *out)
{
    ub_problem_product(p, UB_GRADIENT_MOMENT, count, in, out);
}

/* Eleven at once are what each is alone. */
static void check_blocks(const struct subject *s, const char *what, product *apply, int64_t from,
                         int64_t to)
{
    double *in = tiny_normals(MANY * from, "block"), *out = ub_calloc((size_t)(MANY * to), 8);
    double *alone = ub_calloc((size_t)to, sizeof *alone);
    apply(s->problem, MANY, in, out);
    for (int k = 0; k < MANY; k++) {
        apply(s->problem, 1, in + k * from, alone);
        check(s, what, to, out + k * to, alone, 1e-10);
    }
    ub_free(in);
    ub_free(out);
    ub_free(alone);
}

static void check_model(const struct ub_dataset *data, const char *model, const char *loss)
{
    struct subject s = subject_new(data, model, loss);
    check_jacobian(&s);
    check_gauss_newton(&s);
    check_moment(&s);
    check_blocks(&s, "block of Jv", ub_problem_jvp, s.n, s.z);
    check_blocks(&s, "block of J'u", ub_problem_vjp, s.z, s.n);
    check_blocks(&s, "block of Gauss-Newton", gauss_newton, s.n, s.n);
    check_blocks(&s, "block of the moment", moment, s.n, s.n);
    subject_free(&s);
}

static void every_registered_model(void **state)
{
    (void)state;
    struct ub_dataset *sets[KINDS];
    for (int k = 0; k < KINDS; k++)
        sets[k] = kinds_dataset(k);
    for (size_t m = 0; ub_models[m]; m++) {
        char model[128];
        int fitting = 0;
        kinds_smooth(ub_models[m], model);
        for (int k = 0; k < KINDS && fitting < 2; k++) {
            if (!kinds_takes(ub_models[m], sets[k]))
                continue;
            const bool classes = sets[k]->task == UB_CLASSIFICATION;
            check_model(sets[k], model, classes && fitting++ == 0 ? "ce" : "mse");
        }
    }
    for (int k = 0; k < KINDS; k++)
        tiny_free(sets[k]);
}

/* Chunks that are filled up: more samples than a chunk takes, and no multiple of it. */
static void padding_counts_for_nothing(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 2003, 0, 3, 3);
    check_model(data, "mlp:widths=6x5,activation=tanh", "ce");
    tiny_free(data);
}

/* ---- H = G where the outputs are linear in the parameters ---- */

static void linear_models_have_no_residual(void **state)
{
    (void)state;
    static const char *const models[] = {"linear", "random-features:width=8"};
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 9, 0, 4, 3);
    for (int m = 0; m < 2; m++) {
        struct subject s = subject_new(data, models[m], "ce");
        double *h = ub_calloc((size_t)s.n, sizeof *h), *g = ub_calloc((size_t)s.n, sizeof *g);
        ub_problem_hvp(s.problem, 1, s.v, h);
        ub_problem_product(s.problem, UB_GAUSS_NEWTON, 1, s.v, g);
        check(&s, "Hessian", s.n, h, g, 1e-12);
        assert_int_equal(ub_problem_products(s.problem, UB_GAUSS_NEWTON), 1);
        assert_int_equal(ub_problem_hvps(s.problem), 1);
        ub_free(h);
        ub_free(g);
        subject_free(&s);
    }
    tiny_free(data);
}

/* ---- batches ---- */

/* A batch of all samples is the whole; another batch is the mean over what it holds, repeats
 * counted, and a linearisation is of the samples taken last. */
static void batches_hold_what_they_take(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 7, 3, 4, 3);
    struct subject s = subject_new(data, "mlp:widths=6,activation=tanh", "ce");
    struct ub_error err = {0};
    const int64_t all[] = {0, 1, 2, 3, 4, 5, 6}, some[] = {5, 2, 5, 0, 6, 1, 5};
    struct ub_problem *b = ub_problem_batch_new(s.problem, 7, &err);
    double *got = ub_calloc((size_t)s.n, sizeof *got), *sum = ub_calloc((size_t)s.n, sizeof *sum);
    double *one = ub_calloc((size_t)s.n, sizeof *one);
    ub_problem_gradient(s.problem, s.theta, sum);
    assert_near(ub_problem_gradient(b, s.theta, got), ub_problem_loss(s.problem, s.theta), 1e-15);
    check(&s, "gradient of all", s.n, got, sum, 1e-14);
    struct ub_problem *single = ub_problem_batch_new(s.problem, 1, &err);
    memset(sum, 0, (size_t)s.n * sizeof *sum);
    for (int k = 0; k < 7; k++) {
        ub_problem_take(single, &some[k]);
        ub_problem_linearize(single, s.theta);
        ub_problem_hvp(single, 1, s.v, one);
        for (int64_t i = 0; i < s.n; i++)
            sum[i] += one[i] / 7;
    }
    ub_problem_linearize(b, s.theta);
    ub_problem_hvp(b, 1, s.v, got);
    ub_problem_take(b, some);
    ub_problem_hvp(b, 1, s.v, got);
    check(&s, "Hessian of some", s.n, got, sum, 1e-12);
    ub_problem_take(b, all);
    ub_problem_hvp(b, 1, s.v, got);
    ub_problem_hvp(s.problem, 1, s.v, sum);
    check(&s, "Hessian of all", s.n, got, sum, 1e-12);
    double loss, accuracy;
    ub_problem_evaluate(b, false, s.theta, &loss, &accuracy);
    assert_near(loss, ub_problem_loss(s.problem, s.theta), 1e-14);
    assert_true(accuracy >= 0 && accuracy <= 1);
    ub_free(got);
    ub_free(sum);
    ub_free(one);
    ub_problem_free(b);
    ub_problem_free(single);
    subject_free(&s);
    tiny_free(data);
}

/* Frozen parameters are the whole's, drawn before or after. */
static void batches_share_what_is_frozen(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 6, 0, 4, 3);
    struct subject s = subject_new(data, "random-features:width=8", "mse");
    struct ub_error err = {0};
    struct ub_problem *b = ub_problem_batch_new(s.problem, 6, &err);
    ub_problem_init(s.problem, 11, s.theta);
    assert_near(ub_problem_loss(b, s.theta), ub_problem_loss(s.problem, s.theta), 1e-14);
    ub_problem_free(b);
    subject_free(&s);
    tiny_free(data);
}

/* A linearisation at the same place is kept, unless frozen parameters were drawn anew. */
static void linearising_again_is_the_same_point(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 6, 0, 4, 3);
    struct subject s = subject_new(data, "random-features:width=8", "ce");
    struct subject other = subject_new(data, "random-features:width=8", "ce");
    double *got = ub_calloc((size_t)s.n, sizeof *got), *same = ub_calloc((size_t)s.n, 8);
    double *expected = ub_calloc((size_t)s.n, sizeof *expected);
    double *scratch = ub_calloc((size_t)s.n, sizeof *scratch);
    ub_problem_hvp(s.problem, 1, s.v, got);
    ub_problem_linearize(s.problem, s.theta);
    ub_problem_hvp(s.problem, 1, s.v, same);
    assert_memory_equal(got, same, (size_t)s.n * sizeof *got);
    ub_problem_init(s.problem, 11, scratch);
    ub_problem_init(other.problem, 11, scratch);
    ub_problem_linearize(other.problem, scratch); /* another place: certainly new */
    ub_problem_linearize(other.problem, s.theta);
    ub_problem_hvp(other.problem, 1, s.v, expected);
    ub_problem_linearize(s.problem, s.theta);
    ub_problem_hvp(s.problem, 1, s.v, got);
    check(&s, "Hessian", s.n, got, expected, 1e-14);
    assert_true(tiny_error(s.n, got, same) > 1e-3);
    ub_free(got);
    ub_free(same);
    ub_free(expected);
    ub_free(scratch);
    subject_free(&s);
    subject_free(&other);
    tiny_free(data);
}

static void bad_batches_are_refused(void **state)
{
    (void)state;
    struct ub_dataset *data = kinds_dataset(IMAGES);
    struct ub_problem *p = tiny_problem(data, "resnet:width=4,stages=1,norm=batch,ghost=3", "ce");
    const int64_t sizes[] = {0, -1, 7, 4};
    for (int i = 0; i < 4; i++) {
        struct ub_error err = {0};
        assert_null(ub_problem_batch_new(p, sizes[i], &err));
        assert_int_equal(err.code, UB_INPUT);
        assert_non_null(strstr(err.text, "expected"));
    }
    ub_problem_free(p);
    tiny_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_registered_model),
        cmocka_unit_test(padding_counts_for_nothing),
        cmocka_unit_test(linear_models_have_no_residual),
        cmocka_unit_test(batches_hold_what_they_take),
        cmocka_unit_test(batches_share_what_is_frozen),
        cmocka_unit_test(linearising_again_is_the_same_point),
        cmocka_unit_test(bad_batches_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
