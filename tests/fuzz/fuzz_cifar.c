/* CIFAR-10's binary batches. */
#include "tests/fuzz/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_file("data_batch_1.bin", data, size);
    check_dataset("cifar10");
    return 0;
}
