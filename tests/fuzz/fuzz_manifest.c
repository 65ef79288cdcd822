/* manifest.csv of a store: what is read and written is read as the same runs. */
#include "bench/store/store.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static bool same_runs(const struct ub_expected *a, const struct ub_expected *b, size_t count)
{
    bool same = true;
    for (size_t i = 0; same && i < count; i++) {
        char id[17], other[17];
        ub_run_spec_id(&a[i].spec, id);
        ub_run_spec_id(&b[i].spec, other);
        same = strcmp(id, other) == 0 && !a[i].control == !b[i].control &&
               (!a[i].control || strcmp(a[i].control, b[i].control) == 0);
    }
    return same;
}

static void check(const struct ub_expected *runs, size_t count)
{
    struct ub_error err = {0};
    size_t n = 0;
    struct ub_expected *again = NULL;
    fuzz_require(ub_manifest_write(fuzz_folder(), runs, count, &err) &&
                     ub_manifest_read(fuzz_folder(), &again, &n, &err) && n == count &&
                     same_runs(runs, again, count),
                 "a manifest is read back");
    ub_expected_free(again, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    struct ub_expected *runs = NULL;
    size_t count = 0;
    char *checksums = ub_path(fuzz_folder(), "checksums"); /* of what `check` wrote before */
    remove(checksums);
    ub_free(checksums);
    fuzz_file("manifest.csv", data, size);
    const bool good = ub_manifest_read(fuzz_folder(), &runs, &count, &err);
    fuzz_expect(good, &err);
    if (good)
        check(runs, count);
    ub_expected_free(runs, count);
    return 0;
}
