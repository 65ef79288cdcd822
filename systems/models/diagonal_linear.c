/* Diagonal linear network: y_k = x . (u_k^L - v_k^L), entry by entry. Linear in x, and the simplest
 * network whose initial scale alpha decides between the rich and the lazy regime; u = v = alpha
 * starts it at the zero function. */
#include "base/option_units.h"
#include "systems/layers.h"

static const struct ub_option options[] = {
    {"depth", UB_OPTION_INT, "2", 1, 64, NULL, "power L of the parameters"},
    {"alpha", UB_OPTION_REAL | UB_OPTION_OF_PARAMETER, "0.5", 0, 1000, NULL,
     "initial value of all parameters"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    (void)call;
    return ub_expect_vectors(data, err) &&
           ub_expect_parameters(2 * (double)data->features * (double)data->outputs, err);
}

static ub_node power_of(struct ub_builder *b, const struct ub_call *call, const char *name)
{
    const struct ub_dataset *d = b->data;
    const ub_node w =
        ub_builder_param(b, &(struct ub_param_spec){.name = name,
                                                    .rank = 2,
                                                    .shape = {d->outputs, d->features},
                                                    .fan_in = d->features,
                                                    .fan_out = d->outputs,
                                                    .role = UB_ROLE_FIXED,
                                                    .start = UB_START_CONSTANT,
                                                    .value = ub_call_real(call, "alpha")});
    ub_node power = w;
    for (int64_t k = 1; k < ub_call_int(call, "depth"); k++)
        power = ub_mul(b->graph, power, w);
    return power;
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const ub_node u = power_of(b, call, "u"), v = power_of(b, call, "v");
    const ub_node w = ub_sub(b->graph, u, v);
    return ub_matmul(b->graph, input, ub_transpose(b->graph, w, (int[]){1, 0}));
}

const struct ub_model ub_model_diagonal_linear = {
    .name = "diagonal-linear",
    .title = "diagonal linear net",
    .summary = "x . (u^L - v^L): rich or lazy by its initial scale",
    .citation = "Woodworth et al. 2020, arXiv:2002.09277",
    .options = options,
    .fits = fits,
    .build = build,
};
