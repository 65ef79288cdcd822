/* checksums of a store's folders: what is read is written as the same bytes. */
#include "bench/store/private.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check(struct ub_checksums *c, const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    size_t length = 0;
    fuzz_require(ub_checksums_write(fuzz_folder(), c, &err), err.text);
    char *path = ub_path(fuzz_folder(), "checksums");
    unsigned char *again = ub_read_file(path, 1 << 24, &length, &err);
    fuzz_require(again && length == size && memcmp(again, data, size) == 0,
                 "checksums are read as they were written, byte for byte");
    ub_free(again);
    ub_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    struct ub_checksums c = {0};
    fuzz_file("checksums", data, size);
    const bool good = ub_checksums_read(fuzz_folder(), &c, &err);
    fuzz_expect(good, &err);
    if (good)
        check(&c, data, size);
    ub_checksums_clear(&c);
    return 0;
}
