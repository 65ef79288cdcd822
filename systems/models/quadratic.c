/* A quadratic of known Hessian: y_k = sqrt(lambda_k) theta_k whatever the input, so that under mse
 * the Hessian is diag(lambda), lambda_k = top k^-exponent, k = 1..outputs. */
#include "systems/layers.h"

#include <math.h>

static const struct ub_option options[] = {
    {"top", UB_OPTION_REAL, "1", 1e-12, 1e12, NULL, "largest eigenvalue"},
    {"exponent", UB_OPTION_REAL, "1", 0, 20, NULL, "of the eigenvalues' decay"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    (void)call;
    return ub_expect_one_position(data, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    struct ub_graph *g = b->graph;
    const int64_t n = b->data->outputs, chunk = ub_shape_of(g, input).dim[0];
    const ub_node theta = ub_builder_param(b, &(struct ub_param_spec){.name = "theta",
                                                                      .rank = 1,
                                                                      .shape = {n},
                                                                      .fan_in = 1,
                                                                      .fan_out = n,
                                                                      .role = UB_ROLE_FIXED});
    const ub_node k = ub_add(g, ub_iota(g, n), ub_scalar(g, 1));
    const double half = -0.5 * ub_call_real(call, "exponent");
    const ub_node root =
        ub_scale(g, ub_exp(g, ub_scale(g, ub_log(g, k), half)), sqrt(ub_call_real(call, "top")));
    const ub_node y = ub_mul(g, root, theta);
    /* -|x| > 0 is false for every input: the zeros make the output one of samples. */
    const ub_node first = ub_slice(g, input, 1, 0, 1);
    const ub_node zeros = ub_greater(g, ub_neg(g, ub_abs(g, first)), ub_like(g, 0, first));
    return ub_add(g, ub_broadcast(g, y, 2, (int64_t[]){chunk, n}), zeros);
}

const struct ub_model ub_model_quadratic = {
    .name = "quadratic",
    .summary = "parameters scaled to a Hessian with eigenvalues top k^-exponent",
    .citation = "LeCun, Kanter and Solla 1991, NIPS 3",
    .options = options,
    .fits = fits,
    .build = build,
};
