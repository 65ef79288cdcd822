/* run.yaml of a store, beside a good trace, whatever its checksum would say. */
#include "bench/store/private.h"
#include "tests/fuzz/store.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char trace[] = "step,observable,index,value,error\n0,loss,0,1,\n";
    struct ub_error err = {0};
    struct ub_run run = {0};
    fuzz_run_file("trace.csv.gz", (const uint8_t *)trace, strlen(trace));
    fuzz_run_file("run.yaml", data, size);
    char *folder = ub_store_run_folder(fuzz_folder(), FUZZ_RUN_ID);
    const bool good = ub_run_read_unchecked(folder, FUZZ_RUN_ID, &run, &err);
    fuzz_expect(good, &err);
    if (good)
        ub_run_clear(&run);
    ub_free(folder);
    return 0;
}
