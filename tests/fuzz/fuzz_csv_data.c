/* Tables of samples (dataset csv), as classes and as a regression. */
#include "tests/fuzz/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_file("input.csv", data, size);
    check_dataset("csv:file=input.csv,label=y");
    check_dataset("csv:file=input.csv,label=y,task=regression,scale=standardize");
    return 0;
}
