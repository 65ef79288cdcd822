/* Pairs of IDX files: two bytes, the length of the images file (little-endian), then both files. */
#include "tests/fuzz/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t images = data[0] | (size_t)data[1] << 8;
    images = images < size - 2 ? images : size - 2;
    fuzz_file("t10k-images-idx3-ubyte", data + 2, images);
    fuzz_file("t10k-labels-idx1-ubyte", data + 2 + images, size - 2 - images);
    check_dataset("mnist:part=test");
    return 0;
}
