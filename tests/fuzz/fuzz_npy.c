/* One .npy array, put into an archive with the right checksum: damage that no checksum stops. */
#include "tests/fuzz/arrays.h"

#include <string.h>
#include <zlib.h>

enum { LOCAL = 30, CENTRAL = 46, END = 22, LARGEST = 1 << 15 };
static const char name[] = "a.npy";

static uint8_t *put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

/* From "version needed" to "extra length": PKWARE's appnote, 4.3.7. */
static uint8_t *put_common(uint8_t *at, const uint8_t *data, size_t size)
{
    at = put(at, 20, 2);
    at = put(at, 0, 4); /* flags; stored */
    at = put(at, 0x00210000, 4);
    at = put(at, crc32(0, data, (unsigned)size), 4);
    at = put(at, size, 4);
    at = put(at, size, 4);
    at = put(at, strlen(name), 2);
    return put(at, 0, 2);
}

static size_t archive(uint8_t *out, const uint8_t *data, size_t size)
{
    uint8_t *at = put_common(put(out, 0x04034b50, 4), data, size);
    at = (uint8_t *)memcpy(at, name, strlen(name)) + strlen(name);
    if (size)
        memcpy(at, data, size);
    at += size;
    const size_t directory = (size_t)(at - out);
    at = put_common(put(put(at, 0x02014b50, 4), 20, 2), data, size);
    at = put(put(at, 0, 8), 0, 6); /* comment, disk, attributes; offset */
    at = (uint8_t *)memcpy(at, name, strlen(name)) + strlen(name);
    const size_t length = (size_t)(at - out) - directory;
    at = put(put(at, 0x06054b50, 4), 0, 4);
    at = put(put(put(at, 1, 2), 1, 2), length, 4);
    at = put(put(at, directory, 4), 0, 2);
    return (size_t)(at - out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[LARGEST + LOCAL + CENTRAL + END + 2 * sizeof name];
    if (size > LARGEST)
        return 0;
    check_arrays(fuzz_file("input.npz", file, archive(file, data, size)));
    return 0;
}
