/* A problem over other samples than another's training set, a mini-batch of it or the test split:
 * the same model, loss and frozen parameters, programs of its own. */
#include "systems/problem.h"

#include <string.h>

static char *text_of(const struct ub_call *call)
{
    return ub_call_text(call, NULL);
}

/* The whole's shapes, with room for `batch` samples; no test split. */
static struct ub_dataset batch_data(const struct ub_dataset *whole, int64_t batch)
{
    struct ub_dataset data = *whole;
    data.test = (struct ub_split){0};
    data.train = (struct ub_split){.count = batch};
    data.train.inputs = ub_calloc((size_t)(batch * whole->features), sizeof *data.train.inputs);
    data.train.targets =
        ub_calloc((size_t)(batch * ub_target_width(whole)), sizeof *data.train.targets);
    if (whole->train.labels)
        data.train.labels =
            ub_calloc((size_t)(batch * ub_positions(whole)), sizeof *data.train.labels);
    return data;
}

static void take_sample(struct ub_split *to, int64_t k, const struct ub_problem *whole, int64_t i)
{
    const struct ub_dataset *from = whole->data;
    const int64_t features = from->features, width = ub_target_width(from);
    const int64_t positions = ub_positions(from);
    ub_hold_inputs(whole, false, i, 1, to->inputs + k * features);
    memcpy(to->targets + k * width, from->train.targets + i * width,
           (size_t)width * sizeof *to->targets);
    if (to->labels)
        memcpy(to->labels + k * positions, from->train.labels + i * positions,
               (size_t)positions * sizeof *to->labels);
}

/* With room for `count` samples, and frozen parameters, of its own. */
static struct ub_problem *problem_alike(const struct ub_problem *whole, int64_t count,
                                        struct ub_error *err)
{
    struct ub_dataset *data = ub_calloc(1, sizeof *data);
    *data = batch_data(whole->data, count);
    char *model = text_of(whole->model_call), *loss = text_of(whole->loss_call);
    char *init = text_of(whole->init_call);
    struct ub_problem *p = ub_problem_new(&(struct ub_problem_spec){.model = model,
                                                                    .loss = loss,
                                                                    .init = init,
                                                                    .data = data,
                                                                    .precision = whole->precision},
                                          err);
    ub_free(model);
    ub_free(loss);
    ub_free(init);
    if (p)
        p->batch_data = data;
    else
        ub_problem_free_batch_data(data);
    if (p && whole->given)
        ub_problem_give(p, whole->given, whole->given + whole->layout.size);
    return p;
}

static struct ub_problem *problem_over(const struct ub_problem *whole, int64_t count,
                                       struct ub_error *err)
{
    struct ub_problem *p = problem_alike(whole, count, err);
    if (!p)
        return NULL;
    ub_free(p->frozen_values);
    p->frozen_values = whole->frozen_values;
    p->team = whole->team;
    ub_hold_work_with(p->hold, whole->hold);
    p->whole = whole;
    return p;
}

struct ub_problem *ub_problem_batch_new(const struct ub_problem *whole, int64_t batch,
                                        struct ub_error *err)
{
    const int64_t count = whole->data->train.count;
    if (batch < 1 || batch > count) {
        ub_fail(err, UB_INPUT, "a batch of %lld samples; expected 1 to %lld, the training set",
                (long long)batch, (long long)count);
        return NULL;
    }
    struct ub_problem *p = problem_over(whole, batch, err);
    if (!p)
        return NULL;
    int64_t *first = ub_calloc((size_t)batch, sizeof *first);
    for (int64_t i = 0; i < batch; i++)
        first[i] = i;
    ub_problem_take(p, first);
    ub_free(first);
    return p;
}

struct ub_problem *ub_problem_test_new(const struct ub_problem *whole, struct ub_error *err)
{
    const struct ub_split *from = &whole->data->test;
    if (from->count == 0) {
        ub_fail(err, UB_INPUT, "dataset '%s': no test samples; expected some", whole->data->name);
        return NULL;
    }
    struct ub_problem *p = problem_over(whole, from->count, err);
    if (!p)
        return NULL;
    const struct ub_dataset *data = p->batch_data;
    const size_t n = (size_t)from->count, width = (size_t)ub_target_width(data);
    ub_hold_inputs(whole, true, 0, from->count, data->train.inputs);
    memcpy(data->train.targets, from->targets, n * width * sizeof *from->targets);
    if (data->train.labels)
        memcpy(data->train.labels, from->labels,
               n * (size_t)ub_positions(data) * sizeof *from->labels);
    return p;
}

struct ub_problem *ub_problem_on_inputs(const struct ub_problem *whole, int64_t count,
                                        const double *inputs, struct ub_error *err)
{
    struct ub_problem *p = problem_alike(whole, count, err);
    if (!p)
        return NULL;
    memcpy(p->batch_data->train.inputs, inputs,
           (size_t)(count * p->data->features) * sizeof *inputs);
    memcpy(p->frozen_values, whole->frozen_values,
           (size_t)ub_problem_kept(p) * sizeof *p->frozen_values);
    return p;
}

void ub_problem_free_batch_data(struct ub_dataset *data)
{
    if (!data)
        return;
    ub_free(data->train.inputs);
    ub_free(data->train.targets);
    ub_free(data->train.labels);
    ub_free(data);
}

static void hand_over_all(struct ub_problem *batch)
{
    ub_hold_renew(batch);
    ub_hold_bind(batch, false, batch->evaluate[0]);
    ub_hold_bind(batch, false, batch->gradient);
    for (int kind = 0; kind < UB_PRODUCTS; kind++)
        for (int block = 0; block < UB_BLOCKS; block++)
            ub_hold_bind(batch, false, batch->product[kind].program[block]);
    ub_hold_bind(batch, false, batch->third[0]);
    ub_hold_bind(batch, false, batch->third[1]);
    for (int i = 0; i < batch->n_hidden; i++)
        ub_hold_bind(batch, false, batch->hidden[i]);
    ub_problem_forget(batch);
}

void ub_problem_take(struct ub_problem *batch, const int64_t *samples)
{
    struct ub_split *train = &batch->batch_data->train;
    for (int64_t k = 0; k < train->count; k++)
        take_sample(train, k, batch->whole, samples[k]);
    hand_over_all(batch);
}

void ub_problem_take_fresh(struct ub_problem *batch, struct ub_random *inputs,
                           struct ub_random *noise)
{
    const struct ub_dataset *whole = batch->whole->data;
    whole->fresh(whole, inputs, noise, &batch->batch_data->train);
    hand_over_all(batch);
}
