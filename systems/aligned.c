/* Weights that are balanced and aligned with the data: with the singular modes of the covariance of
 * inputs and targets, Y'X/n = sum_k s_k u_k v_k', and r = the fewer of modes and of the units of
 * any layer,
 *
 *     W_1 = O_1 b V',  W_l = O_l b O_{l-1}',  W_L = U b O_{L-1}',  b = a^(1/L),
 *
 * V (features, r), U (outputs, r) the strongest modes, O_l (units, r) random with orthonormal
 * columns. So W_{l+1}'W_{l+1} = W_l W_l', and W_L ... W_1 = a U V': each mode starts with the
 * strength a. On whitened inputs gradient descent keeps this form, and every mode learns by itself:
 * the start for which deep linear networks are solved exactly (Saxe, McClelland and Ganguli 2013,
 * arXiv:1312.6120). */
#include "datasets/modes.h"
#include "systems/orthogonal.h"
#include "systems/weight_chain.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ub_option options[] = {
    {"strength", UB_OPTION_REAL, "0.001", 1e-100, 1e6, NULL,
     "of each mode of the product of the layers' matrices at the start"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_layout *layout,
                 const struct ub_dataset *data, struct ub_error *err)
{
    struct ub_weight_chain chain;
    (void)call;
    if (!ub_weight_chain_find(layout, data, &chain))
        return ub_fail(err, UB_INPUT,
                       "the model is no chain of matrices from inputs to outputs; expected one, as "
                       "of deep-linear or mlp");
    for (int64_t l = 0; l < chain.count; l++)
        if (chain.bias[l])
            return ub_fail(err, UB_INPUT, "the model has biases (%s); expected bias=false",
                           chain.bias[l]->name);
    return true;
}

/* Columns of the layer's own basis, rank x units by rows: O_l', or U' and V' at the ends. */
static double *basis_of(const struct ub_weight_chain *chain, int64_t l, int64_t rank, uint64_t seed)
{
    const int64_t units = chain->weight[l]->shape[0];
    char purpose[96];
    snprintf(purpose, sizeof purpose, "init:aligned:%s", chain->weight[l]->name);
    struct ub_random r = ub_random_stream(seed, purpose);
    double *basis = ub_calloc((size_t)(rank * units), sizeof *basis);
    ub_random_orthogonal(&r, rank, units, basis);
    return basis;
}

static void start(const struct ub_call *call, const struct ub_layout *layout,
                  const struct ub_dataset *data, uint64_t seed, double *theta)
{
    struct ub_error err = {0};
    struct ub_weight_chain chain;
    struct ub_modes modes;
    if (!ub_weight_chain_find(layout, data, &chain) || !ub_modes_of(data, &modes, &err))
        exit(ub_report(&err)); /* LAPACK failed: `fits` has seen the rest */
    const int64_t narrowest = ub_weight_chain_narrowest(&chain);
    const int64_t rank = modes.count < narrowest ? modes.count : narrowest;
    const double b = pow(ub_call_real(call, "strength"), 1 / (double)chain.count);
    double *before = NULL;
    memset(theta, 0, (size_t)layout->size * sizeof *theta);
    for (int64_t l = 0; rank > 0 && l < chain.count; l++) {
        const struct ub_param *p = chain.weight[l];
        const bool last = l == chain.count - 1;
        double *own = last ? NULL : basis_of(&chain, l, rank, seed);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)p->shape[0], (int)p->shape[1],
                    (int)rank, b / p->multiplier, last ? modes.left : own, (int)p->shape[0],
                    before ? before : modes.right, (int)p->shape[1], 0, theta + p->offset,
                    (int)p->shape[1]);
        ub_free(before);
        before = own;
    }
    ub_modes_clear(&modes);
}

const struct ub_init ub_init_aligned = {
    .name = "aligned",
    .title = "aligned init",
    .summary = "balanced, along the singular modes of the covariance of inputs and targets",
    .citation = "Saxe et al. 2013, arXiv:1312.6120",
    .options = options,
    .fits = fits,
    .start = start,
};
