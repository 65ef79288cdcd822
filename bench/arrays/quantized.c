/* quantized.c - weights of 8 bits times their scales; see quantized.h. */
#include "bench/arrays/quantized.h"

#include <string.h>

enum { BLOCK = 128 };
static const double int8_most = 127;

struct scale {
    char *name;
    struct ub_array array; /* its name and numbers are the scale's own */
    double *values;
};

struct ub_scales {
    size_t count;
    struct scale *list;
};

static const char *const suffixes[] = {"_scale",        "_scale_inv", ".scale",
                                       ".scale_weight", ".SCB",       "_zero_point",
                                       ".scales",       "_scales",    ".qzeros"};

/* Of a file's nameless module, ".SCB" is "SCB". */
static bool ends_with(const char *name, const char *suffix)
{
    const size_t n = strlen(name), k = strlen(suffix);
    return (n > k && strcmp(name + n - k, suffix) == 0) ||
           (*suffix == '.' && strcmp(name, suffix + 1) == 0);
}

bool ub_is_scale(const char *name)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (ends_with(name, suffixes[i]))
            return true;
    return false;
}

static bool keep_scale(void *context, const struct ub_array *a, struct ub_error *err)
{
    (void)err;
    struct ub_scales *s = context;
    const bool other_weight = strstr(a->name, "weight_scale") != NULL; /* weight_scale_2, ... */
    if (!ub_is_scale(a->name) && !other_weight)
        return true;
    struct scale scale = {.name = ub_strdup(a->name), .array = *a};
    scale.values = ub_calloc((size_t)a->size + 1, sizeof *scale.values);
    if (a->values)
        memcpy(scale.values, a->values, (size_t)a->size * sizeof *scale.values);
    scale.array.values = a->values ? scale.values : NULL;
    scale.array.name = scale.name;
    scale.array.type = NULL;
    s->list = ub_realloc(s->list, (s->count + 1) * sizeof *s->list);
    s->list[s->count++] = scale;
    return true;
}

struct ub_scales *ub_scales_read(const char *path, struct ub_error *err)
{
    struct ub_scales *s = ub_calloc(1, sizeof *s);
    if (ub_arrays_each(path, keep_scale, s, err))
        return s;
    ub_scales_free(s);
    return NULL;
}

void ub_scales_free(struct ub_scales *s)
{
    for (size_t i = 0; s && i < s->count; i++) {
        ub_free(s->list[i].name);
        ub_free(s->list[i].values);
    }
    if (s)
        ub_free(s->list);
    ub_free(s);
}

/* The scale called STEM + suffix, `stem` being so many bytes of the array's name. */
static const struct scale *find(const struct ub_scales *s, const char *name, size_t stem,
                                const char *suffix)
{
    for (size_t i = 0; i < s->count; i++)
        if (strncmp(s->list[i].name, name, stem) == 0 &&
            strcmp(s->list[i].name + stem, suffix) == 0)
            return &s->list[i];
    return NULL;
}

/* Bytes of "m." in "m.weight". */
static size_t module_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) + 1 : 0;
}

static const struct scale *scale_of(const struct ub_scales *s, const char *name)
{
    static const char *const after[] = {"_scale", "_scale_inv", ".scale"};
    static const char *const beside[] = {"scale_weight", "SCB", "scale"};
    const struct scale *found = NULL;
    for (size_t i = 0; i < sizeof after / sizeof *after && !found; i++)
        found = find(s, name, strlen(name), after[i]);
    for (size_t i = 0; i < sizeof beside / sizeof *beside && !found; i++)
        found = find(s, name, module_of(name), beside[i]);
    return found;
}

/* Another scale of this array than the one that is known; NULL when there is none. */
static const struct scale *unknown_scale(const struct ub_scales *s, const char *name)
{
    static const char *const beside[] = {"scales", "qzeros"}; /* whose axes are the tool's own */
    const size_t n = strlen(name);
    for (size_t i = 0; i < s->count; i++)
        if (strncmp(s->list[i].name, name, n) == 0 &&
            strncmp(s->list[i].name + n, "_scale", 6) == 0 &&
            (!ub_is_scale(s->list[i].name) || strcmp(s->list[i].name + n, "_scales") == 0))
            return &s->list[i];
    const struct scale *found = NULL;
    for (size_t i = 0; i < sizeof beside / sizeof *beside && !found; i++)
        found = find(s, name, module_of(name), beside[i]);
    return found;
}

/* Rows and columns of the array that one number of the scale covers; false: not such a scale. */
static bool cover(const struct ub_array *a, const struct ub_array *scale, int64_t block[2])
{
    const int64_t rows = a->rank > 0 ? a->shape[0] : 1, columns = rows ? a->size / rows : 0;
    int64_t down = 1, across = 1;
    if (scale->size == 1) {
        block[0] = rows;
        block[1] = columns;
        return true;
    }
    if (scale->size == rows && scale->shape[0] == rows) {
        block[0] = 1;
        block[1] = columns;
        return true;
    }
    if (a->rank != 2 || scale->rank != 2)
        return false;
    down = scale->shape[0];
    across = scale->shape[1];
    if (down < 1 || across < 1)
        return false;
    const bool usual =
        (rows + BLOCK - 1) / BLOCK == down && (columns + BLOCK - 1) / BLOCK == across;
    if (!usual && (rows % down != 0 || columns % across != 0))
        return false;
    block[0] = usual ? BLOCK : rows / down;
    block[1] = usual ? BLOCK : columns / across;
    return true;
}

static double *multiply(const struct ub_array *a, const struct scale *s, const int64_t block[2])
{
    const int64_t rows = a->shape[0], columns = a->size / rows;
    const int64_t across = (columns + block[1] - 1) / block[1];
    const double unit = ends_with(s->name, ".SCB") ? int8_most : 1;
    double *values = ub_calloc((size_t)a->size + 1, sizeof *values);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            values[i * columns + j] =
                a->values[i * columns + j] / unit * s->values[i / block[0] * across + j / block[1]];
    return values;
}

/* Why the array cannot be scaled as it should be; false when it can. */
static bool refuse(const struct ub_scales *s, const struct ub_array *a, const struct scale *scale,
                   struct ub_text *said)
{
    const struct scale *zero = find(s, a->name, strlen(a->name), "_zero_point");
    const struct scale *unknown = unknown_scale(s, a->name);
    bool shifted = false;
    for (int64_t i = 0; zero && i < zero->array.size; i++)
        shifted = shifted || !zero->array.values || zero->values[i] != 0;
    if (shifted)
        ub_text_add(said, "%s has a zero point, %s", a->name, zero->name);
    else if (unknown)
        ub_text_add(said, "%s has a scale of unknown meaning, %s", a->name, unknown->name);
    else if (scale && !scale->array.values)
        ub_text_add(said, "%s is of no known type", scale->name);
    else if (a->kind == UB_ARRAY_INTEGER8 && strpbrk(a->type, "uU"))
        ub_text_add(said, "%s is of unsigned 8-bit integers, shifted or packed", a->name);
    else if (a->kind == UB_ARRAY_INTEGER8 && !scale)
        ub_text_add(said, "%s is of 8-bit integers without a scale (%s_scale)", a->name, a->name);
    return said->length > 0;
}

double *ub_scales_apply(const struct ub_scales *s, const struct ub_array *a, struct ub_text *said)
{
    const struct scale *scale = scale_of(s, a->name);
    int64_t block[2];
    if (refuse(s, a, scale, said))
        return NULL;
    if (!scale) {
        double *values = ub_calloc((size_t)a->size + 1, sizeof *values);
        memcpy(values, a->values, (size_t)a->size * sizeof *values);
        ub_text_add(said, "without a scale, taken as they are");
        return values;
    }
    if (!cover(a, &scale->array, block)) {
        ub_text_add(said, "%s does not fit the shape of %s", scale->name, a->name);
        return NULL;
    }
    ub_text_add(said, "times %s", scale->name + module_of(scale->name));
    if (scale->array.size > 1)
        ub_text_add(said, ", blocks of %lld x %lld", (long long)block[0], (long long)block[1]);
    return multiply(a, scale, block);
}
