/* arrays_npz.c - NumPy's .npz: a zip archive, which libzip reads, of .npy members. */
#include "bench/arrays/private.h"

#include <string.h>
#include <zip.h>

/* Deflate packs at most so many bytes into one (zlib.net/zlib_tech.html). */
enum { MOST_RATIO = 1032 };

static zip_file_t *stream_of(const struct ub_npy *m)
{
    return m->context;
}

static bool broken(const struct ub_npy *m, struct ub_error *err)
{
    return ub_fail(err, UB_INPUT, "%s: %s: %s; expected a whole member", m->file->path, m->name,
                   zip_error_strerror(zip_file_get_error(stream_of(m))));
}

static bool read_exactly(struct ub_npy *m, void *out, uint64_t bytes, struct ub_error *err)
{
    unsigned char *at = out;
    while (bytes > 0) {
        const zip_int64_t n = zip_fread(stream_of(m), at, bytes);
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
static bool check_rest(struct ub_npy *m, struct ub_error *err)
{
    unsigned char piece[1 << 14];
    while (true) {
        const zip_int64_t n = zip_fread(stream_of(m), piece, sizeof piece);
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

/* ---- zip ---- */

/* What the directory says of a member can be true. */
static bool check_sizes(const struct ub_npy *m, const zip_stat_t *s, struct ub_error *err)
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
    char *name = ub_array_name(s->name, strlen(s->name) - 4);
    struct ub_npy m = {
        .file = f, .name = name, .left = s->size, .read = read_exactly, .end = check_rest};
    bool good = check_sizes(&m, s, err);
    if (good && !(m.context = zip_fopen_index(zip, s->index, 0)))
        good = ub_fail(err, UB_INPUT, "%s: %s: %s; expected a whole member", f->path, name,
                       zip_strerror(zip));
    good = good && ub_npy_give(&m, err);
    if (m.context)
        zip_fclose(m.context);
    ub_free(name);
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
