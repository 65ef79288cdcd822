/* store.h - a store of one run, for the targets of its files. */
#ifndef UB_FUZZ_STORE_H
#define UB_FUZZ_STORE_H

#include "bench/store/store.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_RUN_ID "2b4a1e949c2c1881" /* of corpus/run_yaml's first seed */

/* Writes runs/ID/NAME in fuzz_folder(), a store. */
static inline void fuzz_run_file(const char *name, const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    struct ub_text path = {0};
    ub_text_add(&path, "%s/runs/%s", fuzz_folder(), FUZZ_RUN_ID);
    fuzz_require(ub_exists(path.data) || ub_make_folders(path.data, &err), err.text);
    ub_text_free(&path);
    ub_text_add(&path, "runs/%s/%s", FUZZ_RUN_ID, name);
    fuzz_file(path.data, data, size);
    ub_text_free(&path);
}

#endif
