/* perf.c - times one of our workloads: unibench-perf WORKLOAD REPEATS prints REPEATS lines of
 * seconds. peer.py does the same work with PyTorch; ci/peers runs the two in turns.
 *
 *   sgemm            2048 x 2048 x 2048 product, one thread (the machine's own rate)
 *   gradient-large   gradient, MLP 3072-200-200-10 tanh, mse, 5000 samples, f32
 *   gradient-small   gradient, MLP 64-64-64-10 tanh, mse, digits, f32
 *   hvp-large, hvp-small           one Hessian-vector product after linearization
 *   hvp8-large, hvp8-small         the same, a product's share of a block of eight
 *   sharpness        500 steps of GD on the small MLP with the top 2 eigenvalues every 10 steps */
#include "bench/blas_core.h"
#include "bench/observables/eigen.h"
#include "systems/systems.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LARGE_SAMPLES = 5000, LARGE_FEATURES = 3072, CLASSES = 10, GEMM = 2048 };
enum { TRACE_STEPS = 500, TRACE_EVERY = 10, TRACE_TOP = 2 };
static const double trace_rate = 0.4, trace_tolerance = 1e-3;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What is timed: `work` once, on the context. */
struct workload {
    void (*work)(struct workload *w);
    struct ub_dataset *data;
    struct ub_problem *problem;
    double *theta, *v, *out; /* v, out: up to 8 vectors */
    int64_t block;
    float *a, *b, *c;
};

static struct ub_dataset *large_dataset(void)
{
    struct ub_random r = ub_random_stream(0, "perf");
    struct ub_dataset *d = ub_calloc(1, sizeof *d);
    *d = (struct ub_dataset){.name = ub_strdup("normal"),
                             .task = UB_CLASSIFICATION,
                             .rank = 1,
                             .shape = {LARGE_FEATURES},
                             .features = LARGE_FEATURES,
                             .outputs = CLASSES};
    d->train.count = LARGE_SAMPLES;
    d->train.inputs = ub_calloc(LARGE_SAMPLES * LARGE_FEATURES, sizeof(double));
    d->train.targets = ub_calloc(LARGE_SAMPLES * CLASSES, sizeof(double));
    d->train.labels = ub_calloc(LARGE_SAMPLES, sizeof(int32_t));
    for (int64_t i = 0; i < (int64_t)LARGE_SAMPLES * LARGE_FEATURES; i++)
        d->train.inputs[i] = ub_random_normal(&r);
    for (int64_t i = 0; i < LARGE_SAMPLES; i++) {
        d->train.labels[i] = (int32_t)(i % CLASSES);
        d->train.targets[i * CLASSES + i % CLASSES] = 1;
    }
    return d;
}

static bool open_problem(struct workload *w, bool large, struct ub_error *err)
{
    w->data = large ? large_dataset() : ub_dataset_load("digits", 0, NULL, err);
    if (!w->data)
        return false;
    w->problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model =
                large ? "mlp:widths=200x200,activation=tanh" : "mlp:widths=64x64,activation=tanh",
            .loss = "mse",
            .data = w->data,
            .threads = 1,
        },
        err);
    if (!w->problem)
        return false;
    const size_t n = (size_t)ub_problem_size(w->problem);
    struct ub_random r = ub_random_stream(1, "perf");
    w->theta = ub_calloc(n, sizeof *w->theta);
    w->v = ub_calloc(8 * n, sizeof *w->v);
    w->out = ub_calloc(8 * n, sizeof *w->out);
    for (size_t i = 0; i < 8 * n; i++)
        w->v[i] = ub_random_normal(&r);
    ub_problem_init(w->problem, 0, w->theta);
    ub_problem_linearize(w->problem, w->theta);
    return true;
}

static void do_gradient(struct workload *w)
{
    ub_problem_gradient(w->problem, w->theta, w->out);
}

static void do_hvp(struct workload *w)
{
    ub_problem_hvp(w->problem, w->block, w->v, w->out);
}

static void do_sgemm(struct workload *w)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, GEMM, GEMM, GEMM, 1, w->a, GEMM, w->b,
                GEMM, 0, w->c, GEMM);
}

static void apply(void *context, int64_t count, const double *V, double *HV)
{
    ub_problem_hvp(context, count, V, HV);
}

static void do_sharpness(struct workload *w)
{
    struct ub_error err = {0};
    const int64_t n = ub_problem_size(w->problem);
    const struct ub_operator hessian = {.n = n, .context = w->problem, .apply = apply};
    struct ub_eigen_tracker *tracker = ub_eigen_tracker_new(n, TRACE_TOP);
    struct ub_text rate = {0};
    ub_text_add(&rate, "gd:lr=%g", trace_rate);
    struct ub_optimizer *gd = ub_optimizer_new(rate.data, n, &err);
    int64_t products = 0;
    double top = 0;
    ub_problem_init(w->problem, 0, w->theta);
    for (int64_t t = 0; t < TRACE_STEPS; t++) {
        if (t % TRACE_EVERY == 0) {
            ub_problem_linearize(w->problem, w->theta);
            struct ub_eigen_result r = ub_eigen_track(tracker, &hessian, trace_tolerance, 500);
            products += r.products;
            top = r.count > 0 ? r.value[0] : 0;
        }
        ub_problem_gradient(w->problem, w->theta, w->out);
        ub_optimizer_step(gd, w->theta, w->out);
    }
    fprintf(stderr, "sharpness %.4g (threshold %.4g), %.1f products a measurement\n", top,
            2 / trace_rate, (double)products * TRACE_EVERY / TRACE_STEPS);
    ub_optimizer_free(gd);
    ub_text_free(&rate);
    ub_eigen_tracker_free(tracker);
}

static bool open_workload(struct workload *w, const char *name, struct ub_error *err)
{
    if (strcmp(name, "sgemm") == 0) {
        const size_t n = (size_t)GEMM * GEMM;
        struct ub_random r = ub_random_stream(2, "perf");
        w->work = do_sgemm;
        w->a = ub_calloc(n, sizeof *w->a);
        w->b = ub_calloc(n, sizeof *w->b);
        w->c = ub_calloc(n, sizeof *w->c);
        for (size_t i = 0; i < n; i++)
            w->a[i] = w->b[i] = (float)ub_random_normal(&r);
        return true;
    }
    const char *size = strrchr(name, '-');
    if (strcmp(name, "sharpness") == 0)
        w->work = do_sharpness;
    else if (strncmp(name, "gradient-", 9) == 0)
        w->work = do_gradient;
    else if (strncmp(name, "hvp-", 4) == 0 || strncmp(name, "hvp8-", 5) == 0)
        w->work = do_hvp;
    bool known =
        size ? strcmp(size, "-large") == 0 || strcmp(size, "-small") == 0 : w->work == do_sharpness;
    if (!w->work || !known)
        return ub_fail(err, UB_INPUT, "workload '%s'; expected one that perf.c's head lists", name);
    w->block = name[3] == '8' ? 8 : 1;
    return open_problem(w, size && strcmp(size, "-large") == 0, err);
}

static void close_workload(struct workload *w)
{
    ub_problem_free(w->problem);
    ub_dataset_free(w->data);
    ub_free(w->theta);
    ub_free(w->v);
    ub_free(w->out);
    ub_free(w->a);
    ub_free(w->b);
    ub_free(w->c);
}

/* Seconds of one piece of work, averaged over as many as fill 50 ms. */
static double measure(struct workload *w, int64_t times)
{
    double start = now();
    for (int64_t i = 0; i < times; i++)
        w->work(w);
    return (now() - start) / (double)times / (double)(w->block > 0 ? w->block : 1);
}

int main(int argc, char **argv)
{
    struct ub_error err = {0};
    struct workload w = {0};
    int64_t repeats = 0;
    ub_blas_core_select(argv);
    if (argc != 3 || !ub_read_int(argv[2], &repeats) || repeats < 1) {
        fprintf(stderr, "usage: unibench-perf WORKLOAD REPEATS\n");
        return UB_INPUT;
    }
    if (!open_workload(&w, argv[1], &err))
        return ub_report(&err);
    openblas_set_num_threads(1);
    measure(&w, 1); /* compiles, touches memory, warms caches and clock */
    double once = measure(&w, 1) * (double)(w.block > 0 ? w.block : 1);
    int64_t times = once < 0.05 ? (int64_t)(0.05 / once) + 1 : 1;
    for (int64_t i = 0; i < repeats; i++)
        printf("%.9g\n", measure(&w, times));
    close_workload(&w);
    return UB_OK;
}
