/* Matrices known through their products against the same matrices written out, for small networks
 * of every kind. Layers, metrics, names: test_matrix_choice.c. */
#include "dense.h"

static const double tolerance = 2e-7; /* of differences */

static const struct {
    int kind;
    const char *model, *loss;
} networks[] = {
    {VECTORS, "mlp:widths=5x4,activation=tanh", "ce"},
    {VECTORS, "mlp:widths=5x4,activation=gelu", "mse"},
    {VECTORS, "two-layer:width=7,activation=tanh", "mse"},
    {VECTORS, "deep-linear:widths=3x3", "ce"},
    {IMAGES, "cnn:channels=2,pool=mean,activation=tanh", "ce"},
    {IMAGES, "cnn:channels=2,pool=mean,activation=tanh,norm=batch", "ce"},
    {TOKENS, "gpt:width=4,heads=2,depth=1", "ce"},
    {LAST_TOKEN, "gru:width=4,depth=1", "ce"},
    {TOKENS, "lstm:width=3,depth=1", "mse"},
    {STEPS, "mamba:width=2,depth=1,state=2", "mse"},
    {RAGGED, "lstm:width=3,depth=1", "mse"},
    {RAGGED, "gru:width=3,depth=1", "ce"},
    {SERIES, "gru:width=3,depth=1", "mse"},
    {LAST_TOKEN, "gru:width=3,depth=1", "mse"},
    {SCALARS, "scalar-chain:depth=3", "mse"},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

/* ---- over parameters ---- */

/* Each item's gradient: of a sample, or of one position of a sequence. */
static void check_gradients(const struct dense *d)
{
    double *g = dense_zeros(1, d->n), *C = dense_zeros(d->n, d->n);
    for (int64_t i = 0; i < d->items; i++) {
        dense_item_gradient(d, i, g);
        dense_add_square(d->n, dense_share(d, i), g, C);
    }
    dense_check(d, "empirical-fisher", C, d->n, tolerance);
    dense_add_square(d->n, -1, d->grad, C);
    dense_check(d, "gradient-covariance", C, d->n, 10 * tolerance);
    ub_free(g);
    ub_free(C);
}

static void check_hessians(const struct dense *d)
{
    double *H = dense_hessian_of(d), *G = dense_gauss_newton(d);
    dense_check(d, "hessian", H, d->n, tolerance);
    dense_check(d, "gauss-newton", G, d->n, tolerance);
    dense_check(d, "fisher", G, d->n, tolerance);
    for (int64_t i = 0; i < d->n * d->n; i++)
        H[i] -= G[i];
    if (strncmp(d->model, "linear", 6) != 0)
        dense_check(d, "residual", H, d->n, 2e-6);
    ub_free(H);
    ub_free(G);
}

/* ---- kernels ---- */

/* Ascending; A is kept. */
static double *eigenvalues(int64_t n, const double *A)
{
    double *copy = dense_zeros(n, n), *values = dense_zeros(1, n);
    memcpy(copy, A, (size_t)(n * n) * sizeof *copy);
    assert_int_equal(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)n, copy, (lapack_int)n, values), 0);
    ub_free(copy);
    return values;
}

/* For mse the kernel and Gauss-Newton have the same eigenvalues but for zeros. */
static void check_same_spectrum(const struct dense *d)
{
    int64_t n, z;
    const struct ub_matrix_point at = dense_point(d);
    double *G = dense_product(d, (struct ub_matrix_choice){.kind = "gauss-newton"}, &at, &n);
    double *K = dense_product(d, (struct ub_matrix_choice){.kind = "ntk"}, &at, &z);
    double *of_G = eigenvalues(n, G), *of_K = eigenvalues(z, K);
    const double top = of_G[n - 1];
    for (int64_t i = 0; i < n || i < z; i++) {
        const double g = i < n ? of_G[n - 1 - i] : 0, k = i < z ? of_K[z - 1 - i] : 0;
        if (!(fabs(g - k) < 1e-10 * top))
            fail_msg("%s: eigenvalue %d of Gauss-Newton is %g, of the kernel %g", d->model, (int)i,
                     g, k);
    }
    ub_free(G);
    ub_free(K);
    ub_free(of_G);
    ub_free(of_K);
}

/* Rows of the Jacobian that belong to items, weighed, in order. */
static double *weighed_rows(const struct dense *d, int64_t *items)
{
    double *rows = dense_zeros(d->z, d->n);
    *items = 0;
    for (int64_t i = 0; i < d->items; i++) {
        if (dense_share(d, i) == 0)
            continue;
        for (int64_t a = 0; a < d->k * d->n; a++)
            rows[*items * d->k * d->n + a] =
                sqrt(dense_share(d, i)) * d->jacobian[i * d->k * d->n + a];
        ++*items;
    }
    return rows;
}

static void check_kernels(const struct dense *d)
{
    int64_t items;
    double *rows = weighed_rows(d, &items);
    const int64_t k = d->k, z = items * k;
    double *K = dense_zeros(z, z), *mean = dense_zeros(items, items);
    for (int64_t i = 0; i < z; i++)
        for (int64_t j = 0; j < z; j++) {
            K[i * z + j] = tiny_dot(d->n, rows + i * d->n, rows + j * d->n);
            if (i % k == j % k)
                mean[i / k * items + j / k] += K[i * z + j] / (double)k;
        }
    dense_check(d, "ntk", K, z, tolerance);
    dense_check(d, "ntk-mean", mean, items, tolerance);
    const struct ub_matrix_choice kernel = {.kind = "ntk"}, of_items = {.kind = "ntk-mean"};
    assert_int_equal(ub_matrix_size(&kernel, d->problem), z);
    assert_int_equal(ub_matrix_size(&of_items, d->problem), items);
    if (!d->softmax)
        check_same_spectrum(d);
    ub_free(rows);
    ub_free(K);
    ub_free(mean);
}

/* ---- parts by class, from their definition ---- */

struct means {
    double *pair, *class;       /* k x k x n, k x n */
    double *weight, *class_sum; /* k x k, k */
};

static struct means class_means(const struct dense *d)
{
    const int64_t k = d->k, n = d->n;
    struct means m = {dense_zeros(k * k, n), dense_zeros(k, n), dense_zeros(k, k),
                      dense_zeros(1, k)};
    double *p = dense_zeros(1, k), *x = dense_zeros(1, n);
    for (int64_t i = 0; i < d->items; i++) {
        const int64_t c = d->data->train.labels[i];
        dense_weights(d, i, p);
        for (int64_t j = 0; c >= 0 && j < k; j++) {
            dense_delta(d, i, j, x);
            m.weight[c * k + j] += dense_share(d, i) * p[j];
            for (int64_t a = 0; a < n; a++)
                m.pair[(c * k + j) * n + a] += dense_share(d, i) * p[j] * x[a];
        }
    }
    for (int64_t q = 0; q < k * k; q++) {
        const int64_t c = q / k;
        if (q % k != c)
            m.class_sum[c] += m.weight[q];
        for (int64_t a = 0; a < n; a++) {
            if (q % k != c)
                m.class[c * n + a] += m.pair[q * n + a];
            m.pair[q * n + a] /= m.weight[q] > 0 ? m.weight[q] : 1;
        }
    }
    for (int64_t i = 0; i < k * n; i++)
        m.class[i] /= m.class_sum[i / n] > 0 ? m.class_sum[i / n] : 1;
    ub_free(p);
    ub_free(x);
    return m;
}

static void means_free(struct means *m)
{
    ub_free(m->pair);
    ub_free(m->class);
    ub_free(m->weight);
    ub_free(m->class_sum);
}

static void add_difference(int64_t n, double weight, const double *x, const double *y, double *work,
                           double *A)
{
    for (int64_t a = 0; a < n; a++)
        work[a] = x[a] - y[a];
    dense_add_square(n, weight, work, A);
}

static void add_means(const struct dense *d, const struct means *m, double *parts[UB_PARTS])
{
    const int64_t k = d->k, n = d->n;
    double *work = dense_zeros(1, n);
    for (int64_t c = 0; c < k; c++) {
        dense_add_square(n, m->class_sum[c], m->class + c * n, parts[UB_PART_CLASS]);
        dense_add_square(n, m->weight[c * k + c], m->pair + (c * k + c) * n,
                         parts[UB_PART_SAME_MEAN]);
        for (int64_t j = 0; j < k; j++)
            if (j != c)
                add_difference(n, m->weight[c * k + j], m->pair + (c * k + j) * n, m->class + c * n,
                               work, parts[UB_PART_CROSS]);
    }
    ub_free(work);
}

static void add_samples(const struct dense *d, const struct means *m, double *parts[UB_PARTS])
{
    const int64_t k = d->k, n = d->n;
    double *p = dense_zeros(1, k), *x = dense_zeros(1, n), *work = dense_zeros(1, n);
    for (int64_t i = 0; i < d->items; i++) {
        const int64_t c = d->data->train.labels[i];
        dense_weights(d, i, p);
        for (int64_t j = 0; c >= 0 && j < k; j++) {
            const double weight = dense_share(d, i) * p[j];
            dense_delta(d, i, j, x);
            if (j == c)
                dense_add_square(n, weight, x, parts[UB_PART_SAME]);
            else
                add_difference(n, weight, x, m->pair + (c * k + j) * n, work,
                               parts[UB_PART_WITHIN]);
        }
    }
    ub_free(p);
    ub_free(x);
    ub_free(work);
}

static void check_eigenvalues(const struct dense *d, const char *what, double *A,
                              const double *values, int64_t count)
{
    double *all = dense_zeros(1, d->n);
    assert_int_equal(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)d->n, A, (lapack_int)d->n, all), 0);
    for (int64_t i = 0; i < count; i++) {
        const double expected = i < d->n ? all[d->n - 1 - i] : 0;
        if (!(fabs(values[i] - expected) < 1e-6 * all[d->n - 1] + 1e-15))
            fail_msg("%s of %s: eigenvalue %d is %g; expected %g", what, d->model, (int)i,
                     values[i], expected);
    }
    ub_free(all);
}

static void check_shares(const struct dense *d, double *parts[UB_PARTS])
{
    enum { ROWS = 11 };
    struct ub_error err = {0};
    const struct ub_matrix_point at = dense_point(d);
    double *U = tiny_normals(ROWS * d->n, "shares"), shares[ROWS * UB_PARTS];
    assert_true(ub_class_shares(&at, ROWS, U, shares, &err));
    for (int r = 0; r < ROWS; r++)
        for (int part = 0; part < UB_PARTS; part++) {
            double expected = 0, total = 0;
            const double *u = U + r * d->n;
            for (int64_t i = 0; i < d->n; i++)
                expected += u[i] * tiny_dot(d->n, parts[part] + i * d->n, u);
            for (int s = UB_PART_CLASS; s <= UB_PART_SAME; s++)
                total += shares[r * UB_PARTS + s];
            assert_near(shares[r * UB_PARTS + part], expected, 1e-6 * total);
        }
    ub_free(U);
}

/* Each part is what its definition says, they sum to G, and their eigenvalues come from the class
 * means alone. */
static void check_classes(const struct dense *d)
{
    static const char *const names[] = {"class", "cross-class", "within-class", "same-class",
                                        "same-mean"};
    struct ub_error err = {0};
    const struct ub_matrix_point at = dense_point(d);
    struct means m = class_means(d);
    double *parts[UB_PARTS], *sum = dense_zeros(d->n, d->n);
    for (int p = 0; p < UB_PARTS; p++)
        parts[p] = dense_zeros(d->n, d->n);
    add_means(d, &m, parts);
    add_samples(d, &m, parts);
    for (int p = 0; p < UB_PARTS; p++) {
        dense_check(d, names[p], parts[p], d->n, 1e-6);
        for (int64_t i = 0; p <= UB_PART_SAME && i < d->n * d->n; i++)
            sum[i] += parts[p][i];
    }
    dense_check(d, "gauss-newton", sum, d->n, tolerance);
    check_shares(d, parts);
    struct ub_class_structure s;
    assert_true(ub_class_structure_find(&s, &at, &err));
    assert_int_equal(s.classes, d->k);
    check_eigenvalues(d, names[0], parts[UB_PART_CLASS], s.class_values, d->k);
    check_eigenvalues(d, names[1], parts[UB_PART_CROSS], s.cross_values, d->k * (d->k - 1));
    check_eigenvalues(d, names[4], parts[UB_PART_SAME_MEAN], s.same_values, d->k);
    ub_class_structure_clear(&s);
    for (int p = 0; p < UB_PARTS; p++)
        ub_free(parts[p]);
    ub_free(sum);
    means_free(&m);
}

static void small_networks_of_every_kind(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        struct ub_dataset *data = kinds_dataset(networks[i].kind);
        struct dense d = dense_new(data, networks[i].model, networks[i].loss);
        check_hessians(&d);
        check_kernels(&d);
        check_gradients(&d);
        if (data->task == UB_CLASSIFICATION)
            check_classes(&d);
        dense_free(&d);
        tiny_free(data);
    }
}

/* ---- activations and weights ---- */

/* x'x (columns) or xx' of rows x columns, times scale. */
static double *gram(const double *x, int64_t rows, int64_t columns, bool over_columns, double scale)
{
    const int64_t n = over_columns ? columns : rows, m = over_columns ? rows : columns;
    double *A = dense_zeros(n, n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t l = 0; l < m; l++)
                A[i * n + j] += scale * (over_columns ? x[l * columns + i] * x[l * columns + j]
                                                      : x[i * columns + l] * x[j * columns + l]);
    return A;
}

static void check_named(const struct dense *d, const char *kind, const char *layer,
                        double *expected, int64_t n)
{
    int64_t size;
    const struct ub_matrix_point at = dense_point(d);
    double *A =
        dense_product(d, (struct ub_matrix_choice){.kind = kind, .layer = layer}, &at, &size);
    assert_int_equal(size, n);
    dense_check_shape(layer ? layer : "it", kind, n, A);
    assert_true(tiny_error(n * n, A, expected) < 1e-12);
    ub_free(A);
    ub_free(expected);
}

static void center(double *x, int64_t rows, int64_t columns)
{
    for (int64_t j = 0; j < columns; j++) {
        double mean = 0;
        for (int64_t i = 0; i < rows; i++)
            mean += x[i * columns + j] / (double)rows;
        for (int64_t i = 0; i < rows; i++)
            x[i * columns + j] -= mean;
    }
}

static void second_moments_of_activations_and_weights(void **state)
{
    (void)state;
    struct ub_dataset *data = kinds_dataset(IMAGES);
    struct dense d = dense_new(data, "cnn:channels=2x3,pool=mean,activation=tanh", "ce");
    const int64_t rows = data->train.count, width = ub_problem_hidden_width(d.problem, 1);
    const char *layer = ub_problem_hidden_name(d.problem, 1);
    double *x = dense_zeros(rows, width);
    ub_problem_hidden(d.problem, 1, d.theta, x);
    check_named(&d, "activation-gram", layer, gram(x, rows, width, false, 1 / (double)rows), rows);
    center(x, rows, width);
    check_named(&d, "activation-covariance", layer,
                gram(x, rows, width, true, 1 / (double)(rows - 1)), width);
    double *y = dense_zeros(rows, data->features);
    memcpy(y, data->train.inputs, (size_t)(rows * data->features) * sizeof *y);
    center(y, rows, data->features);
    for (int i = 0; i < 2; i++)
        check_named(&d, i ? "activation-covariance" : "data-covariance", i ? "inputs" : NULL,
                    gram(y, rows, data->features, true, 1 / (double)(rows - 1)), data->features);
    int weights = 0;
    for (int64_t i = 0; i < ub_problem_layout(d.problem)->count; i++) {
        const struct ub_param *p = &ub_problem_layout(d.problem)->params[i];
        const int64_t out = p->shape[0], in = p->size / out;
        if (p->rank < 2)
            continue;
        check_named(&d, "weight-gram", p->name, gram(d.theta + p->offset, out, in, in <= out, 1),
                    in <= out ? in : out);
        weights++;
    }
    assert_true(weights >= 3);
    ub_free(x);
    ub_free(y);
    dense_free(&d);
    tiny_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_networks_of_every_kind),
        cmocka_unit_test(second_moments_of_activations_and_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
