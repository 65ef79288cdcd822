/* What matrices hold, before they are made. */
#include "bench/curvature/matrix.h"
#include "bench/curvature/outputs.h"

#include <string.h>

static int64_t largest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Numbers a sample in the layer's activations; of the widest when there is no such layer. */
static int64_t units(const char *layer, const struct ub_problem *p)
{
    const int64_t features = ub_problem_data(p)->features;
    if (!layer || strcmp(layer, "inputs") == 0)
        return features;
    int64_t most = features;
    for (int i = 0; i < ub_problem_hidden_count(p); i++) {
        if (strcmp(layer, ub_problem_hidden_name(p, i)) == 0)
            return ub_problem_hidden_width(p, i);
        most = largest(most, ub_problem_hidden_width(p, i));
    }
    return most;
}

/* Shorter side, and numbers in all, of a weight; of the largest when there is no such weight. */
static int64_t weight(const char *name, const struct ub_problem *p, int64_t *numbers)
{
    const struct ub_layout *layout = ub_problem_layout(p);
    int64_t side = 0;
    *numbers = 0;
    for (int64_t i = 0; i < layout->count; i++) {
        const struct ub_param *param = &layout->params[i];
        if (param->rank < 2)
            continue;
        const int64_t out = param->shape[0], in = param->size / out;
        const bool asked = name && strcmp(name, param->name) == 0;
        side = asked ? (in < out ? in : out) : largest(side, in < out ? in : out);
        *numbers = asked ? param->size : largest(*numbers, param->size);
        if (asked)
            break;
    }
    return side;
}

int64_t ub_matrix_size(const struct ub_matrix_choice *choice, const struct ub_problem *problem)
{
    const struct ub_dataset *data = ub_problem_data(problem);
    const int64_t samples = data->train.count;
    int64_t numbers;
    switch (ub_matrix_find(choice->kind)->space) {
    case UB_OVER_OUTPUTS:
        return ub_items_count(data) * data->outputs;
    case UB_OVER_ITEMS:
        return ub_items_count(data);
    case UB_OVER_FEATURES:
        return data->features;
    case UB_OVER_UNITS:
        return units(choice->layer, problem);
    case UB_OVER_SAMPLES:
        return samples;
    case UB_OVER_WEIGHT:
        return weight(choice->layer, problem, &numbers);
    default:
        return ub_problem_size(problem);
    }
}

/* Doubles beside the programs, and the programs that its products run. */
static int64_t own_doubles(const struct ub_matrix_choice *choice, const struct ub_problem *p,
                           int64_t block)
{
    const struct ub_dataset *data = ub_problem_data(p);
    const int64_t n = ub_problem_size(p), samples = data->train.count;
    const int64_t z = samples * ub_positions(data) * data->outputs;
    const int64_t k = data->outputs;
    const struct ub_matrix_kind *kind = ub_matrix_find(choice->kind);
    int64_t numbers = 0, side = 0;
    switch (kind->space) {
    case UB_OVER_OUTPUTS:
        return block * (z + n);
    case UB_OVER_ITEMS:
        return block * (3 * z + n);
    case UB_OVER_WEIGHT:
        side = weight(choice->layer, p, &numbers);
        return numbers + block * (side > 0 ? numbers / side : 0);
    case UB_OVER_PARAMETERS:
        side = kind->by_class || kind->open == ub_open_fisher_sampled ? (block + 2) * z + k * k : 0;
        return 2 * n + 4 * block * n + side;
    default:
        side = units(kind->space == UB_OVER_FEATURES ? NULL : choice->layer, p);
        return samples * side + block * largest(samples, side);
    }
}

static int64_t program_bytes(const struct ub_matrix_kind *kind, const struct ub_problem *p)
{
    if (kind->by_class || kind->open == ub_open_fisher_sampled || kind->space == UB_OVER_OUTPUTS ||
        kind->space == UB_OVER_ITEMS)
        return ub_problem_jacobian_bytes(p);
    if (kind->open == ub_open_gauss_newton || kind->open == ub_open_residual)
        return ub_problem_product_bytes(p, UB_GAUSS_NEWTON);
    if (kind->open == ub_open_empirical_fisher || kind->open == ub_open_gradient_covariance)
        return ub_problem_product_bytes(p, UB_GRADIENT_MOMENT);
    return 0;
}

int64_t ub_matrix_bytes(const struct ub_matrix_choice *choice, const struct ub_problem *problem,
                        int64_t block)
{
    return program_bytes(ub_matrix_find(choice->kind), problem) +
           own_doubles(choice, problem, block) * (int64_t)sizeof(double);
}
