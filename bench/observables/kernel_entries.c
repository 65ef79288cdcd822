/* The neural tangent kernel on a few samples, entry by entry, so that laws can say how it scatters
 * over seeds and where its mean tends: mean over outputs of J J', not divided by the number of
 * samples, and what it is in the limit of infinite width where theory knows it
 * (bench/curvature/infinite_width.h; Jacot et al. 2018, arXiv:1806.07572). */
#include "bench/curvature/infinite_width.h"
#include "bench/observables/probe_kernel.h"
#include "bench/observables/shared.h"

#include <math.h>

static const struct ub_option options[] = {
    {"samples", UB_OPTION_INT, "4", 1, 64, NULL, "first training samples that are probed"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void record_triangle(struct ub_record *record, const struct ub_moment *moment,
                            const char *name, const double *kernel, int64_t samples)
{
    int64_t place = 0;
    for (int64_t i = 0; i < samples; i++)
        for (int64_t j = i; j < samples; j++)
            ub_record_value(record, moment, name, place++, kernel[i * samples + j], NAN);
}

/* Mean over outputs (of all positions) of their own kernels. */
static void mean_over_outputs(const struct ub_probe *p, const double *whole, double *mean)
{
    const int64_t n = p->samples, outputs = p->rows / n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t c = 0; c < outputs; c++)
                sum += whole[(i * outputs + c) * p->rows + j * outputs + c];
            mean[i * n + j] = sum / (double)outputs;
        }
}

static void record_limit(struct ub_record *record, const struct ub_moment *moment,
                         const struct ub_probe *p, double *kernel)
{
    struct ub_wide wide;
    if (!ub_problem_wide(moment->problem, &wide))
        return;
    const struct ub_dataset *d = ub_problem_data(p->problem);
    ub_wide_kernels(&wide, p->samples, d->features, d->train.inputs, NULL, kernel);
    record_triangle(record, moment, "kernel-limit-entry", kernel, p->samples);
    ub_wide_clear(&wide);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state;
    struct ub_probe p = {0};
    if (!ub_probe_open(&p, moment->problem, ub_call_int(call, "samples"), err))
        return false;
    double *whole = ub_calloc((size_t)(p.rows * p.rows), sizeof *whole);
    double *mean = ub_calloc((size_t)(p.samples * p.samples), sizeof *mean);
    if (ub_probe_kernel(&p, moment->theta, whole)) {
        mean_over_outputs(&p, whole, mean);
        record_triangle(record, moment, "kernel-entry", mean, p.samples);
        record_limit(record, moment, &p, mean);
    }
    ub_free(whole);
    ub_free(mean);
    ub_probe_close(&p);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    return ub_probe_bytes(problem, ub_call_int(call, "samples"), 1);
}

static const char entry_index[] = "place in the upper triangle, row by row, from 0";
static const struct ub_quantity rows[] = {
    {
        .name = "kernel-entry",
        .index = entry_index,
        .units = "output squared per unit of parameter squared",
        .meaning = "entry of the neural tangent kernel, mean over outputs",
        .headline = true,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {
        .name = "kernel-limit-entry",
        .index = entry_index,
        .units = "output squared per unit of parameter squared",
        .meaning = "the same entry at infinite width, at the start",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_kernel_entries = {
    .name = "kernel-entries",
    .summary =
        "neural tangent kernel on a few samples, entry by entry, and its infinite-width limit",
    .units = "output squared per unit of parameter squared",
    .citation = "Jacot et al. 2018, arXiv:1806.07572; Lee et al. 2018, arXiv:1711.00165",
    .rows = rows,
    .options = options,
    .at = "0",
    .bytes = bytes,
    .measure = measure,
};
