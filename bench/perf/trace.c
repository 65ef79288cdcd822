/* trace.c - see trace.h. What errors are told by is not timed. */
#include "bench/perf/trace.h"
#include "base/clock.h"
#include "bench/spectra/eigen.h"
#include "systems/systems.h"

#include <math.h>

enum { STEPS = 1500, EVERY = 10, TOP = 2, MOST = 500 };
static const double RATE = 0.4, ACCURACY = 1e-3, EXACT = 1e-5;

struct trace {
    struct ub_problem *problem;
    double *theta, *gradient;
    double all, measuring, multiplying, error;
    int64_t products;
};

static void apply(void *context, int64_t count, const double *V, double *HV)
{
    struct trace *t = context;
    const double start = ub_seconds();
    ub_problem_hvp(t->problem, count, V, HV);
    t->multiplying += ub_seconds() - start;
}

/* Against residuals so short that their values are exact in f32. */
static void find_error(struct trace *t, struct ub_eigen_tracker *exact,
                       const struct ub_operator *hessian, const struct ub_eigen_result *found)
{
    const double spent = t->multiplying;
    const struct ub_eigen_result r = ub_eigen_track(exact, hessian, EXACT, MOST);
    for (int64_t i = 0; i < TOP; i++)
        t->error = fmax(t->error, fabs(found->value[i] - r.value[i]) / r.value[0]);
    t->multiplying = spent;
}

static void train(struct trace *t, struct ub_optimizer *gd)
{
    const int64_t n = ub_problem_size(t->problem);
    const struct ub_operator hessian = {.n = n, .context = t, .apply = apply};
    const struct ub_eigen_goal goal = {.accuracy = ACCURACY, .products = MOST};
    struct ub_eigen_tracker *tracker = ub_eigen_tracker_new(n, TOP);
    struct ub_eigen_tracker *exact = ub_eigen_tracker_new(n, TOP + TOP);
    for (int64_t step = 0; step < STEPS; step++) {
        double start = ub_seconds();
        if (step % EVERY == 0) {
            ub_problem_linearize(t->problem, t->theta);
            const struct ub_eigen_result found = ub_eigen_track_to(tracker, &hessian, &goal);
            t->products += found.products;
            t->measuring += ub_seconds() - start;
            t->all += ub_seconds() - start;
            find_error(t, exact, &hessian, &found);
            start = ub_seconds();
        }
        ub_problem_gradient(t->problem, t->theta, t->gradient);
        ub_optimizer_step(gd, t->theta, t->gradient);
        t->all += ub_seconds() - start;
    }
    ub_eigen_tracker_free(tracker);
    ub_eigen_tracker_free(exact);
}

static void print(const struct trace *t)
{
    printf("sharpness %.9g\nmeasuring %.9g\n", t->all, t->measuring);
    printf("multiplying %.9g\nerror %.3g\n", t->multiplying, t->error);
    printf("products %.9g\n", (double)t->products * EVERY / STEPS);
}

static bool time_of(struct ub_problem *problem, struct ub_error *err)
{
    const size_t n = (size_t)ub_problem_size(problem);
    struct trace t = {.problem = problem};
    struct ub_text rate = {0};
    ub_text_add(&rate, "gd:lr=%g", RATE);
    struct ub_optimizer *gd = ub_optimizer_new(rate.data, (int64_t)n, err);
    const struct ub_training training = {.problem = problem, .steps = STEPS};
    const bool good = gd && ub_optimizer_attach(gd, &training, err);
    t.theta = ub_calloc(n, sizeof *t.theta);
    t.gradient = ub_calloc(n, sizeof *t.gradient);
    if (good) {
        ub_problem_init(problem, 0, t.theta);
        ub_problem_linearize(problem, t.theta); /* these compile */
        ub_problem_gradient(problem, t.theta, t.gradient);
        train(&t, gd);
        print(&t);
    }
    ub_optimizer_free(gd);
    ub_text_free(&rate);
    ub_free(t.theta);
    ub_free(t.gradient);
    return good;
}

bool perf_trace_time(struct ub_error *err)
{
    struct ub_dataset *data = ub_dataset_load("digits", 0, NULL, err);
    const struct ub_problem_spec spec = {
        .model = "mlp:widths=64x64,activation=tanh", .loss = "mse", .data = data, .threads = 1};
    struct ub_problem *problem = data ? ub_problem_new(&spec, err) : NULL;
    const bool good = problem && time_of(problem, err);
    ub_problem_free(problem);
    ub_dataset_free(data);
    return good;
}
