/* eigen.c - the largest eigenvalues of a slowly changing symmetric operator.
 *
 * Method: block Davidson without a preconditioner (Davidson 1975, doi:10.1016/0021-9991(75)90065-0;
 * Saad 2011, Numerical Methods for Large Eigenvalue Problems, chapter 8). A subspace and its image
 * under the operator are kept; Rayleigh-Ritz gives the pairs; the residuals of pairs that have not
 * converged, which cost no product, are the new directions. From a random block this is block
 * Lanczos with full reorthogonalisation, and with its restarts thick-restart Lanczos (Wu and Simon
 * 2000, doi:10.1137/S0895479898334605); from the last call's vectors it needs few steps.
 *
 * Two things make warm starts cheap and safe.
 * - The subspace is extrapolated: its last displacement, times the factor that would have predicted
 *   the displacements so far best in least squares, is added. The factor is near 1 when iterates
 *   drift and negative when they oscillate.
 * - Every few calls a scout joins the starting block: a vector outside the wanted ones that takes a
 *   step up the Rayleigh quotient each time and carries a little noise. It finds eigenvalues that
 *   have overtaken the wanted ones in a direction the wanted vectors' residuals do not see.
 *
 * Where values alone are wanted, to an accuracy, two pairs more than wanted start along, so that
 * the gap to the rest is known and what rises next is in sight, and each step takes the one
 * residual that is furthest from its goal. At the edge of stability that saves 6 to 13% of the
 * products; how few will do is set by how far the vectors turn between calls, not by the rule that
 * stops: told the true eigenvalues, and stopped at an error of 1e-3, the same method takes 11
 * products for the top 2 where residuals of 1e-3, whose values are right to 1e-5, take 18. The
 * gradient, the last update and up to 12 gradients before, tried as further directions, cost more
 * products than they saved. */
#include "bench/spectra/eigen.h"
#include "bench/spectra/eigen_space.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum {
    SMALL_TOP = 8,   /* up to here the first block is as wide as the number wanted */
    BLOCK = 4,       /* else this wide, and never wider when it grows */
    EXTRA = 40,      /* room in the subspace beyond the pairs wanted */
    SCOUT_EVERY = 4, /* calls */
    HARD = 3,        /* products per pair from which the next call has a scout in any case */
    SPARES = 2,      /* pairs beyond those wanted that are followed where an accuracy is asked */
    PATIENCE = 40    /* products without progress, at the level of noise, before a call gives up */
};
static const double DRIFT_MEMORY = 0.8;    /* weight of the past in the extrapolation factor */
static const double SCOUT_NOISE = 0.1;     /* length of the scout's random part */
static const double GUARD = 2;             /* residuals allowed, in units of the accuracy */
static const double NEW_DIRECTION = 1e-10; /* a candidate keeps at least this of its length */

struct ub_eigen_tracker {
    int64_t n, top, calls;
    int64_t products, effort; /* spent in this call and in the one before */
    struct ub_space space;
    int64_t found;                      /* pairs of the last successful call; 0 before the first */
    double *value, *residual, *vectors; /* what the last call returned */
    double *bound; /* of the errors of the values, where an accuracy is asked */
    double *spare; /* pairs after those wanted; NULL before they are needed */
    int64_t spares;
    struct ub_eigen_goal goal;
    double *next;  /* top x n: where the next such vectors are built */
    double *drift; /* the last displacement of vectors, row by row */
    bool has_drift, has_scout;
    double worst;     /* longest residual that has not converged, of those last looked at */
    bool broke_down;  /* in this call an invariant subspace left no direction to go on in */
    double confirmed; /* sum of the wanted values when random directions were last added */
    double drift_products, drift_squares; /* least squares for the extrapolation factor */
    double *scout;
    double *shared; /* top x top: overlaps of vectors between calls */
    struct ub_random random;
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static size_t bytes_of(const struct ub_eigen_tracker *t, int64_t rows)
{
    return (size_t)rows * (size_t)t->n * sizeof(double);
}

struct ub_eigen_tracker *ub_eigen_tracker_new(int64_t n, int64_t top)
{
    if (n < 1 || n > INT_MAX || top < 1)
        return NULL;
    struct ub_eigen_tracker *t = ub_calloc(1, sizeof *t);
    t->n = n;
    t->top = smaller(top, n);
    ub_space_init(&t->space, n, smaller(n, t->top + EXTRA), true);
    t->value = ub_calloc((size_t)t->top, sizeof(double));
    t->residual = ub_calloc((size_t)t->top, sizeof(double));
    t->bound = ub_calloc((size_t)t->top, sizeof(double));
    t->vectors = ub_calloc(1, bytes_of(t, t->top));
    t->next = ub_calloc(1, bytes_of(t, t->top));
    t->drift = ub_calloc(1, bytes_of(t, t->top));
    t->scout = ub_calloc(1, bytes_of(t, 1));
    t->shared = ub_calloc((size_t)t->top, (size_t)t->top * sizeof(double));
    t->random = ub_random_stream(0, "probes");
    return t;
}

void ub_eigen_tracker_free(struct ub_eigen_tracker *t)
{
    if (!t)
        return;
    ub_space_free(&t->space);
    ub_free(t->value);
    ub_free(t->residual);
    ub_free(t->bound);
    ub_free(t->spare);
    ub_free(t->vectors);
    ub_free(t->next);
    ub_free(t->drift);
    ub_free(t->scout);
    ub_free(t->shared);
    ub_free(t);
}

/* ---- one call ---- */

static double *candidates(const struct ub_eigen_tracker *t)
{
    return t->space.basis + t->space.size * t->n;
}

static int64_t random_block(struct ub_eigen_tracker *t, int64_t count)
{
    double *rows = candidates(t);
    for (int64_t i = 0; i < count * t->n; i++)
        rows[i] = ub_random_normal(&t->random);
    return ub_space_orthonormalize(&t->space, count, NEW_DIRECTION, false);
}

/* Cold: as wide as the number wanted, if that is small, so that repeated eigenvalues are all seen
 * (a Krylov space of a block of b vectors holds b copies at most). */
static int64_t block_size(const struct ub_eigen_tracker *t)
{
    return t->top <= SMALL_TOP ? t->top : smaller(BLOCK, t->n);
}

static bool scout_is_due(const struct ub_eigen_tracker *t)
{
    const bool hard = t->effort > HARD * t->top && t->spares == 0;
    return t->has_scout && (hard || t->calls % SCOUT_EVERY == 0) && t->found < t->space.room;
}

/* a += factor b and a . b, for matrices of top rows; by rows, for a length must fit an int. */
static void add_rows(const struct ub_eigen_tracker *t, double factor, const double *b, double *a)
{
    for (int64_t i = 0; i < t->top; i++)
        cblas_daxpy((int)t->n, factor, b + i * t->n, 1, a + i * t->n, 1);
}

static double dot_rows(const struct ub_eigen_tracker *t, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < t->top; i++)
        sum += cblas_ddot((int)t->n, a + i * t->n, 1, b + i * t->n, 1);
    return sum;
}

static double drift_factor(const struct ub_eigen_tracker *t)
{
    if (!(t->drift_squares > 0))
        return 0;
    return fmax(-1, fmin(1, t->drift_products / t->drift_squares));
}

/* A cold call, which knows of no gap, goes by residuals. */
static bool is_by_accuracy(const struct ub_eigen_tracker *t)
{
    return t->goal.accuracy > 0 && t->top <= SMALL_TOP && t->found > 0;
}

/* Candidates for the first block: the extrapolated vectors and now and then the scout. */
static int64_t first_block(struct ub_eigen_tracker *t)
{
    if (t->found == 0)
        return random_block(t, block_size(t));
    double *rows = candidates(t);
    int64_t count = t->found;
    memcpy(rows, t->vectors, bytes_of(t, count));
    if (t->has_drift)
        add_rows(t, drift_factor(t), t->drift, rows);
    if (is_by_accuracy(t)) {
        const int64_t more = smaller(t->spares, t->space.room - count);
        memcpy(rows + count * t->n, t->spare, bytes_of(t, more));
        count += more;
    }
    if (scout_is_due(t) && count < t->space.room)
        memcpy(rows + count++ * t->n, t->scout, bytes_of(t, 1));
    return ub_space_orthonormalize(&t->space, count, NEW_DIRECTION, false);
}

/* A residual counts as converged below this; no residual is smaller than rounding. */
static double enough(const struct ub_eigen_tracker *t, double tolerance)
{
    const struct ub_space *s = &t->space;
    const double most = fmax(fabs(s->value[0]), fabs(s->value[smaller(t->top, s->size) - 1]));
    return fmax(tolerance * most, 64 * 0x1p-52 * s->norm);
}

/* What residuals must reach where they are all that counts. */
static double residual_goal(const struct ub_eigen_goal *goal)
{
    if (goal->accuracy > 0 && goal->tolerance > 0)
        return fmin(goal->accuracy, goal->tolerance);
    return goal->accuracy > 0 ? goal->accuracy : goal->tolerance;
}

/* Lengths of the residuals, whose rows they are, of the pairs wanted, and the bounds. */
static void find_bounds(struct ub_eigen_tracker *t, int64_t top, const double *rows)
{
    const struct ub_space *s = &t->space;
    for (int64_t i = 0; i < top; i++)
        t->residual[i] = cblas_dnrm2((int)t->n, rows + i * t->n, 1);
    if (!is_by_accuracy(t))
        return;
    const double next = s->size > top ? s->value[top] : INFINITY; /* no gap is known */
    ub_eigen_bounds(top, s->value, t->residual, next, t->bound);
}

/* How far pair i is from its goal: 1 or less where it is there. */
static double distance_to_goal(const struct ub_eigen_tracker *t, int64_t i)
{
    const double residual = t->residual[i], accuracy = enough(t, t->goal.accuracy);
    double far = fmax(t->bound[i] / accuracy, residual / enough(t, GUARD * t->goal.accuracy));
    far = fmin(far, residual / accuracy);
    return t->goal.tolerance > 0 ? fmax(far, residual / enough(t, t->goal.tolerance)) : far;
}

/* The residual of the pair that is furthest from its goal, into the first candidate row; 0 when all
 * are there. */
static int64_t gather_furthest(struct ub_eigen_tracker *t)
{
    const int64_t top = smaller(t->top, t->space.size);
    double furthest = 1;
    int64_t at = -1;
    ub_space_residuals(&t->space, 0, top, t->next);
    find_bounds(t, top, t->next);
    for (int64_t i = 0; i < top; i++)
        if (distance_to_goal(t, i) > furthest) {
            furthest = distance_to_goal(t, i);
            at = i;
        }
    t->worst = at < 0 ? 0 : t->residual[at];
    if (at >= 0)
        memcpy(candidates(t), t->next + at * t->n, bytes_of(t, 1));
    return at >= 0;
}

/* Residuals of up to `most` unconverged pairs, from rank *first on, into the candidate rows;
 * *first moves to the first such pair. */
static int64_t gather(struct ub_eigen_tracker *t, double tolerance, int64_t most, int64_t *first)
{
    const int64_t n = t->n, top = smaller(t->top, t->space.size);
    const double limit = enough(t, tolerance);
    int64_t kept = 0, rank = *first;
    *first = top;
    t->worst = 0;
    while (rank < top && kept < most) {
        const int64_t count = smaller(most - kept, top - rank);
        double *r = candidates(t) + kept * n;
        ub_space_residuals(&t->space, rank, count, r);
        int64_t found = 0;
        for (int64_t i = 0; i < count; i++) {
            const double length = cblas_dnrm2((int)n, r + i * n, 1);
            if (length <= limit)
                continue;
            t->worst = fmax(t->worst, length);
            *first = smaller(*first, rank + i);
            if (found != i)
                memcpy(r + found * n, r + i * n, bytes_of(t, 1));
            found++;
        }
        kept += found;
        rank += count;
    }
    return kept;
}

/* An invariant subspace with pairs still wanted means repeated eigenvalues or low rank, of which
 * the space may hold too few copies. Then random directions are added until they change nothing. */
static bool is_complete(struct ub_eigen_tracker *t, double tolerance)
{
    if (t->space.size < t->top)
        return false;
    if (!t->broke_down)
        return true;
    double sum = 0;
    for (int64_t i = 0; i < t->top; i++)
        sum += t->space.value[i];
    const bool same = fabs(sum - t->confirmed) <= enough(t, tolerance);
    t->confirmed = sum;
    return same;
}

/* Orthonormal new directions, at most `most`; 0 when all pairs wanted have converged. */
static int64_t next_block(struct ub_eigen_tracker *t, double tolerance, int64_t most,
                          int64_t *first)
{
    const int64_t began = *first;
    int64_t count = is_by_accuracy(t) ? gather_furthest(t) : gather(t, tolerance, most, first);
    if (count == 0 && began > 0) { /* converged one after the other: make sure that all still are */
        *first = 0;
        count = gather(t, tolerance, most, first);
    }
    if (count == 0 && is_complete(t, tolerance))
        return 0;
    count = ub_space_orthonormalize(&t->space, count, NEW_DIRECTION, false);
    if (count == 0) {
        t->broke_down = true;
        count = random_block(t, most);
    }
    *first = smaller(*first, t->space.size - 1);
    return count;
}

/* Residuals at the level of the products' own errors that stay there: more products are in vain.
 * *least is the smallest so far that halved the one before, met after *met products. */
static bool is_noise(const struct ub_eigen_tracker *t, double *least, int64_t *met)
{
    if (t->worst == 0) { /* all have converged: more copies of them are looked for */
        *met = t->products;
        return false;
    }
    if (t->worst < *least / 2) {
        *least = t->worst;
        *met = t->products;
    }
    return t->products - *met >= PATIENCE && t->worst <= ub_space_noise(&t->space);
}

/* False if a product is not finite or the space is empty. */
static bool iterate(struct ub_eigen_tracker *t, const struct ub_operator *a, double tolerance,
                    int64_t budget)
{
    struct ub_space *s = &t->space;
    const int64_t block = block_size(t);
    int64_t first = 0, met = 0;
    double least = INFINITY;
    s->size = s->pairs = 0;
    s->norm = s->asymmetry = 0;
    t->broke_down = false;
    t->confirmed = NAN;
    int64_t count = first_block(t);
    if (count == 0)
        return false;
    while (count > 0) {
        count = smaller(count, budget - t->products);
        a->apply(a->context, count, candidates(t), s->image + s->size * t->n);
        t->products += count;
        if (!ub_space_extend(s, count) || !ub_space_ritz(s))
            return false;
        if (t->products >= budget || s->size == t->n)
            break;
        if (s->size + block > s->room && s->room < t->n)
            ub_space_restart(s, smaller(s->room - block, t->top + EXTRA / 2));
        count = next_block(t, tolerance, smaller(block, s->room - s->size), &first);
        if (count > 0 && is_noise(t, &least, &met))
            break;
    }
    return true;
}

/* ---- between calls ---- */

/* The displacement of the vectors since the last call, free of rotations among themselves: the
 * new vectors less their projections on the old. The factor that extrapolates it is fitted over
 * the calls so far, old displacements turned into the frame of the new vectors. Called when the
 * space is done with, whose rows are scratch. */
static void update_drift(struct ub_eigen_tracker *t)
{
    const int n = (int)t->n, k = (int)t->top;
    double *drift = t->space.image, *turned = t->space.basis;
    memcpy(drift, t->next, bytes_of(t, k));
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, k, k, n, 1, t->next, n, t->vectors, n, 0,
                t->shared, k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, k, n, k, -1, t->shared, k, t->vectors, n,
                1, drift, n);
    const bool slow = dot_rows(t, drift, drift) < 0.25 * k; /* within 30 degrees, on average */
    if (!slow) {
        t->drift_products = t->drift_squares = 0;
    } else if (t->has_drift) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, k, n, k, 1, t->shared, k, t->drift,
                    n, 0, turned, n);
        t->drift_products = DRIFT_MEMORY * t->drift_products + dot_rows(t, turned, drift);
        t->drift_squares = DRIFT_MEMORY * t->drift_squares + dot_rows(t, turned, turned);
    }
    t->has_drift = slow;
    memcpy(t->drift, drift, bytes_of(t, k));
}

/* One step up the Rayleigh quotient from the first Ritz vector that is not wanted. */
static void update_scout(struct ub_eigen_tracker *t)
{
    const struct ub_space *s = &t->space;
    if (s->size <= t->top || (t->has_scout && !scout_is_due(t)))
        return;
    ub_space_residuals(s, t->top, 1, t->next);
    ub_space_vectors(s, t->top, 1, t->scout);
    if (s->norm > 0)
        cblas_daxpy((int)t->n, 1 / s->norm, t->next, 1, t->scout, 1);
    const double noise = SCOUT_NOISE / sqrt((double)t->n);
    for (int64_t i = 0; i < t->n; i++)
        t->scout[i] += noise * ub_random_normal(&t->random);
    t->has_scout = true;
}

/* The pairs after those wanted, for the next call to start from. */
static void keep_spares(struct ub_eigen_tracker *t)
{
    const int64_t left = t->space.size - t->top;
    t->spares = t->goal.accuracy > 0 && left > 0 ? smaller(SPARES, left) : 0;
    if (t->spares == 0)
        return;
    if (!t->spare)
        t->spare = ub_calloc(1, bytes_of(t, SPARES));
    ub_space_vectors(&t->space, t->top, t->spares, t->spare);
}

static bool finish(struct ub_eigen_tracker *t, double tolerance)
{
    struct ub_space *s = &t->space;
    const int64_t top = smaller(t->top, s->size);
    const double limit = enough(t, tolerance);
    bool converged = top == t->top;
    update_scout(t);
    memcpy(t->value, s->value, (size_t)top * sizeof(double));
    ub_space_residuals(s, 0, top, t->next);
    find_bounds(t, top, t->next);
    for (int64_t i = 0; i < top; i++)
        converged &= is_by_accuracy(t) ? !(distance_to_goal(t, i) > 1) : t->residual[i] <= limit;
    ub_space_vectors(s, 0, top, t->next);
    keep_spares(t);
    if (top == t->top && t->found == top)
        update_drift(t);
    else
        t->has_drift = false;
    double *old = t->vectors;
    t->vectors = t->next;
    t->next = old;
    t->found = top;
    return converged;
}

struct ub_eigen_result ub_eigen_track_to(struct ub_eigen_tracker *t, const struct ub_operator *a,
                                         const struct ub_eigen_goal *goal)
{
    struct ub_eigen_result r = {0};
    const double tolerance = residual_goal(goal);
    t->goal = *goal;
    t->effort = t->products;
    t->products = 0;
    if (goal->products > 0 && iterate(t, a, tolerance, goal->products)) {
        r.converged = finish(t, tolerance);
        r.count = t->found;
    }
    t->calls++;
    r.products = t->products;
    r.value = t->value;
    r.residual = t->residual;
    r.vectors = t->vectors;
    return r;
}

struct ub_eigen_result ub_eigen_track(struct ub_eigen_tracker *t, const struct ub_operator *a,
                                      double tolerance, int64_t max_products)
{
    const struct ub_eigen_goal goal = {.tolerance = tolerance, .products = max_products};
    return ub_eigen_track_to(t, a, &goal);
}
