/* Only with libFuzzer: its mutations and ours, half and half. */
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    if (seed % 2)
        return LLVMFuzzerMutate(data, size, room);
    struct ub_random r = ub_random_stream(seed, "libfuzzer");
    return fuzz_mutate(data, size, room, &r);
}
