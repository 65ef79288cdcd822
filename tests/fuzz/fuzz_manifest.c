/* manifest.csv of a store: what is read and written is read as the same runs. */
#include "bench/store/store.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void clear(struct ub_run_spec *specs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ub_run_spec_clear(&specs[i]);
    ub_free(specs);
}

static bool same_runs(const struct ub_run_spec *a, const struct ub_run_spec *b, size_t count)
{
    bool same = true;
    for (size_t i = 0; same && i < count; i++) {
        char id[17], other[17];
        ub_run_spec_id(&a[i], id);
        ub_run_spec_id(&b[i], other);
        same = strcmp(id, other) == 0;
    }
    return same;
}

static void check(const struct ub_run_spec *specs, size_t count)
{
    struct ub_error err = {0};
    size_t n = 0;
    struct ub_run_spec *again = NULL;
    const struct ub_run_spec **list = ub_calloc(count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = &specs[i];
    fuzz_require(ub_manifest_write(fuzz_folder(), list, count, &err) &&
                     ub_manifest_read(fuzz_folder(), &again, &n, &err) && n == count &&
                     same_runs(specs, again, count),
                 "a manifest is read back");
    clear(again, n);
    ub_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    struct ub_run_spec *specs = NULL;
    size_t count = 0;
    char *checksums = ub_path(fuzz_folder(), "checksums"); /* of what `check` wrote before */
    remove(checksums);
    ub_free(checksums);
    fuzz_file("manifest.csv", data, size);
    const bool good = ub_manifest_read(fuzz_folder(), &specs, &count, &err);
    fuzz_expect(good, &err);
    if (good)
        check(specs, count);
    clear(specs, count);
    return 0;
}
