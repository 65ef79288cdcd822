/* A soft committee machine as the teacher: D normal inputs, and
 *
 *     y = sum_n erf(b_n . x / sqrt(2)) + noise,   n = 1..M
 *
 * (Saad and Solla 1995, doi:10.1103/PhysRevE.52.4225). The b_n are orthogonal, of random direction,
 * so that their products T are the same for every draw: |b_n|^2 = 2n/(M + 1) if `graded`, of mean
 * 1, so that no two units are alike (their equation 11); else 1. */
#include "base/option_units.h"
#include "datasets/source.h"

#include <math.h>

static const struct ub_option options[] = {
    {"samples", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "1000", 1, 1e8, NULL, "samples"},
    {"features", UB_OPTION_INT, "100", 1, 1e6, NULL, "numbers in an input"},
    {"units", UB_OPTION_INT, "2", 1, 64, NULL, "units of the teacher, at most as many as features"},
    {"graded", UB_OPTION_FLAG, "true", 0, 0, NULL,
     "squared norms of units 2n/(units + 1), n = 1..units; else 1"},
    {"noise", UB_OPTION_REAL | UB_OPTION_OF_OUTPUT, "0", 0, 1e6, NULL,
     "standard deviation of noise on the targets"},
    UB_ONLINE(0),
    UB_TEST_SAMPLES_NONE,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

void ub_committee_free(struct ub_committee *committee)
{
    if (committee)
        ub_free(committee->weight);
    ub_free(committee);
}

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += a[k] * b[k];
    return sum;
}

/* Gram and Schmidt, twice over: orthogonal to rounding. */
static struct ub_committee *draw_teacher(int64_t units, int64_t features, bool graded,
                                         uint64_t seed)
{
    struct ub_random r = ub_random_stream(seed, "data.teacher");
    struct ub_committee *c = ub_calloc(1, sizeof *c);
    *c = (struct ub_committee){units, features,
                               ub_calloc((size_t)(units * features), sizeof(double))};
    for (int64_t n = 0; n < units; n++) {
        double *b = c->weight + n * features;
        for (int64_t k = 0; k < features; k++)
            b[k] = ub_random_normal(&r);
        for (int64_t other = 0; other < 2 * n; other++) {
            const double *a = c->weight + other % n * features;
            const double share = dot(features, a, b) / dot(features, a, a);
            for (int64_t k = 0; k < features; k++)
                b[k] -= share * a[k];
        }
        const double square = graded ? 2 * ((double)n + 1) / ((double)units + 1) : 1;
        const double scale = sqrt(square / dot(features, b, b));
        for (int64_t k = 0; k < features; k++)
            b[k] *= scale;
    }
    return c;
}

double ub_committee_answer(const struct ub_committee *committee, const double *x)
{
    double sum = 0;
    for (int64_t n = 0; n < committee->units; n++)
        sum +=
            erf(dot(committee->features, committee->weight + n * committee->features, x) / sqrt(2));
    return sum;
}

static void draw(const struct ub_dataset *d, struct ub_random *inputs, struct ub_random *noise,
                 struct ub_split *out)
{
    for (int64_t i = 0; i < out->count * d->features; i++)
        out->inputs[i] = ub_random_normal(inputs);
    for (int64_t i = 0; i < out->count; i++)
        out->targets[i] = ub_committee_answer(d->committee, out->inputs + i * d->features) +
                          (d->noise > 0 ? d->noise * ub_random_normal(noise) : 0);
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    const int64_t units = ub_call_int(call, "units");
    d->task = UB_REGRESSION;
    d->rank = 1;
    d->shape[0] = d->features = ub_call_int(call, "features");
    d->outputs = 1;
    d->noise = ub_call_real(call, "noise");
    if (units > d->features)
        return ub_fail(
            err, UB_INPUT,
            "%s: units=%lld of features=%lld; expected at most as many, to be orthogonal",
            call->name, (long long)units, (long long)d->features);
    if (!ub_split_new(d, ub_call_int(call, "samples"), call->name, &d->train, err) ||
        !ub_split_new_test(d, call, 0, err))
        return false;
    d->committee = draw_teacher(units, d->features, ub_call_flag(call, "graded"), seed);
    ub_split_draw(d, call, seed, draw);
    return true;
}

const struct ub_dataset_source ub_dataset_committee = {
    .name = "committee",
    .title = "committee teacher",
    .summary = "normal inputs, targets from a sum of error functions of a few directions",
    .citation = "Saad and Solla 1995, doi:10.1103/PhysRevE.52.4225",
    .options = options,
    .load = load,
};
