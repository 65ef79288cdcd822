/* Structured mutations, for the replay and, half of the time, for libFuzzer in place of its own. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* What texts are made of, and numbers at the edge of every type. */
static const char *const tokens[] = {"",
                                     "0",
                                     "-1",
                                     "1e309",
                                     "-1e-320",
                                     "nan",
                                     "inf",
                                     ".inf",
                                     "2..1",
                                     "0..9999999",
                                     "2147483648",
                                     "-0",
                                     "1,5",
                                     "9223372036854775808",
                                     "99999999999999999999",
                                     "0x10",
                                     "1e400",
                                     "edge(0)",
                                     "relative(-1)",
                                     ":",
                                     ",",
                                     ";",
                                     "=",
                                     "(",
                                     ")",
                                     "((((((((((",
                                     "[",
                                     "]",
                                     "{",
                                     "}",
                                     "- ",
                                     "\n",
                                     "\r\n",
                                     "\r",
                                     "\t",
                                     "\"",
                                     "'",
                                     "\xef\xbb\xbf",
                                     "\xff\xfe",
                                     "\xc3",
                                     "%s%n",
                                     "*a",
                                     "&a",
                                     "<<: ",
                                     "| ",
                                     "\\",
                                     "true",
                                     "null",
                                     "~",
                                     "end",
                                     "none",
                                     "\x7f",
                                     "\x01"};

static size_t below(struct ub_random *r, size_t n)
{
    return n ? (size_t)ub_random_below(r, (int64_t)n) : 0;
}

/* Puts n bytes in place of data[at..at+old). */
static size_t replace(uint8_t *data, size_t size, size_t room, size_t at, size_t old,
                      const void *bytes, size_t n)
{
    if (size - old + n > room)
        return size;
    memmove(data + at + n, data + at + old, size - at - old);
    if (n)
        memcpy(data + at, bytes, n);
    return size - old + n;
}

static size_t replace_number(uint8_t *data, size_t size, size_t room, struct ub_random *r)
{
    const size_t start = below(r, size);
    for (size_t i = 0; i < size; i++) {
        const size_t at = (start + i) % size;
        size_t n = 0;
        while (at + n < size && data[at + n] && strchr("0123456789.-+e", data[at + n]))
            n++;
        if (n == 0)
            continue;
        const char *token = tokens[below(r, sizeof tokens / sizeof *tokens)];
        return replace(data, size, room, at, n, token, strlen(token));
    }
    return size;
}

/* Lengths and counts of binary headers. */
static void set_integer(uint8_t *data, size_t size, struct ub_random *r)
{
    static const uint64_t extremes[] = {
        0, 1, 0x7f, 0xff, 0x7fff, 0xffff, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, 1u << 30};
    const size_t width = (size_t)1 << below(r, 4);
    if (size < width)
        return;
    const size_t at = below(r, size - width + 1);
    const bool big_endian = ub_random_below(r, 2);
    const uint64_t value = extremes[below(r, sizeof extremes / sizeof *extremes)];
    for (size_t i = 0; i < width; i++)
        data[at + (big_endian ? width - 1 - i : i)] = (uint8_t)(value >> 8 * i);
}

static size_t mutate_once(uint8_t *data, size_t size, size_t room, struct ub_random *r)
{
    enum { CUT, FLIP, BYTE, LOSE, DOUBLE, INSERT, NUMBER, INTEGER, KINDS };
    const size_t at = below(r, size), most = size - at < 64 ? size - at : 64;
    const size_t n = 1 + below(r, most);
    uint8_t copy[65];
    const char *token = tokens[below(r, sizeof tokens / sizeof *tokens)];
    if (size == 0)
        return replace(data, size, room, 0, 0, token, strlen(token));
    switch ((int)ub_random_below(r, KINDS)) {
    case CUT:
        return at;
    case FLIP:
        data[at] ^= (uint8_t)(1u << below(r, 8));
        return size;
    case BYTE:
        data[at] = (uint8_t)ub_random_bits(r);
        return size;
    case LOSE:
        return replace(data, size, room, at, n <= most ? n : most, NULL, 0);
    case DOUBLE:
        memcpy(copy, data + at, n <= most ? n : most);
        return replace(data, size, room, at, 0, copy, n <= most ? n : most);
    case INSERT:
        return replace(data, size, room, at, 0, token, strlen(token));
    case NUMBER:
        return replace_number(data, size, room, r);
    default:
        set_integer(data, size, r);
        return size;
    }
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t room, struct ub_random *r)
{
    for (int64_t i = ub_random_below(r, 4); i >= 0; i--)
        size = mutate_once(data, size, room, r);
    return size;
}
