#include "bench/perf/count.h"
#include "bench/perf/cases.h"
#include "bench/run/provenance.h"
#include "bench/spectra/eigen.h"
#include "systems/systems.h"

#include <gnu/libc-version.h>
#include <string.h>

enum { TOP = 2, MOST_SAMPLES = 100 /* enough for several chunks; counting is slow */ };

struct system {
    struct ub_dataset *data;
    struct ub_problem *problem;
    double *theta, *v, *out;
};

static bool open_system(struct system *s, const struct perf_case *c, struct ub_error *err)
{
    s->data = perf_case_data(c);
    s->problem = ub_problem_new(
        &(struct ub_problem_spec){.model = c->model, .loss = c->loss, .data = s->data}, err);
    if (!s->problem)
        return false;
    const size_t n = (size_t)ub_problem_size(s->problem);
    struct ub_random r = ub_random_stream(1, "perf");
    s->theta = ub_calloc(n, sizeof *s->theta);
    s->v = ub_calloc(n, sizeof *s->v);
    s->out = ub_calloc(n, sizeof *s->out);
    for (size_t i = 0; i < n; i++)
        s->v[i] = ub_random_normal(&r);
    ub_problem_init(s->problem, 0, s->theta);
    return true;
}

static void close_system(struct system *s)
{
    ub_problem_free(s->problem);
    ub_dataset_free(s->data);
    ub_free(s->theta);
    ub_free(s->v);
    ub_free(s->out);
}

static void derive(struct system *s, struct ub_eigen_tracker *unused)
{
    (void)unused;
    ub_problem_gradient(s->problem, s->theta, s->out);
    ub_problem_linearize(s->problem, s->theta);
    ub_problem_hvp(s->problem, 1, s->v, s->out);
}

static void plan(struct system *s, struct ub_eigen_tracker *unused)
{
    (void)unused;
    ub_problem_bytes(s->problem, 0); /* which plans them */
}

static void apply(void *context, int64_t count, const double *V, double *HV)
{
    ub_problem_hvp(context, count, V, HV);
}

static void track(struct system *s, struct ub_eigen_tracker *tracker)
{
    const int64_t n = ub_problem_size(s->problem);
    const struct ub_operator hessian = {.n = n, .context = s->problem, .apply = apply};
    const double rate = 0.1, tolerance = 1e-3;
    ub_problem_gradient(s->problem, s->theta, s->out);
    for (int64_t i = 0; i < n; i++)
        s->theta[i] -= rate * s->out[i];
    ub_problem_linearize(s->problem, s->theta);
    ub_eigen_track(tracker, &hessian, tolerance, 500);
}

static bool start(struct ub_error *err)
{
    struct ub_dataset *data = ub_dataset_load("digits:size=500", 0, NULL, err);
    struct ub_problem *p = data ? ub_problem_new(
                                      &(struct ub_problem_spec){
                                          .model = "mlp:widths=32x32", .loss = "ce", .data = data},
                                      err)
                                : NULL;
    const int64_t n = p ? ub_problem_size(p) : 0;
    double *theta = ub_calloc((size_t)n + 1, sizeof *theta);
    struct ub_optimizer *o = p ? ub_optimizer_new("gd:lr=0.1", n, err) : NULL;
    if (o)
        ub_problem_init(p, 0, theta);
    const bool good = o != NULL;
    ub_optimizer_free(o);
    ub_free(theta);
    ub_problem_free(p);
    ub_dataset_free(data);
    return good;
}

static bool count_system(const struct perf_case *c, int64_t times,
                         void (*work)(struct system *s, struct ub_eigen_tracker *tracker),
                         struct ub_error *err)
{
    struct system s = {0};
    struct perf_case few = *c;
    if (few.samples > MOST_SAMPLES)
        few.samples = MOST_SAMPLES;
    const bool good = open_system(&s, &few, err);
    struct ub_eigen_tracker *tracker =
        good ? ub_eigen_tracker_new(ub_problem_size(s.problem), TOP) : NULL;
    for (int64_t i = 0; good && i < times; i++)
        work(&s, tracker);
    if (tracker)
        ub_eigen_tracker_free(tracker);
    close_system(&s);
    return good;
}

bool perf_count(const char *name, const char *text, struct ub_error *err)
{
    int64_t times;
    if (!ub_read_int(text, &times) || times < 1)
        return ub_fail(err, UB_INPUT, "%s times; expected a whole number from 1", text);
    if (strcmp(name, "plan") == 0)
        return count_system(perf_case_find("gpt"), times, plan, err);
    if (strcmp(name, "sharpness") == 0)
        return count_system(perf_case_find("mlp"), times, track, err);
    if (strcmp(name, "start") == 0) {
        bool good = true;
        for (int64_t i = 0; good && i < times; i++)
            good = start(err);
        return good;
    }
    const struct perf_case *c = perf_case_find(name);
    return c ? count_system(c, times, derive, err)
             : ub_fail(err, UB_INPUT,
                       "case %s; expected plan, sharpness, start or a name that 'cases' lists",
                       name);
}

/* The first two words, or fewer. */
static int two_words(const char *text)
{
    const size_t first = strcspn(text, " ");
    return (int)(text[first] ? first + 1 + strcspn(text + first + 1, " ") : first);
}

void perf_versions_print(void)
{
    struct ub_provenance p = ub_provenance_collect(1, 1);
    const char *blas = ub_provenance_find(&p, "openblas"),
               *dnnl = ub_provenance_find(&p, "products");
    printf("%s, glibc %s, %.*s, %.*s, zlib %s\n", ub_provenance_find(&p, "compiler"),
           gnu_get_libc_version(), two_words(blas), blas, two_words(dnnl), dnnl,
           ub_provenance_find(&p, "zlib"));
    ub_provenance_clear(&p);
}
