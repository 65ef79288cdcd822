/* transforms.c - grad and vmap (jvp: tangents.c): graph to graph, appending nodes. Nodes are in
 * topological order, so each transform is one sweep over node numbers. */
#include "systems/graph/transforms.h"

#include <string.h>

bool *ub_depends_on(const struct ub_graph *g, ub_node last, const ub_node *xs, int n)
{
    bool *mark = ub_calloc((size_t)last + 1, sizeof *mark);
    for (int i = 0; i < n; i++)
        if (xs[i] <= last)
            mark[xs[i]] = true;
    for (ub_node x = 0; x <= last; x++)
        for (int i = 0; i < ub_vertex(g, x)->n_in && !mark[x]; i++)
            mark[x] = mark[ub_vertex(g, x)->in[i]];
    return mark;
}

/* Of a value with a given slope its own input is followed, or what the slope is of. */
static bool follows(const struct ub_vertex *v, int i, enum ub_follow follow)
{
    if (follow == UB_FOLLOW_ALL || (v->op != UB_OP_WITH_SLOPE && v->op != UB_OP_SOFTMAX))
        return true;
    if (v->op == UB_OP_SOFTMAX)
        return i == 1;
    return i == (follow == UB_FOLLOW_FORWARD && v->attributes->reverse ? 0 : 1);
}

bool *ub_needed_by(const struct ub_graph *g, const ub_node *ys, int n, enum ub_follow follow,
                   ub_node *last)
{
    *last = 0;
    for (int i = 0; i < n; i++)
        *last = ys[i] > *last ? ys[i] : *last;
    bool *mark = ub_calloc((size_t)*last + 1, sizeof *mark);
    for (int i = 0; i < n; i++)
        mark[ys[i]] = true;
    for (ub_node x = *last; x >= 0; x--)
        for (int i = 0; mark[x] && i < ub_vertex(g, x)->n_in; i++)
            if (follows(ub_vertex(g, x), i, follow))
                mark[ub_vertex(g, x)->in[i]] = true;
    return mark;
}

ub_node *ub_filled_with_none(size_t n)
{
    ub_node *nodes = ub_alloc((n ? n : 1) * sizeof *nodes);
    for (size_t i = 0; i < n; i++)
        nodes[i] = UB_NONE;
    return nodes;
}

static void pull_back(struct ub_graph *g, ub_node x, ub_node cotangent, const bool *active,
                      struct ub_terms *cotangents)
{
    const struct ub_operator_row *row = ub_operator_row(ub_vertex(g, x)->op);
    int n_in = ub_vertex(g, x)->n_in;
    ub_node *out = ub_filled_with_none((size_t)n_in);
    if (row->vjp)
        row->vjp(g, x, cotangent, out);
    for (int i = 0; i < n_in; i++) {
        ub_node in = ub_vertex(g, x)->in[i];
        if (!active[in])
            continue;
        if (row->partial) {
            ub_node partial = row->partial(g, x, i);
            out[i] = partial == UB_NONE ? UB_NONE : ub_mul(g, cotangent, partial);
        }
        ub_terms_add(&cotangents[in], out[i]);
    }
    ub_free(out);
}

void ub_vjp(struct ub_graph *g, const ub_node *ys, const ub_node *cts, int n_ys, const ub_node *wrt,
            int n_wrt, ub_node *out)
{
    ub_node last;
    bool *needed = ub_needed_by(g, ys, n_ys, UB_FOLLOW_REVERSE, &last);
    bool *active = ub_depends_on(g, last, wrt, n_wrt);
    struct ub_terms *terms = ub_calloc((size_t)last + 1, sizeof *terms);
    ub_node *cotangents = ub_filled_with_none((size_t)last + 1);
    for (int i = 0; i < n_ys; i++) {
        if (!ub_same_shape(ub_shape_of(g, ys[i]), ub_shape_of(g, cts[i])))
            UB_ABORT("cotangent %d has another shape than its output", i);
        ub_terms_add(&terms[ys[i]], cts[i]);
    }
    for (ub_node x = last; x >= 0; x--) {
        cotangents[x] = ub_terms_sum(g, &terms[x]);
        if (needed[x] && active[x] && cotangents[x] != UB_NONE)
            pull_back(g, x, cotangents[x], active, terms);
    }
    for (int i = 0; i < n_wrt; i++) {
        ub_node ct = wrt[i] <= last ? cotangents[wrt[i]] : UB_NONE;
        out[i] = ct == UB_NONE ? ub_like(g, 0, wrt[i]) : ct;
    }
    ub_free(needed);
    ub_free(active);
    ub_free(terms);
    ub_free(cotangents);
}

void ub_grad(struct ub_graph *g, ub_node loss, const ub_node *wrt, int n, ub_node *out)
{
    if (ub_count(ub_shape_of(g, loss)) != 1)
        UB_ABORT("the loss has %lld elements", (long long)ub_count(ub_shape_of(g, loss)));
    ub_node one = ub_like(g, 1, loss);
    ub_vjp(g, &loss, &one, 1, wrt, n, out);
}

static ub_node batch_node(struct ub_graph *g, ub_node x, const ub_node *image, int64_t b)
{
    int n_in = ub_vertex(g, x)->n_in;
    ub_node *in = ub_alloc((size_t)n_in * sizeof *in);
    bool *batched = ub_calloc((size_t)n_in, sizeof *batched);
    for (int i = 0; i < n_in; i++) {
        ub_node old = ub_vertex(g, x)->in[i];
        batched[i] = image[old] != UB_NONE;
        in[i] = batched[i] ? image[old] : old;
    }
    ub_node out = ub_operator_row(ub_vertex(g, x)->op)->vmap(g, x, in, batched, b);
    ub_free(in);
    ub_free(batched);
    return out;
}

void ub_vmap(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
             const ub_node *batched, int n_xs, ub_node *out)
{
    int64_t b = ub_shape_of(g, batched[0]).dim[0];
    ub_node last;
    bool *needed = ub_needed_by(g, ys, n_ys, UB_FOLLOW_ALL, &last);
    bool *active = ub_depends_on(g, last, xs, n_xs);
    ub_node *image = ub_filled_with_none((size_t)last + 1);
    for (int i = 0; i < n_xs; i++) {
        struct ub_shape expected = ub_shape_batched(ub_shape_of(g, xs[i]), b);
        if (!ub_same_shape(ub_shape_of(g, batched[i]), expected))
            UB_ABORT("input %d is not a batch of %lld of its shape", i, (long long)b);
        if (xs[i] <= last)
            image[xs[i]] = batched[i];
    }
    for (ub_node x = 0; x <= last; x++)
        if (needed[x] && active[x] && image[x] == UB_NONE)
            image[x] = batch_node(g, x, image, b);
    for (int i = 0; i < n_ys; i++)
        out[i] = ub_with_batch(g, image[ys[i]] == UB_NONE ? ys[i] : image[ys[i]],
                               image[ys[i]] != UB_NONE, b);
    ub_free(needed);
    ub_free(active);
    ub_free(image);
}

struct ub_sample_sizes ub_graph_sizes(const struct ub_graph *g, ub_node y, ub_node x)
{
    enum { SHORT_ROWS = 8, MUCH = 4 }; /* a quarter of the multiplications */
    ub_node last;
    bool *needed = ub_needed_by(g, &y, 1, UB_FOLLOW_ALL, &last);
    bool *active = ub_depends_on(g, last, &x, 1);
    struct ub_sample_sizes sizes = {.widest = 1, .rows = 1};
    int64_t work = 0, short_work = 0, image_work = 0;
    for (ub_node i = 0; i <= last; i++) {
        const struct ub_vertex *v = ub_vertex(g, i);
        if (!needed[i] || !active[i] || i == x || v->op == UB_OP_BROADCAST)
            continue;
        int64_t count = ub_count(v->shape), row = 1, depth = 0;
        if (v->op == UB_OP_CONV) {
            const struct ub_shape weight = ub_shape_of(g, v->in[1]);
            row = v->shape.dim[1] * v->shape.dim[2];
            depth = ub_count(weight) / weight.dim[0];
        } else if (v->op == UB_OP_MATMUL && ub_vertex(g, v->in[1])->shape.rank == 2) {
            row = count / v->shape.dim[v->shape.rank - 1];
            depth = ub_shape_of(g, v->in[1]).dim[0];
        }
        work += count * depth;
        short_work += row < SHORT_ROWS ? count * depth : 0;
        image_work += v->op == UB_OP_CONV ? count * depth : 0;
        sizes.widest = count > sizes.widest ? count : sizes.widest;
        sizes.rows = row > sizes.rows ? row : sizes.rows;
    }
    sizes.thin = short_work > work / MUCH;
    sizes.images = image_work > work / MUCH;
    sizes.rows = work > 0 ? sizes.rows : 0;
    ub_free(needed);
    ub_free(active);
    return sizes;
}
