/* layers.c - convolutions, norms, attention, transformer blocks. */
#include "systems/layers.h"

#include <math.h>
#include <string.h>

const char *ub_layer_name(char out[64], const char *prefix, const char *name)
{
    snprintf(out, 64, "%s%s", prefix, name);
    return out;
}

ub_node ub_conv_layer(struct ub_builder *b, const char *name, ub_node x, int64_t out,
                      int64_t kernel, int64_t stride, enum ub_role role, bool bias)
{
    const struct ub_shape s = ub_shape_of(b->graph, x);
    const int64_t in = s.dim[3], pixels = kernel * kernel;
    char full[64];
    const ub_node w =
        ub_builder_param(b, &(struct ub_param_spec){.name = ub_layer_name(full, name, ".weight"),
                                                    .rank = 4,
                                                    .shape = {out, in, kernel, kernel},
                                                    .fan_in = in * pixels,
                                                    .fan_out = out * pixels,
                                                    .role = role});
    const struct ub_patch window = {kernel, kernel, stride, kernel / 2, 1};
    const ub_node y = ub_conv(b->graph, x, ub_transpose(b->graph, w, (int[]){0, 2, 3, 1}), window);
    if (!bias)
        return y;
    return ub_add(
        b->graph, y,
        ub_builder_param(b, &(struct ub_param_spec){.name = ub_layer_name(full, name, ".bias"),
                                                    .rank = 1,
                                                    .shape = {out},
                                                    .fan_in = in * pixels,
                                                    .fan_out = out * pixels,
                                                    .role = UB_ROLE_VECTOR,
                                                    .start = UB_START_BIAS}));
}

/* ---- norms ---- */

const char *const ub_image_norms[] = {"none", "batch", "layer", "group", NULL};

enum ub_norm ub_norm_find(const char *name)
{
    static const char *const names[] = {"none", "batch", "layer", "group", "rms"};
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum ub_norm)i;
    return UB_NORM_NONE;
}

bool ub_norm_details_fit(const struct ub_call *call, struct ub_error *err)
{
    const bool usual =
        ub_call_flag(call, "affine") && ub_call_real(call, "epsilon") == UB_NORM_EPSILON;
    if (!usual && strcmp(ub_call_get(call, "norm"), "none") == 0)
        return ub_fail(err, UB_INPUT, "affine or epsilon with norm=none; expected a norm");
    return true;
}

bool ub_norm_options_fit(const struct ub_call *call, struct ub_error *err)
{
    enum { GROUPS = 4 };
    const char *norm = ub_call_get(call, "norm");
    const int64_t groups = ub_call_int(call, "groups"), ghost = ub_call_int(call, "ghost");
    if (!ub_norm_details_fit(call, err))
        return false;
    if (ub_norm_find(norm) != UB_NORM_GROUP && groups != GROUPS)
        return ub_fail(err, UB_INPUT, "groups=%lld with norm=%s; expected norm=group",
                       (long long)groups, norm);
    if (ub_norm_find(norm) != UB_NORM_BATCH && ghost > 0)
        return ub_fail(err, UB_INPUT, "ghost=%lld with norm=%s; expected norm=batch",
                       (long long)ghost, norm);
    return true;
}

static ub_node vector(struct ub_builder *b, const char *name, const char *part, int64_t size,
                      double start)
{
    char full[64];
    return ub_builder_param(b, &(struct ub_param_spec){.name = ub_layer_name(full, name, part),
                                                       .rank = 1,
                                                       .shape = {size},
                                                       .fan_in = size,
                                                       .fan_out = size,
                                                       .role = UB_ROLE_VECTOR,
                                                       .start = UB_START_CONSTANT,
                                                       .value = start});
}

/* The mean over axes, kept as axes of size 1. */
static ub_node mean_over(struct ub_graph *g, ub_node x, unsigned axes)
{
    struct ub_shape s = ub_shape_of(g, x), column = s;
    for (int i = 0; i < s.rank; i++)
        if (axes & UB_AXIS(i))
            column.dim[i] = 1;
    const double share = (double)ub_count(column) / (double)ub_count(s);
    return ub_reshape(g, ub_scale(g, ub_sum(g, x, axes), share), column.rank, column.dim);
}

static ub_node over_deviation(const struct ub_builder *b, ub_node x, ub_node variance)
{
    struct ub_graph *g = b->graph;
    const ub_node epsilon = ub_like(g, b->norm_epsilon, variance);
    return ub_mul(g, x, ub_recip(g, ub_sqrt(g, ub_add(g, variance, epsilon))));
}

static ub_node standardize(const struct ub_builder *b, ub_node x, unsigned axes, bool center)
{
    struct ub_graph *g = b->graph;
    if (center)
        x = ub_sub(g, x, mean_over(g, x, axes));
    return over_deviation(b, x, mean_over(g, ub_mul(g, x, x), axes));
}

/* The mean of x (chunk, pixels, channels) over pixels and all samples: (channels). */
static ub_node mean_of_all(const struct ub_builder *b, ub_node x)
{
    struct ub_graph *g = b->graph;
    const struct ub_shape s = ub_shape_of(g, x);
    if (b->filled_up)
        x = ub_mul(g, x, ub_reshape(g, b->weight, 3, (int64_t[]){s.dim[0], 1, 1}));
    const ub_node sum = ub_total(g, ub_sum(g, x, UB_AXIS(0) | UB_AXIS(1)));
    return ub_scale(g, sum, 1 / ((double)b->together * (double)s.dim[1]));
}

static ub_node standardize_all(const struct ub_builder *b, ub_node x)
{
    struct ub_graph *g = b->graph;
    const ub_node d = ub_sub(g, x, mean_of_all(b, x)), square = ub_mul(g, d, d);
    /* Deviations sum to zero, so that the variance does not hang on the mean: its derivatives,
     * twice the mean of d dx, need not wait for the mean's. */
    const ub_node half = mean_of_all(b, ub_with_slope(g, square, x, d));
    const ub_node variance = mean_of_all(b, square);
    return over_deviation(b, d, ub_with_slope(g, variance, half, ub_like(g, 2, half)));
}

/* Gain and offset, where norms have them. */
static ub_node rescale(struct ub_builder *b, const char *name, ub_node x, int64_t size, bool offset)
{
    if (b->plain_norms)
        return x;
    x = ub_mul(b->graph, x, vector(b, name, ".weight", size, 1));
    return offset ? ub_add(b->graph, x, vector(b, name, ".bias", size, 0)) : x;
}

ub_node ub_norm_image(struct ub_builder *b, const char *name, ub_node x, enum ub_norm norm,
                      int64_t ghost, int64_t groups)
{
    struct ub_graph *g = b->graph;
    const struct ub_shape s = ub_shape_of(g, x);
    const int64_t n = s.dim[0], pixels = s.dim[1] * s.dim[2], c = s.dim[3];
    if (norm == UB_NORM_NONE)
        return x;
    if (norm == UB_NORM_BATCH && b->together > 0) {
        x = standardize_all(b, ub_reshape(g, x, 3, (int64_t[]){n, pixels, c}));
    } else if (norm == UB_NORM_BATCH) {
        /* A chunk that is no whole number of ghost batches is only ever built to learn shapes. */
        const int64_t run = ghost > 0 && n % ghost == 0 ? ghost : n;
        x = ub_reshape(g, x, 3, (int64_t[]){n / run, run * pixels, c});
        x = standardize(b, x, UB_AXIS(1), true);
    } else {
        const int64_t parts = norm == UB_NORM_GROUP ? groups : 1;
        x = ub_reshape(g, x, 4, (int64_t[]){n, pixels, parts, c / parts});
        x = standardize(b, x, UB_AXIS(1) | UB_AXIS(3), true);
    }
    return rescale(b, name, ub_reshape(g, x, s.rank, s.dim), c, true);
}

ub_node ub_norm_last(struct ub_builder *b, const char *name, ub_node x, enum ub_norm norm)
{
    const struct ub_shape s = ub_shape_of(b->graph, x);
    if (norm == UB_NORM_NONE)
        return x;
    x = standardize(b, x, UB_AXIS(s.rank - 1), norm == UB_NORM_LAYER);
    return rescale(b, name, x, s.dim[s.rank - 1], norm == UB_NORM_LAYER);
}

/* ---- attention ---- */

/* Turns the pair (k-th of the first half, k-th of the second half) of each head at step t by the
 * angle t * 10000^(-2k/size); x is (chunk, heads, steps, size). */
static ub_node rotate(struct ub_graph *g, ub_node x)
{
    const struct ub_shape s = ub_shape_of(g, x);
    const int64_t steps = s.dim[2], half = s.dim[3] / 2;
    const ub_node time = ub_reshape(g, ub_iota(g, steps), 2, (int64_t[]){steps, 1});
    const ub_node rate = ub_exp(g, ub_scale(g, ub_iota(g, half), -log(10000) / (double)half));
    const ub_node angle = ub_mul(g, time, rate);
    const ub_node c = ub_cos(g, angle), sine = ub_sin(g, angle);
    const ub_node a = ub_slice(g, x, 3, 0, half), b = ub_slice(g, x, 3, half, half);
    const ub_node turned[] = {ub_sub(g, ub_mul(g, a, c), ub_mul(g, b, sine)),
                              ub_add(g, ub_mul(g, a, sine), ub_mul(g, b, c))};
    return ub_concat(g, turned, 2, 3);
}

/* 1 where row t sees column u: t - window < u <= t. */
static ub_node mask_of(struct ub_graph *g, const struct ub_attention *attention, int64_t steps)
{
    const ub_node causal = ub_causal_mask(g, steps, steps);
    if (attention->window == 0)
        return causal;
    const ub_node row = ub_reshape(g, ub_iota(g, steps), 2, (int64_t[]){steps, 1});
    const ub_node column = ub_reshape(g, ub_iota(g, steps), 2, (int64_t[]){1, steps});
    const ub_node age = ub_sub(g, row, column);
    return ub_mul(g, causal, ub_greater(g, ub_like(g, (double)attention->window, age), age));
}

ub_node ub_attention_layer(struct ub_builder *b, const char *prefix, ub_node x,
                           const struct ub_attention *attention)
{
    struct ub_graph *g = b->graph;
    const struct ub_shape s = ub_shape_of(g, x);
    const int64_t n = s.dim[0], steps = s.dim[1], width = s.dim[2], heads = attention->heads;
    const int64_t size = width / heads;
    char name[64];
    ub_node qkv = ub_builder_linear(b, ub_layer_name(name, prefix, "qkv"), x, 3 * width,
                                    UB_ROLE_HIDDEN, true);
    qkv = ub_reshape(g, qkv, 5, (int64_t[]){n, steps, 3, heads, size});
    qkv = ub_transpose(g, qkv, (int[]){2, 0, 3, 1, 4});
    ub_node part[3];
    for (int i = 0; i < 3; i++) {
        part[i] = ub_reshape(g, ub_slice(g, qkv, 0, i, 1), 4, (int64_t[]){n, heads, steps, size});
        if (attention->rotary && i < 2)
            part[i] = rotate(g, part[i]);
    }
    const ub_node products = ub_matmul(g, part[0], ub_transpose(g, part[1], (int[]){0, 1, 3, 2}));
    const ub_node scores = ub_scale(g, products, ub_attention_scale(b, size));
    const ub_node weights = attention->causal
                                ? ub_masked_softmax(g, scores, mask_of(g, attention, steps))
                                : ub_softmax(g, scores);
    ub_node y = ub_matmul(g, weights, part[2]);
    y = ub_reshape(g, ub_transpose(g, y, (int[]){0, 2, 1, 3}), 3, (int64_t[]){n, steps, width});
    return ub_builder_linear(b, ub_layer_name(name, prefix, "proj"), y, width, UB_ROLE_HIDDEN,
                             true);
}

ub_node ub_transformer_block(struct ub_builder *b, const char *prefix, ub_node x,
                             const struct ub_attention *attention,
                             const struct ub_activation *activation)
{
    struct ub_graph *g = b->graph;
    const struct ub_shape s = ub_shape_of(g, x);
    const int64_t width = s.dim[s.rank - 1];
    char name[64];
    ub_node h = ub_norm_last(b, ub_layer_name(name, prefix, "norm1"), x, UB_NORM_LAYER);
    x = ub_add(g, x, ub_attention_layer(b, prefix, h, attention));
    h = ub_norm_last(b, ub_layer_name(name, prefix, "norm2"), x, UB_NORM_LAYER);
    h = ub_builder_linear(b, ub_layer_name(name, prefix, "fc1"), h, 4 * width, UB_ROLE_HIDDEN,
                          true);
    h = activation->build(g, h);
    h = ub_builder_linear(b, ub_layer_name(name, prefix, "fc2"), h, width, UB_ROLE_HIDDEN, true);
    return ub_add(g, x, h);
}

ub_node ub_add_positions(struct ub_builder *b, ub_node x)
{
    const struct ub_shape s = ub_shape_of(b->graph, x);
    const ub_node table = ub_builder_param(b, &(struct ub_param_spec){.name = "position",
                                                                      .rank = 2,
                                                                      .shape = {s.dim[1], s.dim[2]},
                                                                      .fan_in = 1,
                                                                      .fan_out = s.dim[2],
                                                                      .role = UB_ROLE_INPUT,
                                                                      .start = UB_START_NORMAL,
                                                                      .value = 0.02});
    return ub_add(b->graph, x, table);
}
