/* A small MLP on digits in double precision: gradient descent up to its edge, from there on the
 * central flow, with several eigenvalues at the edge after some steps. */
#include "bench/perf/flow.h"
#include "base/clock.h"
#include "bench/observables/flow.h"
#include "bench/perf/median.h"
#include "systems/systems.h"

#include <stdlib.h>
#include <string.h>

static const char dataset[] = "digits:scale=center,size=300";
static const char model[] = "mlp:widths=32x32,activation=tanh", optimizer[] = "gd:lr=0.5";
enum { BEFORE = 200, STEPS = 40, SUBSTEPS = 4, TOP = 4, REPEATS = 3 };

struct workload {
    struct ub_dataset *data;
    struct ub_problem *problem;
    struct ub_optimizer *gd;
    double *theta, *grad;
};

static void workload_close(struct workload *w)
{
    ub_optimizer_free(w->gd);
    ub_problem_free(w->problem);
    ub_dataset_free(w->data);
    ub_free(w->theta);
    ub_free(w->grad);
}

static bool workload_open(struct workload *w, struct ub_error *err)
{
    w->data = ub_dataset_load(dataset, 0, NULL, err);
    if (!w->data)
        return false;
    w->problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model = model, .loss = "mse", .data = w->data, .precision = UB_F64, .threads = 1},
        err);
    if (!w->problem)
        return false;
    const int64_t n = ub_problem_size(w->problem);
    w->gd = ub_optimizer_new(optimizer, n, err);
    if (!w->gd)
        return false;
    w->theta = ub_calloc((size_t)n, sizeof *w->theta);
    w->grad = ub_calloc((size_t)n, sizeof *w->grad);
    ub_problem_init(w->problem, 0, w->theta);
    for (int t = 0; t < BEFORE; t++) {
        ub_problem_gradient(w->problem, w->theta, w->grad);
        ub_optimizer_step(w->gd, w->theta, w->grad);
    }
    return true;
}

static void print_values(const char *key, int64_t n, const double *x)
{
    printf("%s", key);
    for (int64_t i = 0; i < n; i++)
        printf(" %.17g", x[i]);
    printf("\n");
}

bool perf_flow_describe(struct ub_error *err)
{
    struct workload w = {0};
    char *call = ub_registry_canonical(&ub_model_registry, model, "perf", NULL, err);
    const bool good = call && workload_open(&w, err);
    if (good) {
        const struct ub_layout *layout = ub_problem_layout(w.problem);
        printf("model %s\nsamples %lld\nlr %.17g\nsteps %d\nsubsteps %d\ntop %d\n", call,
               (long long)w.data->train.count, w.gd->lr, STEPS, SUBSTEPS, TOP);
        for (int64_t i = 0; i < layout->count; i++) {
            printf("param %s", layout->params[i].name);
            for (int k = 0; k < layout->params[i].rank; k++)
                printf(" %lld", (long long)layout->params[i].shape[k]);
            printf("\n");
        }
        print_values("theta", ub_problem_size(w.problem), w.theta);
        print_values("inputs", w.data->train.count * w.data->features, w.data->train.inputs);
        print_values("targets", w.data->train.count * ub_target_width(w.data),
                     w.data->train.targets);
    }
    ub_free(call);
    workload_close(&w);
    return good;
}

static bool time_once(const struct workload *w, bool last, double *spent, struct ub_error *err)
{
    struct ub_flow *f = ub_flow_new(w->problem, w->gd, w->theta, TOP, SUBSTEPS, true, err);
    const double start = ub_seconds();
    bool good = f != NULL;
    if (good && !ub_flow_advance(f, STEPS))
        good = ub_fail(err, UB_INPUT, "the flow is not finite; expected more substeps");
    *spent = (ub_seconds() - start) / STEPS;
    if (good && last) {
        const struct ub_flow_state s = ub_flow_state(f);
        printf("products %.9g\nthirds %.9g\nrank %lld\nresidual %.9g\nexcess %.17g\n",
               (double)s.products / (STEPS * SUBSTEPS), (double)s.thirds / (STEPS * SUBSTEPS),
               (long long)s.rank, s.residual, s.excess);
        printf("loss %.17g\n", ub_problem_loss(w->problem, ub_flow_theta(f)));
        printf("top %.17g\n", ub_flow_sharpness(f));
    }
    ub_flow_free(f);
    return good;
}

bool perf_flow_time(struct ub_error *err)
{
    struct workload w = {0};
    double spent[REPEATS];
    bool good = workload_open(&w, err);
    for (int k = 0; good && k < REPEATS; k++)
        good = time_once(&w, k + 1 == REPEATS, &spent[k], err);
    if (good)
        printf("flow %.9g\n", perf_median(REPEATS, spent));
    workload_close(&w);
    return good;
}
