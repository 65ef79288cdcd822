/* Coordinate check: in the maximal-update parametrization every layer's activations move by an
 * amount that does not depend on the width (Yang and Hu 2020, arXiv:2011.14522; Yang et al. 2022,
 * arXiv:2203.03466, appendix D.1).
 *
 * With h_l the activations of layer l on the training inputs and h_l(0) those at the start,
 * rms(h_l - h_l(0)) after a fixed number of steps is N^s with s = 0 under mup. Under the standard
 * parametrization the output's change grows with N, under the NTK parametrization hidden layers'
 * falls as 1/N (readout zero at the start) or N^-1/2 (random): neither is flat, which makes them
 * controls.
 *
 * The datum is the slope of the layer that is farthest from flat: a maximum over layers, so noise
 * adds to it, never against the law's denial. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static const char prefix[] = "activation-update.";

static bool under_mup(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "model.parametrization", "mup") &&
           ub_run_measures(frame, row, "coordinates");
}

/* The names are copied: traces come and go. */
static size_t layers_of(const struct ub_frame *frame, const struct ub_rows *group, char ***names)
{
    size_t n = 0;
    *names = NULL;
    for (size_t i = 0; i < group->count && n == 0; i++) {
        const struct ub_trace *t = ub_frame_trace(frame, group->row[i]);
        if (!t)
            continue;
        *names = ub_calloc(t->n_names + 1, sizeof **names);
        for (size_t k = 0; k < t->n_names; k++)
            if (strncmp(t->names[k], prefix, sizeof prefix - 1) == 0)
                (*names)[n++] = ub_strdup(t->names[k]);
        if (n == 0)
            ub_free(*names);
    }
    return n;
}

static struct ub_datum steepest_layer(const struct ub_frame *frame, const struct ub_rows *group)
{
    char **names;
    const size_t n = layers_of(frame, group, &names);
    struct ub_datum worst = {.why = "no layer's change was measured"};
    for (size_t k = 0; k < n; k++) {
        const struct ub_datum d =
            ub_group_slope(frame, group, "model.width", ub_run_last, names[k], "too few widths");
        if (worst.why || (!d.why && fabs(d.value) > fabs(worst.value)))
            worst = d;
        ub_free(names[k]);
    }
    if (n)
        ub_free(names);
    return worst;
}

static const char *const within[] = {"model.width", NULL};

const struct ub_law ub_law_coordinate_check = {
    .name = "coordinate-check",
    .strand = UB_LIMITS,
    .claim = "under mup each layer's activations move by an amount that does not depend on width",
    .formula = "rms(h_l(t) - h_l(0)) ~ width^0 in each layer l",
    .quantity = "slope of log change on log width, of the layer farthest from 0",
    .citation = "Yang and Hu 2020, arXiv:2011.14522; Yang et al. 2022, arXiv:2203.03466",
    .who = "models with a width under parametrization=mup",
    .because = "0.1 is a fifth of the smallest slope that another parametrization predicts (1/2)",
    .within = within,
    .needs = {{.observable = "coordinates"}, {.axis = "model.width", .least = 4}},
    .applies = under_mup,
    .datum = steepest_layer,
    .is = {UB_EQUAL, .target = 0, .margin = 0.1},
};
