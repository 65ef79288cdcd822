#include "bench/observables/ball_maximum.h"
#include "bench/spectra/eigen.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

struct ub_ball_maximum {
    const struct ub_ball *ball;
    struct ub_random random;
    struct ub_eigen_tracker *tracker; /* of norms that are eigenproblems */
    double *best;                     /* size: the last maximizer */
    bool has_best;
    int64_t room;
    double *d, *hd, *v, *hv; /* room x size each, one block */
    double *value;           /* room: d'Hd */
    bool *done;
};

struct ub_ball_maximum *ub_ball_maximum_new(const struct ub_ball *ball)
{
    struct ub_ball_maximum *m = ub_calloc(1, sizeof *m);
    *m = (struct ub_ball_maximum){.ball = ball,
                                  .random = ub_random_stream(0, "generalized-sharpness"),
                                  .best = ub_calloc((size_t)ball->size, sizeof *m->best)};
    return m;
}

void ub_ball_maximum_free(struct ub_ball_maximum *m)
{
    if (!m)
        return;
    ub_eigen_tracker_free(m->tracker);
    ub_free(m->best);
    ub_free(m->d);
    ub_free(m->value);
    ub_free(m->done);
    ub_free(m);
}

static void make_room(struct ub_ball_maximum *m, int64_t rows)
{
    const int64_t size = m->ball->size;
    if (rows <= m->room)
        return;
    ub_free(m->d);
    ub_free(m->value);
    ub_free(m->done);
    m->d = ub_calloc((size_t)(4 * rows), (size_t)size * sizeof *m->d);
    m->hd = m->d + rows * size;
    m->v = m->hd + rows * size;
    m->hv = m->v + rows * size;
    m->value = ub_calloc((size_t)rows, sizeof *m->value);
    m->done = ub_calloc((size_t)rows, sizeof *m->done);
    m->room = rows;
}

static double dot(int64_t n, const double *a, const double *b)
{
    return cblas_ddot((blasint)n, a, 1, b, 1);
}

/* ---- eigenproblems: the diagonal blocks of H, r_b^2 H_bb ---- */

static bool is_eigenproblem(const struct ub_ball *ball)
{
    return ball->greedy || (ball->count == 1 && ball->parts[0].shape == UB_BALL_EUCLIDEAN);
}

struct diagonal_blocks {
    struct ub_ball_maximum *m;
    const struct ub_operator *h;
    int64_t products;
};

/* One row of H for each block. */
static void apply_blocks(void *context, int64_t count, const double *V, double *out)
{
    struct diagonal_blocks *a = context;
    const struct ub_ball *ball = a->m->ball;
    const int64_t n = ball->size, blocks = ball->count;
    make_room(a->m, blocks);
    double *d = a->m->d, *hd = a->m->hd;
    memset(out, 0, (size_t)(count * n) * sizeof *out);
    for (int64_t r = 0; r < count; r++) {
        memset(d, 0, (size_t)(blocks * n) * sizeof *d);
        for (int64_t b = 0; b < blocks; b++) {
            const struct ub_ball_part *p = &ball->parts[b];
            cblas_daxpy((blasint)(p->rows * p->columns), p->radius, V + r * n + p->offset, 1,
                        d + b * n + p->offset, 1);
        }
        ub_operator_apply(a->h, blocks, d, hd);
        a->products += blocks;
        for (int64_t b = 0; b < blocks; b++) {
            const struct ub_ball_part *p = &ball->parts[b];
            cblas_daxpy((blasint)(p->rows * p->columns), p->radius, hd + b * n + p->offset, 1,
                        out + r * n + p->offset, 1);
        }
    }
}

static struct ub_ball_result solve_blocks(struct ub_ball_maximum *m, const struct ub_operator *h,
                                          const struct ub_ball_effort *effort)
{
    struct diagonal_blocks blocks = {.m = m, .h = h};
    const struct ub_operator a = {.n = h->n, .context = &blocks, .apply = apply_blocks};
    const int64_t most = effort->products / m->ball->count;
    if (!m->tracker)
        m->tracker = ub_eigen_tracker_new(h->n, 1);
    const struct ub_eigen_result found =
        ub_eigen_track(m->tracker, &a, effort->tolerance, most > 1 ? most : 1);
    struct ub_ball_result result = {.value = NAN, .error = NAN, .direction = m->best};
    if (found.count > 0) {
        /* Into the ball: an eigenvector of several blocks with one eigenvalue is cut to one. */
        ub_ball_oracle(m->ball, found.vectors, m->best);
        result.value = fmax(found.value[0], 0);
        result.error = found.residual[0];
    }
    result.products = blocks.products;
    result.converged = found.count > 0 && found.converged;
    return result;
}

/* ---- Frank and Wolfe's method from several starts at once ---- */

/* H times the rows of x that are not done, into the same rows of hx. */
static int64_t apply_active(struct ub_ball_maximum *m, const struct ub_operator *h, int64_t rows,
                            double *x, double *hx)
{
    const int64_t n = m->ball->size;
    int64_t spent = 0;
    for (int64_t first = 0; first < rows; first++) { /* neighbors together */
        int64_t count = 0;
        while (first + count < rows && !m->done[first + count])
            count++;
        if (count > 0)
            ub_operator_apply(h, count, x + first * n, hx + first * n);
        spent += count;
        first += count;
    }
    return spent;
}

static void start(struct ub_ball_maximum *m, int64_t rows)
{
    const int64_t n = m->ball->size;
    for (int64_t r = 0; r < rows; r++) {
        m->done[r] = false;
        if (r == 0 && m->has_best) {
            memcpy(m->d, m->best, (size_t)n * sizeof *m->d);
            continue;
        }
        for (int64_t i = 0; i < n; i++)
            m->v[i] = ub_random_normal(&m->random);
        ub_ball_oracle(m->ball, m->v, m->d + r * n);
    }
}

/* Along d + t (v - d), t in [0, 1], d'Hd is value + 2 gap t + bend t^2, gap >= 0. */
static void advance(struct ub_ball_maximum *m, int64_t r)
{
    const int64_t n = m->ball->size;
    double *d = m->d + r * n, *hd = m->hd + r * n;
    const double *v = m->v + r * n, *hv = m->hv + r * n;
    const double gap = dot(n, v, hd) - m->value[r];
    const double bend = dot(n, v, hv) - 2 * dot(n, v, hd) + m->value[r];
    const double t = bend < 0 ? fmin(1, -gap / bend) : 1;
    for (int64_t i = 0; i < n; i++) {
        d[i] += t * (v[i] - d[i]);
        hd[i] += t * (hv[i] - hd[i]);
    }
    m->value[r] = dot(n, d, hd);
}

/* Answers of the oracle for all rows; true when every row is done. */
static bool ask_oracle(struct ub_ball_maximum *m, int64_t rows, double tolerance)
{
    const int64_t n = m->ball->size;
    bool all = true;
    for (int64_t r = 0; r < rows; r++) {
        if (m->done[r])
            continue;
        const double dual = ub_ball_oracle(m->ball, m->hd + r * n, m->v + r * n);
        m->done[r] = !(dual - m->value[r] > tolerance * fabs(m->value[r])); /* or not finite */
        all = all && m->done[r];
    }
    return all;
}

static struct ub_ball_result keep_best(struct ub_ball_maximum *m, int64_t rows)
{
    const int64_t n = m->ball->size;
    double most = -INFINITY, least = INFINITY;
    int64_t best = 0;
    for (int64_t r = 0; r < rows; r++) {
        if (!isfinite(m->value[r]))
            return (struct ub_ball_result){.value = NAN, .error = NAN, .direction = m->best};
        best = m->value[r] > most ? r : best;
        most = fmax(most, m->value[r]);
        least = fmin(least, m->value[r]);
    }
    memcpy(m->best, m->d + best * n, (size_t)n * sizeof *m->best);
    m->has_best = true;
    /* The ball's center has d'Hd = 0. */
    return (struct ub_ball_result){
        .value = fmax(most, 0), .error = fmax(most, 0) - fmax(least, 0), .direction = m->best};
}

static struct ub_ball_result climb(struct ub_ball_maximum *m, const struct ub_operator *h,
                                   const struct ub_ball_effort *effort)
{
    const int64_t n = m->ball->size, rows = effort->starts + m->has_best;
    make_room(m, rows);
    start(m, rows);
    int64_t spent = apply_active(m, h, rows, m->d, m->hd);
    for (int64_t r = 0; r < rows; r++)
        m->value[r] = dot(n, m->d + r * n, m->hd + r * n);
    bool done = ask_oracle(m, rows, effort->tolerance);
    while (!done && spent + rows <= effort->products) {
        spent += apply_active(m, h, rows, m->v, m->hv);
        for (int64_t r = 0; r < rows; r++)
            if (!m->done[r])
                advance(m, r);
        done = ask_oracle(m, rows, effort->tolerance);
    }
    struct ub_ball_result result = keep_best(m, rows);
    result.products = spent;
    result.converged = done && isfinite(result.value);
    return result;
}

struct ub_ball_result ub_ball_maximize(struct ub_ball_maximum *m, const struct ub_operator *h,
                                       const struct ub_ball_effort *effort)
{
    return is_eigenproblem(m->ball) ? solve_blocks(m, h, effort) : climb(m, h, effort);
}
