#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "bench/perf/waits.h"
#include "base/clock.h"
#include "bench/perf/cases.h"
#include "bench/perf/median.h"
#include "bench/run/pack.h"
#include "bench/run/preflight.h"
#include "bench/suite/identity.h"
#include "bench/suite/plan.h"
#include "bench/suite/suite.h"
#include "systems/systems.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPEATS = 3 };

struct start {
    const struct ub_run_spec *spec; /* NULL: a case's */
    const struct perf_case *of;
};

struct spent {
    double data, ready, processor; /* milliseconds */
};

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- one start ---- */

static struct ub_dataset *load(const struct start *s, struct ub_error *err)
{
    return s->of ? perf_case_data(s->of)
                 : ub_dataset_load(s->spec->dataset, s->spec->data_seed, NULL, err);
}

static struct ub_problem *make(const struct start *s, const struct ub_dataset *data,
                               struct ub_error *err)
{
    struct ub_problem_spec spec = {.data = data, .threads = 1};
    if (s->of) {
        spec.model = s->of->model;
        spec.loss = s->of->loss;
    } else {
        spec.model = s->spec->model;
        spec.loss = s->spec->loss;
        spec.init = s->spec->init;
        spec.precision = s->spec->precision;
    }
    return ub_problem_new(&spec, err);
}

static int start(const struct start *s, struct spent *spent)
{
    struct ub_error err = {0};
    const double began = ub_seconds();
    struct ub_dataset *data = load(s, &err);
    const double loaded = ub_seconds(), used = processor_seconds();
    struct ub_problem *p = data ? make(s, data, &err) : NULL;
    if (!p)
        return ub_report(&err);
    ub_problem_gradient_program(p);
    ub_problem_hvp_program(p);
    *spent = (struct spent){.data = s->of ? 0 : 1e3 * (loaded - began),
                            .ready = 1e3 * (ub_seconds() - loaded),
                            .processor = 1e3 * (processor_seconds() - used)};
    return UB_OK;
}

/* Each in a process of its own: nothing is compiled, and no memory touched, before. */
static bool time_start(const struct start *s, const char *name, struct spent *shared,
                       struct ub_error *err)
{
    double data[REPEATS], ready[REPEATS], processor[REPEATS];
    for (int k = 0; k < REPEATS; k++) {
        int status = 0;
        fflush(NULL);
        const pid_t child = fork();
        if (child == 0)
            _exit(start(s, shared));
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            return ub_fail(err, UB_INTERNAL, "%s did not start", name);
        data[k] = shared->data;
        ready[k] = shared->ready;
        processor[k] = shared->processor;
    }
    printf("%.3f %.3f %.3f %s\n", perf_median(REPEATS, data), perf_median(REPEATS, ready),
           perf_median(REPEATS, processor), name);
    return true;
}

/* ---- all of them ---- */

static bool same_system(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    struct ub_run_spec alike = *b;
    alike.data_seed = a->data_seed;
    return ub_pack_takes(a, &alike);
}

static bool is_first(const struct ub_suite *suite, size_t cell)
{
    for (size_t i = 0; i < cell; i++)
        if (same_system(&suite->cells[i].spec, &suite->cells[cell].spec))
            return false;
    return true;
}

static bool start_cells(const struct ub_suite *suite, struct spent *shared, struct ub_error *err)
{
    bool good = true;
    for (size_t i = 0; good && i < suite->count; i++) {
        if (!is_first(suite, i))
            continue;
        const struct start s = {.spec = &suite->cells[i].spec};
        char *label = ub_run_spec_label(s.spec);
        good = time_start(&s, label, shared, err);
        ub_free(label);
    }
    return good;
}

static bool start_cases(struct spent *shared, struct ub_error *err)
{
    bool good = true;
    for (const struct perf_case *c = perf_cases; good && c->name; c++)
        good = time_start(&(struct start){.of = c}, c->name, shared, err);
    return good;
}

static struct ub_suite *read_suite(const char *name, struct ub_error *err)
{
    char *path = ub_suite_find(name, err), *absent = NULL;
    struct ub_suite *suite = path ? ub_suite_read(path, err) : NULL;
    if (suite)
        ub_suite_drop_absent(suite, NULL, &absent);
    ub_free(absent);
    ub_free(path);
    return suite;
}

bool perf_starts(const char *name, struct ub_error *err)
{
    struct ub_suite *suite = name ? read_suite(name, err) : NULL;
    if (name && !suite)
        return false;
    struct spent *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool good = shared != MAP_FAILED || ub_fail(err, UB_INTERNAL, "no shared memory");
    good = good && (suite ? start_cells(suite, shared, err) : start_cases(shared, err));
    if (shared != MAP_FAILED)
        munmap(shared, sizeof *shared);
    ub_suite_free(suite);
    return good;
}

/* ---- preflight ---- */

static bool fly(const struct ub_suite *suite, struct ub_error *err)
{
    const struct ub_preflight_setting setting = {
        .path = suite->path, .memory = (uint64_t)1 << 40, .jobs = 1, .threads = 1};
    const struct ub_plan_wish wish = {0};
    struct ub_plan *plan = ub_plan_new(suite->cells, suite->count, "no store", &wish, err);
    const bool good = plan && ub_preflight(suite->cells, suite->count, &setting, err);
    ub_plan_free(plan);
    return good;
}

bool perf_preflight(const char *name, struct ub_error *err)
{
    const double began = ub_seconds();
    struct ub_suite *suite = read_suite(name, err);
    struct ub_contents *known = ub_contents_new();
    const bool good = suite && ub_suite_identify(suite, NULL, known, err) && fly(suite, err);
    if (good)
        printf("runs %zu\nseconds %.4g\n", suite->count, ub_seconds() - began);
    ub_contents_free(known);
    ub_suite_free(suite);
    return good;
}
