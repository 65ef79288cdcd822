/* NumPy's .npz archives, whole. */
#include "tests/fuzz/arrays.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_arrays(fuzz_file("input.npz", data, size));
    return 0;
}
