/* arrays_npz.c - NumPy's .npz: a zip archive, which libzip reads, of .npy members (NEP 1). */
#include "bench/arrays_private.h"

#include <string.h>
#include <zip.h>

/* Deflate packs at most so many bytes into one (zlib.net/zlib_tech.html). */
enum { MOST_RATIO = 1032, LONGEST_HEADER = 1 << 16 };

struct member {
    const struct ub_array_file *file;
    char *name; /* without .npy */
    zip_file_t *stream;
    uint64_t left; /* bytes not yet read */
};

static bool broken(const struct member *m, struct ub_error *err)
{
    return ub_fail(err, UB_INPUT, "%s: %s: %s; expected a whole member", m->file->path, m->name,
                   zip_error_strerror(zip_file_get_error(m->stream)));
}

static bool read_exactly(struct member *m, void *out, uint64_t bytes, struct ub_error *err)
{
    unsigned char *at = out;
    while (bytes > 0) {
        const zip_int64_t n = zip_fread(m->stream, at, bytes);
        if (n < 0)
            return broken(m, err);
        if (n == 0)
            return ub_fail(err, UB_INPUT,
                           "%s: %s: cut short by %llu bytes; expected a whole member",
                           m->file->path, m->name, (unsigned long long)bytes);
        at += n;
        bytes -= (uint64_t)n;
        m->left -= (uint64_t)n;
    }
    return true;
}

/* Reads on to the end, where libzip compares the checksum. */
static bool check_rest(struct member *m, struct ub_error *err)
{
    unsigned char piece[1 << 14];
    while (true) {
        const zip_int64_t n = zip_fread(m->stream, piece, sizeof piece);
        if (n < 0)
            return broken(m, err);
        if ((uint64_t)n > m->left)
            return ub_fail(err, UB_INPUT, "%s: %s: longer than it says; expected a whole member",
                           m->file->path, m->name);
        m->left -= (uint64_t)n;
        if (n == 0)
            break;
    }
    return m->left == 0 ||
           ub_fail(err, UB_INPUT, "%s: %s: cut short by %llu bytes; expected a whole member",
                   m->file->path, m->name, (unsigned long long)m->left);
}

/* ---- .npy ---- */

/* What follows 'key': in the header's dict. */
static const char *find_key(const char *dict, const char *key)
{
    const char *at = strstr(dict, key);
    if (!at)
        return NULL;
    at += strlen(key);
    return at + strspn(at, " ");
}

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
    }
}

/* '<f4' and the like; records, texts, integers are others. */
static enum ub_number kind_of(const char *descr)
{
    if (*descr != '\'' || !strchr("<>=|", descr[1]))
        return UB_NUMBER_OTHER;
    if (strncmp(descr + 2, "f2'", 3) == 0)
        return UB_NUMBER_F16;
    if (strncmp(descr + 2, "f4'", 3) == 0)
        return UB_NUMBER_F32;
    return strncmp(descr + 2, "f8'", 3) == 0 ? UB_NUMBER_F64 : UB_NUMBER_OTHER;
}

static bool read_dict(const char *dict, struct ub_array *a, struct ub_encoding *e)
{
    const char *descr = find_key(dict, "'descr':"), *order = find_key(dict, "'fortran_order':");
    if (!descr || !order || !read_shape(find_key(dict, "'shape':"), a))
        return false;
    e->fortran = strncmp(order, "True", 4) == 0;
    e->big_endian = strncmp(descr, "'>", 2) == 0;
    e->kind = *descr && descr[1] ? kind_of(descr) : UB_NUMBER_OTHER;
    return e->fortran || strncmp(order, "False", 5) == 0;
}

static bool read_header(struct member *m, struct ub_array *a, struct ub_encoding *e,
                        struct ub_error *err)
{
    unsigned char head[12];
    uint64_t length = 0;
    bool good = m->left >= sizeof head;
    if (good && !read_exactly(m, head, 8, err))
        return false;
    good = good && memcmp(head, "\x93NUMPY", 6) == 0 && head[6] >= 1 && head[6] <= 3;
    const uint64_t width = good && head[6] == 1 ? 2 : 4;
    if (good && !read_exactly(m, head + 8, width, err))
        return false;
    for (size_t i = 0; good && i < width; i++)
        length |= (uint64_t)head[8 + i] << 8 * i;
    if (good && length < LONGEST_HEADER && length <= m->left) {
        char *dict = ub_calloc(length + 1, 1);
        good = read_exactly(m, dict, length, err) && read_dict(dict, a, e);
        ub_free(dict);
    } else {
        good = false;
    }
    return good || ub_fail(err, UB_INPUT,
                           "%s: %s: no header of a NumPy array; expected .npy version 1 to 3 of at "
                           "most %d axes",
                           m->file->path, m->name, UB_ARRAY_RANK);
}

static bool give_numbers(struct member *m, struct ub_array *a, struct ub_encoding e,
                         struct ub_error *err)
{
    if (!ub_array_measure(m->file, a, e.kind, m->left, err))
        return false;
    unsigned char *raw = e.kind == UB_NUMBER_OTHER ? NULL : ub_alloc(m->left + 1);
    const bool good = (!raw || read_exactly(m, raw, m->left, err)) && check_rest(m, err) &&
                      ub_array_give(m->file, a, e, raw, err);
    ub_free(raw);
    return good;
}

/* ---- zip ---- */

/* What the directory says of a member can be true. */
static bool check_sizes(const struct member *m, const zip_stat_t *s, struct ub_error *err)
{
    if (s->encryption_method != ZIP_EM_NONE ||
        (s->comp_method != ZIP_CM_STORE && s->comp_method != ZIP_CM_DEFLATE))
        return ub_fail(err, UB_INPUT, "%s: %s: %s; expected a stored or deflated member",
                       m->file->path, m->name,
                       s->encryption_method != ZIP_EM_NONE ? "encrypted"
                                                           : "compressed by another method");
    const bool stored = s->comp_method == ZIP_CM_STORE;
    if (s->comp_size <= m->file->length &&
        (stored ? s->size == s->comp_size : s->size / MOST_RATIO <= s->comp_size))
        return true;
    return ub_fail(
        err, UB_INPUT, "%s: %s: %llu bytes, packed to %llu; expected what the file holds",
        m->file->path, m->name, (unsigned long long)s->size, (unsigned long long)s->comp_size);
}

static bool give_member(const struct ub_array_file *f, zip_t *zip, const zip_stat_t *s,
                        struct ub_error *err)
{
    struct member m = {.file = f, .left = s->size};
    struct ub_array a = {0};
    struct ub_encoding e = {0};
    a.name = m.name = ub_array_name(s->name, strlen(s->name) - 4);
    bool good = check_sizes(&m, s, err);
    if (good && !(m.stream = zip_fopen_index(zip, s->index, 0)))
        good = ub_fail(err, UB_INPUT, "%s: %s: %s; expected a whole member", f->path, m.name,
                       zip_strerror(zip));
    good = good && read_header(&m, &a, &e, err) && give_numbers(&m, &a, e, err);
    if (m.stream)
        zip_fclose(m.stream);
    ub_free(m.name);
    return good;
}

static bool give_all(const struct ub_array_file *f, zip_t *zip, struct ub_error *err)
{
    static const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                       ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    const zip_int64_t count = zip_get_num_entries(zip, 0);
    size_t arrays = 0;
    for (zip_int64_t i = 0; i < count; i++) {
        zip_stat_t s;
        if (zip_stat_index(zip, (zip_uint64_t)i, 0, &s) != 0 || (s.valid & needed) != needed)
            return ub_fail(err, UB_INPUT,
                           "%s: member %lld is broken; expected a whole .npz archive", f->path,
                           (long long)i);
        const size_t length = strlen(s.name);
        if (length <= 4 || strcmp(s.name + length - 4, ".npy") != 0)
            continue;
        arrays++;
        if (!give_member(f, zip, &s, err))
            return false;
    }
    return arrays > 0 ||
           ub_fail(err, UB_INPUT,
                   "%s: a zip archive without .npy members; expected what numpy.savez writes (of "
                   "torch.save's files, save the state_dict by numpy.savez or as safetensors)",
                   f->path);
}

bool ub_npz_each(const struct ub_array_file *f, struct ub_error *err)
{
    int code;
    zip_error_t why;
    zip_t *zip = zip_open(f->path, ZIP_RDONLY, &code);
    if (!zip) {
        zip_error_init_with_code(&why, code);
        ub_fail(err, UB_INPUT, "%s: %s; expected a whole .npz archive", f->path,
                zip_error_strerror(&why));
        zip_error_fini(&why);
        return false;
    }
    const bool good = give_all(f, zip, err);
    zip_discard(zip);
    return good;
}
