/* Kernels as matrices: whichever order a file keeps the axes in, the matrices are the same, by the
 * rule that is stated or the option given; and numbers of 8 bits times their scales. */
#include "bench/arrays/packed.h"
#include "bench/arrays/quantized.h"
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

/* ---- scales ----------------------------------------------------------------------------- */

struct tensor {
    const char *name, *type;
    int rank;
    int64_t shape[2];
    double values[12]; /* of F32; else the codes */
};

static size_t width_of(const struct tensor *t)
{
    return strcmp(t->type, "F32") == 0 ? 4 : 1;
}

/* A safetensors file; its path. */
static char *write_tensors(const char *folder, const struct tensor *t, size_t n)
{
    unsigned char numbers[512];
    struct ub_text header = {0};
    size_t at = 0;
    ub_text_add(&header, "{");
    for (size_t k = 0; k < n; k++) {
        size_t size = 1;
        ub_text_add(&header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", k ? "," : "", t[k].name,
                    t[k].type);
        for (int i = 0; i < t[k].rank; i++) {
            size *= (size_t)t[k].shape[i];
            ub_text_add(&header, "%s%d", i ? "," : "", (int)t[k].shape[i]);
        }
        const size_t start = at;
        for (size_t i = 0; i < size; i++, at += width_of(&t[k])) {
            const float f = (float)t[k].values[i];
            if (width_of(&t[k]) == 4)
                memcpy(numbers + at, &f, 4);
            else
                numbers[at] = (unsigned char)(int)t[k].values[i];
        }
        ub_text_add(&header, "],\"data_offsets\":[%zu,%zu]}", start, at);
    }
    ub_text_add(&header, "}");
    unsigned char file[4096] = {(unsigned char)header.length, (unsigned char)(header.length >> 8)};
    memcpy(file + 8, header.data, header.length);
    memcpy(file + 8 + header.length, numbers, at);
    support_write(folder, "m.safetensors", file, 8 + header.length + at);
    ub_text_free(&header);
    return ub_path(folder, "m.safetensors");
}

struct check {
    const struct ub_scales *scales;
    const double *expected; /* NULL: refused */
    const char *said;
    bool seen;
};

static bool check_weight(void *context, const struct ub_array *a, struct ub_error *err)
{
    (void)err;
    struct check *c = context;
    struct ub_text said = {0};
    if (ub_is_scale(a->name) || strcmp(a->name, "m.weight") != 0)
        return true;
    double *values = ub_scales_apply(c->scales, a, &said);
    if (!said.data || strcmp(said.data, c->said) != 0)
        fail_msg("said '%s'; expected '%s'", said.data ? said.data : "", c->said);
    assert_int_equal(values == NULL, c->expected == NULL);
    for (int64_t i = 0; values && i < a->size; i++)
        assert_near(values[i], c->expected[i], 1e-6 * fabs(c->expected[i]));
    c->seen = true;
    ub_free(values);
    ub_text_free(&said);
    return true;
}

static void eight_bits_are_multiplied_by_their_scales(void **state)
{
    (void)state;
#define INTEGERS                                                                                   \
    {                                                                                              \
        "m.weight", "I8", 2, {2, 4},                                                               \
        {                                                                                          \
            1, 2, 3, 4, 255, 254, 253, 252                                                         \
        }                                                                                          \
    }
    /* E4M3: 0x38 = 1, 0x40 = 2, 0xb8 = -1 */
#define FLOATS                                                                                     \
    {                                                                                              \
        "m.weight", "F8_E4M3", 2, {2, 4},                                                          \
        {                                                                                          \
            0x38, 0x40, 0xb8, 0, 0x40, 0x40, 0x38, 0x38                                            \
        }                                                                                          \
    }
    static const struct {
        struct tensor tensors[3];
        size_t n;
        bool read;
        double expected[8];
        const char *said;
    } cases[] = {
        {{INTEGERS, {"m.weight_scale", "F32", 0, {0}, {0.5}}},
         2,
         true,
         {0.5, 1, 1.5, 2, -0.5, -1, -1.5, -2},
         "times weight_scale"},
        {{INTEGERS, {"m.weight_scale", "F32", 1, {2}, {1, 10}}},
         2,
         true,
         {1, 2, 3, 4, -10, -20, -30, -40},
         "times weight_scale, blocks of 1 x 4"},
        {{INTEGERS, {"m.weight_scale", "F32", 2, {2, 1}, {1, 10}}},
         2,
         true,
         {1, 2, 3, 4, -10, -20, -30, -40},
         "times weight_scale, blocks of 1 x 4"},
        {{INTEGERS, {"m.weight_scale", "F32", 2, {1, 4}, {1, 2, 3, 4}}},
         2,
         true,
         {1, 4, 9, 16, -1, -4, -9, -16},
         "times weight_scale, blocks of 2 x 1"},
        {{INTEGERS, {"m.weight_scale", "F32", 2, {2, 2}, {1, 2, 3, 4}}},
         2,
         true,
         {1, 2, 6, 8, -3, -6, -12, -16},
         "times weight_scale, blocks of 1 x 2"},
        {{INTEGERS, {"m.SCB", "F32", 1, {2}, {127, 254}}},
         2,
         true,
         {1, 2, 3, 4, -2, -4, -6, -8},
         "times SCB, blocks of 1 x 4"},
        {{INTEGERS,
          {"m.weight_scale", "F32", 0, {0}, {1}},
          {"m.weight_zero_point", "I8", 1, {2}, {0, 0}}},
         3,
         true,
         {1, 2, 3, 4, -1, -2, -3, -4},
         "times weight_scale"},
        {{FLOATS}, 1, true, {1, 2, -1, 0, 2, 2, 1, 1}, "without a scale, taken as they are"},
        {{FLOATS, {"m.scale_weight", "F32", 1, {1}, {3}}},
         2,
         true,
         {3, 6, -3, 0, 6, 6, 3, 3},
         "times scale_weight"},
        {{FLOATS, {"m.scale", "F32", 0, {0}, {3}}},
         2,
         true,
         {3, 6, -3, 0, 6, 6, 3, 3},
         "times scale"},
        {{FLOATS, {"m.scales", "F32", 2, {2, 2}, {1, 2, 3, 4}}},
         2,
         false,
         {0},
         "m.weight has a scale of unknown meaning, m.scales"},
        {{FLOATS, {"m.weight_scales", "F32", 2, {2, 2}, {1, 2, 3, 4}}},
         2,
         false,
         {0},
         "m.weight has a scale of unknown meaning, m.weight_scales"},
        {{FLOATS, {"n.scale", "F32", 0, {0}, {3}}},
         2,
         true,
         {1, 2, -1, 0, 2, 2, 1, 1},
         "without a scale, taken as they are"},
        {{FLOATS, {"m.weight_scale_inv", "F32", 2, {1, 2}, {1, 2}}},
         2,
         true,
         {1, 2, -2, 0, 2, 2, 2, 2},
         "times weight_scale_inv, blocks of 2 x 2"},
        {{FLOATS, {"m.weight_scale", "F8_E8M0", 2, {2, 2}, {127, 128, 129, 126}}},
         2,
         true,
         {1, 2, -2, 0, 8, 8, 0.5, 0.5},
         "times weight_scale, blocks of 1 x 2"},
        {{INTEGERS},
         1,
         false,
         {0},
         "m.weight is of 8-bit integers without a scale (m.weight_scale)"},
        {{INTEGERS, {"n.weight_scale", "F32", 0, {0}, {1}}},
         2,
         false,
         {0},
         "m.weight is of 8-bit integers without a scale (m.weight_scale)"},
        {{INTEGERS, {"m.weight_scale", "F32", 1, {3}, {1, 2, 3}}},
         2,
         false,
         {0},
         "m.weight_scale does not fit the shape of m.weight"},
        {{INTEGERS, {"m.weight_scale", "F32", 2, {2, 3}, {1, 2, 3, 4, 5, 6}}},
         2,
         false,
         {0},
         "m.weight_scale does not fit the shape of m.weight"},
        {{INTEGERS,
          {"m.weight_scale", "F32", 0, {0}, {1}},
          {"m.weight_zero_point", "I8", 1, {2}, {0, 3}}},
         3,
         false,
         {0},
         "m.weight has a zero point, m.weight_zero_point"},
        {{FLOATS, {"m.weight_scale", "F32", 0, {0}, {1}}, {"m.weight_scale_2", "F32", 0, {0}, {3}}},
         3,
         false,
         {0},
         "m.weight has a scale of unknown meaning, m.weight_scale_2"},
        {{{"m.weight", "U8", 2, {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}},
          {"m.weight_scale", "F32", 0, {0}, {1}}},
         2,
         false,
         {0},
         "m.weight is of unsigned 8-bit integers, shifted or packed"},
    };
    char *folder = support_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        char *path = write_tensors(folder, cases[i].tensors, cases[i].n);
        struct ub_scales *scales = ub_scales_read(path, &err);
        if (!scales)
            fail_msg("case %zu: %s", i, err.text);
        struct check check = {.scales = scales,
                              .expected = cases[i].read ? cases[i].expected : NULL,
                              .said = cases[i].said};
        assert_true(ub_arrays_each(path, check_weight, &check, &err));
        assert_true(check.seen);
        ub_scales_free(scales);
        ub_free(path);
    }
    support_remove(folder);
}

/* DeepSeek's blocks are of 128 x 128, the last ones shorter: 200 rows have 2, of 128 and 72. */
static void blocks_of_128(void **state)
{
    (void)state;
    enum { ROWS = 200, COLUMNS = 300 };
    char *folder = support_folder();
    const struct tensor scale = {
        "m.weight_scale_inv", "F32", 2, {2, 3}, {1, 10, 100, 1000, 10000, 100000}};
    struct ub_error err = {0};
    char *path = write_tensors(folder, &scale, 1);
    struct ub_scales *scales = ub_scales_read(path, &err);
    double *ones = ub_calloc(ROWS * COLUMNS, sizeof *ones);
    struct ub_text said = {0};
    for (int i = 0; i < ROWS * COLUMNS; i++)
        ones[i] = 1;
    struct ub_array a = array_of("m.weight", 2, (int64_t[]){ROWS, COLUMNS}, ones);
    a.kind = UB_ARRAY_FLOAT8;
    a.type = "F8_E4M3";
    double *values = ub_scales_apply(scales, &a, &said);
    assert_string_equal(said.data, "times weight_scale_inv, blocks of 128 x 128");
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            assert_near(values[i * COLUMNS + j], pow(10, 3 * (i >= 128) + (j >= 128) + (j >= 256)),
                        1e-9);
    ub_text_free(&said);
    ub_free(values);
    ub_free(ones);
    ub_scales_free(scales);
    ub_free(path);
    support_remove(folder);
}

/* A file may be one module without a name. */
static void scales_of_a_nameless_module(void **state)
{
    (void)state;
    static const char *const names[] = {"scale", "SCB", "scale_weight"};
    static const double ones[] = {1, 1, 1, 1}, factor[] = {3, 3 / 127.0, 3};
    char *folder = support_folder();
    for (int k = 0; k < 3; k++) {
        struct tensor scale = {names[k], "F32", 0, {0}, {3}};
        struct ub_error err = {0};
        struct ub_text said = {0};
        char *path = write_tensors(folder, &scale, 1);
        struct ub_scales *scales = ub_scales_read(path, &err);
        struct ub_array a = array_of("weight", 2, (int64_t[]){2, 2}, ones);
        a.kind = UB_ARRAY_FLOAT8;
        a.type = "F8_E4M3";
        double *values = ub_scales_apply(scales, &a, &said);
        assert_non_null(values);
        assert_near(values[3], factor[k], 1e-15);
        ub_free(values);
        ub_text_free(&said);
        ub_scales_free(scales);
        ub_free(path);
    }
    support_remove(folder);
}

/* ---- packed weights --------------------------------------------------------------------- */

/* Of an array of integers and one of floats: whether these are its scales. */
static void packed_weights_are_told_by_their_scales(void **state)
{
    (void)state;
    static const struct {
        const char *integers, *floats;
        bool packed;
    } cases[] = {
        {"a.l.qweight", "a.l.scales", true}, /* GPTQ, AWQ */
        {"a.l.weight", "a.l.scales", true},  /* MLX */
        {"a.l.weight", "a.l.biases", true},
        {"l.weight_packed", "l.weight_scale", true}, /* compressed-tensors */
        {"e.up_proj_blocks", "e.up_proj_scales", true},
        {"l.W_q", "l.scale", true},
        {"l.weight", "l.weight.scale", true},
        {"qweight", "scales", true},
        {"l1.qweight", "l.scales", false},
        {"l.qweight", "l1.scales", false},
        {"a.l.qweight", "a.scales", false},
        {"l.relative_position_index", "l.scale", false}, /* a parameter, and a table of places */
        {"l.relative_position_index", "l.logit_scale", false},
        {"labels", "scale", false},
        {"l.qweight", "l.weight", false},
        {"l.weight", "l.out_biases", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_packed p = {0};
        static const double ones[] = {1, 1, 1, 1};
        struct ub_array a = array_of(cases[i].integers, 2, (int64_t[]){2, 2}, NULL);
        const struct ub_array b = array_of(cases[i].floats, 2, (int64_t[]){2, 2}, ones),
                              far = array_of("zz.other", 2, (int64_t[]){2, 2}, NULL);
        a.kind = UB_ARRAY_OTHER;
        a.type = "I32";
        struct ub_array other = far;
        other.kind = UB_ARRAY_OTHER;
        other.type = "I64";
        ub_packed_note(&p, &other);
        ub_packed_note(&p, &b);
        ub_packed_note(&p, &a);
        ub_packed_match(&p);
        assert_int_equal(p.count, 2);
        if (p.list[0].packed != cases[i].packed ||
            ub_packed_scale(&p, cases[i].floats) != cases[i].packed)
            fail_msg("%s beside %s: %d, %d; expected %d", cases[i].floats, cases[i].integers,
                     p.list[0].packed, ub_packed_scale(&p, cases[i].floats), cases[i].packed);
        assert_false(p.list[1].packed);
        ub_packed_clear(&p);
    }
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
        cmocka_unit_test(eight_bits_are_multiplied_by_their_scales),
        cmocka_unit_test(blocks_of_128),
        cmocka_unit_test(scales_of_a_nameless_module),
        cmocka_unit_test(packed_weights_are_told_by_their_scales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
