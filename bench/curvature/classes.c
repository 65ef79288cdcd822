/* Gauss-Newton by class: its parts as operators, their eigenvalues, and their shares of others'. */
#include "bench/curvature/matrix.h"
#include "bench/curvature/outputs.h"
#include "bench/spectra/eigen.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 8 }; /* vectors at once */

static struct ub_outputs *outputs_with_classes(const struct ub_matrix_point *at,
                                               struct ub_error *err)
{
    if (ub_problem_data(at->problem)->task == UB_CLASSIFICATION)
        return ub_outputs_new(at);
    ub_fail(err, UB_INPUT, "'%s' is a regression task; expected classes",
            ub_problem_data(at->problem)->name);
    return NULL;
}

/* ---- operators ---- */

/* Of a = d'v, what each part keeps: its product with v is the sum of w kept d. `same`: the output
 * is the label's own. */
static double kept(enum ub_class_part part, bool same, double a, double pair, double class)
{
    switch (part) {
    case UB_PART_CLASS:
        return same ? 0 : class;
    case UB_PART_CROSS:
        return same ? 0 : pair - class;
    case UB_PART_WITHIN:
        return same ? 0 : a - pair;
    case UB_PART_SAME:
        return same ? a : 0;
    default:
        return same ? pair : 0;
    }
}

/* array[0]: room for means by pair and by class. */
static void keep_part(const struct ub_matrix *m, double *t)
{
    const struct ub_outputs *o = m->outputs;
    const int64_t k = o->width;
    double *pair = m->array[0], *class = pair + k * k;
    ub_outputs_along(o, t);
    ub_outputs_means(o, t, pair, class);
    for (int64_t i = 0; i < o->positions; i++) {
        const int64_t c = o->label[i];
        for (int64_t j = 0; c >= 0 && j < k; j++)
            t[i * k + j] = ub_outputs_weight(o, i, j) *
                           kept(m->kind->part, j == c, t[i * k + j], pair[c * k + j], class[c]);
        if (c < 0)
            memset(t + i * k, 0, (size_t)k * sizeof *t);
    }
    ub_outputs_back(o, t);
}

static void apply_part(void *context, int64_t count, const double *V, double *out)
{
    ub_apply_between(context, count, V, out, keep_part);
}

bool ub_open_class_part(struct ub_matrix *m, struct ub_error *err)
{
    m->outputs = outputs_with_classes(&m->at, err);
    if (!m->outputs)
        return false;
    ub_matrix_array(m, m->outputs->width * (m->outputs->width + 1));
    ub_matrix_stage(m, ub_matrix_leaf(m, ub_problem_size(m->at.problem), apply_part));
    return true;
}

/* ---- shares ---- */

static void add_shares(const struct ub_outputs *o, const double *a, double *pair, double *class,
                       double *shares)
{
    const int64_t k = o->width;
    ub_outputs_means(o, a, pair, class);
    for (int64_t i = 0; i < o->positions; i++) {
        const int64_t c = o->label[i];
        for (int64_t j = 0; c >= 0 && j < k; j++)
            for (int part = 0; part < UB_PARTS; part++)
                shares[part] +=
                    ub_outputs_weight(o, i, j) * pow(kept((enum ub_class_part)part, j == c,
                                                          a[i * k + j], pair[c * k + j], class[c]),
                                                     2);
    }
}

bool ub_class_shares(const struct ub_matrix_point *at, int64_t count, const double *U,
                     double *shares, struct ub_error *err)
{
    struct ub_outputs *o = outputs_with_classes(at, err);
    if (!o)
        return false;
    const int64_t k = o->width, z = o->positions * k, n = ub_problem_size(at->problem);
    double *t = ub_calloc((size_t)(BLOCK * z), sizeof *t);
    double *pair = ub_calloc((size_t)(k * k), sizeof *pair), *class = ub_calloc((size_t)k, 8);
    memset(shares, 0, (size_t)(count * UB_PARTS) * sizeof *shares);
    ub_problem_linearize(at->problem, at->theta);
    for (int64_t first = 0; first < count; first += BLOCK) {
        const int64_t rows = count - first < BLOCK ? count - first : BLOCK;
        ub_problem_jvp(at->problem, rows, U + first * n, t);
        for (int64_t r = 0; r < rows; r++) {
            ub_outputs_along(o, t + r * z);
            add_shares(o, t + r * z, pair, class, shares + (first + r) * UB_PARTS);
        }
    }
    ub_free(t);
    ub_free(pair);
    ub_free(class);
    ub_outputs_free(o);
    return true;
}

/* ---- eigenvalues ---- */

/* The u with J'u = m_{c,c'}. */
static void mean_cotangent(const struct ub_outputs *o, int64_t pair, double *u)
{
    const int64_t k = o->width, c = pair / k, j = pair % k;
    memset(u, 0, (size_t)(o->positions * k) * sizeof *u);
    for (int64_t i = 0; i < o->positions; i++)
        if (o->label[i] == c && o->weight[pair] > 0)
            u[i * k + j] = ub_outputs_weight(o, i, j) / o->weight[pair];
    ub_outputs_back(o, u);
}

/* Inner products of all m_{c,c'}: k^2 x k^2. Rows r .. r + rows of it at once. */
static double *mean_products(const struct ub_outputs *o, const struct ub_matrix_point *at)
{
    const int64_t k = o->width, pairs = k * k, z = o->positions * k,
                  n = ub_problem_size(at->problem);
    double *d = ub_calloc((size_t)(pairs * pairs), sizeof *d), *class = ub_calloc((size_t)k, 8);
    double *u = ub_calloc((size_t)(BLOCK * z), sizeof *u), *t = ub_calloc((size_t)(BLOCK * z), 8);
    double *v = ub_calloc((size_t)(BLOCK * n), sizeof *v);
    ub_problem_linearize(at->problem, at->theta);
    for (int64_t first = 0; first < pairs; first += BLOCK) {
        const int64_t rows = pairs - first < BLOCK ? pairs - first : BLOCK;
        for (int64_t r = 0; r < rows; r++)
            mean_cotangent(o, first + r, u + r * z);
        ub_problem_vjp(at->problem, rows, u, v);
        ub_problem_jvp(at->problem, rows, v, t);
        for (int64_t r = 0; r < rows; r++) {
            ub_outputs_along(o, t + r * z);
            ub_outputs_means(o, t + r * z, d + (first + r) * pairs, class);
        }
    }
    ub_free(class);
    ub_free(u);
    ub_free(t);
    ub_free(v);
    return d;
}

/* A part is a sum of squares of vectors that are combinations of the means: coefficients, count x
 * pairs, its square root's weight included. */
static double *combinations(const struct ub_outputs *o, enum ub_class_part part, int64_t *count)
{
    const int64_t k = o->width, pairs = k * k;
    double *rows = ub_calloc((size_t)((part == UB_PART_CROSS ? pairs : k) * pairs), sizeof *rows);
    *count = 0;
    for (int64_t c = 0; c < k; c++) {
        const double total = ub_outputs_class_weight(o, c);
        for (int64_t j = 0; j < k; j++) {
            double *row = rows + *count * pairs;
            const double own = o->weight[c * k + j];
            if (part == UB_PART_SAME_MEAN && j == c)
                row[c * k + c] = sqrt(own);
            if (part == UB_PART_CLASS && j != c && total > 0)
                row[c * k + j] = own / sqrt(total);
            if (part != UB_PART_CROSS || j == c)
                continue;
            for (int64_t l = 0; l < k; l++)
                if (l != c && total > 0)
                    row[c * k + l] = sqrt(own) * ((l == j) - o->weight[c * k + l] / total);
            ++*count;
        }
        *count += part != UB_PART_CROSS;
    }
    return rows;
}

/* Eigenvalues of the part, descending: those of the Gram matrix of its vectors. */
static double *part_values(const struct ub_outputs *o, const double *products,
                           enum ub_class_part part, struct ub_error *err)
{
    int64_t count;
    const int64_t pairs = o->width * o->width;
    double *rows = combinations(o, part, &count), *values = ub_calloc((size_t)count + 1, 8);
    double *half = ub_calloc((size_t)(count * pairs) + 1, sizeof *half);
    double *gram = ub_calloc((size_t)(count * count) + 1, sizeof *gram);
    const struct ub_operator inner = ub_operator_dense(pairs, products);
    ub_operator_apply(&inner, count, rows, half);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < count; j++)
            for (int64_t l = 0; l < pairs; l++)
                gram[i * count + j] += half[i * pairs + l] * rows[j * pairs + l];
    const bool good = count == 0 || ub_eigen_dense(count, gram, values, false, err);
    for (int64_t i = 0; i < count / 2; i++) {
        const double low = values[i];
        values[i] = values[count - 1 - i];
        values[count - 1 - i] = low;
    }
    struct ub_operator done = inner;
    ub_operator_free(&done);
    ub_free(rows);
    ub_free(half);
    ub_free(gram);
    if (good)
        return values;
    ub_free(values);
    return NULL;
}

bool ub_class_structure_find(struct ub_class_structure *s, const struct ub_matrix_point *at,
                             struct ub_error *err)
{
    *s = (struct ub_class_structure){.classes = ub_problem_data(at->problem)->outputs};
    struct ub_outputs *o = outputs_with_classes(at, err);
    if (!o)
        return false;
    if (s->classes > UB_MOST_CLASSES) {
        ub_outputs_free(o);
        return ub_fail(err, UB_INPUT, "%lld classes; expected at most %d", (long long)s->classes,
                       UB_MOST_CLASSES);
    }
    double *products = mean_products(o, at);
    s->class_values = part_values(o, products, UB_PART_CLASS, err);
    s->cross_values = part_values(o, products, UB_PART_CROSS, err);
    s->same_values = part_values(o, products, UB_PART_SAME_MEAN, err);
    ub_free(products);
    ub_outputs_free(o);
    if (s->class_values && s->cross_values && s->same_values)
        return true;
    ub_class_structure_clear(s);
    return false;
}

void ub_class_structure_clear(struct ub_class_structure *s)
{
    ub_free(s->class_values);
    ub_free(s->cross_values);
    ub_free(s->same_values);
    *s = (struct ub_class_structure){0};
}
