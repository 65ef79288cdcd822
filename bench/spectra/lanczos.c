/* lanczos.c - thick-restart block Lanczos; see lanczos.h.
 *
 * Kept exactly, for the products as they were computed, is
 *     A V' = V' (T + K) + Q' B
 * with the m orthonormal rows V, the block Q of orthonormal rows that wait for their products, the
 * symmetric T, the antisymmetric K (zero but for rounding in the operator) and the coupling B. So
 * a Ritz pair T s = value s has the residual K s along V and B s along Q. A restart, V <- S V for
 * rows S of eigenvectors of T, turns T into the values, K into S K S' and B into B S'. */
#include "bench/spectra/lanczos.h"
#include "bench/spectra/eigen_space.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 4, DENSE = 200, ROOM_BLOCKS = 16 };
static const double NEW_DIRECTION = 1e-10; /* a product keeps at least this of its length */

struct lanczos {
    const struct ub_operator *a;
    struct ub_lanczos_options o; /* defaults filled in */
    int64_t n, room, width;      /* width: room and two blocks */
    struct ub_space space;       /* V, T and its eigenpairs; Q is in the rows after V */
    int64_t next;                /* rows of Q */
    double *product;             /* block x n: A times the rows in turn, less what T and B say */
    double *coupling;            /* B: block x width; zero in columns before `coupled` */
    int64_t coupled;
    double *skew;     /* K: width x width */
    double *residual; /* width: of the pairs wanted, in order */
    double *work;     /* width x width */
    struct ub_random random;
    int64_t products, restarts, converged;
    bool broke_down;  /* the Krylov space closed and random directions were added */
    double confirmed; /* sum of the wanted values when all had converged after that */
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* c (rows x columns; ldc apart) = a b or a b'. */
static void product(int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t lda,
                    const double *b, int64_t ldb, bool transposed, double *c, int64_t ldc)
{
    if (rows > 0 && columns > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, (int)rows,
                    (int)columns, (int)inner, 1, a, (int)lda, b, (int)ldb, 0, c, (int)ldc);
}

/* ---- the wanted end ---- */

static bool top_comes_first(enum ub_which which, int64_t taken, double top, double bottom)
{
    switch (which) {
    case UB_LARGEST:
        return true;
    case UB_SMALLEST:
        return false;
    case UB_BOTH_ENDS:
        return taken % 2 == 0;
    case UB_LARGEST_MAGNITUDE:
        break;
    }
    return fabs(top) >= fabs(bottom);
}

/* order[i]: which of the m descending values comes i-th, most wanted first. */
static void rank_values(enum ub_which which, int64_t m, const double *value, int64_t *order)
{
    int64_t top = 0, bottom = m - 1;
    for (int64_t i = 0; i < m; i++)
        order[i] = top_comes_first(which, i, value[top], value[bottom]) ? top++ : bottom--;
}

static void reorder(int64_t m, const int64_t *order, double *rows, int64_t length, int64_t apart)
{
    double *copy = ub_alloc((size_t)(m * length) * sizeof *copy);
    for (int64_t i = 0; i < m; i++)
        memcpy(copy + i * length, rows + order[i] * apart, (size_t)length * sizeof *copy);
    for (int64_t i = 0; i < m; i++)
        memcpy(rows + i * apart, copy + i * length, (size_t)length * sizeof *copy);
    ub_free(copy);
}

/* ---- growing the space ---- */

static double *waiting(const struct lanczos *l)
{
    return l->space.basis + l->space.size * l->n;
}

/* Adds random rows to those that wait, up to `count` of them. */
static void add_random(struct lanczos *l, int64_t count)
{
    struct ub_space *s = &l->space;
    while (l->next < count) {
        double *rows = waiting(l) + l->next * l->n;
        const int64_t missing = count - l->next, before = l->next;
        for (int64_t i = 0; i < missing * l->n; i++)
            rows[i] = ub_random_normal(&l->random);
        s->size += before;
        l->next += ub_space_orthonormalize(s, missing, NEW_DIRECTION, false);
        s->size -= before;
    }
}

static void first_block(struct lanczos *l)
{
    const int64_t block = smaller(l->o.block, l->o.max_products), starts = l->o.starts;
    if (starts > 0) {
        double *mix = ub_alloc((size_t)(block * starts) * sizeof *mix);
        for (int64_t i = 0; i < block * starts; i++)
            mix[i] = ub_random_normal(&l->random);
        product(block, l->n, starts, mix, starts, l->o.start, l->n, false, waiting(l), l->n);
        ub_free(mix);
        l->next = ub_space_orthonormalize(&l->space, block, NEW_DIRECTION, false);
    }
    add_random(l, block);
}

/* Takes from the products P of the waiting rows Q what is known of them: along V by symmetry B, and
 * along Q, which goes into `within` (b x b). A row of which nothing but rounding is left becomes 0.
 */
static void take_known(const struct lanczos *l, int64_t b, double *within)
{
    const int64_t n = l->n, w = l->width, first = l->coupled, known = l->space.size - first;
    double *p = l->product;
    double *before = ub_alloc((size_t)b * sizeof *before);
    ub_inner_products(b, b, n, p, waiting(l), within);
    for (int64_t i = 0; i < b; i++)
        before[i] = cblas_dnrm2((int)n, p + i * n, 1);
    ub_combine(b, n, b, -1, within, b, waiting(l), 1, p);
    ub_combine(b, n, known, -1, l->coupling + first, w, l->space.basis + first * n, 1, p);
    for (int64_t i = 0; i < b; i++)
        if (cblas_dnrm2((int)n, p + i * n, 1) <= NEW_DIRECTION * before[i])
            memset(p + i * n, 0, (size_t)n * sizeof *p);
    ub_free(before);
}

/* Takes the waiting rows into the space. False if a product is not finite. */
static bool multiply(struct lanczos *l)
{
    struct ub_space *s = &l->space;
    const int64_t m = s->size, b = l->next, total = m + b, w = l->width;
    double *within = ub_alloc((size_t)(b * b) * sizeof *within);
    ub_operator_apply(l->a, b, waiting(l), l->product);
    l->products += b;
    take_known(l, b, within);
    ub_inner_products(b, total, l->n, l->product, s->basis, l->work);
    bool finite = true;
    for (int64_t i = 0; i < b * total; i++)
        finite = finite && isfinite(l->work[i]);
    for (int64_t i = 0; i < b; i++)
        for (int64_t j = 0; j < total; j++) {
            const int64_t row = m + i, k = j - m;
            const double rest = l->work[i * total + j]; /* v_j' A q_i, and q_i' A v_j: */
            const double back =
                j < m ? l->coupling[i * w + j] : within[k * b + i] + l->work[k * total + row];
            const double into = (j < m ? back : within[i * b + k]) + rest;
            s->projected[row * s->room + j] = s->projected[j * s->room + row] = (into + back) / 2;
            l->skew[j * w + row] = (into - back) / 2;
            l->skew[row * w + j] = (back - into) / 2;
        }
    s->size = total;
    ub_free(within);
    return finite;
}

/* What the last `b` products hold outside the space waits next, filled up with random rows. Their
 * inner products with the space are those that multiply() left in l->work. */
static void next_block(struct lanczos *l, int64_t b)
{
    struct ub_space *s = &l->space;
    const int64_t m = s->size, block = smaller(l->o.block, l->n - m);
    memcpy(waiting(l), l->product, (size_t)(b * l->n) * sizeof(double));
    l->next = smaller(ub_space_orthonormalize_along(s, b, l->work, NEW_DIRECTION, false), block);
    if (l->next < smaller(b, block))
        l->broke_down = true;
    add_random(l, block);
    memset(l->coupling, 0, (size_t)(l->o.block * l->width) * sizeof(double));
    l->coupled = m - b;
    product(l->next, b, l->n, waiting(l), l->n, l->product, l->n, true, l->coupling + m - b,
            l->width);
}

/* ---- Ritz pairs ---- */

static void find_residuals(struct lanczos *l, int64_t wanted)
{
    const struct ub_space *s = &l->space;
    const int64_t m = s->size, w = l->width;
    product(wanted, m, m, s->rotation, s->room, l->skew, w, false, l->work, m);
    for (int64_t i = 0; i < wanted; i++)
        l->residual[i] = cblas_dnrm2((int)m, l->work + i * m, 1);
    if (l->next == 0)
        return;
    product(wanted, l->next, m, s->rotation, s->room, l->coupling, w, true, l->work, l->next);
    for (int64_t i = 0; i < wanted; i++)
        l->residual[i] = hypot(l->residual[i], cblas_dnrm2((int)l->next, l->work + i * l->next, 1));
}

/* Ritz pairs, most wanted first, and how many have converged. False if LAPACK fails. */
static bool rate(struct lanczos *l)
{
    struct ub_space *s = &l->space;
    if (!ub_space_ritz(s))
        return false;
    const int64_t wanted = smaller(l->o.count, s->size);
    int64_t *order = ub_alloc((size_t)s->size * sizeof *order);
    rank_values(l->o.which, s->size, s->value, order);
    reorder(s->size, order, s->value, 1, 1);
    reorder(s->size, order, s->rotation, s->size, s->room);
    ub_free(order);
    find_residuals(l, wanted);
    const double limit = fmax(l->o.tolerance, 64 * 0x1p-52) * s->norm;
    l->converged = 0;
    for (int64_t i = 0; i < wanted; i++)
        l->converged += l->residual[i] <= limit;
    return true;
}

/* After the Krylov space has closed, there may be more copies of a value outside: done when one
 * more block of random directions has changed nothing. */
static bool is_done(struct lanczos *l)
{
    if (l->converged < l->o.count)
        return false;
    if (!l->broke_down)
        return true;
    double sum = 0;
    for (int64_t i = 0; i < l->o.count; i++)
        sum += l->space.value[i];
    const bool same = fabs(sum - l->confirmed) <= l->o.tolerance * l->space.norm;
    l->confirmed = sum;
    return same;
}

static void restart(struct lanczos *l)
{
    struct ub_space *s = &l->space;
    const int64_t m = s->size, w = l->width, wanted = l->o.count;
    const int64_t keep = smaller(wanted + (l->room - wanted) / 2, l->room - l->o.block);
    product(keep, m, m, s->rotation, s->room, l->skew, w, false, l->work, m);
    product(keep, keep, m, l->work, m, s->rotation, s->room, true, l->skew, w);
    product(l->next, keep, m, l->coupling, w, s->rotation, s->room, true, l->work, keep);
    for (int64_t i = 0; i < l->next; i++)
        memcpy(l->coupling + i * w, l->work + i * keep, (size_t)keep * sizeof(double));
    ub_space_restart(s, keep);
    memmove(waiting(l), s->basis + m * l->n, (size_t)(l->next * l->n) * sizeof(double));
    l->coupled = 0;
    l->restarts++;
}

/* Products before the next look at the Ritz pairs, whose cost is cubic in the space's size: each
 * missing pair will need one at least. */
static int64_t patience(const struct lanczos *l)
{
    const int64_t missing = (l->o.count - l->converged) / 2;
    return larger(l->o.block, smaller(missing, l->space.size / 8));
}

static bool iterate(struct lanczos *l, struct ub_error *err)
{
    struct ub_space *s = &l->space;
    int64_t look = l->o.count;
    first_block(l);
    for (;;) {
        const int64_t b = l->next;
        if (!multiply(l))
            return ub_fail(err, UB_INPUT,
                           "eigenvalues: a product among the first %lld is not finite",
                           (long long)l->products);
        next_block(l, b);
        const bool last = l->next == 0 || l->products + l->next > l->o.max_products;
        const bool full = s->size + l->next > l->room;
        if (!last && !full && l->products < look)
            continue;
        if (!rate(l))
            return ub_fail(err, UB_INTERNAL, "eigenvalues: LAPACK's dsyevd failed");
        if (is_done(l) || last)
            return true;
        if (full && l->room < l->n)
            restart(l);
        look = l->products + patience(l);
    }
}

/* ---- whole matrix ---- */

static void fill_dense(const struct ub_lanczos_options *o, int64_t n, const double *matrix,
                       double *rows, double *ascending, struct ub_eigenpairs *out)
{
    int64_t *order = ub_alloc((size_t)n * sizeof *order);
    double *descending = ub_alloc((size_t)n * sizeof *descending);
    for (int64_t i = 0; i < n; i++)
        descending[i] = ascending[n - 1 - i];
    rank_values(o->which, n, descending, order);
    for (int64_t i = 0; i < out->count; i++) {
        double *u = out->vectors + i * n;
        out->value[i] = descending[order[i]];
        memcpy(u, rows + (n - 1 - order[i]) * n, (size_t)n * sizeof *u);
    }
    double *error = rows; /* A u - value u; row i of the matrix is A e_i */
    product(out->count, n, n, out->vectors, n, matrix, n, false, error, n);
    for (int64_t i = 0; i < out->count; i++) {
        cblas_daxpy((int)n, -out->value[i], out->vectors + i * n, 1, error + i * n, 1);
        out->residual[i] = cblas_dnrm2((int)n, error + i * n, 1);
    }
    ub_free(order);
    ub_free(descending);
}

static bool solve_dense(const struct ub_operator *a, const struct ub_lanczos_options *o,
                        struct ub_eigenpairs *out, struct ub_error *err)
{
    const int64_t n = a->n;
    double *matrix = ub_calloc((size_t)n, (size_t)n * sizeof(double));
    double *rows = ub_calloc((size_t)n, (size_t)n * sizeof(double));
    double *ascending = ub_calloc((size_t)n, sizeof(double));
    bool fine = ub_operator_matrix(a, matrix);
    if (!fine)
        ub_fail(err, UB_INPUT, "eigenvalues: a product among the first %lld is not finite",
                (long long)n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            rows[i * n + j] = (matrix[i * n + j] + matrix[j * n + i]) / 2;
    fine = fine && ub_eigen_dense(n, rows, ascending, true, err);
    if (fine)
        fill_dense(o, n, matrix, rows, ascending, out);
    out->dense = true;
    out->products = n;
    out->converged = out->count;
    ub_free(matrix);
    ub_free(rows);
    ub_free(ascending);
    return fine;
}

/* ---- the call ---- */

static bool solve_iterating(const struct ub_operator *a, const struct ub_lanczos_options *o,
                            struct ub_eigenpairs *out, struct ub_error *err)
{
    const int64_t n = a->n;
    struct lanczos l = {.a = a, .o = *o, .n = n, .confirmed = NAN};
    l.room = smaller(n, larger(o->room, o->count + 2 * o->block));
    l.width = l.room + 2 * o->block;
    const size_t width = (size_t)l.width, block = (size_t)o->block;
    ub_space_init(&l.space, n, l.width, false);
    l.product = ub_calloc(block, (size_t)n * sizeof(double));
    l.coupling = ub_calloc(block, width * sizeof(double));
    l.skew = ub_calloc(width, width * sizeof(double));
    l.residual = ub_calloc(width, sizeof(double));
    l.work = ub_calloc(width, width * sizeof(double));
    l.random = ub_random_stream(o->seed, "eigenvalues");
    const bool fine = iterate(&l, err);
    if (fine) {
        out->count = smaller(o->count, l.space.size);
        memcpy(out->value, l.space.value, (size_t)out->count * sizeof(double));
        memcpy(out->residual, l.residual, (size_t)out->count * sizeof(double));
        ub_space_vectors(&l.space, 0, out->count, out->vectors);
    }
    out->products = l.products;
    out->restarts = l.restarts;
    out->converged = l.converged;
    ub_space_free(&l.space);
    ub_free(l.product);
    ub_free(l.coupling);
    ub_free(l.skew);
    ub_free(l.residual);
    ub_free(l.work);
    return fine;
}

/* Both ends come alternately out of the solver. */
static void sort_descending(struct ub_eigenpairs *p)
{
    int64_t *order = ub_alloc((size_t)p->count * sizeof *order), at = 0;
    for (int64_t i = 0; i < p->count; i += 2)
        order[at++] = i;
    for (int64_t i = p->count - 1; i >= 0; i--)
        if (i % 2 == 1)
            order[at++] = i;
    reorder(p->count, order, p->value, 1, 1);
    reorder(p->count, order, p->residual, 1, 1);
    reorder(p->count, order, p->vectors, p->n, p->n);
    ub_free(order);
}

static bool fill_options(const struct ub_operator *a, struct ub_lanczos_options *o,
                         struct ub_error *err)
{
    if (a->n < 1 || a->n > INT_MAX || o->count < 1 || o->block < 0 || o->room < 0 ||
        o->max_products < 0 || o->starts < 0 || !(o->tolerance >= 0))
        return ub_fail(err, UB_INPUT,
                       "eigenvalues: %lld of an operator of size %lld; expected count >= 1, size 1 "
                       "to %d, and no negative option",
                       (long long)o->count, (long long)a->n, INT_MAX);
    o->count = smaller(o->count, a->n);
    o->tolerance = o->tolerance > 0 ? o->tolerance : 1e-6;
    o->max_products = o->max_products > 0 ? o->max_products : 1000 + 100 * o->count;
    o->block = smaller(o->block > 0 ? o->block : BLOCK, a->n);
    o->room = o->room > 0 ? o->room : 2 * o->count + ROOM_BLOCKS * o->block;
    return true;
}

bool ub_lanczos(const struct ub_operator *a, const struct ub_lanczos_options *options,
                struct ub_eigenpairs *out, struct ub_error *err)
{
    struct ub_lanczos_options o = *options;
    *out = (struct ub_eigenpairs){.n = a->n};
    if (!fill_options(a, &o, err))
        return false;
    out->count = o.count;
    out->value = ub_calloc((size_t)o.count, sizeof(double));
    out->residual = ub_calloc((size_t)o.count, sizeof(double));
    out->vectors = ub_alloc((size_t)o.count * (size_t)a->n * sizeof(double));
    const bool dense = !o.iterate && (a->n <= DENSE || 2 * o.count >= a->n);
    const bool fine = dense ? solve_dense(a, &o, out, err) : solve_iterating(a, &o, out, err);
    if (!fine)
        ub_eigenpairs_free(out);
    else if (o.which == UB_BOTH_ENDS)
        sort_descending(out);
    return fine;
}

void ub_eigenpairs_free(struct ub_eigenpairs *pairs)
{
    if (!pairs)
        return;
    ub_free(pairs->value);
    ub_free(pairs->residual);
    ub_free(pairs->vectors);
    *pairs = (struct ub_eigenpairs){0};
}
