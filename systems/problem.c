/* Making and unmaking problems, and the facts about them that need no computation. */
#include "systems/problem.h"

#include <math.h>
#include <string.h>

static bool read_calls(struct ub_problem *p, const struct ub_problem_spec *spec,
                       struct ub_error *err)
{
    const void *model = NULL, *loss = NULL, *init = NULL;
    p->model_call = ub_registry_call(&ub_model_registry, spec->model, "model", &model, err);
    p->model = model;
    if (!p->model_call)
        return false;
    p->loss_call = ub_registry_call(&ub_loss_registry, spec->loss, "loss", &loss, err);
    p->loss = loss;
    if (!p->loss_call)
        return false;
    p->init_call = ub_registry_call(&ub_init_registry, spec->init ? spec->init : "pytorch", "init",
                                    &init, err);
    p->init = init;
    return p->init_call != NULL;
}

/* Runs a descriptor's own check and says whose complaint it is. */
static bool fail_misfit(const char *what, const char *name, const struct ub_error *cause,
                        struct ub_error *err)
{
    return ub_fail(err, cause->code ? cause->code : UB_INPUT, "%s '%s': %s", what, name,
                   cause->text);
}

static bool fits(const struct ub_problem *p, struct ub_error *err)
{
    struct ub_error cause = {0};
    const struct ub_dataset *data = p->data;
    const char *name = data->name ? data->name : "unnamed";
    if (data->train.count < 1)
        return ub_fail(err, UB_INPUT, "dataset '%s': no training samples; expected at least one",
                       name);
    if (data->features < 1 || data->outputs < 1)
        return ub_fail(err, UB_INPUT,
                       "dataset '%s': %lld features and %lld outputs; expected at "
                       "least one of each",
                       name, (long long)data->features, (long long)data->outputs);
    const int64_t coupled = p->model->coupled ? p->model->coupled(p->model_call) : 0;
    if (coupled > 0 && data->train.count % coupled != 0)
        return ub_fail(err, UB_INPUT,
                       "model '%s': ghost batches of %lld do not divide %lld training samples; "
                       "expected a divisor",
                       p->model->name, (long long)coupled, (long long)data->train.count);
    if (!p->model->fits(p->model_call, data, &cause))
        return fail_misfit("model", p->model->name, &cause, err);
    if (!p->loss->fits(data, &cause))
        return fail_misfit("loss", p->loss->name, &cause, err);
    return true;
}

/* Of inits that start all parameters together: whether they can, for this model and data. */
static bool init_fits(const struct ub_problem *p, struct ub_error *err)
{
    struct ub_error cause = {0};
    if (p->init->given && ub_problem_centered(p)) {
        ub_fail(&cause, UB_INPUT,
                "the model's outputs are those less the start's (centered=true), which it would "
                "move; expected centered=false");
        return fail_misfit("init", p->init->name, &cause, err);
    }
    if (!p->init->start)
        return true;
    if (p->frozen.count > 0)
        ub_fail(&cause, UB_INPUT, "the model has frozen parameters (%s); expected none",
                p->frozen.params[0].name);
    if (cause.code || !p->init->fits(p->init_call, &p->layout, p->data, &cause))
        return fail_misfit("init", p->init->name, &cause, err);
    return true;
}

struct ub_problem *ub_problem_new(const struct ub_problem_spec *spec, struct ub_error *err)
{
    if (spec->threads < 0) {
        ub_fail(err, UB_INPUT, "threads is %d; expected a positive number", spec->threads);
        return NULL;
    }
    struct ub_problem *p = ub_calloc(1, sizeof *p);
    p->data = spec->data;
    p->precision = spec->precision;
    p->hold = ub_hold_new();
    if (spec->precision == UB_BF16X3 && !ub_split_available(err)) {
        ub_problem_free(p);
        return NULL;
    }
    if (spec->threads > 1 || spec->timed)
        p->team = ub_team_new(spec->threads < UB_LANES ? spec->threads : UB_LANES);
    if (spec->timed)
        ub_team_time(p->team);
    if (!read_calls(p, spec, err) || !fits(p, err)) {
        ub_problem_free(p);
        return NULL;
    }
    ub_problem_measure_model(p);
    p->hidden = ub_calloc((size_t)p->n_hidden + 1, sizeof *p->hidden);
    if (!init_fits(p, err)) {
        ub_problem_free(p);
        return NULL;
    }
    return p;
}

void ub_problem_free(struct ub_problem *p)
{
    if (!p)
        return;
    for (int split = 0; split < 2; split++) {
        ub_program_free(p->evaluate[split]);
        ub_free(p->outputs[split]);
    }
    ub_program_free(p->gradient);
    for (int kind = 0; kind < UB_PRODUCTS; kind++)
        for (int block = 0; block < UB_BLOCKS; block++)
            ub_program_free(p->product[kind].program[block]);
    ub_program_free(p->third[0]);
    ub_program_free(p->third[1]);
    for (int i = 0; p->hidden && i < p->n_hidden; i++)
        ub_program_free(p->hidden[i]);
    ub_free(p->hidden);
    ub_free(p->hidden_names);
    ub_free(p->hidden_widths);
    ub_free(p->layout.params);
    ub_free(p->frozen.params);
    ub_hold_free(p->hold);
    if (!p->whole) {
        ub_free(p->frozen_values);
        ub_team_free(p->team);
    }
    ub_problem_free_batch_data(p->batch_data);
    ub_free(p->given);
    ub_free(p->theta);
    ub_call_free(p->model_call);
    ub_call_free(p->loss_call);
    ub_call_free(p->init_call);
    ub_free(p);
}

void ub_problem_restart(struct ub_problem *p)
{
    p->gradients = 0;
    for (int kind = 0; kind < UB_PRODUCTS; kind++)
        p->product[kind].count = 0;
    ub_free(p->theta);
    p->theta = NULL;
    ub_problem_forget(p);
}

const struct ub_layout *ub_problem_layout(const struct ub_problem *p)
{
    return &p->layout;
}

const struct ub_layout *ub_problem_frozen(const struct ub_problem *p, const double **values)
{
    *values = p->frozen_values;
    return &p->frozen;
}

double ub_problem_shared_seconds(const struct ub_problem *p)
{
    return p->team ? ub_team_seconds(p->team) : 0;
}

int64_t ub_problem_size(const struct ub_problem *p)
{
    return p->layout.size;
}

int64_t ub_problem_width(const struct ub_problem *p)
{
    return p->width;
}

int64_t ub_problem_bytes(const struct ub_problem *p, int64_t vectors)
{
    return ub_problem_program_bytes(p) + vectors * p->layout.size * (int64_t)sizeof(double);
}

const struct ub_dataset *ub_problem_data(const struct ub_problem *p)
{
    return p->data;
}

const struct ub_loss *ub_problem_loss_kind(const struct ub_problem *p)
{
    return p->loss;
}

int64_t ub_problem_gradients(const struct ub_problem *p)
{
    return p->gradients;
}

int ub_problem_hidden_count(const struct ub_problem *p)
{
    return p->n_hidden;
}

const char *ub_problem_hidden_name(const struct ub_problem *p, int i)
{
    return p->hidden_names[i];
}

int64_t ub_problem_hidden_width(const struct ub_problem *p, int i)
{
    return p->hidden_widths[i];
}

bool ub_problem_centered(const struct ub_problem *p)
{
    return ub_call_flag(p->model_call, "centered");
}

int64_t ub_problem_kept(const struct ub_problem *p)
{
    return p->frozen.size + (ub_problem_centered(p) ? p->layout.size : 0);
}

static void start_param(const struct ub_problem *p, const struct ub_param *param, uint64_t seed,
                        double *values)
{
    char purpose[sizeof param->name + 8];
    snprintf(purpose, sizeof purpose, "init:%s", param->name);
    struct ub_random r = ub_random_stream(seed, purpose);
    if (param->start == UB_START_WEIGHT || param->start == UB_START_BIAS)
        p->init->fill(p->init_call, param, &r, values);
    for (int64_t k = 0; k < param->size; k++) {
        if (param->start == UB_START_CONSTANT)
            values[k] = param->value;
        else if (param->start == UB_START_NORMAL)
            values[k] = param->value * ub_random_normal(&r);
        values[k] *= param->init_scale;
    }
}

bool ub_problem_awaits(const struct ub_problem *p)
{
    return p->init->given && !p->given;
}

const struct ub_call *ub_problem_init_call(const struct ub_problem *p)
{
    return p->init_call;
}

void ub_problem_give(struct ub_problem *p, const double *theta, const double *frozen)
{
    const size_t n = (size_t)p->layout.size, m = (size_t)p->frozen.size;
    ub_free(p->given);
    p->given = ub_calloc(n + m, sizeof *p->given);
    memcpy(p->given, theta, n * sizeof *theta);
    if (m > 0)
        memcpy(p->given + n, frozen, m * sizeof *frozen);
}

static void take_given(struct ub_problem *p, double *theta)
{
    const int64_t n = p->layout.size;
    for (int64_t i = 0; i < n; i++)
        theta[i] = p->given ? p->given[i] : (double)NAN;
    for (int64_t i = 0; i < p->frozen.size; i++)
        p->frozen_values[i] = p->given ? p->given[n + i] : (double)NAN;
}

static void draw(struct ub_problem *p, uint64_t seed, double *theta)
{
    if (p->init->start)
        p->init->start(p->init_call, &p->layout, p->data, seed, theta);
    for (int64_t i = 0; !p->init->start && i < p->layout.count; i++)
        start_param(p, &p->layout.params[i], seed, theta + p->layout.params[i].offset);
    for (int64_t i = 0; i < p->frozen.count; i++)
        start_param(p, &p->frozen.params[i], seed, p->frozen_values + p->frozen.params[i].offset);
}

void ub_problem_init(struct ub_problem *p, uint64_t seed, double *theta)
{
    if (p->init->given)
        take_given(p, theta);
    else
        draw(p, seed, theta);
    if (ub_problem_centered(p))
        memcpy(p->frozen_values + p->frozen.size, theta, (size_t)p->layout.size * sizeof *theta);
    ub_problem_forget(p);
}
