/* The neural feature ansatz: in a trained network W'W of a layer is proportional to a power of the
 * average gradient outer product of its inputs, AGOP (Radhakrishnan, Beaglehole, Pandit and Belkin
 * 2024, arXiv:2212.13881). The power taken is one over the number of matrices from the layer to the
 * output, where a balanced linear network has it in closed form (bench/observables/feature_ansatz.c
 * derives it; the paper's own power, 1, and 1/2 are measured beside it).
 *
 * The datum is the least cosine over the layers before the readout, of which it is trivially 1.
 * Untrained networks have large cosines, too: all of AGOP's modes and W'W's are positive. So that
 * training adds less than half of what the start's cosine lacked to 1 counts against the law,
 * whatever the cosine. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static const char prefix[] = "feature-ansatz.";

static bool measured(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "feature-ansatz");
}

struct least { /* over layers: cosine at the end, and share of the start's gap that is closed */
    double cosine, closed;
};

static struct least least_of(const struct ub_frame *frame, size_t row)
{
    struct least least = {(double)NAN, (double)NAN};
    const struct ub_trace *t = ub_frame_trace(frame, row);
    if (!t || frame->store->runs[row].status != UB_RUN_OK)
        return least;
    for (size_t k = 0; k < t->n_names; k++) {
        if (strncmp(t->names[k], prefix, sizeof prefix - 1) != 0)
            continue;
        struct ub_series s = ub_trace_series(t, t->names[k], 0);
        if (s.count > 1 && s.step[0] == 0) {
            const double start = s.value[0], end = s.value[s.count - 1];
            least.cosine = fmin(end, least.cosine); /* the other one where one is NAN */
            least.closed = fmin((end - start) / (1 - start), least.closed);
        }
        ub_series_clear(&s);
    }
    return least;
}

static double cosine_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return least_of(frame, row).cosine;
}

static double closed_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return least_of(frame, row).closed;
}

static struct ub_datum cosine(const struct ub_frame *frame, const struct ub_rows *group)
{
    static const char why[] = "not measured at the start and later, or no layer before the readout";
    const struct ub_datum closed = ub_group_mean(frame, group, closed_of, NULL, why);
    if (!closed.why && closed.value < 0.5)
        return (struct ub_datum){
            .why = "training closed less than half of the start's distance to 1", .against = true};
    return ub_group_mean(frame, group, cosine_of, NULL, why);
}

const struct ub_law ub_law_feature_ansatz = {
    .name = "feature-ansatz",
    .strand = UB_UNIVERSAL,
    .claim = "training makes W'W of each layer proportional to a power of the average gradient "
             "outer product of its inputs",
    .formula = "cos(W'W, AGOP^(1/m)) >= 0.9, m the matrices from the layer to the output",
    .quantity = "least cosine of the two over layers before the readout",
    .citation = "Radhakrishnan et al. 2024, arXiv:2212.13881",
    .who = "chains of fully connected layers, trained",
    .because = "0.9 is what the paper reports of trained networks, at the least",
    .needs = {{.observable = "feature-ansatz"}},
    .applies = measured,
    .datum = cosine,
    .is = {UB_AT_LEAST, .target = 0.9},
};
