#include "bench/perf/precision.h"
#include "base/clock.h"
#include "bench/perf/cases.h"
#include "bench/perf/median.h"
#include "systems/systems.h"

#include <math.h>
#include <stdlib.h>

enum { TURNS = 5, PRECISIONS = UB_BF16X3 + 1 };

struct subject {
    struct ub_problem *problem;
    double *gradient, *product;
    double seconds[2][TURNS]; /* gradient, product */
};

static double error_of(int64_t n, const double *x, const double *expected)
{
    double off = 0, norm = 0;
    for (int64_t i = 0; i < n; i++) {
        off += (x[i] - expected[i]) * (x[i] - expected[i]);
        norm += expected[i] * expected[i];
    }
    return sqrt(off / norm);
}

static bool subject_open(struct subject *s, const struct perf_case *c,
                         const struct ub_dataset *data, enum ub_precision precision,
                         struct ub_error *err)
{
    s->problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model = c->model, .loss = c->loss, .data = data, .precision = precision, .threads = 1},
        err);
    if (!s->problem)
        return false;
    const size_t n = (size_t)ub_problem_size(s->problem);
    s->gradient = ub_calloc(n, sizeof *s->gradient);
    s->product = ub_calloc(n, sizeof *s->product);
    return true;
}

static void subject_close(struct subject *s)
{
    ub_problem_free(s->problem);
    ub_free(s->gradient);
    ub_free(s->product);
}

/* Both, and how long they took: a turn. The first one compiles. */
static void evaluate(struct subject *s, const double *theta, const double *v, int turn)
{
    const double start = ub_seconds();
    ub_problem_gradient(s->problem, theta, s->gradient);
    const double between = ub_seconds();
    if (turn < 0)
        ub_problem_linearize(s->problem, theta);
    ub_problem_hvp(s->problem, 1, v, s->product);
    if (turn < 0)
        return;
    s->seconds[0][turn] = between - start;
    s->seconds[1][turn] = ub_seconds() - between;
}

static double split_share(struct ub_problem *p)
{
    const struct ub_program *program = ub_problem_gradient_program(p);
    double all = 0, split = 0;
    for (int i = 0; i < ub_program_parts(program); i++) {
        const struct ub_program_part part = ub_program_part(program, i);
        all += part.calls * part.flops;
        split += part.split ? part.calls * part.flops : 0;
    }
    return all > 0 ? split / all : 0;
}

static void print_row(const char *name, struct subject *s, const struct subject *oracle,
                      enum ub_precision precision)
{
    const int64_t n = ub_problem_size(s->problem);
    printf("| %s | %s | %.0f%% | %.3g | %.3g | %.1e | %.1e |\n", name, ub_precision_name(precision),
           100 * split_share(s->problem), 1e3 * perf_median(TURNS, s->seconds[0]),
           1e3 * perf_median(TURNS, s->seconds[1]), error_of(n, s->gradient, oracle->gradient),
           error_of(n, s->product, oracle->product));
}

static void compare(const char *name, struct subject *subjects)
{
    const int64_t n = ub_problem_size(subjects[UB_F64].problem);
    struct ub_random r = ub_random_stream(1, "perf");
    double *theta = ub_calloc((size_t)n, sizeof *theta), *v = ub_calloc((size_t)n, sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = ub_random_normal(&r);
    for (int i = 0; i < PRECISIONS; i++) {
        ub_problem_init(subjects[i].problem, 0, theta);
        evaluate(&subjects[i], theta, v, -1);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        evaluate(&subjects[UB_F32], theta, v, turn);
        evaluate(&subjects[UB_BF16X3], theta, v, turn);
    }
    printf("| case | precision | split | gradient ms | HVP ms | gradient's error | HVP's error |\n"
           "|---|---|---:|---:|---:|---:|---:|\n");
    print_row(name, &subjects[UB_F32], &subjects[UB_F64], UB_F32);
    print_row(name, &subjects[UB_BF16X3], &subjects[UB_F64], UB_BF16X3);
    ub_free(theta);
    ub_free(v);
}

bool perf_precision(const char *name, struct ub_error *err)
{
    const struct perf_case *c = perf_case_find(name);
    if (!c)
        return ub_fail(err, UB_INPUT, "case %s; expected a name that 'cases' lists", name);
    struct ub_dataset *data = perf_case_data(c);
    struct subject subjects[PRECISIONS] = {{0}};
    bool good = true;
    for (int i = 0; good && i < PRECISIONS; i++)
        good = subject_open(&subjects[i], c, data, (enum ub_precision)i, err);
    if (good)
        compare(name, subjects);
    for (int i = 0; i < PRECISIONS; i++)
        subject_close(&subjects[i]);
    ub_dataset_free(data);
    return good;
}
