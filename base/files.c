/* files.c - whole files in and out: gzip where the name or the bytes say so, atomic writes. */
#define _GNU_SOURCE /* nftw's FTW_PHYS under gnu17, mkostemp */
#include "base/base.h"
#include "base/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { READ_PIECE = 1 << 16, GZIP_LEVEL = 6, GZIP_WINDOW = 15 + 16 /* zlib's way to say gzip */ };

char *ub_path(const char *folder, const char *name)
{
    struct ub_text path = {0};
    size_t n = strlen(folder);
    ub_text_add(&path, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
    return path.data;
}

bool ub_exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0;
}

static bool make_folder(const char *path, struct ub_error *err)
{
    struct stat s;
    if (mkdir(path, 0777) == 0)
        return true;
    int cause = errno;
    if (cause == EEXIST && stat(path, &s) == 0 && S_ISDIR(s.st_mode))
        return true;
    return ub_fail(err, UB_INPUT, "%s: cannot make this folder: %s", path,
                   cause == EEXIST ? "a file is in its place" : strerror(cause));
}

bool ub_make_folders(const char *path, struct ub_error *err)
{
    char *part = ub_strdup(path);
    bool good = true;
    for (char *slash = strchr(part + 1, '/'); good && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        good = make_folder(part, err);
        *slash = '/';
    }
    good = good && make_folder(part, err);
    ub_free(part);
    return good;
}

static int remove_entry(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

bool ub_remove_tree(const char *path, struct ub_error *err)
{
    struct stat s;
    if (lstat(path, &s) != 0 && errno == ENOENT)
        return true;
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0)
        return true;
    return ub_fail(err, UB_INPUT, "%s: cannot remove: %s", path, strerror(errno));
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool too_large(const char *path, uint64_t limit, struct ub_error *err)
{
    return ub_fail(err, UB_INPUT, "%s: larger than expected: at most %llu bytes", path,
                   (unsigned long long)limit);
}

static unsigned char *read_raw(const char *path, uint64_t limit, size_t *length,
                               struct ub_error *err)
{
    struct stat s;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &s) != 0) {
        ub_fail(err, UB_INPUT, "%s: cannot open: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
        return NULL;
    }
    unsigned char *data = NULL;
    size_t n = 0, room = 0;
    ssize_t got = 1;
    while (got > 0 && n <= limit) {
        if (n + READ_PIECE + 1 > room) {
            room = s.st_size > 0 && !room ? (size_t)s.st_size : 2 * room;
            room += READ_PIECE + 2;
            if (room > limit + READ_PIECE + 2)
                room = (size_t)limit + READ_PIECE + 2;
            data = ub_realloc(data, room);
        }
        got = read(file, data + n, READ_PIECE);
        n += got > 0 ? (size_t)got : 0;
    }
    int cause = errno;
    close(file);
    if (got >= 0 && n <= limit) {
        data[n] = '\0';
        *length = n;
        return data;
    }
    if (got < 0)
        ub_fail(err, UB_INPUT, "%s: cannot read: %s", path, strerror(cause));
    else
        too_large(path, limit, err);
    ub_free(data);
    return NULL;
}

/* Inflates all members of a gzip file; false with the reason in err. */
static bool inflate_all(z_stream *z, const char *path, uint64_t limit, struct ub_text *out,
                        struct ub_error *err)
{
    for (;;) {
        if (out->length + READ_PIECE + 1 > out->capacity) {
            out->capacity = 2 * out->capacity + READ_PIECE + 1;
            out->data = ub_realloc(out->data, out->capacity);
        }
        z->next_out = (unsigned char *)out->data + out->length;
        z->avail_out = READ_PIECE;
        int state = inflate(z, Z_NO_FLUSH);
        out->length += READ_PIECE - z->avail_out;
        if (out->length > limit)
            return too_large(path, limit, err);
        if (state == Z_STREAM_END && z->avail_in == 0)
            return true;
        if (state == Z_STREAM_END && inflateReset(z) == Z_OK)
            continue; /* another member follows */
        if (state == Z_BUF_ERROR || (state == Z_OK && z->avail_in == 0 && z->avail_out > 0))
            return ub_fail(err, UB_INPUT, "%s: truncated gzip stream; expected more after byte %lu",
                           path, z->total_in);
        if (state != Z_OK)
            return ub_fail(err, UB_INPUT, "%s: corrupt gzip stream near byte %lu: %s", path,
                           z->total_in, z->msg ? z->msg : "bad data");
    }
}

static unsigned char *decompress(const char *path, unsigned char *packed, size_t packed_length,
                                 uint64_t limit, size_t *length, struct ub_error *err)
{
    z_stream z = {.next_in = packed, .avail_in = (unsigned)packed_length};
    struct ub_text out = {0};
    if (packed_length > UINT32_MAX) {
        too_large(path, UINT32_MAX, err);
        return NULL;
    }
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
        ub_fail(err, UB_INTERNAL, "%s: zlib does not start", path);
        return NULL;
    }
    bool good = inflate_all(&z, path, limit, &out, err);
    inflateEnd(&z);
    if (!good) {
        ub_text_free(&out);
        return NULL;
    }
    out.data[out.length] = '\0';
    *length = out.length;
    return (unsigned char *)out.data;
}

unsigned char *ub_read_file(const char *path, uint64_t limit, size_t *length, struct ub_error *err)
{
    size_t n = 0;
    unsigned char *data = read_raw(path, limit, &n, err);
    if (data && n >= 2 && data[0] == 0x1f && data[1] == 0x8b) {
        unsigned char *plain = decompress(path, data, n, limit, &n, err);
        ub_free(data);
        data = plain;
    }
    if (data && length)
        *length = n;
    return data;
}

/* ---- writing ---------------------------------------------------------------------------- */

unsigned char *ub_gzip(const void *data, size_t length, int level, size_t *packed,
                       struct ub_error *err)
{
    z_stream z = {0};
    if (length > UINT32_MAX ||
        deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        ub_fail(err, UB_INTERNAL, "cannot compress %zu bytes", length);
        return NULL;
    }
    size_t room = deflateBound(&z, length);
    unsigned char *out = ub_alloc(room);
    z.next_in = (unsigned char *)data; /* zlib does not write to it */
    z.avail_in = (unsigned)length;
    z.next_out = out;
    z.avail_out = (unsigned)room;
    int state = deflate(&z, Z_FINISH);
    *packed = room - z.avail_out;
    deflateEnd(&z);
    if (state == Z_STREAM_END)
        return out;
    ub_free(out);
    ub_fail(err, UB_INTERNAL, "cannot compress %zu bytes", length);
    return NULL;
}

static bool write_all(int file, const unsigned char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(file, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        length -= (size_t)n;
    }
    return fsync(file) == 0;
}

static bool write_renamed(const char *path, const void *data, size_t length, struct ub_error *err)
{
    struct ub_text temporary = {0};
    ub_text_add(&temporary, "%s.tmp-XXXXXX", path);
    int file = mkostemp(temporary.data, O_CLOEXEC);
    bool made = file >= 0, good = made;
    if (good) {
        mode_t mask = umask(0);
        umask(mask);
        good = write_all(file, data, length) && fchmod(file, 0666 & ~mask) == 0;
    }
    int cause = good ? 0 : errno;
    if (made && close(file) != 0 && good) {
        good = false;
        cause = errno;
    }
    if (good && rename(temporary.data, path) != 0) {
        good = false;
        cause = errno;
    }
    if (made && !good)
        unlink(temporary.data);
    ub_text_free(&temporary);
    return good ||
           ub_fail(err, UB_INPUT, "%s: cannot write: %s", path, strerror(cause ? cause : EIO));
}

bool ub_write_file(const char *path, const void *data, size_t length, struct ub_error *err)
{
    size_t n = strlen(path);
    if (n < 3 || strcmp(path + n - 3, ".gz") != 0)
        return write_renamed(path, data, length, err);
    size_t packed;
    unsigned char *bytes = ub_gzip(data, length, GZIP_LEVEL, &packed, err);
    bool good = bytes && write_renamed(path, bytes, packed, err);
    ub_free(bytes);
    return good;
}
