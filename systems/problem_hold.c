/* What the programs of a problem have in common: memory to work in, and samples in their precision,
 * rounded once where that is float. */
#include "systems/problem.h"

#include <string.h>

struct ub_hold {
    struct ub_workspace *workspace;
    bool borrows; /* the whole's workspace: a batch's programs never run beside those */
    float *samples[2][2];
};

struct ub_hold *ub_hold_new(void)
{
    struct ub_hold *h = ub_calloc(1, sizeof *h);
    h->workspace = ub_workspace_new();
    return h;
}

void ub_hold_free(struct ub_hold *h)
{
    if (!h)
        return;
    if (!h->borrows)
        ub_workspace_free(h->workspace);
    for (int i = 0; i < 4; i++)
        ub_free(h->samples[i / 2][i % 2]);
    ub_free(h);
}

void ub_hold_work_with(struct ub_hold *h, const struct ub_hold *whole)
{
    ub_workspace_free(h->workspace);
    h->workspace = whole->workspace;
    h->borrows = true;
}

struct ub_workspace *ub_hold_workspace(const struct ub_hold *h)
{
    return h->workspace;
}

static int64_t numbers(const struct ub_problem *p, bool test, int slot)
{
    const int64_t count = test ? p->data->test.count : p->data->train.count;
    return count * (slot == UB_AT_TARGETS ? ub_target_width(p->data) : p->data->features);
}

static void round_samples(const struct ub_problem *p, bool test, int slot)
{
    const struct ub_split *split = test ? &p->data->test : &p->data->train;
    const double *from = slot == UB_AT_TARGETS ? split->targets : split->inputs;
    float *to = p->hold->samples[test][slot];
    const int64_t n = numbers(p, test, slot);
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

static const void *samples_of(const struct ub_problem *p, bool test, int slot)
{
    const struct ub_split *split = test ? &p->data->test : &p->data->train;
    if (p->precision == UB_F64)
        return slot == UB_AT_TARGETS ? split->targets : split->inputs;
    float **rounded = &p->hold->samples[test][slot];
    if (!*rounded) {
        *rounded = ub_alloc((size_t)numbers(p, test, slot) * sizeof **rounded);
        round_samples(p, test, slot);
    }
    return *rounded;
}

void ub_hold_bind(const struct ub_problem *p, bool test, struct ub_program *program)
{
    for (int slot = 0; program && slot < 2; slot++)
        ub_program_share(program, slot, samples_of(p, test, slot));
}

void ub_hold_renew(const struct ub_problem *p)
{
    for (int slot = 0; slot < 2; slot++)
        if (p->hold->samples[0][slot]) /* a batch's data are never taken */
            round_samples(p, false, slot);
}

/* ---- inputs that the data set has no more ---- */

/* The array of `n` doubles as one of floats, in place: pieces are read before they are written. */
static float *round_in_place(double *values, int64_t n)
{
    enum { PIECE = 1024 };
    float piece[PIECE];
    for (int64_t i = 0; i < n; i += PIECE) {
        const int64_t count = n - i < PIECE ? n - i : PIECE;
        for (int64_t k = 0; k < count; k++)
            piece[k] = (float)values[i + k];
        memcpy((char *)values + (size_t)i * sizeof *piece, piece, (size_t)count * sizeof *piece);
    }
    return ub_realloc(values, (size_t)n * sizeof(float));
}

void ub_problem_take_inputs(struct ub_problem *p, struct ub_dataset *data)
{
    struct ub_split *splits[] = {&data->train, &data->test};
    if (p->precision == UB_F64 || p->init->start)
        return;
    for (int test = 0; test < 2; test++) {
        float **rounded = &p->hold->samples[test][UB_AT_INPUTS];
        if (!splits[test]->inputs)
            continue;
        if (*rounded)
            ub_free(splits[test]->inputs);
        else
            *rounded = round_in_place(splits[test]->inputs, numbers(p, test, UB_AT_INPUTS));
        splits[test]->inputs = NULL;
    }
}

void ub_hold_inputs(const struct ub_problem *p, bool test, int64_t first, int64_t count,
                    double *out)
{
    const struct ub_split *split = test ? &p->data->test : &p->data->train;
    const int64_t from = first * p->data->features, n = count * p->data->features;
    if (split->inputs)
        memcpy(out, split->inputs + from, (size_t)n * sizeof *out);
    for (int64_t i = 0; !split->inputs && i < n; i++)
        out[i] = (double)p->hold->samples[test][UB_AT_INPUTS][from + i];
}

int64_t ub_hold_sample_bytes(const struct ub_problem *p)
{
    int64_t all = 0;
    for (int i = 0; p->precision != UB_F64 && i < 4; i++)
        all += numbers(p, i / 2, i % 2) * (int64_t)sizeof(float);
    return all;
}
