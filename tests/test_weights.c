/* Spectra of weights against matrices whose singular values are known, and against noise. */
#include "bench/spectra/random_matrix.h"
#include "bench/spectra/weights.h"
#include "tests/support.h"

/* Rotates planes of neighboring rows, by random angles: singular values stay what they are. */
static void rotate_rows(int64_t rows, int64_t columns, double *w, uint64_t seed)
{
    struct ub_random r = ub_random_stream(seed, "angles");
    for (int64_t i = 0; i < rows; i++) {
        const int64_t k = (i + 1) % rows;
        const double angle = 6 * ub_random_uniform(&r), c = cos(angle), s = sin(angle);
        for (int64_t j = 0; j < columns && k != i; j++) {
            const double a = w[i * columns + j], b = w[k * columns + j];
            w[i * columns + j] = c * a - s * b;
            w[k * columns + j] = s * a + c * b;
        }
    }
}

static void known_singular_values(void **state)
{
    (void)state;
    static const int64_t shapes[][2] = {{5, 5}, {5, 9}, {9, 5}, {1, 4}, {4, 1}, {1, 1}};
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const int64_t rows = shapes[k][0], columns = shapes[k][1];
        const int64_t n = rows < columns ? rows : columns;
        double w[81] = {0}, trace = 0, fourth = 0;
        for (int64_t i = 0; i < n; i++)
            w[i * columns + i] = (double)(n - i);
        rotate_rows(rows, columns, w, 3);
        struct ub_weight_spectrum s;
        assert_true(ub_weight_spectrum(
            &(struct ub_weight){.rows = rows, .columns = columns, .slices = 1, .entries = w}, &s));
        assert_int_equal(s.count, n);
        for (int64_t i = 0; i < n; i++) {
            const double square = (double)((n - i) * (n - i));
            assert_near(s.values[i], square, s.error);
            trace += square;
            fourth += square * square;
        }
        assert_near(s.scalars.stable_rank, trace / (double)(n * n), 1e-12);
        assert_near(s.scalars.participation_ratio, trace * trace / fourth, 1e-12);
        assert_false(s.tail.valid); /* fewer than 10 values */
        assert_true(isnan(s.alpha_hat));
        ub_weight_spectrum_free(&s);
    }
}

/* Slices are interleaved in memory; their values are those of each by itself. */
static void slices_are_pooled(void **state)
{
    (void)state;
    enum { ROWS = 12, COLUMNS = 7, SLICES = 3, SIZE = ROWS * COLUMNS };
    double all[SIZE * SLICES], one[SIZE], expected[SLICES * COLUMNS];
    struct ub_random r = ub_random_stream(1, "weights");
    struct ub_weight_spectrum s;
    for (int i = 0; i < SIZE * SLICES; i++)
        all[i] = ub_random_normal(&r) * (1 + i % SLICES);
    for (int k = 0; k < SLICES; k++) {
        for (int i = 0; i < SIZE; i++)
            one[i] = all[i * SLICES + k];
        assert_true(ub_weight_spectrum(
            &(struct ub_weight){.rows = ROWS, .columns = COLUMNS, .slices = 1, .entries = one},
            &s));
        memcpy(expected + k * COLUMNS, s.values, COLUMNS * sizeof *expected);
        ub_weight_spectrum_free(&s);
    }
    assert_true(ub_weight_spectrum(
        &(struct ub_weight){.rows = ROWS, .columns = COLUMNS, .slices = SLICES, .entries = all},
        &s));
    assert_int_equal(s.count, SLICES * COLUMNS);
    for (int i = 0; i < SLICES * COLUMNS; i++) {
        int found = 0;
        for (int k = 0; k < SLICES * COLUMNS; k++)
            found += fabs(s.values[i] - expected[k]) <= s.error;
        assert_int_equal(found, 1);
        assert_true(i == 0 || s.values[i] <= s.values[i - 1]);
    }
    assert_true(s.tail.valid);
    assert_near(s.alpha_hat, s.tail.alpha * log10(s.values[0]), 1e-12);
    ub_weight_spectrum_free(&s);
}

/* Noise of known variance: its edge is the law's, nothing stands out; a planted direction does. */
static void noise_has_no_outliers(void **state)
{
    (void)state;
    enum { ROWS = 60, COLUMNS = 100 };
    for (int slices = 1; slices <= 4; slices += 3) {
        const double deviation = 0.3;
        double *w = ub_calloc((size_t)(ROWS * COLUMNS * slices), sizeof *w);
        const struct ub_weight weight = {ROWS, COLUMNS, slices, w};
        struct ub_random r = ub_random_stream((uint64_t)slices, "weights");
        struct ub_weight_spectrum s;
        for (int i = 0; i < ROWS * COLUMNS * slices; i++)
            w[i] = deviation * ub_random_normal(&r);
        assert_true(ub_weight_spectrum(&weight, &s));
        assert_int_equal(s.outliers, 0);
        const double level = 1 - pow(0.99, 1.0 / slices);
        const double edge = COLUMNS * ub_noise_edge(COLUMNS, ROWS, deviation * deviation, level);
        assert_near(s.noise_edge, edge, 0.08 * edge);
        ub_weight_spectrum_free(&s);
        for (int i = 0; i < ROWS * COLUMNS; i++)
            w[i * slices] += (i / COLUMNS % 2 ? 0.2 : -0.2);
        assert_true(ub_weight_spectrum(&weight, &s));
        assert_int_equal(s.outliers, 1);
        ub_weight_spectrum_free(&s);
        ub_free(w);
    }
}

/* Of low rank: what rounding leaves of the zeros is no tail, and no bulk. */
static void low_rank(void **state)
{
    (void)state;
    enum { N = 50, RANK = 15 };
    double a[N * RANK], b[RANK * N], w[N * N] = {0};
    struct ub_random r = ub_random_stream(5, "weights");
    struct ub_weight_spectrum s;
    for (int i = 0; i < N * RANK; i++) {
        a[i] = ub_random_normal(&r);
        b[i] = ub_random_normal(&r);
    }
    for (int i = 0; i < N * N; i++)
        for (int k = 0; k < RANK; k++)
            w[i] += a[i / N * RANK + k] * b[k * N + i % N];
    assert_true(ub_weight_spectrum(&(struct ub_weight){N, N, 1, w}, &s));
    assert_true(s.values[RANK - 1] > 1 && s.values[RANK] < s.error);
    assert_true(s.tail.valid && s.tail.total == RANK);
    assert_int_equal(s.outliers, -1);
    ub_weight_spectrum_free(&s);
}

/* Times 10^k for any k that doubles hold, everything is what it is for k = 0, but for the scale:
 * the squares of the singular values, 10^2k, need not be doubles. */
static void scale_does_not_matter(void **state)
{
    (void)state;
    enum { ROWS = 40, COLUMNS = 30, SIZE = ROWS * COLUMNS };
    static const int powers[] = {-300, -200, -160, -110, -76, -75, 0, 75, 76, 110, 160, 200, 300};
    double base[SIZE], w[SIZE];
    struct ub_random r = ub_random_stream(9, "weights");
    struct ub_weight_spectrum one, s;
    for (int i = 0; i < SIZE; i++)
        base[i] = ub_random_normal(&r) + 0.3 * (i / COLUMNS % 2);
    assert_true(ub_weight_spectrum(&(struct ub_weight){ROWS, COLUMNS, 1, base}, &one));
    assert_true(one.power == 0 && one.tail.valid && one.outliers >= 0);
    for (size_t k = 0; k < sizeof powers / sizeof *powers; k++) {
        const double ten = pow(10, powers[k]), log_ten = 2.0 * powers[k];
        for (int i = 0; i < SIZE; i++)
            w[i] = base[i] * ten;
        assert_true(ub_weight_spectrum(&(struct ub_weight){ROWS, COLUMNS, 1, w}, &s));
        for (int i = 0; i < COLUMNS; i++) {
            const double expected = sqrt(one.values[i]) * ten;
            assert_near(ldexp(sqrt(s.values[i]), s.power), expected, 1e-12 * expected);
        }
        const double frobenius = sqrt(one.scalars.trace) * ten;
        assert_near(ldexp(sqrt(s.scalars.trace), s.power), frobenius, 1e-12 * frobenius);
        assert_near(s.scalars.stable_rank, one.scalars.stable_rank, 1e-11);
        assert_near(s.scalars.entropy_rank, one.scalars.entropy_rank, 1e-11);
        assert_near(s.scalars.log_norm, one.scalars.log_norm + log_ten, 1e-10);
        assert_near(s.scalars.log_spectral_norm, one.scalars.log_spectral_norm + log_ten, 1e-10);
        assert_int_equal(s.outliers, one.outliers);
        assert_near(s.tail.alpha, one.tail.alpha, 1e-8);
        assert_near(s.alpha_hat, one.alpha_hat + one.tail.alpha * log_ten, 1e-5);
        const double edge = log10(s.noise_edge) + 2 * s.power * log10(2);
        assert_near(edge, log10(one.noise_edge) + log_ten, 1e-10);
        ub_weight_spectrum_unscale(&s);
        assert_int_equal(s.power, 0);
        if (abs(powers[k]) <= 110)
            assert_near(s.values[0] / ten / ten, one.values[0], 1e-11 * one.values[0]);
        else
            assert_true(powers[k] > 0 ? isinf(s.values[0]) || powers[k] < 155
                                      : s.values[0] < 1e-300);
        ub_weight_spectrum_free(&s);
    }
    ub_weight_spectrum_free(&one);
}

static void what_has_no_spectrum(void **state)
{
    (void)state;
    double w[] = {1, 2, INFINITY, 4};
    const struct ub_weight weight = {.rows = 2, .columns = 2, .slices = 1, .entries = w};
    struct ub_weight_spectrum s;
    assert_false(ub_weight_spectrum(&weight, &s));
    assert_null(s.values);
    w[2] = NAN;
    assert_false(ub_weight_spectrum(&weight, &s));
    memset(w, 0, sizeof w);
    assert_true(ub_weight_spectrum(&weight, &s)); /* zeros: values, and nothing to say of them */
    assert_true(s.values[0] == 0 && isnan(s.scalars.stable_rank) && isnan(s.noise_edge));
    assert_true(s.scalars.largest == 0 && s.scalars.trace == 0 && isnan(s.scalars.log_norm));
    assert_true(isnan(s.alpha_hat));
    assert_int_equal(s.outliers, -1);
    ub_weight_spectrum_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_singular_values), cmocka_unit_test(slices_are_pooled),
        cmocka_unit_test(noise_has_no_outliers), cmocka_unit_test(low_rank),
        cmocka_unit_test(scale_does_not_matter), cmocka_unit_test(what_has_no_spectrum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
