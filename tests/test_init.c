/* Initial distributions: moments, ranges, orthonormality, and independence of random streams. */
#include "support.h"
#include "tiny.h"

#include <string.h>

enum { ROWS = 200, COLUMNS = 300 };

static struct ub_param matrix(int64_t rows, int64_t columns)
{
    return (struct ub_param){.name = "fc1.weight",
                             .rank = 2,
                             .shape = {rows, columns},
                             .size = rows * columns,
                             .fan_in = columns,
                             .fan_out = rows,
                             .init_scale = 1,
                             .rate_scale = 1};
}

static double *fill(const char *text, const struct ub_param *param, uint64_t seed)
{
    struct ub_error err = {0};
    struct ub_call *call = ub_call_parse(text, "test", &err);
    assert_non_null(call);
    const struct ub_init *init = ub_init_find(call->name);
    assert_non_null(init);
    assert_true(ub_call_check(call, init->options, "test", &err));
    double *values = ub_calloc((size_t)param->size, sizeof *values);
    for (int64_t i = 0; i < param->size; i++)
        values[i] = NAN; /* every entry must be written */
    struct ub_random r = ub_random_stream(seed, "init:test");
    init->fill(call, param, &r, values);
    ub_call_free(call);
    return values;
}

struct moments {
    double mean, deviation, kurtosis, largest;
};

static struct moments moments_of(int64_t n, const double *x)
{
    struct moments m = {0};
    double second = 0, fourth = 0;
    for (int64_t i = 0; i < n; i++)
        m.mean += x[i] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double d = x[i] - m.mean;
        second += d * d / (double)n;
        fourth += d * d * d * d / (double)n;
        m.largest = fmax(m.largest, fabs(x[i]));
    }
    m.deviation = sqrt(second);
    m.kurtosis = fourth / (second * second);
    return m;
}

/* 60,000 draws: the deviation is known to 0.3%, the kurtosis to 0.02 (normal: 3, uniform: 1.8). */
static void weights_have_their_moments(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double deviation, kurtosis;
    } cases[] = {
        {"pytorch", 1 / sqrt(3.0 * COLUMNS), 1.8},
        {"pytorch:gain=2", 2 / sqrt(3.0 * COLUMNS), 1.8},
        {"xavier-uniform", sqrt(2.0 / (ROWS + COLUMNS)), 1.8},
        {"xavier-normal", sqrt(2.0 / (ROWS + COLUMNS)), 3},
        {"xavier-normal:gain=0.5", 0.5 * sqrt(2.0 / (ROWS + COLUMNS)), 3},
        {"he", sqrt(2.0 / COLUMNS), 3},
        {"lecun", sqrt(1.0 / COLUMNS), 3},
        {"lecun:gain=3", 3 * sqrt(1.0 / COLUMNS), 3},
        {"orthogonal", sqrt(1.0 / COLUMNS), 3}, /* entries of a large one are near normal */
    };
    const struct ub_param param = matrix(ROWS, COLUMNS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double *values = fill(cases[i].text, &param, 11);
        const struct moments m = moments_of(param.size, values);
        assert_near(m.mean, 0, 5 * cases[i].deviation / sqrt(ROWS * COLUMNS));
        assert_near(m.deviation / cases[i].deviation, 1, 0.015);
        assert_near(m.kurtosis, cases[i].kurtosis, 0.15);
        if (cases[i].kurtosis < 2) {
            const double bound = sqrt(3) * cases[i].deviation;
            assert_true(m.largest <= bound && m.largest > 0.999 * bound);
        }
        ub_free(values);
    }
}

static void biases_are_zero_but_for_pytorch(void **state)
{
    (void)state;
    struct ub_param bias = matrix(5000, 1);
    bias.rank = 1;
    bias.start = UB_START_BIAS;
    bias.fan_in = 25;
    for (size_t i = 0; ub_inits[i]; i++) {
        if (!ub_inits[i]->fill)
            continue;
        double *values = fill(ub_inits[i]->name, &bias, 2);
        const struct moments m = moments_of(bias.size, values);
        if (strcmp(ub_inits[i]->name, "pytorch") == 0) {
            assert_near(m.deviation, 0.2 / sqrt(3), 0.003);
            assert_true(m.largest <= 0.2);
        } else {
            assert_true(m.largest == 0);
        }
        ub_free(values);
    }
}

static double gram_error(int64_t rows, int64_t columns, const double *q, double gain)
{
    const bool wide = rows < columns;
    const int64_t n = wide ? rows : columns, length = wide ? columns : rows;
    double worst = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double dot = 0;
            for (int64_t k = 0; k < length; k++)
                dot += wide ? q[i * columns + k] * q[j * columns + k]
                            : q[k * columns + i] * q[k * columns + j];
            worst = fmax(worst, fabs(dot - (i == j ? gain * gain : 0)));
        }
    return worst;
}

static void orthogonal_matrices_are(void **state)
{
    (void)state;
    const int64_t shapes[][2] = {{40, 40}, {70, 30}, {30, 70}, {1, 9}, {9, 1}, {1, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct ub_param param = matrix(shapes[i][0], shapes[i][1]);
        double *q = fill("orthogonal:gain=1.5", &param, i);
        assert_near(gram_error(shapes[i][0], shapes[i][1], q, 1.5), 0, 1e-13);
        ub_free(q);
    }
}

/* Uniform over orthonormal matrices: without the sign fix every first entry is negative. The
 * variance of an entry is 1/4 and of its square 2/(4 * 4 * 6) = 1/48. */
static void orthogonal_matrices_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 2000 };
    const struct ub_param param = matrix(4, 4);
    double mean[16] = {0}, square[16] = {0}, trace = 0;
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        double *q = fill("orthogonal", &param, seed);
        for (int k = 0; k < 16; k++) {
            mean[k] += q[k] / DRAWS;
            square[k] += q[k] * q[k] / DRAWS;
        }
        trace += (q[0] + q[5] + q[10] + q[15]) / DRAWS;
        ub_free(q);
    }
    for (int k = 0; k < 16; k++) {
        assert_near(mean[k], 0, 5 * 0.5 / sqrt(DRAWS));
        assert_near(square[k], 0.25, 5 * sqrt(1.0 / 48) / sqrt(DRAWS));
    }
    assert_near(trace, 0, 5 / sqrt(DRAWS)); /* the trace has variance 1 under Haar */
}

static double *initial(const struct ub_dataset *data, const char *model, uint64_t seed,
                       struct ub_problem **p)
{
    *p = tiny_problem(data, model, "mse");
    double *theta = ub_calloc((size_t)ub_problem_size(*p), sizeof *theta);
    ub_problem_init(*p, seed, theta);
    return theta;
}

static void streams_belong_to_seed_and_tensor(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 3, 0, 6, 2);
    struct ub_problem *shallow, *deep, *again, *other;
    double *a = initial(data, "mlp:widths=8", 5, &shallow);
    double *b = initial(data, "mlp:widths=8x8", 5, &deep);
    double *c = initial(data, "mlp:widths=8,activation=relu", 5, &again);
    double *d = initial(data, "mlp:widths=8", 6, &other);
    assert_memory_equal(a, b, (8 * 6 + 8) * sizeof *a); /* fc1 does not see the new layer */
    assert_memory_equal(a, c, (size_t)ub_problem_size(shallow) * sizeof *a);
    for (int64_t i = 0; i < ub_problem_size(shallow); i++)
        assert_true(a[i] != d[i]);
    const struct ub_layout *layout = ub_problem_layout(deep);
    const double *fc2 = b + layout->params[2].offset, *fc1 = b + layout->params[0].offset;
    assert_string_equal(layout->params[2].name, "fc2.weight");
    assert_true(fc1[0] * sqrt(6) != fc2[0] * sqrt(8)); /* streams are not the same draws scaled */
    struct ub_problem *problems[] = {shallow, deep, again, other};
    double *vectors[] = {a, b, c, d};
    for (int i = 0; i < 4; i++) {
        ub_problem_free(problems[i]);
        ub_free(vectors[i]);
    }
    tiny_free(data);
}

static void every_entry_is_documented(void **state)
{
    (void)state;
    size_t n = 0;
    for (; ub_inits[n]; n++) {
        assert_ptr_equal(ub_init_find(ub_inits[n]->name), ub_inits[n]);
        assert_non_null(ub_inits[n]->summary);
        assert_non_null(ub_inits[n]->citation);
    }
    assert_true(n >= 6);
    assert_null(ub_init_find("zeros?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_have_their_moments),
        cmocka_unit_test(biases_are_zero_but_for_pytorch),
        cmocka_unit_test(orthogonal_matrices_are),
        cmocka_unit_test(orthogonal_matrices_are_uniform),
        cmocka_unit_test(streams_belong_to_seed_and_tensor),
        cmocka_unit_test(every_entry_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
