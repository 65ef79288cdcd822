/* Residual network with pre-activation: stages of blocks x + conv(act(norm(conv(act(norm x))))),
 * twice the channels and half the side at each new stage. */
#include "base/option_units.h"
#include "systems/layers.h"

#include <string.h>

static const struct ub_option options[] = {
    {"width", UB_OPTION_INT, "16", 1, 4096, NULL, "channels of the first stage"},
    {"blocks", UB_OPTION_INT, "1", 1, 64, NULL, "residual blocks a stage"},
    {"stages", UB_OPTION_INT, "3", 1, 6, NULL, "stages"},
    {"norm", UB_OPTION_NAME, "batch", 0, 0, ub_image_norms, "norm before each activation"},
    {"groups", UB_OPTION_INT, "4", 1, 4096, NULL, "groups of norm=group"},
    {"ghost", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "0", 0, 1e9, NULL,
     "samples of norm=batch; 0 = the whole set"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "relu", 0, 0, ub_activation_names,
     "nonlinearity"},
    UB_NORM_OPTIONS,
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct resnet {
    struct ub_builder *b;
    enum ub_norm norm;
    int64_t ghost, groups;
    const struct ub_activation *activation;
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const int64_t stages = ub_call_int(call, "stages"), width = ub_call_int(call, "width");
    const int64_t groups = ub_call_int(call, "groups");
    if (!ub_expect_image(data, err) || !ub_norm_options_fit(call, err))
        return false;
    if (ub_norm_find(ub_call_get(call, "norm")) == UB_NORM_GROUP && width % groups != 0)
        return ub_fail(err, UB_INPUT, "groups=%lld does not divide width=%lld; expected a divisor",
                       (long long)groups, (long long)width);
    const double top = (double)(width << (stages - 1));
    return ub_expect_parameters(24 * top * top * (double)ub_call_int(call, "blocks"), err);
}

static ub_node norm_act(const struct resnet *r, const char *prefix, const char *name, ub_node x)
{
    char full[64];
    x = ub_norm_image(r->b, ub_layer_name(full, prefix, name), x, r->norm, r->ghost, r->groups);
    return r->activation->build(r->b->graph, x);
}

static ub_node block(const struct resnet *r, const char *prefix, ub_node x, int64_t out,
                     int64_t stride)
{
    const bool bias = r->norm == UB_NORM_NONE;
    const bool same = stride == 1 && ub_shape_of(r->b->graph, x).dim[3] == out;
    char name[64];
    ub_node h = norm_act(r, prefix, "norm1", x);
    if (!same)
        x = ub_conv_layer(r->b, ub_layer_name(name, prefix, "shortcut"), h, out, 1, stride,
                          UB_ROLE_HIDDEN, false);
    h = ub_conv_layer(r->b, ub_layer_name(name, prefix, "conv1"), h, out, 3, stride, UB_ROLE_HIDDEN,
                      bias);
    h = norm_act(r, prefix, "norm2", h);
    h = ub_conv_layer(r->b, ub_layer_name(name, prefix, "conv2"), h, out, 3, 1, UB_ROLE_HIDDEN,
                      bias);
    return ub_add(r->b->graph, x, h);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const struct resnet r = {.b = b,
                             .norm = ub_norm_find(ub_call_get(call, "norm")),
                             .ghost = ub_call_int(call, "ghost"),
                             .groups = ub_call_int(call, "groups"),
                             .activation = ub_activation_find(ub_call_get(call, "activation"))};
    const int64_t width = ub_call_int(call, "width");
    struct ub_graph *g = b->graph;
    char name[64];
    ub_builder_width(b, width);
    ub_node x = ub_conv_layer(b, "stem", ub_image_input(b, input), width, 3, 1, UB_ROLE_INPUT,
                              r.norm == UB_NORM_NONE);
    for (int64_t s = 0; s < ub_call_int(call, "stages"); s++) {
        for (int64_t i = 0; i < ub_call_int(call, "blocks"); i++) {
            snprintf(name, sizeof name, "stage%d.block%d.", (int)s + 1, (int)i + 1);
            x = block(&r, name, x, width << s, s > 0 && i == 0 ? 2 : 1);
        }
        snprintf(name, sizeof name, "stage%d", (int)s + 1);
        ub_builder_hidden(b, name, x);
    }
    x = norm_act(&r, "", "norm", x);
    const struct ub_shape shape = ub_shape_of(g, x);
    const double share = 1 / (double)(shape.dim[1] * shape.dim[2]);
    x = ub_scale(g, ub_sum(g, x, UB_AXIS(1) | UB_AXIS(2)), share);
    ub_builder_hidden(b, "pooled", x);
    return ub_builder_linear(b, "fc", x, b->data->outputs, UB_ROLE_OUTPUT, true);
}

static int64_t coupled(const struct ub_call *call)
{
    if (ub_norm_find(ub_call_get(call, "norm")) != UB_NORM_BATCH)
        return 0;
    const int64_t ghost = ub_call_int(call, "ghost");
    return ghost > 0 ? ghost : UB_WHOLE_SET;
}

const struct ub_model ub_model_resnet = {
    .name = "resnet",
    .title = "ResNet",
    .summary = "residual network, pre-activation, with batch, layer, group or no norm",
    .citation = "He et al. 2016, arXiv:1603.05027",
    .options = options,
    .fits = fits,
    .build = build,
    .coupled = coupled,
};
