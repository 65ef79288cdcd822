/* What matrices of all kinds have in common: their stages, layers and preconditioners. */
#include "bench/curvature/matrix.h"
#include "bench/curvature/outputs.h"

#include <string.h>

/* ---- stages ---- */

struct ub_operator *ub_matrix_stage(struct ub_matrix *m, struct ub_operator a)
{
    m->stage[m->n_stages] = a;
    m->operator= a;
    return &m->stage[m->n_stages++];
}

double *ub_matrix_array(struct ub_matrix *m, int64_t count)
{
    return m->array[m->n_arrays++] = ub_calloc((size_t)count + 1, sizeof(double));
}

struct ub_operator ub_matrix_leaf(struct ub_matrix *m, int64_t n,
                                  void (*apply)(void *, int64_t, const double *, double *))
{
    return (struct ub_operator){.n = n, .context = m, .apply = apply};
}

int64_t ub_matrix_outputs(const struct ub_matrix *m)
{
    const struct ub_dataset *data = ub_problem_data(m->at.problem);
    return data->train.count * ub_positions(data) * data->outputs;
}

/* ---- layers and preconditioners of matrices over parameters ---- */

static bool is_all(const char *layer)
{
    return !layer || strcmp(layer, "all") == 0;
}

static bool is_within(const char *name, const char *layer)
{
    const size_t length = strlen(layer);
    return strncmp(name, layer, length) == 0 && (name[length] == 0 || name[length] == '.');
}

/* The parameters of one layer lie together. */
static bool find_layer(const struct ub_layout *layout, const char *layer, int64_t *first,
                       int64_t *count, struct ub_error *err)
{
    *first = *count = 0;
    for (int64_t i = 0; i < layout->count; i++) {
        const struct ub_param *param = &layout->params[i];
        if (!is_within(param->name, layer))
            continue;
        if (*count == 0)
            *first = param->offset;
        if (param->offset != *first + *count)
            return ub_fail(err, UB_INPUT,
                           "layer '%s' is several runs of parameters; expected neighbors", layer);
        *count += param->size;
    }
    if (*count > 0)
        return true;
    const char **names = ub_calloc((size_t)layout->count + 1, sizeof *names);
    struct ub_text known = {0};
    for (int64_t i = 0; i < layout->count; i++) {
        names[i] = layout->params[i].name;
        ub_text_add(&known, "%s%s", i ? ", " : "", names[i]);
    }
    ub_fail(err, UB_INPUT, "unknown layer '%s'; expected all, or one of %s", layer, known.data);
    ub_text_free(&known);
    ub_free(names);
    return false;
}

static bool read_metric(struct ub_matrix *m, struct ub_error *err)
{
    const struct ub_matrix_point *at = &m->at;
    const double *iterate = at->iterate ? at->iterate : at->theta;
    double *grad = NULL;
    if (!at->grad && at->optimizer->kind->geometry == UB_PRECONDITIONED) {
        grad = ub_calloc((size_t)m->operator.n, sizeof *grad);
        ub_problem_gradient(at->problem, iterate, grad);
    }
    const bool good =
        ub_optimizer_metric(at->optimizer, iterate, grad ? grad : at->grad, &m->metric, err);
    ub_free(grad);
    return good;
}

/* As the optimizer's metric sees the whole, and then its block: a layer's block of P^-1/2 A P^-1/2
 * has the rest of the metric in it where P couples layers. */
static bool narrow(struct ub_matrix *m, struct ub_error *err)
{
    int64_t first = 0, count = m->operator.n;
    if (m->choice.preconditioned && m->at.optimizer) {
        if (!read_metric(m, err))
            return false;
        if (m->metric.values)
            ub_matrix_stage(m, ub_operator_in_metric(&m->stage[m->n_stages - 1], &m->metric));
    }
    if (is_all(m->choice.layer))
        return true;
    if (!find_layer(ub_problem_layout(m->at.problem), m->choice.layer, &first, &count, err))
        return false;
    if (count < m->operator.n)
        ub_matrix_stage(m, ub_operator_block(&m->stage[m->n_stages - 1], first, count));
    return true;
}

/* ---- making ---- */

bool ub_matrix_check(const struct ub_matrix_choice *choice, struct ub_error *err)
{
    const struct ub_matrix_kind *kind = ub_matrix_find(choice->kind);
    if (!kind)
        return ub_fail(err, UB_INPUT, "unknown operator '%s'", choice->kind);
    if (kind->space != UB_OVER_PARAMETERS && choice->preconditioned)
        return ub_fail(err, UB_INPUT,
                       "operator '%s': it is not over parameters; expected preconditioned=false",
                       kind->name);
    switch (kind->space) {
    case UB_OVER_PARAMETERS:
        return true;
    case UB_OVER_UNITS:
    case UB_OVER_SAMPLES:
        return !is_all(choice->layer) ||
               ub_fail(err, UB_INPUT, "operator '%s': expected layer=inputs, or a hidden layer",
                       kind->name);
    case UB_OVER_WEIGHT:
        return !is_all(choice->layer) ||
               ub_fail(err, UB_INPUT,
                       "operator '%s': expected layer=NAME, a weight of two axes or more",
                       kind->name);
    default:
        return is_all(choice->layer) ||
               ub_fail(err, UB_INPUT, "operator '%s': it has no layers, but layer is '%s'",
                       kind->name, choice->layer);
    }
}

bool ub_matrix_exists(const struct ub_matrix_kind *kind, const struct ub_problem *problem)
{
    return !kind->by_class || ub_problem_data(problem)->task == UB_CLASSIFICATION;
}

static bool open_matrix(struct ub_matrix *m, struct ub_error *err)
{
    struct ub_error cause = {0};
    ub_problem_linearize(m->at.problem, m->at.theta);
    if (!m->kind->open(m, &cause) || (m->kind->space == UB_OVER_PARAMETERS && !narrow(m, &cause)))
        return ub_fail(err, cause.code, "operator '%s': %s", m->kind->name, cause.text);
    ub_matrix_stage(m, ub_operator_counted(&m->stage[m->n_stages - 1], &m->products));
    return true;
}

struct ub_matrix *ub_matrix_new(const struct ub_matrix_choice *choice,
                                const struct ub_matrix_point *at, struct ub_error *err)
{
    if (!ub_matrix_check(choice, err))
        return NULL;
    struct ub_matrix *m = ub_calloc(1, sizeof *m);
    m->kind = ub_matrix_find(choice->kind);
    m->choice = *choice;
    m->at = *at;
    if (open_matrix(m, err))
        return m;
    ub_matrix_free(m);
    return NULL;
}

void ub_matrix_free(struct ub_matrix *m)
{
    if (!m)
        return;
    for (int i = m->n_stages; i-- > 0;)
        ub_operator_free(&m->stage[i]);
    for (int i = 0; i < m->n_arrays; i++)
        ub_free(m->array[i]);
    ub_outputs_free(m->outputs);
    ub_items_free(m->items);
    ub_metric_clear(&m->metric);
    ub_free(m);
}
