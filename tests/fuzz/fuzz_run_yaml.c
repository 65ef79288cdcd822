/* run.yaml of a store. */
#include "tests/fuzz/store.h"

#include <string.h>

/* Without checksums a run is read whole: its trace, too, which is a good one here. */
static const char trace[] = "step,observable,index,value,error\n0,loss,0,1,\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    struct ub_run run;
    fuzz_run_file("run.yaml", data, size);
    fuzz_run_file("trace.csv.gz", (const uint8_t *)trace, strlen(trace));
    const bool good = ub_store_read_run(fuzz_folder(), FUZZ_RUN_ID, &run, &err);
    fuzz_expect(good, &err);
    ub_run_clear(&run);
    return 0;
}
