/* krylov.c - full and partial reorthogonalization; see krylov.h. */
#include "bench/spectra/krylov.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum {
    EXACT = 1 << 20, /* numbers kept in double precision at most */
    PANEL = 1024     /* columns at a time: read for w, they are at hand for q */
};
static const double LIMIT = 1e-5;                               /* of inner products */
static const double LEAST = 0x1p-52, FIRST = 1e-9, MOST = 1e-6; /* of noise */

static bool is_exact(int64_t n, int64_t room)
{
    return room <= EXACT / n;
}

size_t ub_krylov_bytes(int64_t n, int64_t room)
{
    const size_t numbers = (size_t)room * (size_t)n;
    return numbers * (is_exact(n, room) ? sizeof(double) : sizeof(float));
}

struct ub_krylov ub_krylov_new(int64_t n, int64_t room)
{
    struct ub_krylov k = {.n = n, .room = room, .noise = FIRST, .clean = true};
    if (is_exact(n, room))
        k.exact = ub_alloc(ub_krylov_bytes(n, room));
    else
        k.vectors = ub_alloc(ub_krylov_bytes(n, room));
    k.now = ub_calloc((size_t)room, sizeof *k.now);
    k.before = ub_calloc((size_t)room, sizeof *k.before);
    k.along = ub_calloc(2 * (size_t)room, sizeof *k.along);
    return k;
}

void ub_krylov_free(struct ub_krylov *k)
{
    ub_free(k->exact);
    ub_free(k->vectors);
    ub_free(k->now);
    ub_free(k->before);
    ub_free(k->along);
    *k = (struct ub_krylov){0};
}

static void store(const struct ub_krylov *k, int64_t at, const double *q)
{
    if (k->exact) {
        memcpy(k->exact + at * k->n, q, (size_t)k->n * sizeof *q);
        return;
    }
    float *row = k->vectors + at * k->n;
    for (int64_t i = 0; i < k->n; i++)
        row[i] = (float)q[i];
}

void ub_krylov_add(struct ub_krylov *k, const double *q)
{
    store(k, k->size++, q);
}

/* Simon's recurrence, from q' A v = v' A q for each vector v kept, with rounding added to each
 * entry; `now` has those of q with the vectors before it, `before` those of the one before q. */
bool ub_krylov_lost(struct ub_krylov *k, const double *alpha, const double *beta, double length,
                    double norm)
{
    const int64_t j = k->size - 1;
    const double rounding = k->noise * fmax(norm / length, 1);
    double *next = k->before, most = rounding; /* entry by entry where the old one was read */
    if (k->exact)
        return true;
    for (int64_t i = 0; i < j; i++) {
        const bool neighbor = i + 1 == j;
        double sum = beta[i] * (neighbor ? 1 : k->now[i + 1]) + (alpha[i] - alpha[j]) * k->now[i];
        sum += i > 0 ? beta[i - 1] * k->now[i - 1] : 0;
        sum -= beta[j - 1] * (neighbor ? 1 : k->before[i]);
        next[i] = sum / length + copysign(rounding, sum);
        most = fmax(most, fabs(next[i]));
    }
    next[j] = rounding;
    k->before = k->now;
    k->now = next;
    const bool lost = !(most <= LIMIT);
    k->clean = k->clean && lost;
    return lost;
}

/* ---- purging: vectors kept in double precision, at once ---- */

static void purge_exactly(const struct ub_krylov *k, double *w)
{
    const int n = (int)k->n, rows = (int)k->size;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, n, 1, k->exact, n, w, 1, 0, k->along, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, rows, n, -1, k->exact, n, k->along, 1, 1, w, 1);
}

/* ---- in single precision, w and q by panels ---- */

static void find(const struct ub_krylov *k, int64_t at, int64_t rows, const double *x,
                 double length, float *along)
{
    float part[PANEL];
    const int64_t width = k->n - at < PANEL ? k->n - at : PANEL;
    for (int64_t i = 0; i < width; i++)
        part[i] = (float)(x[at + i] / length);
    if (rows > 0)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)width, 1, k->vectors + at,
                    (int)k->n, part, 1, at > 0, along, 1);
}

static void subtract(const struct ub_krylov *k, int64_t at, int64_t rows, const float *along,
                     double length, double *x)
{
    float part[PANEL] = {0};
    const int64_t width = k->n - at < PANEL ? k->n - at : PANEL;
    if (rows > 0)
        cblas_sgemv(CblasRowMajor, CblasTrans, (int)rows, (int)width, 1, k->vectors + at, (int)k->n,
                    along, 1, 0, part, 1);
    for (int64_t i = 0; i < width; i++)
        x[at + i] -= length * (double)part[i];
}

/* Scales the noise by what was found over what was thought; down by no more than 4 at once. */
static void learn(struct ub_krylov *k, const float *found, int64_t rows)
{
    double most = 0, thought = 0;
    for (int64_t i = 0; i < rows; i++) {
        most = fmax(most, fabs((double)found[i]));
        thought = fmax(thought, fabs(k->now[i]));
    }
    if (thought > 0)
        k->noise = fmin(fmax(k->noise * fmax(most / thought, 0.25), LEAST), MOST);
}

void ub_krylov_purge(struct ub_krylov *k, double *q, double *w)
{
    const int64_t rows = k->size, last = rows - 1;
    const double length = k->exact ? 0 : cblas_dnrm2((int)k->n, w, 1);
    float *of_w = (float *)k->along, *of_q = of_w + rows;
    if (k->exact)
        purge_exactly(k, w);
    if (!(length > 0))
        return;
    const int64_t rows_q = k->clean ? 0 : last;
    for (int64_t at = 0; at < k->n; at += PANEL) {
        find(k, at, rows, w, length, of_w);
        find(k, at, rows_q, q, 1, of_q);
    }
    for (int64_t at = 0; at < k->n; at += PANEL) {
        subtract(k, at, rows, of_w, length, w);
        subtract(k, at, rows_q, of_q, 1, q);
    }
    if (rows_q > 0)
        store(k, last, q);
    learn(k, of_w, last);
    for (int64_t i = 0; i < rows; i++)
        k->now[i] = k->noise;
    for (int64_t i = 0; i < rows_q; i++)
        k->before[i] = k->noise;
    k->clean = true;
    k->purges++;
}
