/* Convolutional network in the manner of VGG: blocks of convolution, activation and pooling, then
 * one linear layer on what is left of the image. */
#include "base/option_units.h"
#include "systems/layers.h"

#include <string.h>

enum { BLOCKS = 16 };

static const char *const pools[] = {"max", "mean", "none", NULL};
static const struct ub_option options[] = {
    {"channels", UB_OPTION_SIZES, "32x32", 1, 65536, NULL, "channels of each block"},
    {"kernel", UB_OPTION_INT | UB_OPTION_OF_PIXELS, "3", 1, 31, NULL,
     "side of the convolutions' windows, odd"},
    {"pool", UB_OPTION_NAME, "max", 0, 0, pools, "2x2 pooling at the end of each block"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "relu", 0, 0, ub_activation_names,
     "nonlinearity"},
    {"norm", UB_OPTION_NAME, "none", 0, 0, ub_image_norms, "norm after each convolution"},
    {"groups", UB_OPTION_INT, "4", 1, 65536, NULL, "groups of norm=group"},
    {"ghost", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "0", 0, 1e9, NULL,
     "samples of norm=batch; 0 = the whole set"},
    UB_NORM_OPTIONS,
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static int64_t shrink(const struct ub_call *call)
{
    return strcmp(ub_call_get(call, "pool"), "none") == 0 ? 1 : 2;
}

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    int64_t channels[BLOCKS];
    const size_t blocks = ub_call_sizes(call, "channels", channels, BLOCKS);
    const int64_t kernel = ub_call_int(call, "kernel"), groups = ub_call_int(call, "groups");
    if (!ub_expect_image(data, err) || !ub_norm_options_fit(call, err))
        return false;
    if (blocks < 1 || blocks > BLOCKS)
        return ub_fail(err, UB_INPUT, "%zu blocks; expected 1 to %d", blocks, BLOCKS);
    if (kernel % 2 == 0)
        return ub_fail(err, UB_INPUT, "kernel=%lld; expected an odd number", (long long)kernel);
    int64_t in = data->shape[0], h = data->shape[1], w = data->shape[2];
    double count = 0;
    for (size_t i = 0; i < blocks; i++) {
        if (ub_norm_find(ub_call_get(call, "norm")) == UB_NORM_GROUP && channels[i] % groups != 0)
            return ub_fail(err, UB_INPUT, "groups=%lld does not divide %lld channels",
                           (long long)groups, (long long)channels[i]);
        count += (double)in * (double)(channels[i] * kernel * kernel);
        in = channels[i];
        h /= shrink(call);
        w /= shrink(call);
        if (h < 1 || w < 1)
            return ub_fail(err, UB_INPUT,
                           "%zu poolings shrink images of %lld x %lld to nothing; expected fewer "
                           "blocks, or pool=none",
                           i + 1, (long long)data->shape[1], (long long)data->shape[2]);
    }
    return ub_expect_parameters(count + (double)(in * h * w) * (double)data->outputs, err);
}

static ub_node pool(struct ub_graph *g, const struct ub_call *call, ub_node x)
{
    const char *kind = ub_call_get(call, "pool");
    if (strcmp(kind, "max") == 0)
        return ub_max_pool(g, x, 2, 2);
    return strcmp(kind, "mean") == 0 ? ub_mean_pool(g, x, 2, 2, 0) : x;
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    int64_t channels[BLOCKS];
    const size_t blocks = ub_call_sizes(call, "channels", channels, BLOCKS);
    const struct ub_activation *activation = ub_activation_find(ub_call_get(call, "activation"));
    struct ub_graph *g = b->graph;
    ub_node x = ub_image_input(b, input);
    char name[32];
    ub_builder_width(b, channels[0]);
    for (size_t i = 0; i < blocks; i++) {
        snprintf(name, sizeof name, "conv%zu", i + 1);
        x = ub_conv_layer(b, name, x, channels[i], ub_call_int(call, "kernel"), 1,
                          i ? UB_ROLE_HIDDEN : UB_ROLE_INPUT, true);
        snprintf(name, sizeof name, "norm%zu", i + 1);
        x = ub_norm_image(b, name, x, ub_norm_find(ub_call_get(call, "norm")),
                          ub_call_int(call, "ghost"), ub_call_int(call, "groups"));
        x = pool(g, call, activation->build(g, x));
        snprintf(name, sizeof name, "block%zu", i + 1);
        ub_builder_hidden(b, name, x);
    }
    const struct ub_shape s = ub_shape_of(g, x);
    x = ub_transpose(g, x, (int[]){0, 3, 1, 2}); /* channels first, as PyTorch flattens */
    x = ub_reshape(g, x, 2, (int64_t[]){s.dim[0], s.dim[1] * s.dim[2] * s.dim[3]});
    return ub_builder_linear(b, "fc", x, b->data->outputs, UB_ROLE_OUTPUT, true);
}

static int64_t coupled(const struct ub_call *call)
{
    if (ub_norm_find(ub_call_get(call, "norm")) != UB_NORM_BATCH)
        return 0;
    const int64_t ghost = ub_call_int(call, "ghost");
    return ghost > 0 ? ghost : UB_WHOLE_SET;
}

const struct ub_model ub_model_cnn = {
    .name = "cnn",
    .title = "CNN",
    .summary = "convolutions with pooling, one linear layer (VGG-like)",
    .citation = "Simonyan and Zisserman 2014, arXiv:1409.1556",
    .options = options,
    .fits = fits,
    .build = build,
    .coupled = coupled,
};
