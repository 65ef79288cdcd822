#include "systems/weight_chain.h"

#include <cblas.h>
#include <string.h>

bool ub_weight_chain_find(const struct ub_layout *layout, const struct ub_dataset *data,
                          struct ub_weight_chain *chain)
{
    int64_t units = data->features;
    *chain = (struct ub_weight_chain){0};
    if (ub_positions(data) > 1 || data->tokens > 0)
        return false;
    for (int64_t i = 0; i < layout->count; i++) {
        const struct ub_param *p = &layout->params[i];
        const int64_t last = chain->count - 1;
        if (p->rank == 2 && p->start == UB_START_WEIGHT && p->shape[1] == units &&
            chain->count < UB_WEIGHT_CHAIN_LIMIT) {
            chain->weight[chain->count++] = p;
            units = p->shape[0];
        } else if (p->rank == 1 && last >= 0 && p->shape[0] == units && !chain->bias[last]) {
            chain->bias[last] = p;
        } else {
            return false;
        }
    }
    return chain->count > 0 && units == data->outputs;
}

int64_t ub_weight_chain_narrowest(const struct ub_weight_chain *chain)
{
    int64_t least = chain->weight[0]->shape[1];
    for (int64_t l = 0; l < chain->count; l++)
        least = chain->weight[l]->shape[0] < least ? chain->weight[l]->shape[0] : least;
    return least;
}

void ub_weight_chain_product(const struct ub_weight_chain *chain, const double *theta, double *out)
{
    const int64_t features = chain->weight[0]->shape[1];
    double *product = NULL;
    for (int64_t l = 0; l < chain->count; l++) {
        const struct ub_param *p = chain->weight[l];
        const int rows = (int)p->shape[0], inner = (int)p->shape[1];
        double *next = ub_calloc((size_t)(rows * features), sizeof *next);
        if (l == 0)
            cblas_daxpy(rows * inner, p->multiplier, theta + p->offset, 1, next, 1);
        else
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, (int)features, inner,
                        p->multiplier, theta + p->offset, inner, product, (int)features, 0, next,
                        (int)features);
        ub_free(product);
        product = next;
    }
    const int64_t outputs = chain->weight[chain->count - 1]->shape[0];
    if (product) /* a chain has a matrix */
        memcpy(out, product, (size_t)(outputs * features) * sizeof *out);
    ub_free(product);
}
