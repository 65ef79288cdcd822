/* arrays.c - which format a file has, and its numbers as doubles. */
#include "bench/arrays/arrays.h"
#include "bench/arrays/private.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

size_t ub_number_width(enum ub_number kind)
{
    static const size_t width[] = {
        [UB_NUMBER_OTHER] = 0, [UB_NUMBER_F16] = 2,  [UB_NUMBER_BF16] = 2, [UB_NUMBER_F32] = 4,
        [UB_NUMBER_F64] = 8,   [UB_NUMBER_E4M3] = 1, [UB_NUMBER_E5M2] = 1, [UB_NUMBER_E8M0] = 1,
        [UB_NUMBER_I8] = 1,    [UB_NUMBER_U8] = 1};
    return width[kind];
}

/* IEEE 754 binary16. */
static double half(uint64_t bits)
{
    const int exponent = (int)(bits >> 10 & 31);
    const double fraction = (double)(bits & 1023), sign = bits >> 15 ? -1 : 1;
    if (exponent == 31)
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

/* One byte as a number. E5M2 is the upper half of a binary16. */
static double small(enum ub_number kind, unsigned bits)
{
    const int exponent = (int)(bits >> 3 & 15), fraction = (int)(bits & 7);
    const double sign = bits >> 7 ? -1 : 1;
    switch (kind) {
    case UB_NUMBER_I8:
        return bits < 128 ? bits : (double)bits - 256;
    case UB_NUMBER_E5M2:
        return half((uint64_t)bits << 8);
    case UB_NUMBER_E8M0:
        return bits == 255 ? (double)NAN : ldexp(1, (int)bits - 127);
    case UB_NUMBER_E4M3:
        if (exponent == 15 && fraction == 7)
            return (double)NAN;
        return sign * (exponent ? ldexp(8 + fraction, exponent - 10) : ldexp(fraction, -9));
    default:
        return bits;
    }
}

static enum ub_array_kind kind_of(enum ub_number kind)
{
    if (kind == UB_NUMBER_OTHER)
        return UB_ARRAY_OTHER;
    if (kind == UB_NUMBER_I8 || kind == UB_NUMBER_U8)
        return UB_ARRAY_INTEGER8;
    return ub_number_width(kind) == 1 ? UB_ARRAY_FLOAT8 : UB_ARRAY_REAL;
}

static double number(struct ub_encoding e, size_t width, const unsigned char *at)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < width; i++)
        bits |= (uint64_t)at[e.big_endian ? width - 1 - i : i] << 8 * i;
    if (width == 1)
        return small(e.kind, (unsigned)bits);
    if (e.kind == UB_NUMBER_F16)
        return half(bits);
    if (e.kind == UB_NUMBER_F64) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    /* bfloat16 is the upper half of a float32 */
    const uint32_t word = (uint32_t)(e.kind == UB_NUMBER_BF16 ? bits << 16 : bits);
    float value;
    memcpy(&value, &word, sizeof value);
    return (double)value;
}

/* Where C-order element `index` is in Fortran order. */
static int64_t fortran_index(const struct ub_array *a, int64_t index)
{
    int64_t place = 0, stride = a->size;
    for (int i = a->rank - 1; i >= 0; i--) {
        stride /= a->shape[i];
        place += index % a->shape[i] * stride;
        index /= a->shape[i];
    }
    return place;
}

bool ub_array_measure(const struct ub_array_file *file, struct ub_array *a, enum ub_number kind,
                      uint64_t bytes, struct ub_error *err)
{
    a->size = 1;
    for (int i = 0; i < a->rank; i++)
        if (a->shape[i] < 0 || __builtin_mul_overflow(a->size, a->shape[i], &a->size))
            return ub_fail(err, UB_INPUT,
                           "%s: %s: axis %d is of length %lld; expected a sane shape", file->path,
                           a->name, i, (long long)a->shape[i]);
    const size_t width = ub_number_width(kind);
    if (width == 0)
        return true;
    if (a->size > UB_ARRAY_LIMIT)
        return ub_fail(err, UB_INPUT, "%s: %s: %lld numbers; expected at most %d", file->path,
                       a->name, (long long)a->size, UB_ARRAY_LIMIT);
    const uint64_t expected = (uint64_t)a->size * width;
    return bytes == expected ||
           ub_fail(err, UB_INPUT, "%s: %s: %llu bytes of numbers; expected %llu by its shape",
                   file->path, a->name, (unsigned long long)bytes, (unsigned long long)expected);
}

char *ub_array_name(const char *name, size_t length)
{
    char *copy = ub_calloc(length + 1, 1);
    memcpy(copy, name, length);
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return copy;
}

bool ub_array_give(const struct ub_array_file *file, struct ub_array *array, struct ub_encoding e,
                   const unsigned char *raw, struct ub_error *err)
{
    const size_t width = ub_number_width(e.kind);
    double *values = width ? ub_calloc((size_t)array->size + 1, sizeof *values) : NULL;
    for (int64_t i = 0; width && i < array->size; i++)
        values[i] =
            number(e, width, raw + (size_t)(e.fortran ? fortran_index(array, i) : i) * width);
    array->values = values;
    array->kind = kind_of(e.kind);
    const bool good = file->visit(file->context, array, err);
    ub_free(values);
    array->values = NULL;
    return good;
}

static bool read_any(struct ub_array_file *file, struct ub_error *err)
{
    static const struct {
        const char *magic, *format;
    } others[] = {{"\x89HDF", "an HDF5 file (Keras, MATLAB)"}, {"GGUF", "a GGUF file (llama.cpp)"}};
    unsigned char head[6] = {0};
    struct stat s;
    if (fstat(fileno(file->stream), &s) != 0 || !S_ISREG(s.st_mode))
        return ub_fail(err, UB_INPUT, "%s: not a file; expected .npy, .npz or .safetensors",
                       file->path);
    file->length = (uint64_t)s.st_size;
    const size_t n = fread(head, 1, sizeof head, file->stream);
    rewind(file->stream);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (n >= 4 && memcmp(head, others[i].magic, 4) == 0)
            return ub_fail(err, UB_INPUT, "%s: %s; expected .npy, .npz or .safetensors", file->path,
                           others[i].format);
    if (n == sizeof head && memcmp(head, "\x93NUMPY", 6) == 0)
        return ub_npy_each(file, err);
    return n >= 4 && memcmp(head, "PK", 2) == 0 ? ub_npz_each(file, err)
                                                : ub_safetensors_each(file, err);
}

bool ub_arrays_each(const char *path, ub_array_visit *visit, void *context, struct ub_error *err)
{
    struct ub_array_file file = {
        .path = path, .stream = fopen(path, "rbe"), .visit = visit, .context = context};
    if (!file.stream)
        return ub_fail(err, UB_INPUT, "%s: cannot read: %s", path, strerror(errno));
    const bool good = read_any(&file, err);
    fclose(file.stream);
    return good;
}
