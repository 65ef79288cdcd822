#include "bench/run/train.h"
#include "base/clock.h"
#include "bench/arrays/export.h"
#include "bench/observables/observables.h"
#include "bench/run/pack.h"
#include "systems/systems.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

static const double divergence_factor = 1e6;
static const double sharpness_tolerance = 1e-4;
static const int64_t sharpness_products = 1000;

struct session {
    const struct ub_run_spec *spec;
    const struct ub_train_setting *setting;
    struct ub_pack *own_pack;      /* of a run by itself; NULL: the setting's */
    const struct ub_dataset *data; /* of the pack, */
    struct ub_problem *problem;    /* as this */
    struct ub_optimizer *optimizer;
    struct ub_observers *observers;
    struct ub_run_writer *writer;
    struct ub_npz *weights; /* NULL until some are kept */
    struct ub_record record;
    int64_t size, gradients, looks, steps_done; /* looks: gradients that are only measured */
    double *theta, *theta0, *grad;
    double initial_loss, loss;
    double started, measuring, training;
    enum ub_run_status status;
    bool stopped, unwritable; /* kept weights could not be written */
    struct ub_text message;
};

/* ---- recording -------------------------------------------------------------------------- */

static void record_row(void *context, const struct ub_row *row)
{
    const struct session *s = context;
    ub_run_writer_add(s->writer, row->step, row->observable, row->index, row->value, row->error);
}

static void record_fact(void *context, const char *name, double value)
{
    const struct session *s = context;
    ub_run_writer_fact(s->writer, name, value);
}

static void end_with(struct session *s, enum ub_run_status status, const char *format, double value)
{
    s->status = status;
    ub_text_add(&s->message, "stopped at step %" PRId64 ": ", s->steps_done);
    ub_text_add(&s->message, format, value);
}

/* ---- setting up ------------------------------------------------------------------------- */

static bool open_problem(struct session *s, struct ub_error *err)
{
    const struct ub_pack_setting setting = {
        .data = s->setting->data, .known = s->setting->known, .threads = s->setting->threads};
    struct ub_pack *pack = s->setting->pack;
    if (!pack)
        pack = s->own_pack = ub_pack_new();
    if (!ub_pack_open(pack, s->spec, &setting, err))
        return false;
    s->data = ub_pack_data(pack);
    s->problem = ub_pack_problem(pack);
    return true;
}

static bool set_up(struct session *s, struct ub_error *err)
{
    const struct ub_run_spec *spec = s->spec;
    if (!open_problem(s, err))
        return false;
    s->size = ub_problem_size(s->problem);
    s->optimizer = ub_optimizer_new(spec->optimizer, s->size, err);
    if (!s->optimizer)
        return false;
    if (!ub_optimizer_attach(
            s->optimizer,
            &(struct ub_training){.problem = s->problem, .steps = spec->steps, .seed = spec->seed},
            err))
        return false;
    s->observers =
        ub_observers_new((const char *const *)spec->measures, spec->n_measures, "measure", err);
    if (!s->observers)
        return false;
    s->theta = ub_calloc((size_t)s->size, sizeof *s->theta);
    s->theta0 = ub_calloc((size_t)s->size, sizeof *s->theta0);
    s->grad = ub_calloc((size_t)s->size, sizeof *s->grad);
    ub_problem_init(s->problem, spec->seed, s->theta);
    memcpy(s->theta0, s->theta, (size_t)s->size * sizeof *s->theta);
    return true;
}

static void tear_down(struct session *s)
{
    if (s->weights)
        ub_npz_abandon(s->weights);
    ub_observers_free(s->observers);
    ub_free(s->theta);
    ub_free(s->theta0);
    ub_free(s->grad);
    ub_optimizer_free(s->optimizer);
    ub_pack_free(s->own_pack);
    ub_text_free(&s->message);
}

static struct ub_moment moment_of(const struct session *s, int64_t step)
{
    return (struct ub_moment){
        .step = step,
        .theta = s->theta,
        .grad = s->grad,
        .loss = s->loss,
        .problem = s->problem,
        .optimizer = s->optimizer,
        .theta0 = s->theta0,
    };
}

/* Whether its sharpness depends on the gradient. */
static bool reads_gradient(const struct ub_optimizer_kind *kind)
{
    return kind->geometry == UB_PRECONDITIONED || kind->geometry == UB_IN_A_NORM || kind->see;
}

/* Sharpness as the optimizer meets it at the initial weights: what relative rates are relative to.
 */
static bool measure_initial_sharpness(struct session *s, struct ub_error *err)
{
    const double start = ub_seconds();
    double sharpness, residual;
    if (reads_gradient(s->optimizer->kind)) {
        s->loss = ub_problem_gradient(s->problem, s->theta, s->grad);
        s->looks++;
    }
    ub_optimizer_see(s->optimizer, s->theta, s->grad);
    const struct ub_moment moment = moment_of(s, 0);
    if (!ub_top_curvature(&moment, sharpness_tolerance, sharpness_products, &sharpness, &residual,
                          err))
        return false;
    if (isfinite(sharpness)) {
        ub_run_writer_fact(s->writer, "initial-sharpness", sharpness);
        ub_run_writer_fact(s->writer, "initial-sharpness-residual", residual);
    }
    s->measuring += ub_seconds() - start;
    if (ub_optimizer_needs_sharpness(s->optimizer) && !(sharpness > 0))
        return ub_fail(err, UB_INPUT,
                       "initial sharpness is %g; a relative learning rate expects it positive",
                       isnan(sharpness) ? (double)NAN : sharpness); /* never "-nan" */
    return ub_optimizer_resolve(s->optimizer, sharpness, err);
}

/* Whether the run is about sharpness: only then is the initial one worth its products. */
static bool follows_sharpness(const struct ub_run_spec *spec)
{
    return ub_observables_follow_sharpness((const char *const *)spec->measures, spec->n_measures);
}

/* The threshold at the learning rate before its schedule; NAN where it holds no measured number. */
static double base_threshold(const struct ub_optimizer *o)
{
    struct ub_optimizer at_base = *o;
    at_base.lr = o->base;
    return o->kind->geometry == UB_UNMEASURED ? (double)NAN : ub_optimizer_threshold(&at_base);
}

static bool resolve_rate(struct session *s, struct ub_error *err)
{
    const struct ub_optimizer *o = s->optimizer;
    /* The threshold of an unresolved rate is NaN: ask for the edge by its formula. */
    const bool has_edge = o->kind->edge_formula && o->kind->geometry != UB_UNMEASURED;
    if (((has_edge && follows_sharpness(s->spec)) || isnan(o->base)) &&
        !measure_initial_sharpness(s, err))
        return false;
    ub_run_writer_fact(s->writer, "lr", o->base);
    ub_run_writer_fact(s->writer, "threshold", base_threshold(o));
    return true;
}

/* ---- training --------------------------------------------------------------------------- */

static bool has_diverged(struct session *s)
{
    if (!isfinite(s->loss)) {
        end_with(s, UB_RUN_DIVERGED,
                 s->spec->precision == UB_F64
                     ? "the loss overflowed in f%.0f; expected a smaller learning rate"
                     : "the loss overflowed in f%.0f; expected a smaller learning rate, or f64",
                 s->spec->precision == UB_F64 ? 64 : 32);
        return true;
    }
    /* The floor keeps a start at zero loss, where nothing moves, from counting as divergence. */
    double limit = divergence_factor * fmax(s->initial_loss, DBL_MIN);
    if (s->loss <= limit)
        return false;
    end_with(s, UB_RUN_DIVERGED, "the loss is %g, above 1e6 times the initial loss", s->loss);
    return true;
}

static bool is_late(struct session *s)
{
    if (s->setting->timeout <= 0 || ub_seconds() - s->started < s->setting->timeout)
        return false;
    end_with(s, UB_RUN_TIMEOUT, "%g seconds were over", s->setting->timeout);
    return true;
}

static bool is_stopped(struct session *s)
{
    s->stopped = s->setting->stop && atomic_load_explicit(s->setting->stop, memory_order_relaxed);
    return s->stopped;
}

static bool measure(struct session *s, int64_t step, struct ub_error *err)
{
    double start = ub_seconds();
    const struct ub_moment moment = moment_of(s, step);
    bool good = ub_observers_measure(s->observers, &moment, s->spec->steps, &s->record, err);
    s->measuring += ub_seconds() - start;
    return good;
}

/* The loss and gradient of the whole set. Only full-batch training steps along it, and not at its
 * end: elsewhere it is a measurement. */
static void evaluate(struct session *s, bool stepped_along)
{
    const double start = ub_seconds();
    s->loss = ub_problem_gradient(s->problem, s->theta, s->grad);
    ub_optimizer_see(s->optimizer, s->theta, s->grad);
    if (stepped_along) {
        s->gradients++;
        s->training += ub_seconds() - start;
    } else {
        s->looks++;
        s->measuring += ub_seconds() - start;
    }
}

static void take_step(struct session *s)
{
    const double start = ub_seconds();
    if (ub_optimizer_batch(s->optimizer) > 0) {
        s->loss = ub_optimizer_gradient(s->optimizer, s->theta, s->grad);
        s->gradients++;
    }
    ub_optimizer_step(s->optimizer, s->theta, s->grad);
    s->training += ub_seconds() - start;
}

/* False on error; a run that ends early returns true with s->status or s->stopped set. */
static bool train_steps(struct session *s, struct ub_error *err)
{
    const int64_t steps = s->spec->steps;
    for (int64_t step = 0;; step++) {
        const bool due = step == 0 || step == steps || ub_observers_due(s->observers, step, steps);
        const bool full_batch = ub_optimizer_batch(s->optimizer) == 0;
        if (due || full_batch)
            evaluate(s, full_batch && step < steps);
        if (step == 0)
            s->initial_loss = s->loss;
        if (has_diverged(s) || is_late(s) || is_stopped(s))
            return true;
        if (due && !measure(s, step, err))
            return false;
        if (step == steps)
            return true;
        take_step(s);
        s->steps_done = step + 1;
        if (s->setting->progress)
            atomic_store_explicit(s->setting->progress, s->steps_done, memory_order_relaxed);
    }
}

/* ---- keeping ---------------------------------------------------------------------------- */

/* What is known of some systems only. */
static void record_known(struct session *s)
{
    const struct {
        const char *name;
        double value;
    } facts[] = {
        {"noise", s->data->noise},
        {"entropy", s->data->entropy},
        {"entropy-given-one", s->data->entropy_given_one},
        {"test-entropy", s->data->test_entropy},
        {"kernel-ridge", ub_optimizer_kernel_ridge(s->optimizer)},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (isfinite(facts[i].value))
            ub_run_writer_fact(s->writer, facts[i].name, facts[i].value);
}

static void record_facts(struct session *s)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    const struct {
        const char *name;
        double value;
    } facts[] = {
        {"parameters", (double)s->size},
        {"samples", (double)s->data->train.count},
        {s->data->task == UB_CLASSIFICATION ? "classes" : "outputs", (double)s->data->outputs},
        {"initial-loss", s->initial_loss},
        {"final-loss", s->loss},
        {"steps-done", (double)s->steps_done},
        {"gradients", (double)(s->gradients + s->optimizer->gradients)},
        {"gradients.measuring", (double)s->looks},
        {"hvps", (double)ub_problem_hvps(s->problem)},
        {"seconds", ub_seconds() - s->started},
        {"seconds.training", s->training},
        {"seconds.measuring", s->measuring},
        {"peak-rss", 1024.0 * (double)usage.ru_maxrss},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        ub_run_writer_fact(s->writer, facts[i].name, facts[i].value);
    record_known(s);
    if (s->setting->timeout > 0)
        ub_run_writer_fact(s->writer, "timeout", s->setting->timeout);
}

bool ub_npz_add_weights(struct ub_npz *z, const char *prefix, const struct ub_layout *layout,
                        const double *theta, struct ub_error *err)
{
    bool good = true;
    for (int64_t i = 0; good && i < layout->count; i++) {
        const struct ub_param *param = &layout->params[i];
        struct ub_text name = {0};
        ub_text_add(&name, "%s.%s", prefix, param->name);
        good =
            ub_npz_add_reals(z, name.data, param->rank, param->shape, theta + param->offset, err);
        ub_text_free(&name);
    }
    return good;
}

bool ub_npz_add_model(struct ub_npz *z, const struct ub_problem *p, struct ub_error *err)
{
    const double *values;
    const struct ub_layout *layout = ub_problem_layout(p), *frozen = ub_problem_frozen(p, &values);
    bool good = ub_npz_add_weights(z, "frozen", frozen, values, err);
    for (int64_t i = 0; good && i < layout->count; i++) {
        struct ub_text name = {0};
        ub_text_add(&name, "multiplier.%s", layout->params[i].name);
        if (layout->params[i].multiplier != 1)
            good = ub_npz_add_reals(z, name.data, 0, NULL, &layout->params[i].multiplier, err);
        ub_text_free(&name);
    }
    return good;
}

static bool open_weights(struct session *s, struct ub_error *err)
{
    if (s->weights)
        return true;
    char *path = ub_path(ub_run_writer_folder(s->writer), "weights.npz");
    s->weights = ub_npz_new(path, err);
    ub_free(path);
    return s->weights &&
           ub_npz_add_weights(s->weights, "init", ub_problem_layout(s->problem), s->theta0, err);
}

static bool keep_weights(void *context, const struct ub_moment *moment, struct ub_error *err)
{
    struct session *s = context;
    char prefix[32];
    snprintf(prefix, sizeof prefix, "step%" PRId64, moment->step);
    s->unwritable =
        !open_weights(s, err) ||
        !ub_npz_add_weights(s->weights, prefix, ub_problem_layout(s->problem), moment->theta, err);
    return !s->unwritable;
}

static bool save_weights(struct session *s, struct ub_error *err)
{
    if (!s->weights && !s->spec->save_weights)
        return true;
    if (!open_weights(s, err) ||
        (s->spec->save_weights &&
         !ub_npz_add_weights(s->weights, "final", ub_problem_layout(s->problem), s->theta, err)) ||
        !ub_npz_add_model(s->weights, s->problem, err))
        return false;
    struct ub_npz *whole = s->weights;
    s->weights = NULL; /* closing frees it */
    return ub_npz_close(whole, err);
}

static const char *at_edge(enum ub_geometry geometry)
{
    switch (geometry) {
    case UB_EUCLIDEAN:
        return "largest eigenvalue of H";
    case UB_IN_A_NORM:
        return "largest d'Hd over the unit ball of its norm";
    default:
        return "largest eigenvalue of P^-1 H";
    }
}

/* Whether the run was made in a pack is said with it. What reports say of the optimizer's edge goes
 * with the run: they know stores, never optimizers.
 */
static bool commit(struct session *s, struct ub_error *err)
{
    enum { MOST_OWN_PAIRS = 5 };
    const struct ub_optimizer_kind *kind = s->optimizer->kind;
    const size_t given = s->setting->n_provenance;
    struct ub_pair *pairs = ub_calloc(given + MOST_OWN_PAIRS, sizeof *pairs);
    size_t n = 0;
    for (; n < given; n++)
        pairs[n] = s->setting->provenance[n];
    if (s->setting->pack)
        pairs[n++] = (struct ub_pair){(char *)"packed", (char *)"yes"};
    struct ub_text split = {0};
    if (s->spec->precision == UB_BF16X3) {
        ub_split_rule(&split);
        pairs[n++] = (struct ub_pair){(char *)"products-bf16x3", split.data};
    }
    if (kind->edge_formula) {
        pairs[n++] = (struct ub_pair){(char *)"edge.quantity", (char *)at_edge(kind->geometry)};
        pairs[n++] = (struct ub_pair){(char *)"edge.threshold", (char *)kind->edge_formula};
        pairs[n++] = (struct ub_pair){(char *)"edge.citation", (char *)kind->edge_citation};
    }
    const char *message = s->message.data ? s->message.data : "";
    const bool good = ub_run_writer_commit(s->writer, s->status, message, pairs, n, err);
    ub_free(pairs);
    ub_text_free(&split);
    return good;
}

static enum ub_train_result run_session(struct session *s, struct ub_error *err)
{
    if (!set_up(s, err))
        return UB_TRAIN_FAILED;
    s->writer = ub_run_writer_new(s->setting->store, s->spec, err);
    if (!s->writer)
        return UB_TRAIN_UNWRITABLE;
    if (!resolve_rate(s, err) || !train_steps(s, err)) {
        ub_run_writer_abandon(s->writer);
        return s->unwritable ? UB_TRAIN_UNWRITABLE : UB_TRAIN_FAILED;
    }
    if (s->stopped) {
        ub_run_writer_abandon(s->writer);
        return UB_TRAIN_STOPPED;
    }
    record_facts(s);
    if (!save_weights(s, err)) {
        ub_run_writer_abandon(s->writer);
        return UB_TRAIN_UNWRITABLE;
    }
    return commit(s, err) ? UB_TRAIN_STORED : UB_TRAIN_UNWRITABLE;
}

enum ub_train_result ub_train(const struct ub_run_spec *spec,
                              const struct ub_train_setting *setting, enum ub_run_status *status,
                              struct ub_error *err)
{
    struct session s = {
        .spec = spec, .setting = setting, .started = ub_seconds(), .status = UB_RUN_OK};
    s.record = (struct ub_record){
        .context = &s, .add = record_row, .fact = record_fact, .keep = keep_weights};
    enum ub_train_result result = run_session(&s, err);
    *status = s.status;
    tear_down(&s);
    return result;
}
