/* trace.csv.gz of a store, packed or (as gzip is told by its first bytes) plain. */
#include "tests/fuzz/store.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    const struct ub_store store = {.path = (char *)fuzz_folder()};
    const struct ub_run run = {.id = FUZZ_RUN_ID};
    fuzz_run_file("trace.csv.gz", data, size);
    struct ub_trace *trace = ub_trace_read(&store, &run, &err);
    fuzz_expect(trace != NULL, &err);
    for (size_t i = 0; trace && i < trace->n_names && i < 4; i++) {
        struct ub_series series = ub_trace_series(trace, trace->names[i], 0);
        struct ub_series last = ub_trace_spectrum(trace, trace->names[i], -1);
        fuzz_require(last.count > 0 && series.count <= trace->count, "names have rows");
        ub_series_clear(&series);
        ub_series_clear(&last);
    }
    ub_trace_free(trace);
    return 0;
}
