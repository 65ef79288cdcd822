#include "bench/perf/roofline.h"
#include "base/clock.h"
#include "base/team.h"

#include <cblas.h>
#include <dnnl.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 3, LINE = 16 /* floats */ };
static const double longest = 2e-3; /* seconds of a try */

/* Does something so many times on all threads at once. */
typedef void repeat(void *context, int64_t times);

/* Seconds of one time: the least of some tries, as it is a bound; each as long as `shortest`. */
static double least_seconds(repeat *work, void *context, double shortest)
{
    work(context, 1);
    int64_t times = 1;
    double best = 0, start = ub_seconds();
    for (work(context, 1); ub_seconds() - start < shortest / 2 && times < INT64_MAX / 4;
         times *= 2) {
        start = ub_seconds();
        work(context, 2 * times);
    }
    for (int k = 0; k < TRIES; k++) {
        start = ub_seconds();
        work(context, times);
        const double each = (ub_seconds() - start) / (double)times;
        best = k == 0 || each < best ? each : best;
    }
    return best;
}

/* ---- a part of the program, alone ---- */

struct own {
    struct ub_program *p;
    int part;
};

static void repeat_own(void *context, int64_t times)
{
    const struct own *o = context;
    ub_program_repeat(o->p, o->part, times);
}

/* ---- a product of other libraries ---- */

struct product {
    struct ub_program_part part;
    int64_t lda, ldb;
    float **a, **b, **c; /* one a thread */
    int threads;
    bool by_dnnl;
    int64_t times;
    struct ub_team *team;
};

static void multiply(const struct product *p, const float *a, const float *b, float *c)
{
    const struct ub_program_part *s = &p->part;
    if (p->by_dnnl)
        dnnl_sgemm(s->ta ? 'T' : 'N', s->tb ? 'T' : 'N', s->m, s->n, s->k, 1, a, p->lda, b, p->ldb,
                   0, c, s->n);
    else
        cblas_sgemm(CblasRowMajor, s->ta ? CblasTrans : CblasNoTrans,
                    s->tb ? CblasTrans : CblasNoTrans, (int)s->m, (int)s->n, (int)s->k, 1, a,
                    (int)p->lda, b, (int)p->ldb, 0, c, (int)s->n);
}

static void multiply_task(void *context, int64_t task, int member)
{
    const struct product *p = context;
    const struct ub_program_part *s = &p->part;
    (void)member;
    omp_set_num_threads(1);
    for (int64_t i = 0; i < p->times; i++)
        for (int64_t j = 0; j < s->batch; j++)
            multiply(p, p->a[task] + j * s->m * s->k, p->b[task] + j * s->k * s->n,
                     p->c[task] + j * s->m * s->n);
}

static void repeat_product(void *context, int64_t times)
{
    struct product *p = context;
    p->times = times;
    ub_team_run(p->team, p->threads, multiply_task, p);
}

static float *numbers(int64_t count)
{
    const int64_t lines = (count + LINE - 1) / LINE;
    float *x = ub_alloc((size_t)(lines * LINE) * sizeof *x);
    for (int64_t i = 0; i < lines * LINE; i++)
        x[i] = (float)(i % 13) / 13;
    return x;
}

/* The best of OpenBLAS and oneDNN. */
static double seconds_of_libraries(const struct ub_program_part *part, struct ub_team *team,
                                   int threads)
{
    struct product p = {.part = *part,
                        .lda = part->ta ? part->m : part->k,
                        .ldb = part->tb ? part->k : part->n,
                        .threads = threads,
                        .team = team};
    const size_t count = (size_t)threads;
    p.a = ub_alloc(count * sizeof *p.a);
    p.b = ub_alloc(count * sizeof *p.b);
    p.c = ub_alloc(count * sizeof *p.c);
    for (int t = 0; t < threads; t++) {
        p.a[t] = numbers(part->batch * part->m * part->k);
        p.b[t] = numbers(part->batch * part->k * part->n);
        p.c[t] = numbers(part->batch * part->m * part->n);
    }
    const double blas = least_seconds(repeat_product, &p, longest);
    p.by_dnnl = true;
    const double dnnl = least_seconds(repeat_product, &p, longest);
    for (int t = 0; t < threads; t++) {
        ub_free(p.a[t]);
        ub_free(p.b[t]);
        ub_free(p.c[t]);
    }
    ub_free(p.a);
    ub_free(p.b);
    ub_free(p.c);
    return dnnl < blas ? dnnl : blas;
}

/* ---- bandwidth ---- */

struct copying {
    char **from, **to; /* one a thread */
    size_t bytes;
    int threads;
    int64_t times;
    struct ub_team *team;
};

static void copy_task(void *context, int64_t task, int member)
{
    const struct copying *c = context;
    (void)member;
    for (int64_t i = 0; i < c->times; i++)
        memcpy(c->to[task], c->from[task], c->bytes);
}

static void repeat_copy(void *context, int64_t times)
{
    struct copying *c = context;
    c->times = times;
    ub_team_run(c->team, c->threads, copy_task, c);
}

/* Bytes read and written a second, by all threads, each copying half of its `footprint` bytes to
 * the other half. */
static double bandwidth(double footprint, struct ub_team *team, int threads)
{
    enum { LEAST = 1 << 15, MOST = 1 << 28 };
    struct copying c = {.bytes = (size_t)(footprint < LEAST  ? LEAST
                                          : footprint > MOST ? MOST
                                                             : footprint) /
                                 2,
                        .threads = threads,
                        .team = team};
    c.from = ub_alloc((size_t)threads * sizeof *c.from);
    c.to = ub_alloc((size_t)threads * sizeof *c.to);
    for (int t = 0; t < threads; t++) {
        c.from[t] = ub_alloc(c.bytes);
        c.to[t] = ub_alloc(c.bytes);
        memset(c.from[t], 1, c.bytes);
        memset(c.to[t], 1, c.bytes);
    }
    const double seconds = least_seconds(repeat_copy, &c, longest);
    for (int t = 0; t < threads; t++) {
        ub_free(c.from[t]);
        ub_free(c.to[t]);
    }
    ub_free(c.from);
    ub_free(c.to);
    return 2 * (double)c.bytes * threads / seconds;
}

double perf_bandwidth(int threads)
{
    struct ub_team *team = ub_team_new(threads);
    const double rate = bandwidth((double)(1 << 28), team, threads);
    ub_team_free(team);
    return rate;
}

/* ---- a program ---- */

static bool is_product(const struct ub_program_part *part)
{
    return part->kind == UB_PART_PRODUCT || part->kind == UB_PART_CONVOLUTION;
}

static bool same_shape(const struct ub_program_part *a, const struct ub_program_part *b)
{
    return a->kind == b->kind && a->ta == b->ta && a->tb == b->tb && a->batch == b->batch &&
           a->m == b->m && a->n == b->n && a->k == b->k && a->shared == b->shared;
}

/* Threads that work on a part at once: each has its share of its calls. */
static int workers(const struct ub_program_part *part, int threads)
{
    return part->shared ? 1 : threads;
}

/* The program's parts and seconds of one call of each, 0 where not timed yet. */
struct timed {
    int count;
    struct ub_program_part *part;
    double *seconds;
};

static struct timed timed_new(const struct ub_program *p)
{
    struct timed t = {.count = ub_program_parts(p)};
    t.part = ub_calloc((size_t)t.count + 1, sizeof *t.part);
    t.seconds = ub_calloc((size_t)t.count + 1, sizeof *t.seconds);
    for (int i = 0; i < t.count; i++)
        t.part[i] = ub_program_part(p, i);
    return t;
}

static void timed_free(struct timed *t)
{
    ub_free(t->part);
    ub_free(t->seconds);
}

/* Seconds of a product of the same shape before it, or 0. A convolution's window is not in its
 * sizes: each is timed. */
static double seconds_before(const struct timed *t, int i)
{
    for (int j = 0; j < i && t->part[i].kind == UB_PART_PRODUCT; j++)
        if (t->seconds[j] > 0 && same_shape(&t->part[i], &t->part[j]))
            return t->seconds[j];
    return 0;
}

/* Each part alone; an unrolled network has thousands, each timed for as much less. Whoever has it
 * frees it. */
static struct timed timed_alone(struct ub_program *p)
{
    static const double enough = 0.2; /* seconds of a try of all parts */
    struct timed t = timed_new(p);
    const double each = t.count * longest > enough ? enough / t.count : longest;
    for (int i = 0; i < t.count; i++) {
        struct own own = {p, i};
        const double before = seconds_before(&t, i);
        t.seconds[i] = before > 0 ? before : least_seconds(repeat_own, &own, each);
    }
    return t;
}

struct roofline {
    double flops, products, arithmetic_bytes, arithmetic, streamed_bytes, streamed;
};

static struct roofline roofline_of(struct ub_program *p, bool first, int threads)
{
    struct roofline r = {0};
    struct ub_team *team = ub_team_new(threads);
    struct timed own = timed_alone(p), best = timed_new(p);
    const double rate = bandwidth((double)ub_program_facts(p).arena_bytes, team, threads);
    for (int i = 0; i < own.count; i++) {
        const struct ub_program_part *part = &own.part[i];
        const double calls = part->calls / workers(part, threads);
        if (!first && !part->late)
            continue;
        if (is_product(part)) {
            best.seconds[i] = seconds_before(&best, i);
            if (best.seconds[i] <= 0)
                best.seconds[i] =
                    fmin(own.seconds[i], seconds_of_libraries(part, team, workers(part, threads)));
            r.flops += part->flops * part->calls;
            r.products += best.seconds[i] * calls;
        } else if (part->kind == UB_PART_ARITHMETIC) {
            r.arithmetic_bytes += part->bytes * part->calls;
            r.arithmetic += fmin(part->bytes * part->calls / rate, own.seconds[i] * calls);
        }
    }
    r.streamed_bytes = ub_program_streamed(p, first);
    r.streamed = r.streamed_bytes / bandwidth(r.streamed_bytes / threads, team, threads);
    timed_free(&own);
    timed_free(&best);
    ub_team_free(team);
    return r;
}

void perf_roofline_print(struct ub_program *p, bool first, int threads, const char *prefix)
{
    const struct roofline r = roofline_of(p, first, threads);
    printf("%sflops %.9g\n%sproducts %.9g\n", prefix, r.flops, prefix, r.products);
    printf("%sbytes %.9g\n%sbytes-time %.9g\n", prefix, r.arithmetic_bytes + r.streamed_bytes,
           prefix, r.arithmetic + r.streamed);
    printf("%sroofline %.9g\n", prefix, r.products + r.arithmetic + r.streamed);
}

static const char *const kinds[] = {"product", "convolution", "arithmetic", "copy"};

void perf_parts_print(struct ub_program *p, int threads)
{
    struct timed t = timed_alone(p);
    for (int i = 0; i < t.count; i++) {
        const struct ub_program_part part = t.part[i];
        const double each = t.seconds[i], all = each * part.calls / workers(&part, threads);
        printf("%-11s", kinds[part.kind]);
        if (is_product(&part))
            printf(" %c%c %4lld of %5lld x %4lld x %5lld", part.ta ? 't' : 'n', part.tb ? 't' : 'n',
                   (long long)part.batch, (long long)part.m, (long long)part.n, (long long)part.k);
        else
            printf(" %31.0f bytes", part.bytes);
        printf("  %6.0f calls %9.3f us %9.4f ms %7.1f %s\n", part.calls, 1e6 * each, 1e3 * all,
               1e-9 * (is_product(&part) ? part.flops : part.bytes) / each,
               is_product(&part) ? "GFLOP/s" : "GB/s");
    }
    timed_free(&t);
}

/* Seconds of a run, by kind of part. */
struct spent {
    double alone[UB_PART_KINDS], in_place[UB_PART_KINDS];
};

/* Runs until a fifth of a second has passed, or a few times; parts alone leave nothing to go on
 * with. */
static void spend_in_place(struct ub_program *p, bool first, int threads,
                           const struct perf_work *work, struct spent *spent)
{
    enum { LEAST = 3 };
    static const double enough = 0.2;
    int runs = 0;
    ub_program_watch(p);
    for (const double start = ub_seconds(); runs < LEAST || ub_seconds() - start < enough; runs++)
        work->run(work->context);
    for (int i = 0; i < ub_program_parts(p); i++) {
        const struct ub_program_part part = ub_program_part(p, i);
        if (first || part.late)
            spent->in_place[part.kind] += ub_program_spent(p, i) / runs / workers(&part, threads);
    }
}

void perf_spent_print(struct ub_program *p, bool first, int threads, const struct perf_work *work,
                      const char *prefix)
{
    struct spent spent = {.alone = {0}};
    spend_in_place(p, first, threads, work, &spent);
    struct timed t = timed_alone(p);
    for (int i = 0; i < t.count; i++)
        if (first || t.part[i].late)
            spent.alone[t.part[i].kind] +=
                t.seconds[i] * t.part[i].calls / workers(&t.part[i], threads);
    timed_free(&t);
    for (int kind = 0; kind < UB_PART_KINDS; kind++)
        printf("%sspent-%s %.9g\n%sinplace-%s %.9g\n", prefix, kinds[kind], spent.alone[kind],
               prefix, kinds[kind], spent.in_place[kind]);
}
