/* The randomized singular value decomposition on planted spectra. */
#include "tests/spectra_support.h"

#include "bench/spectra/svd.h"

#include <cblas.h>

struct planted {
    int64_t rows, columns, products, transposed;
    double *a;
};

static void apply(void *context, int64_t count, const double *V, double *AV)
{
    struct planted *p = context;
    p->products += count;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)p->rows, (int)p->columns,
                1, V, (int)p->columns, p->a, (int)p->columns, 0, AV, (int)p->rows);
}

static void apply_transpose(void *context, int64_t count, const double *U, double *AtU)
{
    struct planted *p = context;
    p->transposed += count;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)p->columns,
                (int)p->rows, 1, U, (int)p->rows, p->a, (int)p->columns, 0, AtU, (int)p->columns);
}

static struct ub_map map_of(struct planted *p)
{
    return (struct ub_map){p->rows, p->columns, p, apply, apply_transpose};
}

/* U diag(values) V' with random orthogonal U and V: reflections from both sides. */
static struct planted plant(int64_t rows, int64_t columns, const double *values)
{
    struct ub_random random = ub_random_stream(0, "svd test");
    struct planted p = {.rows = rows, .columns = columns};
    p.a = ub_calloc((size_t)(rows * columns), sizeof(double));
    for (int64_t i = 0; i < rows && i < columns; i++)
        p.a[i * columns + i] = values[i];
    for (int r = 0; r < 10; r++) {
        const bool left = r % 2 == 0;
        const int64_t length = left ? rows : columns, others = left ? columns : rows;
        const int64_t along = left ? columns : 1, across = left ? 1 : columns;
        double *w = normal_numbers(length, &random);
        const double norm = dot(length, w, w);
        for (int64_t k = 0; k < others; k++) {
            double sum = 0;
            for (int64_t i = 0; i < length; i++)
                sum += w[i] * p.a[k * across + i * along];
            for (int64_t i = 0; i < length; i++)
                p.a[k * across + i * along] -= 2 * sum / norm * w[i];
        }
        ub_free(w);
    }
    return p;
}

/* Values between found and found + error; vectors orthonormal; A v close to value u, A'u = value v
 * exactly; products as said. */
static void check(struct planted *p, const double *values, struct ub_svd_options o)
{
    struct ub_error err = {0};
    struct ub_svd s;
    const struct ub_map map = map_of(p);
    p->products = p->transposed = 0;
    if (!ub_svd_new(&map, &o, &s, &err))
        fail_msg("%s", err.text);
    assert_int_equal(s.products, p->products);
    assert_int_equal(s.transposed, p->transposed);
    const double tiny = 1e-11 * (values[0] + 1e-300);
    double *u = ub_calloc((size_t)p->columns, sizeof *u),
           *v = ub_calloc((size_t)p->rows, sizeof *v);
    for (int64_t i = 0; i < s.count; i++) {
        assert_true(s.value[i] <= values[i] + tiny);
        assert_true(values[i] <= s.value[i] + s.error[i] + tiny);
        double off = 0;
        apply(p, 1, s.right + i * p->columns, v);
        apply_transpose(p, 1, s.left + i * p->rows, u);
        for (int64_t k = 0; k < p->columns; k++)
            assert_near(u[k], s.value[i] * s.right[i * p->columns + k], tiny);
        for (int64_t k = 0; k < p->rows; k++)
            off += pow(v[k] - s.value[i] * s.left[i * p->rows + k], 2);
        assert_true(sqrt(off) <= s.range + tiny);
        for (int64_t j = 0; j <= i; j++) {
            const double one = i == j;
            assert_near(dot(p->rows, s.left + i * p->rows, s.left + j * p->rows), one, 1e-11);
            assert_near(dot(p->columns, s.right + i * p->columns, s.right + j * p->columns), one,
                        1e-11);
        }
    }
    ub_free(u);
    ub_free(v);
    ub_svd_free(&s);
}

static void check_shapes(const double *values, struct ub_svd_options o)
{
    const int64_t shapes[][2] = {{120, 80}, {80, 120}, {100, 100}};
    for (int k = 0; k < 3; k++) {
        struct planted p = plant(shapes[k][0], shapes[k][1], values);
        for (o.seed = 0; o.seed < 5; o.seed++)
            for (o.powers = -1; o.powers <= 3; o.powers++)
                check(&p, values, o);
        ub_free(p.a);
    }
}

enum { MOST = 100 };

static void test_planted(void **state)
{
    (void)state;
    double power[MOST], steep[MOST], repeated[MOST];
    for (int i = 0; i < MOST; i++) {
        power[i] = 1 / (1.0 + i);
        steep[i] = pow(0.5, i);
        repeated[i] = i < 6 ? 2 : i < 30 ? 1 : 0.01;
    }
    check_shapes(power, (struct ub_svd_options){.count = 12});
    check_shapes(steep, (struct ub_svd_options){.count = 12});
    check_shapes(repeated, (struct ub_svd_options){.count = 12});
    check_shapes(power, (struct ub_svd_options){.count = 5, .oversample = -1});
}

/* An operator times 10^k has singular values times 10^k, whether or not their squares are doubles.
 */
static void test_scale(void **state)
{
    (void)state;
    static const int powers[] = {-300, -200, -80, 0, 80, 200, 300};
    double values[MOST] = {8, 5, 4, 2, 1, 0.5, 0.25};
    struct ub_error err = {0};
    for (size_t k = 0; k < sizeof powers / sizeof *powers; k++) {
        const double ten = pow(10, powers[k]);
        struct planted p = plant(40, 60, values);
        cblas_dscal(40 * 60, ten, p.a, 1);
        const struct ub_map map = map_of(&p);
        struct ub_svd s;
        if (!ub_svd_new(&map, &(struct ub_svd_options){.count = 4}, &s, &err))
            fail_msg("10^%d: %s", powers[k], err.text);
        for (int i = 0; i < 4; i++) {
            assert_near(s.value[i], values[i] * ten, 1e-11 * ten);
            assert_true(s.value[i] + s.error[i] >= (values[i] - 1e-11) * ten);
            assert_near(dot(60, s.right + i * 60, s.right + i * 60), 1, 1e-11);
        }
        ub_svd_free(&s);
        ub_free(p.a);
    }
}

/* Everything comes out: full rank asked for, or a rank below the sample. */
static void test_complete(void **state)
{
    (void)state;
    struct ub_error err = {0};
    double values[MOST] = {4, 3, 3, 1};
    struct planted p = plant(50, 30, values);
    const struct ub_map map = map_of(&p);
    struct ub_svd s;
    for (int64_t count = 2; count <= 40; count += 19) {
        assert_true(ub_svd_new(&map, &(struct ub_svd_options){.count = count}, &s, &err));
        assert_true(s.count >= (count < 4 ? count : 4));
        for (int64_t i = 0; i < s.count; i++)
            assert_near(s.value[i], values[i], 1e-11);
        assert_true(s.range < 1e-10);
        ub_svd_free(&s);
    }
    memset(p.a, 0, 1500 * sizeof(double));
    assert_true(ub_svd_new(&map, &(struct ub_svd_options){.count = 3}, &s, &err));
    assert_int_equal(s.count, 0); /* nothing above zero */
    assert_near(s.range, 0, 0);
    ub_svd_free(&s);
    ub_free(p.a);
    struct planted one = {.rows = 1, .columns = 1, .a = values};
    const struct ub_map single = map_of(&one);
    assert_true(ub_svd_new(&single, &(struct ub_svd_options){.count = 1}, &s, &err));
    assert_near(s.value[0], 4, 1e-14);
    ub_svd_free(&s);
}

/* Two power iterations bring the values of a slowly decaying spectrum to within a percent. */
static void test_powers_sharpen(void **state)
{
    (void)state;
    struct ub_error err = {0};
    double values[MOST], off[2];
    for (int i = 0; i < MOST; i++)
        values[i] = 1 / sqrt(1.0 + i);
    struct planted p = plant(300, 100, values);
    const struct ub_map map = map_of(&p);
    for (int k = 0; k < 2; k++) {
        struct ub_svd s;
        assert_true(ub_svd_new(
            &map, &(struct ub_svd_options){.count = 10, .powers = k == 0 ? -1 : 2}, &s, &err));
        off[k] = 1 - s.value[9] / values[9];
        assert_true(s.range >= values[20]); /* 20 sampled: the best there is */
        ub_svd_free(&s);
    }
    print_message("tenth value off by %.3g without, %.3g with two power iterations\n", off[0],
                  off[1]);
    assert_true(off[1] < 0.02 && 5 * off[1] < off[0]);
    ub_free(p.a);
}

static void test_errors(void **state)
{
    (void)state;
    struct ub_error err = {0};
    double values[MOST] = {1, 2};
    struct planted p = plant(40, 30, values);
    const struct ub_map map = map_of(&p);
    struct ub_svd s;
    assert_false(ub_svd_new(&map, &(struct ub_svd_options){.count = 0}, &s, &err));
    assert_input_error(&err, "expected 1 or more");
    p.a[77] = NAN;
    assert_false(ub_svd_new(&map, &(struct ub_svd_options){.count = 2}, &s, &err));
    assert_input_error(&err, "not finite");
    assert_null(s.value);
    ub_free(p.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted),  cmocka_unit_test(test_scale),
        cmocka_unit_test(test_complete), cmocka_unit_test(test_powers_sharpen),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
