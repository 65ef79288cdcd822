/* safetensors. */
#include "tests/fuzz/arrays.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_arrays(fuzz_file("input.safetensors", data, size));
    return 0;
}
