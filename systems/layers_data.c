/* layers_data.c - how models read images, patches and sequences, and what they ask of data. */
#include "systems/layers.h"

ub_node ub_image_input(struct ub_builder *b, ub_node input)
{
    const int64_t *s = b->data->shape, n = ub_shape_of(b->graph, input).dim[0];
    const ub_node x = ub_reshape(b->graph, input, 4, (int64_t[]){n, s[0], s[1], s[2]});
    return ub_transpose(b->graph, x, (int[]){0, 2, 3, 1});
}

ub_node ub_patch_input(struct ub_builder *b, ub_node input, int64_t patch)
{
    const int64_t *s = b->data->shape, n = ub_shape_of(b->graph, input).dim[0];
    const int64_t rows = s[1] / patch, columns = s[2] / patch;
    ub_node x = ub_reshape(b->graph, input, 6, (int64_t[]){n, s[0], rows, patch, columns, patch});
    x = ub_transpose(b->graph, x, (int[]){0, 2, 4, 1, 3, 5});
    return ub_reshape(b->graph, x, 3, (int64_t[]){n, rows * columns, s[0] * patch * patch});
}

int64_t ub_sequence_steps(const struct ub_dataset *data, bool images, int64_t *each)
{
    *each = 1;
    if (data->tokens > 0)
        return data->features;
    *each = data->rank == 2 ? data->shape[1] : data->shape[0] * data->shape[2];
    if (data->rank == 2)
        return data->shape[0];
    return data->rank == 3 && images ? data->shape[1] : 0;
}

ub_node ub_step_input(struct ub_builder *b, ub_node input)
{
    struct ub_graph *g = b->graph;
    const struct ub_dataset *d = b->data;
    int64_t each, n = ub_shape_of(g, input).dim[0];
    const int64_t steps = ub_sequence_steps(d, true, &each);
    if (d->rank == 3) { /* row h of every channel makes step h */
        input = ub_reshape(g, input, 4, (int64_t[]){n, d->shape[0], d->shape[1], d->shape[2]});
        input = ub_transpose(g, input, (int[]){0, 2, 1, 3});
    }
    return ub_reshape(g, input, 3, (int64_t[]){n, steps, each});
}

ub_node ub_sequence_input(struct ub_builder *b, ub_node input, int64_t width, double scale)
{
    struct ub_graph *g = b->graph;
    const struct ub_dataset *d = b->data;
    if (d->tokens > 0) {
        const ub_node table =
            ub_builder_param(b, &(struct ub_param_spec){.name = "embed.weight",
                                                        .rank = 2,
                                                        .shape = {d->tokens, width},
                                                        .fan_in = 1,
                                                        .fan_out = width,
                                                        .role = UB_ROLE_INPUT,
                                                        .start = UB_START_NORMAL,
                                                        .value = scale});
        return ub_gather(g, table, input);
    }
    return ub_builder_linear(b, "embed", ub_step_input(b, input), width, UB_ROLE_INPUT, true);
}

ub_node ub_sequence_output(struct ub_builder *b, ub_node x)
{
    const struct ub_shape s = ub_shape_of(b->graph, x);
    const int64_t positions = ub_positions(b->data);
    if (positions == s.dim[1])
        return x;
    if (positions > 1) { /* a target at every so many steps, the last step included or not */
        const int64_t every = s.dim[1] / positions + (s.dim[1] % positions ? 1 : 0);
        ub_node padded = ub_pad(b->graph, x, 1, 0, every * positions - s.dim[1]);
        padded = ub_reshape(b->graph, padded, 4, (int64_t[]){s.dim[0], positions, every, s.dim[2]});
        const ub_node first = ub_slice(b->graph, padded, 2, 0, 1);
        return ub_reshape(b->graph, first, 3, (int64_t[]){s.dim[0], positions, s.dim[2]});
    }
    const ub_node last = ub_slice(b->graph, x, 1, s.dim[1] - 1, 1);
    return ub_reshape(b->graph, last, 2, (int64_t[]){s.dim[0], s.dim[2]});
}

/* ---- checks ---- */

static const char *kind_of(const struct ub_dataset *d)
{
    if (d->tokens > 0)
        return "a sequence of tokens";
    return d->rank == 3 ? "images" : d->rank == 2 ? "a sequence of vectors" : "vectors";
}

bool ub_expect_one_position(const struct ub_dataset *d, struct ub_error *err)
{
    return ub_positions(d) == 1 ||
           ub_fail(err, UB_INPUT,
                   "the dataset has targets at %lld positions; expected one a sample",
                   (long long)ub_positions(d));
}

bool ub_expect_vectors(const struct ub_dataset *d, struct ub_error *err)
{
    if (d->tokens > 0)
        return ub_fail(err, UB_INPUT,
                       "the dataset is %s; expected numbers (or an encoding of tokens as one-hot)",
                       kind_of(d));
    return ub_expect_one_position(d, err);
}

bool ub_expect_image(const struct ub_dataset *d, struct ub_error *err)
{
    if (d->rank != 3 || d->tokens > 0)
        return ub_fail(err, UB_INPUT, "the dataset is %s; expected images", kind_of(d));
    return ub_expect_one_position(d, err);
}

bool ub_expect_patches(const struct ub_dataset *d, int64_t patch, struct ub_error *err)
{
    if (!ub_expect_image(d, err))
        return false;
    return (d->shape[1] % patch == 0 && d->shape[2] % patch == 0) ||
           ub_fail(err, UB_INPUT,
                   "patch=%lld does not divide images of %lld x %lld; expected a divisor of both",
                   (long long)patch, (long long)d->shape[1], (long long)d->shape[2]);
}

bool ub_expect_sequence(const struct ub_dataset *d, bool images, struct ub_error *err)
{
    int64_t each;
    return ub_sequence_steps(d, images, &each) > 0 ||
           ub_fail(err, UB_INPUT, "the dataset is %s; expected a sequence%s", kind_of(d),
                   images ? " or images (read row by row)" : "");
}

bool ub_expect_heads(int64_t width, int64_t heads, struct ub_error *err)
{
    return width % heads == 0 ||
           ub_fail(err, UB_INPUT, "heads=%lld does not divide width=%lld; expected a divisor",
                   (long long)heads, (long long)width);
}

bool ub_expect_parameters(double count, struct ub_error *err)
{
    return count <= (double)UB_PARAMETER_LIMIT ||
           ub_fail(err, UB_INPUT,
                   "about %.3g parameters; expected at most %lld: a smaller width or depth", count,
                   (long long)UB_PARAMETER_LIMIT);
}
