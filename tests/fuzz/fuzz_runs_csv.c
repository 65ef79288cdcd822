/* runs.csv, as compare reads a published one. */
#include "report/digest/digest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    struct digest *digest = digest_open(fuzz_file("runs.csv", data, size), &err);
    fuzz_expect(digest != NULL, &err);
    if (digest) {
        struct ub_text text = digest_csv(digest, NULL);
        ub_text_free(&text);
    }
    digest_free(digest);
    return 0;
}
