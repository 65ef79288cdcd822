#include "systems/ball.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

const char *const ub_ball_names[] = {"max", "spectral", "block", "euclidean", NULL};

void ub_matrix_shape(const struct ub_param *param, int64_t *rows, int64_t *columns)
{
    *rows = param->rank >= 2 ? param->shape[0] : param->size;
    *columns = param->rank >= 2 ? param->size / param->shape[0] : 1;
}

struct ub_ball *ub_ball_new(const char *name, const struct ub_layout *layout, int64_t size,
                            bool rates)
{
    const bool whole = !layout || strcmp(name, "euclidean") == 0;
    struct ub_ball *ball = ub_calloc(1, sizeof *ball);
    *ball = (struct ub_ball){
        .greedy = strcmp(name, "block") == 0, .size = size, .count = whole ? 1 : layout->count};
    ball->parts = ub_calloc((size_t)ball->count + 1, sizeof *ball->parts);
    for (int64_t i = 0; i < ball->count; i++) {
        struct ub_ball_part *part = &ball->parts[i];
        *part = (struct ub_ball_part){
            .rows = size, .columns = 1, .shape = UB_BALL_EUCLIDEAN, .radius = 1};
        if (!whole) {
            part->offset = layout->params[i].offset;
            part->radius = rates ? layout->params[i].rate_scale : 1;
            ub_matrix_shape(&layout->params[i], &part->rows, &part->columns);
        }
        if (strcmp(name, "max") == 0)
            part->shape = UB_BALL_MAX;
        if (strcmp(name, "spectral") == 0)
            part->shape = UB_BALL_SPECTRAL;
    }
    return ball;
}

void ub_ball_free(struct ub_ball *ball)
{
    if (!ball)
        return;
    ub_free(ball->parts);
    ub_free(ball);
}

/* ---- parts ---- */

static double euclidean(int64_t n, const double *x)
{
    return cblas_dnrm2((blasint)n, x, 1);
}

/* Thin factors of a row-major matrix, that is of its transpose column-major: u is columns x k,
 * vt k x rows, k = min(rows, columns). False where it is not finite. */
static bool factor(int64_t rows, int64_t columns, const double *a, double *s, double *u, double *vt)
{
    const lapack_int m = (lapack_int)columns, n = (lapack_int)rows, k = m < n ? m : n;
    double *copy = ub_alloc((size_t)(rows * columns) * sizeof *copy);
    memcpy(copy, a, (size_t)(rows * columns) * sizeof *copy);
    const char job = u ? 'S' : 'N';
    const bool good = LAPACKE_dgesdd(LAPACK_COL_MAJOR, job, m, n, copy, m, s, u, m, vt, k) == 0;
    ub_free(copy);
    return good;
}

/* d = radius U V' of a row-major g = U S V'. Returns the nuclear norm. */
static double polar(const struct ub_ball_part *part, const double *g, double *d)
{
    const int64_t rows = part->rows, columns = part->columns, k = rows < columns ? rows : columns;
    double *s = ub_calloc((size_t)k, sizeof *s);
    double *u = ub_calloc((size_t)(k * columns), sizeof *u);
    double *vt = ub_calloc((size_t)(k * rows), sizeof *vt);
    double sum = NAN;
    if (factor(rows, columns, g, s, u, vt)) {
        int64_t rank = 0;
        sum = 0;
        while (rank < k && s[rank] > s[0] * (double)(rows + columns) * DBL_EPSILON)
            sum += s[rank++];
        if (rank > 0)
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, (blasint)columns, (blasint)rows,
                        (blasint)rank, part->radius, u, (blasint)columns, vt, (blasint)k, 0, d,
                        (blasint)columns);
    }
    for (int64_t i = 0; !(sum > 0) && i < rows * columns; i++)
        d[i] = sum; /* 0 or NAN */
    ub_free(s);
    ub_free(u);
    ub_free(vt);
    return sum;
}

static bool is_vector(const struct ub_ball_part *part)
{
    return part->rows == 1 || part->columns == 1;
}

/* d maximizes <g, d> over |d| <= radius; returns the dual norm, without the radius. */
static double oracle(const struct ub_ball_part *part, const double *g, double *d)
{
    const int64_t n = part->rows * part->columns;
    double dual = 0;
    if (part->shape == UB_BALL_SPECTRAL && !is_vector(part))
        return polar(part, g, d);
    if (part->shape == UB_BALL_MAX) {
        for (int64_t i = 0; i < n; i++) {
            d[i] = isnan(g[i]) ? g[i] : part->radius * (double)((g[i] > 0) - (g[i] < 0));
            dual += fabs(g[i]);
        }
        return dual;
    }
    dual = euclidean(n, g);
    for (int64_t i = 0; i < n; i++)
        d[i] = dual == 0 ? 0 : part->radius * (g[i] / dual);
    return dual;
}

static double norm(const struct ub_ball_part *part, const double *d)
{
    const int64_t n = part->rows * part->columns;
    if (part->shape == UB_BALL_MAX)
        return fabs(d[cblas_idamax((blasint)n, d, 1)]);
    if (part->shape == UB_BALL_EUCLIDEAN || is_vector(part))
        return euclidean(n, d);
    const int64_t k = part->rows < part->columns ? part->rows : part->columns;
    double *s = ub_calloc((size_t)k, sizeof *s);
    const double largest = factor(part->rows, part->columns, d, s, NULL, NULL) ? s[0] : (double)NAN;
    ub_free(s);
    return largest;
}

/* ---- balls ---- */

double ub_ball_norm(const struct ub_ball *ball, const double *d)
{
    double all = 0;
    for (int64_t b = 0; b < ball->count; b++) {
        const double one = norm(&ball->parts[b], d + ball->parts[b].offset) / ball->parts[b].radius;
        all = ball->greedy ? all + one : isnan(one) || one > all ? one : all;
    }
    return all;
}

static double greedy_oracle(const struct ub_ball *ball, const double *g, double *d)
{
    double most = -1;
    int64_t best = 0;
    for (int64_t b = 0; b < ball->count; b++) {
        const struct ub_ball_part *part = &ball->parts[b];
        const double one = part->radius * euclidean(part->rows * part->columns, g + part->offset);
        if (isnan(one) || one > most) {
            most = one;
            best = b;
        }
        if (isnan(one))
            break;
    }
    memset(d, 0, (size_t)ball->size * sizeof *d);
    oracle(&ball->parts[best], g + ball->parts[best].offset, d + ball->parts[best].offset);
    return most;
}

double ub_ball_oracle(const struct ub_ball *ball, const double *g, double *d)
{
    if (ball->greedy)
        return greedy_oracle(ball, g, d);
    double dual = 0;
    for (int64_t b = 0; b < ball->count; b++) {
        const struct ub_ball_part *part = &ball->parts[b];
        dual += part->radius * oracle(part, g + part->offset, d + part->offset);
    }
    return dual;
}
