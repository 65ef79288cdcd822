/* arrays_npy.c - NumPy's .npy (NEP 1): a file of its own, or a member of an .npz. */
#include "bench/arrays/private.h"

#include <string.h>

enum { LONGEST_HEADER = 1 << 16, LONGEST_TYPE = 32 };

/* What follows 'key': in the header's dict. */
static const char *find_key(const char *dict, const char *key)
{
    const char *at = strstr(dict, key);
    if (!at)
        return NULL;
    at += strlen(key);
    return at + strspn(at, " ");
}

/* (2, 3), also (2L, 3L) as Python 2 wrote it. */
static bool read_shape(const char *at, struct ub_array *a)
{
    if (!at || *at++ != '(')
        return false;
    while (true) {
        at += strspn(at, " ,");
        if (*at == ')')
            return true;
        const size_t digits = strspn(at, "0123456789");
        char text[24] = "";
        if (digits == 0 || digits > 19 || a->rank == UB_ARRAY_RANK)
            return false;
        memcpy(text, at, digits);
        if (!ub_read_int(text, &a->shape[a->rank++]))
            return false;
        at += digits;
        at += *at == 'L';
    }
}

/* '<f4' and the like; records, texts, other integers are others. */
static enum ub_number kind_of(const char *descr)
{
    static const struct {
        const char *text;
        enum ub_number kind;
    } kinds[] = {{"f2'", UB_NUMBER_F16},
                 {"f4'", UB_NUMBER_F32},
                 {"f8'", UB_NUMBER_F64},
                 {"i1'", UB_NUMBER_I8},
                 {"u1'", UB_NUMBER_U8}};
    if (*descr != '\'' || !descr[1] || !strchr("<>=|", descr[1]))
        return UB_NUMBER_OTHER;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(descr + 2, kinds[i].text, 3) == 0)
            return kinds[i].kind;
    return UB_NUMBER_OTHER;
}

/* What the header calls its numbers: <i8; "record" where that is a list. */
static void copy_type(const char *descr, char out[LONGEST_TYPE])
{
    const size_t n = *descr == '\'' ? strcspn(descr + 1, "'") : 0;
    char *type = n ? ub_array_name(descr + 1, n) : ub_strdup("record");
    snprintf(out, LONGEST_TYPE, "%s", type);
    ub_free(type);
}

static bool read_dict(const char *dict, struct ub_array *a, struct ub_encoding *e,
                      char type[LONGEST_TYPE])
{
    const char *descr = find_key(dict, "'descr':"), *order = find_key(dict, "'fortran_order':");
    if (!descr || !order || !read_shape(find_key(dict, "'shape':"), a))
        return false;
    e->fortran = strncmp(order, "True", 4) == 0;
    e->big_endian = strncmp(descr, "'>", 2) == 0;
    e->kind = kind_of(descr);
    copy_type(descr, type);
    return e->fortran || strncmp(order, "False", 5) == 0;
}

static bool read_header(struct ub_npy *m, struct ub_array *a, struct ub_encoding *e,
                        char type[LONGEST_TYPE], struct ub_error *err)
{
    unsigned char head[12];
    uint64_t length = 0;
    bool good = m->left >= sizeof head;
    if (good && !m->read(m, head, 8, err))
        return false;
    good = good && memcmp(head, "\x93NUMPY", 6) == 0 && head[6] >= 1 && head[6] <= 3;
    const uint64_t width = good && head[6] == 1 ? 2 : 4;
    if (good && !m->read(m, head + 8, width, err))
        return false;
    for (size_t i = 0; good && i < width; i++)
        length |= (uint64_t)head[8 + i] << 8 * i;
    if (good && length < LONGEST_HEADER && length <= m->left) {
        char *dict = ub_calloc(length + 1, 1);
        good = m->read(m, dict, length, err) && read_dict(dict, a, e, type);
        ub_free(dict);
    } else {
        good = false;
    }
    return good || ub_fail(err, UB_INPUT,
                           "%s: %s: no header of a NumPy array; expected .npy version 1 to 3 of at "
                           "most %d axes",
                           m->file->path, m->name, UB_ARRAY_RANK);
}

bool ub_npy_give(struct ub_npy *m, struct ub_error *err)
{
    struct ub_array a = {.name = m->name};
    struct ub_encoding e = {0};
    char type[LONGEST_TYPE] = "";
    if (!read_header(m, &a, &e, type, err) || !ub_array_measure(m->file, &a, e.kind, m->left, err))
        return false;
    a.type = type;
    unsigned char *raw = e.kind == UB_NUMBER_OTHER ? NULL : ub_alloc(m->left + 1);
    const bool good = (!raw || m->read(m, raw, m->left, err)) && (!m->end || m->end(m, err)) &&
                      ub_array_give(m->file, &a, e, raw, err);
    ub_free(raw);
    return good;
}

/* ---- a file of one array ---- */

static bool read_file(struct ub_npy *m, void *out, uint64_t bytes, struct ub_error *err)
{
    if (fread(out, 1, bytes, m->file->stream) != bytes)
        return ub_fail(err, UB_INPUT, "%s: cannot read %llu bytes of it", m->file->path,
                       (unsigned long long)bytes);
    m->left -= bytes;
    return true;
}

bool ub_npy_each(const struct ub_array_file *f, struct ub_error *err)
{
    const char *slash = strrchr(f->path, '/'), *file = slash ? slash + 1 : f->path;
    const size_t n = strlen(file);
    const bool named = n > 4 && strcmp(file + n - 4, ".npy") == 0;
    char *name = ub_array_name(file, named ? n - 4 : n);
    struct ub_npy m = {.file = f, .name = name, .left = f->length, .read = read_file};
    const bool good = ub_npy_give(&m, err);
    ub_free(name);
    return good;
}
