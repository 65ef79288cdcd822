/* Zip (PKWARE APPNOTE 6.3, method 0) around NumPy's format version 1.0 (NEP 1). Little-endian
 * hosts only, as the rest of the suite. */
#include "bench/arrays/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { LOCAL_HEADER = 30, CENTRAL_HEADER = 46, END_RECORD = 22 };
static const uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50,
                      end_signature = 0x06054b50;
static const uint64_t limit = UINT32_MAX;
/* 1980-01-01, the zero of zip's dates: no clock in the bytes. */
static const uint16_t dos_date = 0x0021;

struct member {
    char *name; /* with .npy */
    uint32_t crc, size, offset;
};

struct ub_npz {
    char *path, *temporary; /* temporary NULL: written in place */
    FILE *file;
    uint64_t offset;
    size_t count;
    struct member *members;
};

/* ---- bytes ------------------------------------------------------------------------------ */

static void put16(unsigned char *at, uint16_t value)
{
    at[0] = (unsigned char)(value & 0xff);
    at[1] = (unsigned char)(value >> 8);
}

static void put32(unsigned char *at, uint32_t value)
{
    put16(at, (uint16_t)(value & 0xffff));
    put16(at + 2, (uint16_t)(value >> 16));
}

static uint32_t get16(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const unsigned char *at)
{
    return get16(at) | get16(at + 2) << 16;
}

static uint32_t crc_of(uint32_t crc, const void *data, size_t length)
{
    const unsigned char *at = data;
    while (length > 0) {
        uInt piece = length > (1u << 30) ? 1u << 30 : (uInt)length;
        crc = (uint32_t)crc32(crc, at, piece);
        at += piece;
        length -= piece;
    }
    return crc;
}

static bool put(struct ub_npz *z, const void *data, size_t length, struct ub_error *err)
{
    if (z->offset + length > limit)
        return ub_fail(err, UB_INPUT, "%s: would exceed 4 GiB; expected less data", z->path);
    if (length && fwrite(data, 1, length, z->file) != length)
        return ub_fail(err, UB_INPUT, "%s: cannot write: %s", z->path, strerror(errno));
    z->offset += length;
    return true;
}

/* ---- archive ---------------------------------------------------------------------------- */

/* A pipe, a device, a link: renaming a file over it would take it away. */
static bool is_special(const char *path)
{
    struct stat s;
    return lstat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

struct ub_npz *ub_npz_new(const char *path, struct ub_error *err)
{
    struct ub_npz *z = ub_calloc(1, sizeof *z);
    struct ub_text name = {0};
    ub_text_add(&name, "%s.%" PRId64 ".tmp", path, (int64_t)getpid());
    z->path = ub_strdup(path);
    if (is_special(path))
        ub_text_free(&name);
    z->temporary = name.data;
    z->file = fopen(z->temporary ? z->temporary : path, "wbe");
    if (z->file)
        return z;
    ub_fail(err, UB_INPUT, "%s: cannot write: %s", path, strerror(errno));
    ub_npz_abandon(z);
    return NULL;
}

void ub_npz_abandon(struct ub_npz *z)
{
    if (z->file) {
        fclose(z->file);
        if (z->temporary)
            unlink(z->temporary);
    }
    for (size_t i = 0; i < z->count; i++)
        ub_free(z->members[i].name);
    ub_free(z->members);
    ub_free(z->temporary);
    ub_free(z->path);
    ub_free(z);
}

/* The fields that local and central headers share, from "version needed" to "extra length". */
static void put_common(unsigned char *at, const struct member *m)
{
    put16(at, 20);    /* version 2.0 */
    put16(at + 2, 0); /* flags */
    put16(at + 4, 0); /* stored */
    put16(at + 6, 0); /* time */
    put16(at + 8, dos_date);
    put32(at + 10, m->crc);
    put32(at + 14, m->size);
    put32(at + 18, m->size);
    put16(at + 22, (uint16_t)strlen(m->name));
    put16(at + 24, 0); /* extra */
}

/* A member made of two pieces: the .npy header and the numbers. */
static bool add_member(struct ub_npz *z, const char *name, const void *head, size_t head_length,
                       const void *body, size_t body_length, struct ub_error *err)
{
    if (body_length > limit - head_length || z->count == UINT16_MAX || strlen(name) > 1024)
        return ub_fail(err, UB_INPUT, "%s: '%s' does not fit; expected below 4 GiB", z->path, name);
    struct member m = {
        .name = ub_strdup(name),
        .crc = crc_of(crc_of(0, head, head_length), body, body_length),
        .size = (uint32_t)(head_length + body_length),
        .offset = (uint32_t)z->offset,
    };
    z->members = ub_realloc(z->members, (z->count + 1) * sizeof *z->members);
    z->members[z->count++] = m;
    unsigned char header[LOCAL_HEADER];
    put32(header, local_signature);
    put_common(header + 4, &m);
    return put(z, header, sizeof header, err) && put(z, name, strlen(name), err) &&
           put(z, head, head_length, err) && put(z, body, body_length, err);
}

static bool put_directory(struct ub_npz *z, struct ub_error *err)
{
    uint64_t start = z->offset;
    for (size_t i = 0; i < z->count; i++) {
        const struct member *m = &z->members[i];
        unsigned char header[CENTRAL_HEADER] = {0};
        put32(header, central_signature);
        put16(header + 4, 20);
        put_common(header + 6, m);
        put32(header + 42, m->offset);
        if (!put(z, header, sizeof header, err) || !put(z, m->name, strlen(m->name), err))
            return false;
    }
    unsigned char end[END_RECORD] = {0};
    put32(end, end_signature);
    put16(end + 8, (uint16_t)z->count);
    put16(end + 10, (uint16_t)z->count);
    put32(end + 12, (uint32_t)(z->offset - start));
    put32(end + 16, (uint32_t)start);
    return put(z, end, sizeof end, err);
}

bool ub_npz_close(struct ub_npz *z, struct ub_error *err)
{
    bool good = put_directory(z, err);
    if (good && (fflush(z->file) != 0 || (z->temporary && fsync(fileno(z->file)) != 0)))
        good = ub_fail(err, UB_INPUT, "%s: cannot write: %s", z->path, strerror(errno));
    if (good && z->temporary && rename(z->temporary, z->path) != 0)
        good = ub_fail(err, UB_INPUT, "%s: cannot write: %s", z->path, strerror(errno));
    if (good) {
        fclose(z->file);
        z->file = NULL;
    }
    ub_npz_abandon(z);
    return good;
}

/* ---- arrays ----------------------------------------------------------------------------- */

/* Magic, version, length and the dict, padded so that the numbers start at a multiple of 64. */
static struct ub_text npy_header(const char *descr, int rank, const int64_t *shape)
{
    struct ub_text dict = {0}, header = {0};
    ub_text_add(&dict, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < rank; i++)
        ub_text_add(&dict, "%" PRId64 "%s", shape[i], rank == 1 ? "," : i + 1 < rank ? ", " : "");
    ub_text_add(&dict, "), }");
    size_t padded = (10 + dict.length + 1 + 63) / 64 * 64 - 10;
    ub_text_add(&header, "%-10s%-*s\n", "", (int)padded - 1, dict.data);
    memcpy(header.data, "\x93NUMPY\x01\x00", 8);
    put16((unsigned char *)header.data + 8, (uint16_t)padded);
    ub_text_free(&dict);
    return header;
}

static bool add_array(struct ub_npz *z, const char *name, const char *descr, int rank,
                      const int64_t *shape, const void *data, size_t bytes, struct ub_error *err)
{
    struct ub_text header = npy_header(descr, rank, shape), file = {0};
    ub_text_add(&file, "%s.npy", name);
    bool good = add_member(z, file.data, header.data, header.length, data, bytes, err);
    ub_text_free(&header);
    ub_text_free(&file);
    return good;
}

bool ub_npz_add_reals(struct ub_npz *z, const char *name, int rank, const int64_t *shape,
                      const double *values, struct ub_error *err)
{
    size_t bytes = sizeof *values;
    for (int i = 0; i < rank; i++)
        bytes *= (size_t)shape[i]; /* the array is in memory: no overflow */
    return add_array(z, name, "<f8", rank, shape, values, bytes, err);
}

/* Code points of UTF-8 text; bytes that are no UTF-8 become U+FFFD. `out` may be NULL. */
static size_t decode(const char *text, uint32_t *out)
{
    size_t n = 0;
    while (*text) {
        const uint32_t code = ub_utf8_next(&text);
        if (out)
            out[n] = code;
        n++;
    }
    return n;
}

bool ub_npz_add_texts(struct ub_npz *z, const char *name, size_t count, char *const *texts,
                      struct ub_error *err)
{
    size_t width = 1;
    for (size_t i = 0; i < count; i++) {
        size_t length = decode(texts[i], NULL);
        width = length > width ? length : width;
    }
    uint32_t *codes = ub_calloc(count * width + 1, sizeof *codes);
    for (size_t i = 0; i < count; i++)
        decode(texts[i], codes + i * width);
    char descr[32];
    snprintf(descr, sizeof descr, "<U%zu", width);
    const int64_t shape = (int64_t)count;
    bool good = add_array(z, name, descr, 1, &shape, codes, count * width * sizeof *codes, err);
    ub_free(codes);
    return good;
}

/* ---- copying ---------------------------------------------------------------------------- */

/* Length of the member at `at`, 0 when it is not one that this writer made. */
static size_t check_member(const unsigned char *at, size_t left, char name[1025])
{
    if (left < LOCAL_HEADER || get32(at) != local_signature)
        return 0;
    size_t name_length = get16(at + 26), size = get32(at + 18);
    bool plain = get16(at + 6) == 0 && get16(at + 8) == 0 && get16(at + 28) == 0;
    if (!plain || name_length > 1024 || left - LOCAL_HEADER < name_length ||
        left - LOCAL_HEADER - name_length < size)
        return 0;
    const unsigned char *data = at + LOCAL_HEADER + name_length;
    if (crc_of(0, data, size) != get32(at + 14))
        return 0;
    memcpy(name, at + LOCAL_HEADER, name_length);
    name[name_length] = '\0';
    return LOCAL_HEADER + name_length + size;
}

bool ub_npz_add_all(struct ub_npz *z, const char *path, struct ub_error *err)
{
    size_t length;
    unsigned char *data = ub_read_file(path, limit, &length, err);
    bool good = data != NULL;
    for (size_t at = 0; good;) {
        if (length - at >= 4 && get32(data + at) == central_signature)
            break;
        char name[1025];
        size_t member = check_member(data + at, length - at, name);
        if (member == 0) {
            good = ub_fail(err, UB_INPUT, "%s: broken at byte %zu; expected the weights of a run",
                           path, at);
            break;
        }
        size_t size = get32(data + at + 18);
        good = add_member(z, name, NULL, 0, data + at + member - size, size, err);
        at += member;
    }
    ub_free(data);
    return good;
}
