/* random.c - random streams from Philox4x32-10 (Salmon et al. 2011), through Random123. */
#include "base/base.h"

#include <math.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

struct ub_random ub_random_stream(uint64_t seed, const char *purpose)
{
    /* The purpose picks the key; the seed is the counter's upper half: no two streams meet. */
    struct ub_random r = {.key = ub_hash(purpose, strlen(purpose)), .used = 4};
    r.seed = seed;
    return r;
}

static uint32_t next_word(struct ub_random *r)
{
    if (r->used == 4) {
        philox4x32_ctr_t counter = {{(uint32_t)r->counter, (uint32_t)(r->counter >> 32),
                                     (uint32_t)r->seed, (uint32_t)(r->seed >> 32)}};
        philox4x32_key_t key = {{(uint32_t)r->key, (uint32_t)(r->key >> 32)}};
        philox4x32_ctr_t block = philox4x32(counter, key);
        memcpy(r->block, block.v, sizeof r->block);
        r->counter++;
        r->used = 0;
    }
    return r->block[r->used++];
}

uint64_t ub_random_bits(struct ub_random *r)
{
    uint64_t low = next_word(r);
    return low | (uint64_t)next_word(r) << 32;
}

double ub_random_uniform(struct ub_random *r)
{
    return (double)(ub_random_bits(r) >> 11) * 0x1p-53;
}

double ub_random_normal(struct ub_random *r)
{
    if (r->has_spare) {
        r->has_spare = false;
        return r->spare;
    }
    double u = 1 - ub_random_uniform(r); /* (0, 1]: the logarithm is finite */
    double radius = sqrt(-2 * log(u)), angle = 2 * M_PI * ub_random_uniform(r);
    r->spare = radius * sin(angle);
    r->has_spare = true;
    return radius * cos(angle);
}

int64_t ub_random_below(struct ub_random *r, int64_t n)
{
    uint64_t range = (uint64_t)n, excess = UINT64_MAX % range + 1, bits;
    do { /* redraw from the last, incomplete run of n values */
        bits = ub_random_bits(r);
    } while (excess != range && bits > UINT64_MAX - excess);
    return (int64_t)(bits % range);
}

void ub_random_permutation(struct ub_random *r, int64_t n, int64_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = ub_random_below(r, i + 1), kept = out[i];
        out[i] = out[j];
        out[j] = kept;
    }
}
