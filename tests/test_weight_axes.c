/* Kernels as matrices: whichever order a file keeps the axes in, the matrices are the same, by the
 * rule that is stated or the option given. */
#include "bench/arrays/weight_axes.h"
#include "tests/support.h"

static struct ub_array array_of(const char *name, int rank, const int64_t *shape,
                                const double *values)
{
    struct ub_array a = {
        .name = name, .rank = rank, .size = 1, .kind = UB_ARRAY_REAL, .values = values};
    for (int i = 0; i < rank; i++) {
        a.shape[i] = shape[i];
        a.size *= shape[i];
    }
    return a;
}

/* ---- the rule --------------------------------------------------------------------------- */

static void orders_are_told_by_shape(void **state)
{
    (void)state;
    static const struct {
        int rank;
        int64_t shape[5];
        const char *text;
    } cases[] = {
        {2, {64, 32}, "-"},
        {4, {64, 3, 7, 7}, "OIHW"}, /* PyTorch's ResNet, first layer */
        {4, {512, 512, 3, 3}, "OIHW"},
        {4, {7, 7, 3, 64}, "HWIO"}, /* Keras' */
        {4, {3, 3, 512, 512}, "HWIO"},
        {4, {8, 3, 5, 5}, "OIHW"},
        {4, {5, 5, 3, 8}, "HWIO"},
        {4, {2048, 512, 1, 1}, "OIHW"},
        {4, {1, 1, 512, 2048}, "HWIO"},
        {4, {64, 64, 1, 7}, "OIHW"}, /* 1 x N */
        {4, {7, 1, 64, 64}, "HWIO"},
        {4, {6, 1, 5, 5}, "OIHW, either"}, /* LeNet: equal lengths win */
        {4, {5, 5, 1, 6}, "HWIO, either"},
        {4, {32, 1, 3, 3}, "OIHW"}, /* depthwise */
        {4, {8, 8, 3, 3}, "OIHW, either"},
        {4, {3, 3, 8, 8}, "OIHW, either"},
        {4, {1, 1, 16, 16}, "HWIO, either"}, /* the other matrix would be 1 x 1 */
        {4, {768, 3, 16, 16}, "OIHW"},       /* patches of images */
        {4, {768, 3, 32, 32}, "OIHW, either"},
        {3, {64, 32, 3}, "OIHW"},
        {3, {3, 32, 64}, "HWIO"},
        {3, {8, 4096, 14336}, "HWIO"}, /* experts */
        {3, {128, 2048, 768}, "HWIO, either"},
        {5, {16, 8, 3, 3, 3}, "OIHW"},
        {5, {3, 3, 3, 24, 48}, "HWIO"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ub_array a = array_of("w", cases[i].rank, cases[i].shape, NULL);
        const struct ub_axes axes = ub_axes_of(&a, NULL, 0);
        char *text = ub_axes_text(&axes);
        if (strcmp(text, cases[i].text) != 0)
            fail_msg("case %zu: %s; expected %s", i, text, cases[i].text);
        ub_free(text);
    }
}

static void rules_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern;
        enum ub_axis_order order;
        int64_t groups;
    } good[] = {{"oihw", "*", UB_ORDER_OIHW, 1},
                {"conv*=hwio", "conv*", UB_ORDER_HWIO, 1},
                {"a=b.w=oihw/32", "a=b.w", UB_ORDER_OIHW, 32},
                {"auto/4", "*", UB_ORDER_SHAPE, 4}};
    static const char *const bad[] = {"",        "ohwi", "oihw/",     "oihw/0",
                                      "oihw/-2", "x=",   "x=oihw/2x", "hwio/99999999999999999999"};
    struct ub_error err = {0};
    struct ub_axes_rule rule;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(ub_axes_rule_parse(good[i].text, &rule, &err));
        assert_string_equal(rule.pattern, good[i].pattern);
        assert_int_equal(rule.order, good[i].order);
        assert_int_equal(rule.groups, good[i].groups);
        ub_axes_rule_free(&rule);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(ub_axes_rule_parse(bad[i], &rule, &err));
        assert_input_error(&err, "expected oihw, hwio or auto");
    }
}

static void the_last_rule_that_fits_counts(void **state)
{
    (void)state;
    const struct ub_axes_rule rules[] = {{(char *)"*", UB_ORDER_HWIO, 1},
                                         {(char *)"b*", UB_ORDER_OIHW, 2},
                                         {(char *)"bc", UB_ORDER_SHAPE, 4}};
    static const char *const expected[][2] = {
        {"a", "HWIO, given"}, {"b", "OIHW/2, given"}, {"bc", "OIHW/4, either"}};
    for (size_t i = 0; i < 3; i++) {
        const struct ub_array a = array_of(expected[i][0], 4, (int64_t[]){8, 8, 3, 3}, NULL);
        const struct ub_axes axes = ub_axes_of(&a, rules, 3);
        char *text = ub_axes_text(&axes);
        assert_string_equal(text, expected[i][1]);
        ub_free(text);
    }
}

static void rules_are_about_kernels(void **state)
{
    (void)state;
    const struct ub_axes_rule rule = {(char *)"conv*", UB_ORDER_OIHW, 1};
    const struct ub_array kernel = array_of("conv.w", 4, (int64_t[]){8, 8, 3, 3}, NULL);
    const struct ub_array other = array_of("fc.w", 4, (int64_t[]){8, 8, 3, 3}, NULL);
    const struct ub_array matrix = array_of("conv.b", 2, (int64_t[]){8, 8}, NULL);
    assert_true(ub_axes_rule_fits(&rule, &kernel));
    assert_false(ub_axes_rule_fits(&rule, &other));
    assert_false(ub_axes_rule_fits(&rule, &matrix));
}

/* Depthwise kernels are vectors at a position; in all together, only where one side is of outputs.
 */
static void vectors_are_told(void **state)
{
    (void)state;
    static const struct {
        int64_t shape[4];
        struct ub_axes axes;
        bool pooled, whole;
    } cases[] = {
        {{16, 1, 3, 3}, {UB_ORDER_OIHW, 1, UB_AXES_GIVEN}, false, true},
        {{16, 1, 3, 3}, {UB_ORDER_OIHW, 16, UB_AXES_GIVEN}, false, false},
        {{16, 1, 3, 3}, {UB_ORDER_OIHW, 8, UB_AXES_GIVEN}, false, true},
        {{3, 3, 16, 1}, {UB_ORDER_HWIO, 1, UB_AXES_GIVEN}, false, false},
        {{3, 3, 1, 16}, {UB_ORDER_HWIO, 1, UB_AXES_GIVEN}, false, true},
        {{16, 8, 3, 3}, {UB_ORDER_OIHW, 1, UB_AXES_GIVEN}, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ub_array a = array_of("w", 4, cases[i].shape, NULL);
        assert_int_equal(ub_axes_two_sided(&a, &cases[i].axes, true), cases[i].pooled);
        assert_int_equal(ub_axes_two_sided(&a, &cases[i].axes, false), cases[i].whole);
    }
}

/* ---- the matrices ----------------------------------------------------------------------- */

enum { GROUPS = 2, OUT = 6, IN = 4, SITES = 3, SIZE = OUT * IN * SITES };

/* Entry (o, i, p), of weights o's group sees: any numbers. */
static double entry(int64_t o, int64_t i, int64_t p)
{
    return sin(1.0 + 3.7 * (double)o + 11.3 * (double)i + 29.9 * (double)p);
}

static struct ub_weight_spectrum spectrum_of(const struct ub_array *a, enum ub_axis_order order,
                                             int64_t groups, bool pooled)
{
    const struct ub_axes axes = {.order = order, .groups = groups, .by = UB_AXES_GIVEN};
    struct ub_weight_spectrum s;
    struct ub_weight weight;
    struct ub_error err = {0};
    double *own;
    assert_true(ub_axes_weight(a, &axes, pooled, &weight, &own, &err));
    assert_true(ub_weight_spectrum(&weight, &s));
    ub_free(own);
    return s;
}

/* The matrices one by one: at each position (or all positions along the inputs), of each group. */
static struct ub_weight_spectrum expected_spectrum(int64_t groups, bool pooled)
{
    static double entries[SIZE];
    const int64_t rows = OUT / groups, columns = pooled ? IN : IN * SITES;
    const int64_t sites = pooled ? SITES : 1, slices = sites * groups;
    struct ub_weight_spectrum s;
    for (int64_t o = 0; o < OUT; o++)
        for (int64_t i = 0; i < IN; i++)
            for (int64_t p = 0; p < SITES; p++) {
                const int64_t column = pooled ? i : i * SITES + p, site = pooled ? p : 0;
                entries[(o % rows * columns + column) * slices + o / rows * sites + site] =
                    entry(o, i, p);
            }
    assert_true(ub_weight_spectrum(&(struct ub_weight){rows, columns, slices, entries}, &s));
    return s;
}

static void either_order_has_the_same_matrices(void **state)
{
    (void)state;
    double first[SIZE], last[SIZE];
    for (int64_t o = 0; o < OUT; o++)
        for (int64_t i = 0; i < IN; i++)
            for (int64_t p = 0; p < SITES; p++) {
                first[(o * IN + i) * SITES + p] = entry(o, i, p);
                last[(p * IN + i) * OUT + o] = entry(o, i, p);
            }
    const struct ub_array oihw = array_of("w", 4, (int64_t[]){OUT, IN, 1, SITES}, first);
    const struct ub_array hwio = array_of("w", 4, (int64_t[]){SITES, 1, IN, OUT}, last);
    for (int k = 0; k < 4; k++) {
        const int64_t groups = k / 2 ? GROUPS : 1;
        const bool pooled = k % 2;
        struct ub_weight_spectrum a = spectrum_of(&oihw, UB_ORDER_OIHW, groups, pooled);
        struct ub_weight_spectrum b = spectrum_of(&hwio, UB_ORDER_HWIO, groups, pooled);
        struct ub_weight_spectrum c = expected_spectrum(groups, pooled);
        assert_int_equal(a.count, c.count);
        assert_int_equal(b.count, c.count);
        for (int64_t i = 0; i < c.count; i++) {
            assert_near(a.values[i], c.values[i], 1e-12);
            assert_near(b.values[i], c.values[i], 1e-12);
        }
        ub_weight_spectrum_free(&a);
        ub_weight_spectrum_free(&b);
        ub_weight_spectrum_free(&c);
    }
    const struct ub_axes axes = {.order = UB_ORDER_OIHW, .groups = 4, .by = UB_AXES_GIVEN};
    struct ub_weight weight;
    struct ub_error err = {0};
    double *own;
    assert_false(ub_axes_weight(&oihw, &axes, true, &weight, &own, &err));
    assert_input_error(&err,
                       "--layout: w has 6 output channels; expected a multiple of its 4 groups");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_are_told_by_shape),
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(the_last_rule_that_fits_counts),
        cmocka_unit_test(rules_are_about_kernels),
        cmocka_unit_test(vectors_are_told),
        cmocka_unit_test(either_order_has_the_same_matrices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
