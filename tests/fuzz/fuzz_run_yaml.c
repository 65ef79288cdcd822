/* run.yaml of a store. */
#include "tests/fuzz/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    struct ub_run run;
    fuzz_run_file("run.yaml", data, size);
    const bool good = ub_store_read_run(fuzz_folder(), FUZZ_RUN_ID, &run, &err);
    fuzz_expect(good, &err);
    ub_run_clear(&run);
    return 0;
}
