/* arrays_safetensors.c - 8 bytes of length (little-endian), a JSON header
 * {"NAME": {"dtype", "shape", "data_offsets"}, ..., "__metadata__": {...}}, the numbers. */
#include "bench/arrays/private.h"

#include <jansson.h>
#include <string.h>

static const uint64_t most_header = 100000000; /* the format's own limit */

static enum ub_number kind_of(const char *dtype)
{
    static const char *const names[] = {
        [UB_NUMBER_OTHER] = "",       [UB_NUMBER_F16] = "F16",      [UB_NUMBER_BF16] = "BF16",
        [UB_NUMBER_F32] = "F32",      [UB_NUMBER_F64] = "F64",      [UB_NUMBER_E4M3] = "F8_E4M3",
        [UB_NUMBER_E5M2] = "F8_E5M2", [UB_NUMBER_E8M0] = "F8_E8M0", [UB_NUMBER_I8] = "I8",
        [UB_NUMBER_U8] = "U8"};
    for (int kind = UB_NUMBER_F16; kind <= UB_NUMBER_U8; kind++)
        if (strcmp(dtype, names[kind]) == 0)
            return (enum ub_number)kind;
    return UB_NUMBER_OTHER;
}

/* `list` as whole numbers, at most `room` of them; -1 when it is none. */
static int read_list(const json_t *list, int64_t *out, size_t room)
{
    if (!json_is_array(list) || json_array_size(list) > room)
        return -1;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        out[i] = json_integer_value(item);
        if (!json_is_integer(item) || out[i] < 0)
            return -1;
    }
    return (int)json_array_size(list);
}

static bool give_numbers(const struct ub_array_file *f, struct ub_array *a, struct ub_encoding e,
                         uint64_t start, uint64_t bytes, struct ub_error *err)
{
    if (!ub_array_measure(f, a, e.kind, bytes, err))
        return false;
    if (e.kind == UB_NUMBER_OTHER)
        return ub_array_give(f, a, e, NULL, err);
    unsigned char *raw = ub_alloc(bytes + 1);
    bool good =
        fseeko(f->stream, (off_t)start, SEEK_SET) == 0 && fread(raw, 1, bytes, f->stream) == bytes;
    good = good ? ub_array_give(f, a, e, raw, err)
                : ub_fail(err, UB_INPUT, "%s: %s: cannot read its %llu bytes", f->path, a->name,
                          (unsigned long long)bytes);
    ub_free(raw);
    return good;
}

/* *used: bytes of all tensors so far. */
static bool give_tensor(const struct ub_array_file *f, uint64_t start, struct ub_array *a,
                        const json_t *entry, uint64_t *used, struct ub_error *err)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const uint64_t room = f->length - start;
    int64_t offset[2] = {0};
    a->rank = read_list(json_object_get(entry, "shape"), a->shape, UB_ARRAY_RANK);
    if (!dtype || a->rank < 0 ||
        read_list(json_object_get(entry, "data_offsets"), offset, 2) != 2 || offset[0] > offset[1])
        return ub_fail(err, UB_INPUT,
                       "%s: %s: expected dtype, shape (at most %d axes) and data_offsets [begin, "
                       "end]",
                       f->path, a->name, UB_ARRAY_RANK);
    if ((uint64_t)offset[1] > room)
        return ub_fail(err, UB_INPUT,
                       "%s: %s: ends at byte %lld of the numbers; expected at most %llu: is the "
                       "file cut short?",
                       f->path, a->name, (long long)offset[1], (unsigned long long)room);
    const uint64_t bytes = (uint64_t)(offset[1] - offset[0]);
    *used += bytes;
    char *type = ub_array_name(dtype, strlen(dtype));
    a->type = type;
    const bool good = give_numbers(f, a, (struct ub_encoding){.kind = kind_of(dtype)},
                                   start + (uint64_t)offset[0], bytes, err);
    a->type = NULL;
    ub_free(type);
    return good;
}

static bool give_all(const struct ub_array_file *f, uint64_t start, json_t *header,
                     struct ub_error *err)
{
    uint64_t used = 0;
    const char *key;
    json_t *entry;
    json_object_foreach(header, key, entry)
    {
        if (strcmp(key, "__metadata__") == 0)
            continue;
        char *name = ub_array_name(key, strlen(key));
        struct ub_array a = {.name = name};
        const bool good = give_tensor(f, start, &a, entry, &used, err);
        ub_free(name);
        if (!good)
            return false;
    }
    return used == f->length - start ||
           ub_fail(err, UB_INPUT, "%s: %llu bytes of numbers; expected %llu by its header", f->path,
                   (unsigned long long)(f->length - start), (unsigned long long)used);
}

static json_t *read_header(const struct ub_array_file *f, uint64_t length, struct ub_error *err)
{
    char *text = ub_alloc(length + 1);
    json_error_t why;
    json_t *header = NULL;
    if (fread(text, 1, length, f->stream) != length) {
        ub_fail(err, UB_INPUT, "%s: cannot read its header of %llu bytes", f->path,
                (unsigned long long)length);
    } else if (*text != '{') {
        ub_fail(err, UB_INPUT, "%s: expected .npy, .npz or .safetensors", f->path);
    } else {
        header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
        if (!header)
            ub_fail(err, UB_INPUT, "%s: at byte %d of the header: %s; expected JSON", f->path,
                    why.position, why.text);
    }
    ub_free(text);
    return header;
}

bool ub_safetensors_each(const struct ub_array_file *f, struct ub_error *err)
{
    unsigned char head[8];
    uint64_t length = 0;
    if (fread(head, 1, sizeof head, f->stream) != sizeof head)
        return ub_fail(err, UB_INPUT, "%s: %llu bytes; expected .npy, .npz or .safetensors",
                       f->path, (unsigned long long)f->length);
    for (size_t i = 0; i < sizeof head; i++)
        length |= (uint64_t)head[i] << 8 * i;
    if (length < 2 || length > most_header || length > f->length - sizeof head)
        return ub_fail(
            err, UB_INPUT,
            "%s: neither .npy, .npz nor whole safetensors; expected a header's length and the "
            "header",
            f->path);
    json_t *header = read_header(f, length, err);
    const bool good = header && give_all(f, sizeof head + length, header, err);
    json_decref(header);
    return good;
}
