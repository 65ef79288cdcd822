/* Matrix factorization: y = x U V', or x U U' when symmetric. On one-hot inputs the rows of the
 * target matrix are the targets. */
#include "systems/layers.h"

static const struct ub_option options[] = {
    {"rank", UB_OPTION_INT, "8", 1, UB_WIDTH_LIMIT, NULL, "columns of the factors"},
    {"symmetric", UB_OPTION_FLAG, "false", 0, 0, NULL, "one factor, U U'"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    if (!ub_expect_vectors(data, err))
        return false;
    if (ub_call_flag(call, "symmetric") && data->features != data->outputs)
        return ub_fail(err, UB_INPUT,
                       "%lld features and %lld outputs; expected as many of both for "
                       "symmetric=true",
                       (long long)data->features, (long long)data->outputs);
    const double sides = (double)data->features + (double)data->outputs;
    return ub_expect_parameters(sides * (double)ub_call_int(call, "rank"), err);
}

static ub_node factor(struct ub_builder *b, const char *name, int64_t rows, int64_t rank)
{
    return ub_builder_param(b, &(struct ub_param_spec){.name = name,
                                                       .rank = 2,
                                                       .shape = {rows, rank},
                                                       .fan_in = rank,
                                                       .fan_out = rows,
                                                       .role = UB_ROLE_FIXED});
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const int64_t rank = ub_call_int(call, "rank");
    const ub_node u = factor(b, "U", b->data->features, rank);
    const ub_node v = ub_call_flag(call, "symmetric") ? u : factor(b, "V", b->data->outputs, rank);
    const ub_node x = ub_matmul(b->graph, input, u);
    ub_builder_hidden(b, "hidden1", x);
    return ub_matmul(b->graph, x, ub_transpose(b->graph, v, (int[]){1, 0}));
}

const struct ub_model ub_model_matrix_factorization = {
    .name = "matrix-factorization",
    .title = "matrix factorization",
    .summary = "x U V': a matrix as a product of two",
    .citation = "Gunasekar et al. 2017, arXiv:1705.09280",
    .options = options,
    .fits = fits,
    .build = build,
};
