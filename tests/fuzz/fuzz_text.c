/* Texts of any bytes, as sequences of characters. */
#include "tests/fuzz/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_file("input.txt", data, size);
    check_dataset("text:file=input.txt,context=8");
    return 0;
}
