/* array_files.h - .npz, .npy and safetensors files built byte by byte as the zip (PKWARE APPNOTE),
 * NEP 1 and safetensors formats say, what is read of them, and damage to them. */
#ifndef UB_TEST_ARRAY_FILES_H
#define UB_TEST_ARRAY_FILES_H

#include "bench/arrays/arrays.h"
#include "bench/arrays/export.h"
#include "tests/support.h"

#include <stdio.h>
#include <zlib.h>

/* ---- what was read ---------------------------------------------------------------------- */

enum { MOST_ARRAYS = 16, MOST_VALUES = 256 };

struct seen {
    size_t count;
    struct {
        char name[64];
        int rank;
        int64_t shape[UB_ARRAY_RANK], size;
        bool numbers;
        enum ub_array_kind kind;
        char type[32];
        double values[MOST_VALUES];
    } array[MOST_ARRAYS];
};

static inline bool note(void *context, const struct ub_array *a, struct ub_error *err)
{
    (void)err;
    struct seen *s = context;
    assert_true(s->count < MOST_ARRAYS);
    snprintf(s->array[s->count].name, sizeof s->array[0].name, "%s", a->name);
    s->array[s->count].rank = a->rank;
    s->array[s->count].size = a->size;
    s->array[s->count].numbers = a->values != NULL;
    s->array[s->count].kind = a->kind;
    snprintf(s->array[s->count].type, sizeof s->array[0].type, "%s", a->type);
    memcpy(s->array[s->count].shape, a->shape, sizeof a->shape);
    for (int64_t i = 0; a->values && i < a->size && i < MOST_VALUES; i++)
        s->array[s->count].values[i] = a->values[i];
    s->count++;
    return true;
}

static inline void expect_array(const struct seen *s, size_t i, const char *name, int rank,
                                const int64_t *shape, const double *values)
{
    int64_t size = 1;
    assert_true(i < s->count);
    assert_string_equal(s->array[i].name, name);
    assert_int_equal(s->array[i].rank, rank);
    for (int k = 0; k < rank; k++) {
        assert_int_equal(s->array[i].shape[k], shape[k]);
        size *= shape[k];
    }
    assert_int_equal(s->array[i].size, size);
    assert_int_equal(s->array[i].numbers, values != NULL);
    for (int64_t k = 0; values && k < size; k++)
        if (!isnan(values[k]) || !isnan(s->array[i].values[k]))
            assert_true(s->array[i].values[k] == values[k]);
}

/* ---- building --------------------------------------------------------------------------- */

struct bytes {
    size_t length;
    unsigned char data[1 << 14];
};

static inline void put(struct bytes *b, const void *data, size_t length)
{
    assert_true(b->length + length <= sizeof b->data);
    memcpy(b->data + b->length, data, length);
    b->length += length;
}

static inline void put_number(struct bytes *b, uint64_t value, int width)
{
    for (int i = 0; i < width; i++)
        put(b, &(unsigned char){(unsigned char)(value >> 8 * i)}, 1);
}

/* ---- reading ---------------------------------------------------------------------------- */

static inline void write_plain(const char *path, const void *data, size_t length)
{
    remove(path); /* some file systems write out what is cut to nothing, which takes long */
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Everything of the bytes, as a file. */
static inline bool read_bytes(const char *folder, const void *data, size_t length,
                              struct seen *seen, struct ub_error *err)
{
    char *path = ub_path(folder, "arrays");
    write_plain(path, data, length);
    *seen = (struct seen){0};
    *err = (struct ub_error){0};
    const bool good = ub_arrays_each(path, note, seen, err);
    ub_free(path);
    return good;
}

static inline void expect_refused(const char *folder, const struct bytes *b, const char *part)
{
    struct seen seen;
    struct ub_error err;
    if (read_bytes(folder, b->data, b->length, &seen, &err))
        fail_msg("read without an error; expected '%s'", part);
    assert_null(strchr(err.text, '\n'));
    assert_non_null(strstr(err.text, folder)); /* the file is named */
    assert_input_error(&err, part);
}

/* ---- .npz ------------------------------------------------------------------------------- */

static const double six[] = {1.5, -2, 0.25, 1e300, 5e-324, -0.0};
static const double floats[] = {1.5, -2, 0.25, 65504, 0x1p-24, 3.140625};

/* Six floats as NumPy may hold them, all of which are the same 2 x 3 array. */
static const uint16_t halves[] = {0x3e00, 0xc000, 0x3400, 0x7bff, 0x0001, 0x4248};
static const double in_halves[] = {1.5, -2, 0.25, 65504, 0x1p-24, 3.140625};

/* ---- damage ----------------------------------------------------------------------------- */

/* Whatever happens to a file, it is refused by one line, or what is read is what was written. */
static inline void check_damaged(const char *folder, const struct bytes *b, size_t length,
                                 const struct seen *whole, bool checksums)
{
    static struct seen seen;
    struct ub_error err;
    const bool good = read_bytes(folder, b->data, length, &seen, &err);
    if (!good) {
        assert_int_equal(err.code, UB_INPUT);
        assert_null(strchr(err.text, '\n'));
        assert_non_null(strstr(err.text, folder));
    }
    for (size_t i = 0; checksums && i < seen.count; i++) {
        size_t k = 0; /* names are not under a checksum: any array of the same numbers will do */
        while (k < whole->count && (seen.array[i].rank != whole->array[k].rank ||
                                    seen.array[i].size != whole->array[k].size ||
                                    seen.array[i].numbers != whole->array[k].numbers ||
                                    memcmp(seen.array[i].values, whole->array[k].values,
                                           sizeof whole->array[k].values) != 0))
            k++;
        assert_true(k < whole->count);
    }
}

static inline void damage(const struct bytes *whole, bool checksums)
{
    static struct seen expected;
    struct ub_error err;
    struct bytes b = *whole;
    char *folder = support_folder();
    assert_true(read_bytes(folder, b.data, b.length, &expected, &err));
    for (size_t length = 0; length < b.length; length++) {
        struct seen seen;
        assert_false(read_bytes(folder, b.data, length, &seen, &err));
        check_damaged(folder, &b, length, &expected, checksums);
    }
    for (size_t i = 0; i < b.length; i++)
        for (int kind = 0; kind < 4; kind++) {
            static const unsigned char flip[] = {0x01, 0x10, 0x80, 0xff};
            b.data[i] ^= flip[kind];
            check_damaged(folder, &b, b.length, &expected, checksums);
            b.data[i] ^= flip[kind];
        }
    support_remove(folder);
}

#endif
