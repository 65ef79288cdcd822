/* The point of least norm by non-negative least squares: minimize |sum_i x_i c_i|^2/s +
 * (1 - sum_i x_i)^2 over x >= 0, s the rows' mean square; then lambda = x/sum x. Its normal matrix
 * is A = G/s + 1 1', its right side 1. */
#include "bench/observables/hard_margin.h"
#include "base/base.h"

#include <lapacke.h>
#include <math.h>

struct solver {
    int64_t m;
    double *A;       /* m x m */
    double *x;       /* m */
    bool *passive;   /* m: free to be positive */
    int64_t *places; /* of passive ones */
    double *factor, *right;
};

/* The unconstrained minimum over the passive set, into s->right; their number, or -1 where they are
 * dependent. */
static int64_t solve_passive(struct solver *s)
{
    int64_t k = 0;
    for (int64_t i = 0; i < s->m; i++)
        if (s->passive[i])
            s->places[k++] = i;
    for (int64_t i = 0; i < k; i++) {
        s->right[i] = 1;
        for (int64_t j = 0; j < k; j++)
            s->factor[i * k + j] = s->A[s->places[i] * s->m + s->places[j]];
    }
    const bool good =
        LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (int)k, 1, s->factor, (int)k, s->right, 1) == 0;
    return good ? k : -1;
}

/* Moves to the passive set's minimum, or as far as all stay non-negative; those that come to 0
 * leave. True once the minimum is reached. */
static bool move(struct solver *s, int64_t k)
{
    double share = 1;
    for (int64_t i = 0; i < k; i++) {
        const double from = s->x[s->places[i]], to = s->right[i];
        if (to <= 0)
            share = fmin(share, from / (from - to));
    }
    for (int64_t i = 0; i < k; i++) {
        double *x = &s->x[s->places[i]];
        *x += share * (s->right[i] - *x);
        if (share < 1 && *x <= 1e-14) {
            *x = 0;
            s->passive[s->places[i]] = false;
        }
    }
    return share >= 1;
}

/* The place whose growth lessens the error most; -1: none does. */
static int64_t steepest(const struct solver *s)
{
    int64_t best = -1;
    double most = 1e-12;
    for (int64_t i = 0; i < s->m; i++) {
        double slope = 1;
        for (int64_t j = 0; j < s->m; j++)
            slope -= s->A[i * s->m + j] * s->x[j];
        if (!s->passive[i] && slope > most) {
            most = slope;
            best = i;
        }
    }
    return best;
}

static bool iterate(struct solver *s)
{
    for (int64_t step = 0; step < 100 * s->m; step++) {
        const int64_t next = steepest(s);
        if (next < 0)
            return true;
        s->passive[next] = true;
        for (;;) {
            const int64_t k = solve_passive(s);
            if (k < 0) { /* dependent on those that are there: no better */
                s->passive[next] = false;
                return true;
            }
            if (move(s, k))
                break;
        }
    }
    return false;
}

/* v and u of the support; Gram solves for u = sum_j b_j c_j. */
static void asymptote(struct ub_hard_margin *h, const double *G, int64_t n)
{
    const double square = h->margin * h->margin;
    double *g = ub_calloc((size_t)(h->count * h->count) + 1, sizeof *g);
    double *b = ub_calloc((size_t)h->count + 1, sizeof *b);
    double *right = ub_calloc((size_t)h->count + 1, sizeof *right);
    int64_t *place = ub_calloc((size_t)h->count + 1, sizeof *place), k = 0;
    for (int64_t i = 0; i < h->count; i++)
        if (h->lambda[i] > 0)
            place[k++] = i;
    h->square = 1 / square;
    h->cross = h->offset = 0;
    for (int64_t i = 0; i < k; i++) {
        const double a = h->lambda[place[i]] / square;
        b[i] = right[i] = -log((double)n * a);
        h->cross += a * right[i];
        for (int64_t j = 0; j < k; j++)
            g[i * k + j] = G[place[i] * h->count + place[j]];
    }
    if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (int)k, 1, g, (int)k, b, 1) != 0)
        h->offset = (double)NAN;
    for (int64_t i = 0; i < k; i++)
        h->offset += b[i] * right[i];
    ub_free(g);
    ub_free(b);
    ub_free(right);
    ub_free(place);
}

bool ub_hard_margin_solve(int64_t m, const double *G, int64_t n, struct ub_hard_margin *out)
{
    const size_t size = (size_t)m;
    struct solver s = {m,
                       ub_calloc(size * size + 1, sizeof(double)),
                       ub_calloc(size + 1, sizeof(double)),
                       ub_calloc(size + 1, sizeof(bool)),
                       ub_calloc(size + 1, sizeof(int64_t)),
                       ub_calloc(size * size + 1, sizeof(double)),
                       ub_calloc(size + 1, sizeof(double))};
    double scale = 0, sum = 0, square = 0;
    for (int64_t i = 0; i < m; i++)
        scale += G[i * m + i] / (double)m;
    for (int64_t i = 0; i < m * m; i++)
        s.A[i] = 1 + (scale > 0 ? G[i] / scale : 0);
    const bool good = iterate(&s);
    for (int64_t i = 0; i < m; i++)
        sum += s.x[i];
    for (int64_t i = 0; i < m; i++)
        s.x[i] /= sum;
    for (int64_t i = 0; i < m * m; i++)
        square += s.x[i / m] * s.x[i % m] * G[i];
    *out = (struct ub_hard_margin){
        .count = m, .lambda = s.x, .square = NAN, .cross = NAN, .offset = NAN};
    out->margin = square > 1e-10 * scale ? sqrt(square) : 0; /* a hundred thousandth of a row */
    if (out->margin > 0)
        asymptote(out, G, n);
    ub_free(s.A);
    ub_free(s.passive);
    ub_free(s.places);
    ub_free(s.factor);
    ub_free(s.right);
    return good;
}

void ub_hard_margin_clear(struct ub_hard_margin *h)
{
    ub_free(h->lambda);
    *h = (struct ub_hard_margin){0};
}

double ub_hard_margin_norm(const struct ub_hard_margin *h, double time)
{
    const double s = log(time);
    return sqrt(h->square * s * s + 2 * h->cross * s + h->offset);
}
