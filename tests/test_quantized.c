/* Numbers of 8 bits times their scales, and weights packed into integers, told by theirs. */
#include "bench/arrays/packed.h"
#include "bench/arrays/quantized.h"
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
        const struct ub_array floats = array_of(cases[i].floats, 2, (int64_t[]){2, 2}, ones);
        struct ub_array integers = array_of(cases[i].integers, 2, (int64_t[]){2, 2}, NULL);
        struct ub_array other = array_of("zz.other", 2, (int64_t[]){2, 2}, NULL);
        integers.kind = other.kind = UB_ARRAY_OTHER;
        integers.type = other.type = "I32";
        ub_packed_note(&p, &other);
        ub_packed_note(&p, &floats);
        ub_packed_note(&p, &integers);
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
        cmocka_unit_test(eight_bits_are_multiplied_by_their_scales),
        cmocka_unit_test(blocks_of_128),
        cmocka_unit_test(scales_of_a_nameless_module),
        cmocka_unit_test(packed_weights_are_told_by_their_scales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
