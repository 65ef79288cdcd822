/* How much of the variance between runs each axis explains. */
#include "report/laws/verdict.h"

#include <inttypes.h>
#include <math.h>

const char *const ub_share_names[5] = {"model", "optimizer", "dataset", "loss", "seed"};

static size_t group_of(const struct ub_run_spec *spec, int factor, struct labels *names)
{
    if (factor == UB_SHARE_MODEL)
        return labels_add(names, spec->model);
    if (factor == UB_SHARE_DATASET)
        return labels_add(names, spec->dataset);
    if (factor == UB_SHARE_LOSS)
        return labels_add(names, spec->loss);
    if (factor == UB_SHARE_SEED) {
        char seed[32];
        snprintf(seed, sizeof seed, "%" PRIu64, spec->seed);
        return labels_add(names, seed);
    }
    char *name = call_name(spec->optimizer);
    const size_t group = labels_add(names, name);
    ub_free(name);
    return group;
}

/* Marginal shares, one factor at a time: in an unbalanced store they overlap. Optimizers are
 * grouped by name whatever their hyperparameters. */
void law_share_variance(struct ub_law_result *result)
{
    double *x = ub_calloc(result->n_runs + 1, sizeof *x);
    int *group = ub_calloc(result->n_runs + 1, sizeof *group);
    for (int factor = 0; factor < 5; factor++) {
        struct labels names = {0};
        size_t n = 0;
        for (size_t i = 0; i < result->n_runs; i++) {
            const struct ub_law_run *r = &result->runs[i];
            if (!r->window.reached)
                continue;
            group[n] = (int)group_of(&r->run->spec, factor, &names);
            x[n++] = r->median - r->predicted;
        }
        result->share[factor] = names.count > 1 ? ub_variance_share(x, group, n) : (double)NAN;
        labels_free(&names);
    }
    ub_free(x);
    ub_free(group);
}
