/* encoding.c - text files as UTF-8: a byte order mark is dropped, other encodings are refused. */
#include "base/base.h"

#include <string.h>

struct mark {
    const char *bytes;
    size_t length;
    const char *encoding;
};

/* The Unicode Standard 15.0, section 23.8; UTF-32's little-endian mark begins with UTF-16's. */
static const struct mark utf8_mark = {"\xef\xbb\xbf", 3, "UTF-8"};
static const struct mark other_marks[] = {
    {"\xff\xfe\0\0", 4, "UTF-32"},
    {"\0\0\xfe\xff", 4, "UTF-32"},
    {"\xff\xfe", 2, "UTF-16"},
    {"\xfe\xff", 2, "UTF-16"},
};

static bool starts_with(const char *data, size_t length, const struct mark *m)
{
    return length >= m->length && memcmp(data, m->bytes, m->length) == 0;
}

/* Every other byte of its beginning is NUL and no byte between: Latin letters as UTF-16. */
static bool looks_wide(const char *data, size_t length)
{
    enum { LEAST = 8, MOST = 1024 };
    const size_t n = length < MOST ? length / 2 * 2 : MOST;
    size_t even = 0, odd = 0;
    for (size_t i = 0; i < n; i += 2) {
        even += data[i] == '\0';
        odd += data[i + 1] == '\0';
    }
    return n >= LEAST && ((even == n / 2 && odd == 0) || (odd == n / 2 && even == 0));
}

bool ub_utf8(char *data, size_t *length, const char *path, struct ub_error *err)
{
    const char *other = looks_wide(data, *length) ? "UTF-16" : NULL;
    for (size_t i = 0; i < sizeof other_marks / sizeof *other_marks && !other; i++)
        if (starts_with(data, *length, &other_marks[i]))
            other = other_marks[i].encoding;
    if (other)
        return ub_fail(err, UB_INPUT, "%s: text in %s; expected UTF-8 (iconv -f %s -t UTF-8)", path,
                       other, other);
    if (starts_with(data, *length, &utf8_mark)) {
        *length -= utf8_mark.length;
        memmove(data, data + utf8_mark.length, *length + 1);
    }
    return true;
}

/* Length and least value of the sequence that the byte begins, 0 when it begins none. */
static int sequence_of(unsigned char byte, uint32_t *least)
{
    static const uint32_t from[] = {0, 0, 0x80, 0x800, 0x10000};
    const int length = byte < 0x80   ? 1
                       : byte < 0xc0 ? 0
                       : byte < 0xe0 ? 2
                       : byte < 0xf0 ? 3
                       : byte < 0xf8 ? 4
                                     : 0;
    *least = from[length];
    return length;
}

static bool next(const char **at, uint32_t *code)
{
    const unsigned char *c = (const unsigned char *)*at;
    uint32_t least;
    const int length = sequence_of(*c, &least);
    *code = length > 1 ? *c & (0x7fu >> length) : *c;
    int i = 1;
    for (; i < length && (c[i] & 0xc0) == 0x80; i++) /* a NUL ends it, too */
        *code = *code << 6 | (c[i] & 0x3fu);
    const bool good = length > 0 && i == length && *code >= least && *code <= 0x10ffff &&
                      (*code < 0xd800 || *code > 0xdfff);
    *at += good ? length : 1;
    return good;
}

uint32_t ub_utf8_next(const char **at)
{
    uint32_t code;
    return next(at, &code) ? code : UB_UTF8_BAD;
}

bool ub_utf8_holds(const char *text, const char *where, struct ub_error *err)
{
    uint32_t code;
    for (const char *at = text; *at;) {
        const char *from = at;
        if (!next(&at, &code))
            return ub_fail(err, UB_INPUT, "%s: byte %td is 0x%02x; expected UTF-8", where,
                           from - text + 1, (unsigned char)*from);
    }
    return true;
}

char *ub_read_text(const char *path, uint64_t limit, size_t *length, struct ub_error *err)
{
    size_t n;
    char *data = (char *)ub_read_file(path, limit, &n, err);
    if (data && !ub_utf8(data, &n, path, err)) {
        ub_free(data);
        return NULL;
    }
    if (data && length)
        *length = n;
    return data;
}
