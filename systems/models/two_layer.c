/* Two layers in the scalings that theory takes limits of:
 *
 *     y_k = s(n) sum_j a_kj act(w_j . x / sqrt(d) + b_j),   all parameters N(0, 1), b = 0
 *
 * with s = 1/sqrt(n) (ntk: the lazy limit, Jacot et al. 2018) or s = 1/n (mean-field: neurons as a
 * distribution, Mei et al. 2018; learning rates are then of order n). */
#include "systems/layers.h"
#include "systems/wide.h"

#include <math.h>
#include <string.h>

static const char *const scalings[] = {"ntk", "mean-field", NULL};
static const struct ub_option options[] = {
    {"width", UB_OPTION_INT, "256", 1, UB_WIDTH_LIMIT, NULL, "hidden units n"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "relu", 0, 0, ub_activation_names,
     "nonlinearity"},
    {"scaling", UB_OPTION_NAME, "ntk", 0, 0, scalings, "1/sqrt(n) or 1/n"},
    {"bias", UB_OPTION_FLAG, "false", 0, 0, NULL, "add b_j"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const double numbers = (double)data->features + (double)data->outputs;
    return ub_expect_vectors(data, err) &&
           ub_expect_parameters(numbers * (double)ub_call_int(call, "width"), err);
}

static ub_node normal(struct ub_builder *b, const char *name, int64_t rows, int64_t columns,
                      double deviation)
{
    return ub_builder_param(b, &(struct ub_param_spec){.name = name,
                                                       .rank = columns > 0 ? 2 : 1,
                                                       .shape = {rows, columns},
                                                       .fan_in = columns,
                                                       .fan_out = rows,
                                                       .role = UB_ROLE_FIXED,
                                                       .start = UB_START_NORMAL,
                                                       .value = deviation});
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    struct ub_graph *g = b->graph;
    const int64_t n = ub_call_int(call, "width"), d = b->data->features;
    const bool mean_field = strcmp(ub_call_get(call, "scaling"), "mean-field") == 0;
    const int swap[] = {1, 0};
    ub_builder_width(b, n);
    const ub_node w = normal(b, "fc1.weight", n, d, 1);
    ub_node h = ub_scale(g, ub_matmul(g, input, ub_transpose(g, w, swap)), 1 / sqrt((double)d));
    if (ub_call_flag(call, "bias"))
        h = ub_add(g, h, normal(b, "fc1.bias", n, 0, 0));
    h = ub_activation_find(ub_call_get(call, "activation"))->build(g, h);
    ub_builder_hidden(b, "hidden1", h);
    const ub_node a = normal(b, "fc2.weight", b->data->outputs, n, 1);
    return ub_scale(g, ub_matmul(g, h, ub_transpose(g, a, swap)),
                    mean_field ? 1 / (double)n : 1 / sqrt((double)n));
}

/* w_j . x / sqrt(d) + b_j, then s(n) a_j: what the scalings leave of fan_in. */
static void wide(const struct ub_wide_source *source, struct ub_wide *out)
{
    const bool mean_field = strcmp(ub_call_get(source->call, "scaling"), "mean-field") == 0;
    const double readout = mean_field ? 1 / (double)ub_call_int(source->call, "width") : 1;
    ub_wide_start(out, ub_activation_find(ub_call_get(source->call, "activation")), 1);
    out->layer[0] = (struct ub_wide_layer){
        .weight = 1, .weight_rate = 1, .bias_rate = ub_call_flag(source->call, "bias") ? 1 : 0};
    out->layer[1] = (struct ub_wide_layer){.weight = readout, .weight_rate = readout};
}

const struct ub_model ub_model_two_layer = {
    .name = "two-layer",
    .title = "two-layer net",
    .summary = "one hidden layer in ntk or mean-field scaling",
    .citation = "Jacot et al. 2018, arXiv:1806.07572; Mei et al. 2018, arXiv:1804.06561",
    .options = options,
    .fits = fits,
    .build = build,
    .wide = wide,
};
