/* Arrays of others in safetensors files, built byte by byte: whole, of 8 bits, absurd, cut short
 * and corrupt. */
#include "tests/array_files.h"

/* ---- building --------------------------------------------------------------------------- */

static void build_safetensors(struct bytes *b, const char *header, const void *numbers,
                              size_t length)
{
    *b = (struct bytes){0};
    put_number(b, strlen(header), 8);
    put(b, header, strlen(header));
    put(b, numbers, length);
}

/* ---- 8 bits ----------------------------------------------------------------------------- */

/* Every code of the 8-bit types, against the values that their definitions list (OCP 8-bit Floating
 * Point Specification 1.0, table 2; OCP Microscaling Formats 1.0, section 5.4.1). */
static void numbers_of_8_bits(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum ub_array_kind kind;
        struct {
            int code;
            double value;
        } known[9];
        int rising; /* codes 0 to this are non-negative and rise */
    } cases[] = {
        {"F8_E4M3",
         UB_ARRAY_FLOAT8,
         {{0x38, 1},
          {0xb8, -1},
          {0x7e, 448},
          {0xfe, -448},
          {0x08, 0x1p-6},
          {0x07, 0.875 * 0x1p-6},
          {0x01, 0x1p-9},
          {0x7f, (double)NAN},
          {0xff, (double)NAN}},
         0x7e},
        {"F8_E5M2",
         UB_ARRAY_FLOAT8,
         {{0x3c, 1},
          {0xbc, -1},
          {0x7b, 57344},
          {0x7c, INFINITY},
          {0xfc, -INFINITY},
          {0x04, 0x1p-14},
          {0x03, 0.75 * 0x1p-14},
          {0x01, 0x1p-16},
          {0x7d, (double)NAN}},
         0x7c},
        {"F8_E8M0",
         UB_ARRAY_FLOAT8,
         {{127, 1},
          {128, 2},
          {0, 0x1p-127},
          {254, 0x1p127},
          {255, (double)NAN},
          {127, 1},
          {127, 1},
          {127, 1},
          {127, 1}},
         254},
        {"I8",
         UB_ARRAY_INTEGER8,
         {{0, 0}, {1, 1}, {127, 127}, {128, -128}, {255, -1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}},
         127},
        {"U8",
         UB_ARRAY_INTEGER8,
         {{0, 0}, {1, 1}, {127, 127}, {128, 128}, {255, 255}, {0, 0}, {0, 0}, {0, 0}, {0, 0}},
         255},
    };
    unsigned char codes[256];
    char *folder = support_folder();
    for (int i = 0; i < 256; i++)
        codes[i] = (unsigned char)i;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct seen seen;
        struct ub_text text = {0};
        struct bytes b;
        struct ub_error err;
        ub_text_add(&text, "{\"w\":{\"dtype\":\"%s\",\"shape\":[16,16],\"data_offsets\":[0,256]}}",
                    cases[i].type);
        build_safetensors(&b, text.data, codes, 256);
        ub_text_free(&text);
        if (!read_bytes(folder, b.data, b.length, &seen, &err))
            fail_msg("%s", err.text);
        assert_int_equal(seen.array[0].kind, cases[i].kind);
        assert_string_equal(seen.array[0].type, cases[i].type);
        const double *v = seen.array[0].values;
        for (int k = 0; k < 9; k++) {
            const double expected = cases[i].known[k].value, found = v[cases[i].known[k].code];
            assert_true(found == expected || (isnan(found) && isnan(expected)));
        }
        for (int k = 1; k <= cases[i].rising; k++)
            assert_true(v[k] > v[k - 1]);
    }
    support_remove(folder);
}

/* ---- safetensors ------------------------------------------------------------------------ */

static const char header[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"f\\u00e9.weight\":{\"dtype\":\"F64\",\"shape\":[2,3],\"data_offsets\":[0,48]},"
    "\"half\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[48,60]},"
    "\"brain\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[60,68]},"
    "\"single\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[68,72]},"
    "\"whole\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[72,80]},"
    "\"none\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[80,80]}}   ";

static void build_tensors(struct bytes *b)
{
    static const uint16_t brains[] = {0x3f80, 0xc049, 0x7f80, 0x7fc0}; /* 1, -3.14.., inf, nan */
    struct bytes numbers = {0};
    put(&numbers, six, sizeof six);
    for (int i = 0; i < 6; i++)
        put_number(&numbers, halves[i], 2);
    for (int i = 0; i < 4; i++)
        put_number(&numbers, brains[i], 2);
    put_number(&numbers, 0x40490fdb, 4); /* pi in float32 */
    put_number(&numbers, 7, 8);
    build_safetensors(b, header, numbers.data, numbers.length);
}

static void safetensors_are_read(void **state)
{
    (void)state;
    char *folder = support_folder();
    struct bytes b;
    struct ub_error err;
    struct seen seen;
    build_tensors(&b);
    if (!read_bytes(folder, b.data, b.length, &seen, &err))
        fail_msg("%s", err.text);
    assert_int_equal(seen.count, 6);
    expect_array(&seen, 0, "f\xc3\xa9.weight", 2, (int64_t[]){2, 3}, six);
    expect_array(&seen, 1, "half", 2, (int64_t[]){2, 3}, in_halves);
    expect_array(&seen, 2, "brain", 1, (int64_t[]){4},
                 (double[]){1, -3.140625, INFINITY, (double)NAN});
    expect_array(&seen, 3, "single", 0, NULL, (double[]){13176795.0 / 4194304});
    expect_array(&seen, 4, "whole", 1, (int64_t[]){1}, NULL);
    expect_array(&seen, 5, "none", 2, (int64_t[]){0, 4}, six);
    support_remove(folder);
}

static void absurd_safetensors_are_refused(void **state)
{
    (void)state;
#define TENSOR(dtype, shape, offsets)                                                              \
    "{\"a\\nb\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
    static const char *const cases[][2] = {
        {TENSOR("F32", "[2]", "[0,8]") "x", "of the header: "},
        {TENSOR("F32", "[2]", "[0,16]"), "a?b: ends at byte 16 of the numbers; expected at most 8"},
        {TENSOR("F32", "[3]", "[0,8]"), "a?b: 8 bytes of numbers; expected 12 by its shape"},
        {TENSOR("F32", "[2]", "[8,0]"), "expected dtype, shape"},
        {TENSOR("F32", "[2]", "[-8,0]"), "expected dtype, shape"},
        {TENSOR("F32", "[2.5]", "[0,8]"), "expected dtype, shape"},
        {TENSOR("F32", "\"2\"", "[0,8]"), "expected dtype, shape"},
        {TENSOR("F32", "[2]", "[0,99999999999999999999]"), "of the header: "},
        {TENSOR("F32", "[4294967296,4294967296]", "[0,8]"), "sane shape"},
        {TENSOR("F32", "[4294967296]", "[0,8]"), "expected at most 1073741824"},
        {TENSOR("F32", "[1]", "[0,4]"), "8 bytes of numbers; expected 4 by its header"},
        {"{\"a\":3}", "a: expected dtype, shape"},
        {"{\"a\":{},\"a\":{}}", "duplicate"},
        {"{}", "8 bytes of numbers; expected 0"},
        {"[1,2]", "expected .npy, .npz or .safetensors"},
        {"{\"a\":", "of the header: "},
    };
    char *folder = support_folder();
    struct bytes b;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        build_safetensors(&b, cases[i][0], six, 8);
        expect_refused(folder, &b, cases[i][1]);
    }
    static const uint64_t lengths[] = {0, 1, 11, 100, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        b = (struct bytes){0};
        put_number(&b, lengths[i], 8);
        put(&b, "{}", 2);
        expect_refused(folder, &b, "neither .npy, .npz nor whole safetensors");
    }
    expect_refused(folder, &(struct bytes){.length = 0},
                   "0 bytes; expected .npy, .npz or .safetensors");
    support_remove(folder);
}

/* ---- damage ----------------------------------------------------------------------------- */

static void damaged_safetensors_are_refused(void **state)
{
    (void)state;
    struct bytes b;
    build_tensors(&b);
    damage(&b, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_8_bits),
        cmocka_unit_test(safetensors_are_read),
        cmocka_unit_test(absurd_safetensors_are_refused),
        cmocka_unit_test(damaged_safetensors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
