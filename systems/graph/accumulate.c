/* accumulate.c - sums of the cotangents that a node gets from all its uses. Where a model reads
 * parts of a value (gates, heads, steps of a sequence) or uses a weight step after step, the plain
 * sum would add up arrays of mostly zeros, or thin products, one by one: parts are joined instead.
 */
#include "systems/graph/internal.h"

#include <stdlib.h>
#include <string.h>

enum { FEWEST_PRODUCTS = 3, LONGEST_PRODUCT = 256 };

void ub_terms_add(struct ub_terms *t, ub_node x)
{
    if (x == UB_NONE)
        return;
    if (t->count == t->capacity) {
        t->capacity = 2 * t->capacity + 2;
        t->node = ub_realloc(t->node, (size_t)t->capacity * sizeof *t->node);
    }
    t->node[t->count++] = x;
}

/* Removes the marked terms. */
static void drop(struct ub_terms *t, const bool *taken)
{
    int kept = 0;
    for (int i = 0; i < t->count; i++)
        if (!taken[i])
            t->node[kept++] = t->node[i];
    t->count = kept;
}

/* ---- pads: parts of one axis, zero elsewhere ---- */

struct part {
    int term;
    int64_t start, length;
};

static int by_start(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start) : x->term - y->term;
}

/* The pads along `axis`, by where they start, leaving out those that overlap an earlier one. */
static int find_parts(const struct ub_graph *g, const struct ub_terms *t, int axis,
                      struct part *parts)
{
    int n = 0, disjoint = 0;
    for (int i = 0; i < t->count; i++) {
        const struct ub_vertex *v = ub_vertex(g, t->node[i]);
        if (v->op == UB_OP_PAD && v->attributes->axis == axis)
            parts[n++] =
                (struct part){i, v->attributes->before, ub_shape_of(g, v->in[0]).dim[axis]};
    }
    qsort(parts, (size_t)n, sizeof *parts, by_start);
    int64_t end = 0;
    for (int i = 0; i < n; i++)
        if (parts[i].start >= end) {
            end = parts[i].start + parts[i].length;
            parts[disjoint++] = parts[i];
        }
    return disjoint;
}

static ub_node gap(struct ub_graph *g, struct ub_shape s, int axis, int64_t length)
{
    s.dim[axis] = length;
    return ub_fill(g, 0, s.rank, s.dim);
}

static ub_node join_parts(struct ub_graph *g, const struct ub_terms *t, const struct part *parts,
                          int n, int axis)
{
    const struct ub_shape s = ub_shape_of(g, t->node[parts[0].term]);
    ub_node *pieces = ub_alloc((size_t)(2 * n + 1) * sizeof *pieces);
    int64_t end = 0;
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (parts[i].start > end)
            pieces[count++] = gap(g, s, axis, parts[i].start - end);
        pieces[count++] = ub_vertex(g, t->node[parts[i].term])->in[0];
        end = parts[i].start + parts[i].length;
    }
    if (end < s.dim[axis])
        pieces[count++] = gap(g, s, axis, s.dim[axis] - end);
    const ub_node joined = ub_concat(g, pieces, count, axis);
    ub_free(pieces);
    return joined;
}

static void join_pads(struct ub_graph *g, struct ub_terms *t)
{
    struct part *parts = ub_alloc((size_t)t->count * sizeof *parts);
    bool *taken = ub_calloc((size_t)t->count, sizeof *taken);
    for (int axis = 0; axis < UB_RANK && t->count > 1; axis++) {
        const int n = find_parts(g, t, axis, parts);
        if (n < 2)
            continue;
        const ub_node joined = join_parts(g, t, parts, n, axis);
        memset(taken, 0, (size_t)t->count * sizeof *taken);
        for (int i = 0; i < n; i++)
            taken[parts[i].term] = true;
        drop(t, taken);
        ub_terms_add(t, joined);
    }
    ub_free(parts);
    ub_free(taken);
}

/* ---- products: sum_i A_i B_i = [A_1 A_2 ...] [B_1; B_2; ...] ---- */

static bool is_thin_product(const struct ub_graph *g, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(g, x);
    if (v->op != UB_OP_MATMUL || v->shape.rank != 2)
        return false;
    const struct ub_shape a = ub_shape_of(g, v->in[0]), b = ub_shape_of(g, v->in[1]);
    return a.rank == 2 && b.rank == 2 && a.dim[1] <= LONGEST_PRODUCT;
}

static void join_products(struct ub_graph *g, struct ub_terms *t)
{
    ub_node *a = ub_alloc((size_t)t->count * sizeof *a),
            *b = ub_alloc((size_t)t->count * sizeof *b);
    bool *taken = ub_calloc((size_t)t->count, sizeof *taken);
    int n = 0;
    for (int i = 0; i < t->count; i++) {
        taken[i] = is_thin_product(g, t->node[i]);
        if (!taken[i])
            continue;
        a[n] = ub_transpose(g, ub_vertex(g, t->node[i])->in[0], (int[]){1, 0});
        b[n++] = ub_vertex(g, t->node[i])->in[1];
    }
    if (n >= FEWEST_PRODUCTS) {
        drop(t, taken);
        const ub_node left = ub_transpose(g, ub_concat(g, a, n, 0), (int[]){1, 0});
        ub_terms_add(t, ub_matmul(g, left, ub_concat(g, b, n, 0)));
    }
    ub_free(a);
    ub_free(b);
    ub_free(taken);
}

ub_node ub_terms_sum(struct ub_graph *g, struct ub_terms *t)
{
    ub_node sum = UB_NONE;
    if (t->count > 1) {
        join_pads(g, t);
        join_products(g, t);
    }
    for (int i = 0; i < t->count; i++)
        sum = ub_accumulate(g, sum, t->node[i]);
    ub_free(t->node);
    *t = (struct ub_terms){0};
    return sum;
}
