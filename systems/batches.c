/* Which samples a mini-batch holds. */
#include "systems/systems.h"

struct ub_batches {
    int64_t total, batch;
    bool replacement;
    struct ub_random random;
    int64_t *order, next; /* without replacement: the epoch's permutation, and how far it is used */
};

struct ub_batches *ub_batches_new(int64_t total, int64_t batch, bool replacement,
                                  struct ub_random random)
{
    struct ub_batches *b = ub_calloc(1, sizeof *b);
    *b = (struct ub_batches){.total = total,
                             .batch = batch,
                             .replacement = replacement,
                             .random = random,
                             .next = total};
    if (!replacement)
        b->order = ub_calloc((size_t)total, sizeof *b->order);
    return b;
}

void ub_batches_free(struct ub_batches *b)
{
    if (!b)
        return;
    ub_free(b->order);
    ub_free(b);
}

static int64_t next_of_epoch(struct ub_batches *b)
{
    if (b->next == b->total) {
        ub_random_permutation(&b->random, b->total, b->order);
        b->next = 0;
    }
    return b->order[b->next++];
}

void ub_batches_next(struct ub_batches *b, int64_t *samples)
{
    for (int64_t i = 0; i < b->batch; i++)
        samples[i] = b->replacement ? ub_random_below(&b->random, b->total) : next_of_epoch(b);
}
