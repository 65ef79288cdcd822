/* perf.c - times one of our workloads. peer.py does the same work with PyTorch; ci/peers runs the
 * two in turns and writes the table.
 *
 *   unibench-perf cases                    names of the systems of cases.c
 *   unibench-perf describe CASE            what peer.py needs to know of it
 *   unibench-perf model CASE THREADS       seconds of a gradient, a Hessian-vector product (alone,
 *                                          and its share of a block of eight) and a third
 *                                          directional derivative; MiB of memory that took
 *   unibench-perf memory CASE THREADS      bytes of its samples and of the parameters and vectors
 *                                          of this program; of each program what it holds and
 *                                          what it has at work, shared and a thread (systems.h);
 *                                          the working set of a run of it; MiB that resident memory
 *                                          grew by at most when all were run
 *   unibench-perf parallel CASE            of each one's time on one thread, the share that more
 *                                          threads would split
 *   unibench-perf roofline CASE THREADS    its gradient's least time on this machine, its Hessian-
 *                                          vector product's and its third directional
 *                                          derivative's; what parts take
 *   unibench-perf hvp-roofline DATASET MODEL LOSS THREADS BLOCK [FOLDER]
 *                                          that of a product on any dataset (files in FOLDER),
 *                                          seconds of one among BLOCK of them, and the rate of
 *                                          copies of 256 MiB
 *   unibench-perf parts CASE THREADS       a table of the gradient program's parts, timed alone
 *   unibench-perf precision CASE           f32 and bf16x3 beside f64: errors, times (precision.h)
 *   unibench-perf count WORK TIMES         a piece of work, to count its instructions
 *   unibench-perf sgemm                    2048 x 2048 x 2048 product, one thread
 *   unibench-perf sharpness                1,500 steps of GD on the small MLP on the digits with
 *                                          the top 2 eigenvalues every 10 steps, one thread:
 *                                          seconds of all, of measuring and of products; products
 *                                          a measurement; the largest error, of the largest
 *   unibench-perf flow                     the central flow of flow.c, one thread
 *   unibench-perf flow-problem             what peer_flow.py needs to know of it
 *   unibench-perf store FOLDER RUNS        fills FOLDER with a store of so many made-up runs
 *   unibench-perf starts [SUITE]           start-up of each system of a suite, or case (waits.h)
 *   unibench-perf preflight SUITE          seconds of what is done before its first run
 *   unibench-perf scale FOLDER             compares and reports stores of 1,000 to 10,000 runs,
 * made in FOLDER (a gigabyte) and removed
 *
 * Prints lines "WHAT NUMBER"; times are medians of five (three when above 0.2 s). */
#include "base/clock.h"
#include "bench/perf/cases.h"
#include "bench/perf/count.h"
#include "bench/perf/flow.h"
#include "bench/perf/median.h"
#include "bench/perf/precision.h"
#include "bench/perf/roofline.h"
#include "bench/perf/scale.h"
#include "bench/perf/trace.h"
#include "bench/perf/waits.h"
#include "bench/run/blas_core.h"
#include "systems/systems.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

enum { GEMM = 2048, REPEATS = 5, BLOCK = 8 };
static const double shortest = 0.05, longest = 0.2;

/* A line of /proc/self/status, in MiB. */
static double memory(const char *key)
{
    char line[256];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtod(line + strlen(key) + 1, NULL);
    if (file)
        fclose(file);
    return kib / 1024;
}

/* Seconds of one piece of work: the median of several, each averaged over as many as fill 50 ms. */
static double seconds(void (*work)(void *context), void *context)
{
    double all[REPEATS];
    work(context); /* compiles, touches memory */
    double start = ub_seconds();
    work(context);
    const double once = ub_seconds() - start;
    const int64_t times = once < shortest ? (int64_t)(shortest / once) + 1 : 1;
    const int repeats = once < longest ? REPEATS : 3;
    for (int k = 0; k < repeats; k++) {
        start = ub_seconds();
        for (int64_t i = 0; i < times; i++)
            work(context);
        all[k] = (ub_seconds() - start) / (double)times;
    }
    return perf_median(repeats, all);
}

/* ---- models ---- */

struct system {
    struct ub_dataset *data;
    struct ub_problem *problem;
    double *theta, *v, *out; /* v, out: a vector; after widen, `block` of them */
    int64_t block;
};

static bool system_open(struct system *s, struct ub_dataset *data, const char *model,
                        const char *loss, int threads, bool timed, struct ub_error *err)
{
    s->data = data;
    s->problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model = model, .loss = loss, .data = data, .threads = threads, .timed = timed},
        err);
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
    ub_problem_linearize(s->problem, s->theta);
    ub_problem_take_inputs(s->problem, data);
    return true;
}

/* From one vector to a block. */
static void widen(struct system *s, int64_t block)
{
    const size_t n = (size_t)ub_problem_size(s->problem);
    struct ub_random r = ub_random_stream(1, "perf");
    s->block = block;
    s->v = ub_realloc(s->v, (size_t)block * n * sizeof *s->v);
    s->out = ub_realloc(s->out, (size_t)block * n * sizeof *s->out);
    for (size_t i = 0; i < (size_t)block * n; i++)
        s->v[i] = ub_random_normal(&r);
}

static void system_close(struct system *s)
{
    ub_problem_free(s->problem);
    ub_dataset_free(s->data);
    ub_free(s->theta);
    ub_free(s->v);
    ub_free(s->out);
}

static void do_gradient(void *context)
{
    struct system *s = context;
    ub_problem_gradient(s->problem, s->theta, s->out);
}

static void do_hvp(void *context)
{
    struct system *s = context;
    ub_problem_hvp(s->problem, s->block, s->v, s->out);
}

static void do_third(void *context)
{
    struct system *s = context;
    ub_problem_third(s->problem, s->v, s->v, s->out);
}

static bool time_shared(const char *name, struct ub_error *err)
{
    static const struct {
        const char *name;
        void (*work)(void *context);
    } works[] = {{"parallel", do_gradient}, {"parallel-hvp", do_hvp}, {"parallel-third", do_third}};
    const struct perf_case *c = perf_case_find(name);
    if (!c)
        return ub_fail(err, UB_INPUT, "case %s; expected a name that 'cases' lists", name);
    struct system s = {0};
    const bool good = system_open(&s, perf_case_data(c), c->model, c->loss, 1, true, err);
    s.block = 1;
    for (int i = 0; good && i < 3; i++) {
        works[i].work(&s); /* compiles, touches memory */
        const double before = ub_problem_shared_seconds(s.problem), start = ub_seconds();
        do
            works[i].work(&s);
        while (ub_seconds() - start < shortest);
        const double all = ub_seconds() - start;
        printf("%s %.6g\n", works[i].name, (ub_problem_shared_seconds(s.problem) - before) / all);
    }
    system_close(&s);
    return good;
}

static bool case_open(struct system *s, const char *name, const char *threads, int64_t *count,
                      struct ub_error *err)
{
    const struct perf_case *c = perf_case_find(name);
    if (!c || !ub_read_int(threads, count) || *count < 1)
        return ub_fail(err, UB_INPUT, "case %s, threads %s; expected a name that 'cases' lists",
                       name, threads);
    if (system_open(s, perf_case_data(c), c->model, c->loss, (int)*count, false, err))
        return true;
    system_close(s);
    return false;
}

/* MiB that a run of one program alone needs: what it holds and has at work, and the samples. */
static void print_working_set(const char *name, const struct ub_program *program)
{
    printf("%s-set %.6g\n", name, (double)ub_program_facts(program).bytes / (1 << 20));
}

/* Bytes by program; a block of a small model has as many vectors as `widen` makes, others fewer. */
static bool print_memory(const char *name, const char *threads, struct ub_error *err)
{
    struct system s = {.block = 1};
    int64_t count = 0;
    const double before = memory("VmRSS:");
    if (!case_open(&s, name, threads, &count, err))
        return false;
    do_gradient(&s);
    do_hvp(&s);
    widen(&s, BLOCK);
    do_hvp(&s);
    do_third(&s);
    const double grown = memory("VmHWM:") - before;
    const struct {
        const char *name;
        const struct ub_program *program;
    } all[] = {{"gradient", ub_problem_gradient_program(s.problem)},
               {"hvp", ub_problem_hvp_program(s.problem)},
               {"hvp8", ub_problem_block_program(s.problem)},
               {"third", ub_problem_third_program(s.problem, true)}};
    printf("samples %lld\nvectors %lld\n", (long long)ub_program_facts(all[0].program).sample_bytes,
           (long long)((1 + 2 * BLOCK) * ub_problem_size(s.problem)) * (long long)sizeof(double));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const struct ub_program_facts f = ub_program_facts(all[i].program);
        printf("%s-held %lld\n%s-shared %lld\n%s-thread %lld\n", all[i].name,
               (long long)f.own_bytes, all[i].name, (long long)f.shared_bytes, all[i].name,
               (long long)f.thread_bytes);
        print_working_set(all[i].name, all[i].program);
    }
    printf("memory %.6g\n", grown);
    system_close(&s);
    return true;
}

static bool time_model(const char *name, const char *threads, struct ub_error *err)
{
    struct system s = {0};
    int64_t count = 0;
    const double before = memory("VmRSS:");
    if (!case_open(&s, name, threads, &count, err))
        return false;
    printf("gradient %.9g\n", seconds(do_gradient, &s));
    s.block = 1;
    printf("hvp %.9g\n", seconds(do_hvp, &s));
    printf("memory %.6g\n", memory("VmHWM:") - before);
    print_working_set("gradient", ub_problem_gradient_program(s.problem));
    print_working_set("hvp", ub_problem_hvp_program(s.problem));
    widen(&s, BLOCK);
    printf("hvp8 %.9g\n", seconds(do_hvp, &s) / BLOCK);
    printf("third %.9g\n", seconds(do_third, &s));
    system_close(&s);
    return true;
}

static bool print_roofline(const char *name, const char *threads, bool parts, struct ub_error *err)
{
    struct system s = {.block = 1};
    int64_t count = 0;
    if (!case_open(&s, name, threads, &count, err))
        return false;
    do_gradient(&s);
    if (parts) {
        perf_parts_print(ub_problem_gradient_program(s.problem), (int)count);
    } else {
        do_hvp(&s);
        do_third(&s);
        const struct {
            struct ub_program *program;
            bool first;
            void (*work)(void *context);
            const char *prefix;
        } all[] = {{ub_problem_gradient_program(s.problem), true, do_gradient, ""},
                   {ub_problem_hvp_program(s.problem), false, do_hvp, "hvp-"},
                   {ub_problem_third_program(s.problem, true), false, do_third, "third-"}};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            const struct perf_work work = {all[i].work, &s};
            perf_spent_print(all[i].program, all[i].first, (int)count, &work, all[i].prefix);
            perf_roofline_print(all[i].program, all[i].first, (int)count, all[i].prefix);
        }
    }
    system_close(&s);
    return true;
}

static bool print_hvp_roofline(int argc, char **argv, struct ub_error *err)
{
    struct system s = {.block = 1};
    int64_t count = 0, block = 0;
    if (!ub_read_int(argv[5], &count) || count < 1 || !ub_read_int(argv[6], &block) || block < 1)
        return ub_fail(err, UB_INPUT, "threads %s, block %s; expected numbers from 1 on", argv[5],
                       argv[6]);
    struct ub_dataset *data = ub_dataset_load(argv[2], 0, argc > 7 ? argv[7] : NULL, err);
    const bool good = data && system_open(&s, data, argv[3], argv[4], (int)count, false, err);
    if (good) {
        widen(&s, block);
        printf("product %.9g\n", seconds(do_hvp, &s) / (double)block);
        s.block = 1;
        do_hvp(&s);
        perf_roofline_print(ub_problem_hvp_program(s.problem), false, (int)count, "hvp-");
        printf("bandwidth %.9g\n", perf_bandwidth((int)count));
    }
    system_close(&s);
    return good;
}

/* Key and value a line; parameters with their shapes. */
static bool describe(const char *name, struct ub_error *err)
{
    const struct perf_case *c = perf_case_find(name);
    if (!c)
        return ub_fail(err, UB_INPUT, "case %s; expected a name that 'cases' lists", name);
    char *model = ub_registry_canonical(&ub_model_registry, c->model, c->name, NULL, err);
    struct system s = {0};
    const bool good = model && system_open(&s, perf_case_data(c), c->model, c->loss, 1, false, err);
    if (good) {
        const double *values;
        const struct ub_layout *layouts[] = {ub_problem_layout(s.problem),
                                             ub_problem_frozen(s.problem, &values)};
        printf("model %s\nloss %s\nsamples %lld\noutputs %lld\ntokens %lld\npositions %lld\n",
               model, c->loss, (long long)c->samples, (long long)c->outputs, (long long)c->tokens,
               (long long)ub_positions(s.data));
        printf("regression %d\nparameters %lld\nshape", c->regression,
               (long long)ub_problem_size(s.problem));
        for (int k = 0; k < c->rank; k++)
            printf(" %lld", (long long)c->shape[k]);
        printf("\n");
        for (int frozen = 0; frozen < 2; frozen++)
            for (int64_t i = 0; i < layouts[frozen]->count; i++) {
                const struct ub_param *p = &layouts[frozen]->params[i];
                printf("%s %s", frozen ? "frozen" : "param", p->name);
                for (int k = 0; k < p->rank; k++)
                    printf(" %lld", (long long)p->shape[k]);
                printf("\n");
            }
    }
    ub_free(model);
    system_close(&s);
    return good;
}

/* ---- the machine's rate, and a trace of sharpness ---- */

struct product {
    float *a, *b, *c;
};

static void do_sgemm(void *context)
{
    const struct product *p = context;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, GEMM, GEMM, GEMM, 1, p->a, GEMM, p->b,
                GEMM, 0, p->c, GEMM);
}

static void time_sgemm(void)
{
    const size_t n = (size_t)GEMM * GEMM;
    struct ub_random r = ub_random_stream(2, "perf");
    struct product p = {ub_calloc(n, sizeof *p.a), ub_calloc(n, sizeof *p.b),
                        ub_calloc(n, sizeof *p.c)};
    for (size_t i = 0; i < n; i++)
        p.a[i] = p.b[i] = (float)ub_random_normal(&r);
    openblas_set_num_threads(1);
    printf("sgemm %.9g\n", seconds(do_sgemm, &p));
    ub_free(p.a);
    ub_free(p.b);
    ub_free(p.c);
}

static const char usage[] =
    "expected cases, describe CASE, model, memory, roofline or parts CASE THREADS, parallel CASE, "
    "hvp-roofline DATASET MODEL LOSS THREADS BLOCK, precision CASE, count WORK TIMES, versions, "
    "sgemm, sharpness, flow, flow-problem, store FOLDER RUNS, starts [SUITE], preflight SUITE or "
    "scale UNIBENCH FOLDER";

int main(int argc, char **argv)
{
    struct ub_error err = {0};
    const char *what = argc > 1 ? argv[1] : "";
    ub_blas_core_select(argv);
    bool good = true;
    if (strcmp(what, "cases") == 0 && argc == 2)
        for (const struct perf_case *c = perf_cases; c->name; c++)
            puts(c->name);
    else if (strcmp(what, "describe") == 0 && argc == 3)
        good = describe(argv[2], &err);
    else if (strcmp(what, "model") == 0 && argc == 4)
        good = time_model(argv[2], argv[3], &err);
    else if (strcmp(what, "parallel") == 0 && argc == 3)
        good = time_shared(argv[2], &err);
    else if (strcmp(what, "memory") == 0 && argc == 4)
        good = print_memory(argv[2], argv[3], &err);
    else if ((strcmp(what, "roofline") == 0 || strcmp(what, "parts") == 0) && argc == 4)
        good = print_roofline(argv[2], argv[3], what[0] == 'p', &err);
    else if (strcmp(what, "hvp-roofline") == 0 && (argc == 7 || argc == 8))
        good = print_hvp_roofline(argc, argv, &err);
    else if (strcmp(what, "precision") == 0 && argc == 3)
        good = perf_precision(argv[2], &err);
    else if (strcmp(what, "count") == 0 && argc == 4)
        good = perf_count(argv[2], argv[3], &err);
    else if (strcmp(what, "versions") == 0 && argc == 2)
        perf_versions_print();
    else if (strcmp(what, "sgemm") == 0 && argc == 2)
        time_sgemm();
    else if (strcmp(what, "sharpness") == 0 && argc == 2)
        good = perf_trace_time(&err);
    else if (strcmp(what, "flow") == 0 && argc == 2)
        good = perf_flow_time(&err);
    else if (strcmp(what, "flow-problem") == 0 && argc == 2)
        good = perf_flow_describe(&err);
    else if (strcmp(what, "store") == 0 && argc == 4)
        good = perf_scale_store(argv[2], argv[3], &err);
    else if (strcmp(what, "starts") == 0 && argc <= 3)
        good = perf_starts(argc == 3 ? argv[2] : NULL, &err);
    else if (strcmp(what, "preflight") == 0 && argc == 3)
        good = perf_preflight(argv[2], &err);
    else if (strcmp(what, "scale") == 0 && argc == 4)
        good = perf_scale_time(argv[2], argv[3], &err);
    else
        good = ub_fail(&err, UB_INPUT, "%s", usage);
    return good ? UB_OK : ub_report(&err);
}
