/* tangents.c - jvp: graph to graph, one sweep over node numbers.
 *
 * Tangents of pointwise nodes are held as sums of factor times base, where factors are made of the
 * values at hand and a base is a tangent that something other than pointwise arithmetic made: a
 * chain of factors on one base is one product, and terms on one base are one term. In a program
 * whose tangents are late inputs factors are known in the first stage, so that fewer arrays are
 * kept and read for every product. What is read anyway, and what is short, stays apart. */
#include "systems/graph/transforms.h"

#include <string.h>

enum { MOST_TERMS = 2 };

/* scale x factor x base; no factor: UB_NONE. */
struct term {
    double scale;
    ub_node factor, base;
};
struct tangent {
    int count; /* 0: it is zero */
    struct term term[MOST_TERMS];
};

struct sweep {
    struct ub_graph *g;
    struct tangent *tangent; /* by node */
    int *readers;            /* by node: how many nodes' tangents are made of its own */
    bool gather;             /* factors; or every tangent is a base */
    bool *late, *read;       /* by node: hangs on tangents; does not, and one that does reads it */
    ub_node seen, room;      /* nodes of which that is known; places there are */
};

/* Stretched from fewer numbers: made one with a factor that is not, it would take its space. */
static bool is_stretched(const struct ub_graph *g, ub_node factor)
{
    return ub_vertex(g, factor)->op == UB_OP_BROADCAST;
}

static ub_node value_of_term(struct ub_graph *g, const struct term *t)
{
    if (t->factor == UB_NONE)
        return ub_scale(g, t->base, t->scale);
    if (is_stretched(g, t->factor))
        return ub_scale(g, ub_mul(g, t->base, t->factor), t->scale);
    return ub_mul(g, t->base, ub_scale(g, t->factor, t->scale));
}

static struct tangent tangent_of(ub_node value)
{
    return (struct tangent){value != UB_NONE, {{1, UB_NONE, value}}};
}

/* The tangent as a node, from now on a base itself; UB_NONE where it is zero. */
static ub_node value_of(struct ub_graph *g, struct tangent *t)
{
    ub_node value = UB_NONE;
    for (int i = 0; i < t->count; i++)
        value = ub_accumulate(g, value, value_of_term(g, &t->term[i]));
    *t = tangent_of(value);
    return value;
}

/* Would more or longer arrays be multiplied if the terms were, one by one, rather than their sum?
 */
static bool stays_a_sum(const struct sweep *s, ub_node x, ub_node factor)
{
    const struct tangent *t = &s->tangent[x];
    const bool constant = ub_vertex(s->g, factor)->op == UB_OP_FILL;
    bool plain = true;
    for (int i = 0; i < t->count; i++) {
        const ub_node own = t->term[i].factor;
        plain = plain && own == UB_NONE;
        if (own != UB_NONE && !constant && (is_stretched(s->g, own) || is_stretched(s->g, factor)))
            return true;
    }
    return t->count > 1 && (plain || (!constant && s->readers[x] > 1));
}

/* Notes of the nodes made since what hangs on tangents, and what of the rest that reads. */
static void look_on(struct sweep *s)
{
    const ub_node count = s->g->count;
    if (count > s->room) {
        s->room = 2 * count;
        s->late = ub_realloc(s->late, (size_t)s->room * sizeof *s->late);
        s->read = ub_realloc(s->read, (size_t)s->room * sizeof *s->read);
    }
    for (; s->seen < count; s->seen++) {
        const struct ub_vertex *v = ub_vertex(s->g, s->seen);
        bool late = false;
        for (int i = 0; i < v->n_in; i++)
            late = late || s->late[v->in[i]];
        for (int i = 0; late && i < v->n_in; i++)
            s->read[v->in[i]] = true;
        s->late[s->seen] = late;
        s->read[s->seen] = false;
    }
}

/* Is either read anyway, while their product would be one array more? */
static bool stay_apart(struct sweep *s, ub_node a, ub_node b)
{
    const ub_node product = ub_mul(s->g, a, b);
    look_on(s);
    return s->read[a] && s->read[b] && !s->read[product];
}

/* The tangent of x times the partial derivative of what reads it. */
static struct tangent scaled(struct sweep *s, ub_node x, ub_node partial)
{
    struct ub_graph *g = s->g;
    const bool constant = ub_vertex(g, partial)->op == UB_OP_FILL;
    const double value = constant ? ub_vertex(g, partial)->attributes->value : 1;
    if (value == 0 || s->tangent[x].count == 0)
        return tangent_of(UB_NONE);
    const struct term *only = s->tangent[x].term;
    const bool several = s->tangent[x].count > 1 || only->factor == UB_NONE;
    if ((!constant || value * value != 1) &&
        (stays_a_sum(s, x, partial) ||
         (!constant && !several && stay_apart(s, only->factor, partial))))
        value_of(g, &s->tangent[x]);
    struct tangent t = s->tangent[x];
    for (int i = 0; i < t.count; i++) {
        ub_node *factor = &t.term[i].factor;
        t.term[i].scale *= value;
        if (!constant)
            *factor = *factor == UB_NONE ? partial : ub_mul(g, *factor, partial);
    }
    return t;
}

static void add_factor(struct ub_graph *g, struct term *to, const struct term *t)
{
    const ub_node one = ub_like(g, 1, to->base);
    const ub_node a = to->factor == UB_NONE ? one : to->factor;
    const ub_node b = t->factor == UB_NONE ? one : t->factor;
    to->factor = ub_add(g, ub_scale(g, a, to->scale), ub_scale(g, b, t->scale));
    to->scale = 1;
}

static bool may_join(const struct ub_graph *g, const struct term *a, const struct term *b)
{
    if (a->base != b->base)
        return false;
    const bool stretched = (a->factor != UB_NONE && is_stretched(g, a->factor)) ||
                           (b->factor != UB_NONE && is_stretched(g, b->factor));
    return !stretched || a->factor == b->factor;
}

/* sum += t; the sum's terms become one where there would be too many. */
static void add(struct ub_graph *g, struct tangent *sum, struct tangent t)
{
    for (int i = 0; i < t.count; i++) {
        struct term *same = NULL;
        for (int k = 0; k < sum->count && !same; k++)
            same = may_join(g, &sum->term[k], &t.term[i]) ? &sum->term[k] : NULL;
        if (same && same->factor == t.term[i].factor) {
            same->scale += t.term[i].scale;
        } else if (same) {
            add_factor(g, same, &t.term[i]);
        } else {
            if (sum->count == MOST_TERMS)
                value_of(g, sum);
            sum->term[sum->count++] = t.term[i];
        }
    }
}

/* By the rule for all inputs at once, on tangents as they are. */
static ub_node by_rule(struct sweep *s, ub_node x)
{
    struct ub_graph *g = s->g;
    const int n_in = ub_vertex(g, x)->n_in;
    ub_node *t = ub_filled_with_none((size_t)n_in), tangent = UB_NONE;
    bool any = false;
    for (int i = 0; i < n_in; i++) {
        t[i] = value_of(g, &s->tangent[ub_vertex(g, x)->in[i]]);
        any = any || t[i] != UB_NONE;
    }
    if (any)
        tangent = ub_operator_row(ub_vertex(g, x)->op)->jvp(g, x, t);
    ub_free(t);
    return tangent;
}

static void push_forward(struct sweep *s, ub_node x)
{
    struct ub_graph *g = s->g;
    const struct ub_operator_row *row = ub_operator_row(ub_vertex(g, x)->op);
    const ub_node *in = ub_vertex(g, x)->in; /* owned by the node: stays as nodes are made */
    const int n_in = ub_vertex(g, x)->n_in;
    if (row == &ub_row_with_slope && !ub_vertex(g, x)->attributes->reverse)
        s->tangent[x] = scaled(s, in[1], in[2]);
    else if (row->jvp)
        s->tangent[x] = tangent_of(by_rule(s, x));
    for (int i = 0; row->partial && i < n_in; i++) {
        const ub_node partial = s->tangent[in[i]].count ? row->partial(g, x, i) : UB_NONE;
        if (partial != UB_NONE)
            add(g, &s->tangent[x], scaled(s, in[i], partial));
    }
    if (!s->gather)
        value_of(g, &s->tangent[x]);
}

static void count_readers(struct sweep *s, ub_node last, const bool *needed, const bool *active)
{
    for (ub_node x = 0; x <= last; x++)
        for (int i = 0; needed[x] && active[x] && i < ub_vertex(s->g, x)->n_in; i++)
            s->readers[ub_vertex(s->g, x)->in[i]]++;
}

static void sweep(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
                  const ub_node *ts, int n_xs, ub_node *out, bool gather)
{
    ub_node last;
    bool *needed = ub_needed_by(g, ys, n_ys, UB_FOLLOW_FORWARD, &last);
    bool *active = ub_depends_on(g, last, xs, n_xs);
    const size_t count = (size_t)last + 1;
    struct sweep s = {.g = g, .gather = gather, .seen = g->count, .room = g->count};
    s.tangent = ub_calloc(count, sizeof *s.tangent);
    s.readers = ub_calloc(count, sizeof *s.readers);
    s.late = ub_depends_on(g, g->count - 1, ts, n_xs);
    s.read = ub_calloc((size_t)g->count, sizeof *s.read);
    bool *given = ub_calloc(count, sizeof *given);
    for (int i = 0; i < n_xs; i++) {
        if (!ub_same_shape(ub_shape_of(g, xs[i]), ub_shape_of(g, ts[i])))
            UB_ABORT("tangent %d has another shape than its input", i);
        if (xs[i] > last)
            continue;
        s.tangent[xs[i]] = tangent_of(ts[i]);
        given[xs[i]] = true;
    }
    count_readers(&s, last, needed, active);
    for (ub_node x = 0; x <= last; x++)
        if (needed[x] && active[x] && !given[x])
            push_forward(&s, x);
    for (int i = 0; i < n_ys; i++) {
        const ub_node value = value_of(g, &s.tangent[ys[i]]);
        out[i] = value == UB_NONE ? ub_like(g, 0, ys[i]) : value;
    }
    ub_free(given);
    ub_free(needed);
    ub_free(active);
    ub_free(s.tangent);
    ub_free(s.readers);
    ub_free(s.late);
    ub_free(s.read);
}

void ub_jvp(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs, const ub_node *ts,
            int n_xs, ub_node *out)
{
    sweep(g, ys, n_ys, xs, ts, n_xs, out, false);
}

void ub_jvp_gathered(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
                     const ub_node *ts, int n_xs, ub_node *out)
{
    sweep(g, ys, n_ys, xs, ts, n_xs, out, true);
}

void ub_linearize(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
                  const ub_node *ts, int n_xs, ub_node *out)
{
    ub_node *plain = ub_filled_with_none((size_t)n_ys);
    ub_jvp(g, ys, n_ys, xs, ts, n_xs, plain);
    ub_jvp_gathered(g, ys, n_ys, xs, ts, n_xs, out);
    if (ub_kept_for(g, plain, n_ys, ts, n_xs) <= ub_kept_for(g, out, n_ys, ts, n_xs))
        memcpy(out, plain, (size_t)n_ys * sizeof *out);
    ub_free(plain);
}
