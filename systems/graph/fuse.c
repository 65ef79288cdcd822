/* fuse.c - second pass: pointwise nodes of one size and segment that feed each other become one
 * group, executed block by block, and sums join the group of what they sum. Two groups may merge
 * unless something outside both lies on a path between them. Then groups are put in an order of
 * execution. */
#include "systems/graph/program.h"

static bool pointwise(const struct ub_compiler *c, ub_node x)
{
    return ub_operator_row(ub_vertex(c->g, x)->op)->pointwise;
}

struct search {
    struct ub_compiler *c;
    ub_node a, b; /* the two groups */
    int *stamp, now;
};

/* Does anything that the group of x reads (outside a and b) lead back to a or b? */
static bool leads_back(struct search *s, ub_node leader)
{
    const struct ub_compiler *c = s->c;
    for (ub_node x = leader; x != UB_NONE; x = c->next[x]) {
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            ub_node source = ub_use_of(c, x, i).source;
            if (source == UB_NONE)
                continue;
            ub_node from = c->group[source];
            bool inside = from == s->a || from == s->b;
            bool at_home = leader == s->a || leader == s->b;
            if (inside && !at_home)
                return true;
            if (inside || s->stamp[from] == s->now)
                continue;
            s->stamp[from] = s->now;
            if (leads_back(s, from))
                return true;
        }
    }
    return false;
}

/* Joins two ascending member lists; the smaller leader leads. */
static void merge(struct ub_compiler *c, ub_node a, ub_node b)
{
    ub_node head = a < b ? a : b, *tail = &head;
    ub_node last = c->group_last[a] > c->group_last[b] ? c->group_last[a] : c->group_last[b];
    ub_node leader = head, x = a, y = b;
    while (x != UB_NONE || y != UB_NONE) {
        bool take_x = y == UB_NONE || (x != UB_NONE && x < y);
        ub_node taken = take_x ? x : y;
        if (take_x)
            x = c->next[x];
        else
            y = c->next[y];
        *tail = taken;
        tail = &c->next[taken];
        c->group[taken] = leader;
    }
    *tail = UB_NONE;
    c->group_last[leader] = last;
}

static void try_merge(struct search *s, ub_node a, ub_node b)
{
    if (a == b)
        return;
    s->a = a;
    s->b = b;
    s->now++;
    if (!leads_back(s, a) && !leads_back(s, b))
        merge(s->c, a, b);
}

/* First what would otherwise have to be stored, then what is stored anyway (and is only read once
 * less): a short chain of the backward pass stays there, whatever it reads of the forward pass. */
static void merge_pointwise(struct search *s, bool stored)
{
    struct ub_compiler *c = s->c;
    for (ub_node x = 0; x < c->n; x++) {
        if (!c->live[x] || !pointwise(c, x))
            continue;
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            struct ub_use use = ub_use_of(c, x, i);
            ub_node y = use.source;
            if (y == UB_NONE || use.view != UB_NONE || !pointwise(c, y) ||
                c->segment[y] != c->segment[x] || c->stored[y] != stored)
                continue;
            try_merge(s, c->group[x], c->group[y]);
        }
    }
}

/* A sum is known when its group has run: nothing in the group may read it. */
static bool group_reads(const struct ub_compiler *c, ub_node leader, ub_node sum)
{
    for (ub_node x = leader; x != UB_NONE; x = c->next[x])
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++)
            if (ub_use_of(c, x, i).source == sum)
                return true;
    return false;
}

static void merge_sums(struct search *s)
{
    struct ub_compiler *c = s->c;
    for (ub_node x = 0; x < c->n; x++) {
        if (!c->live[x] || ub_vertex(c->g, x)->op != UB_OP_SUM)
            continue;
        const ub_node y = ub_use_of(c, x, 0).source;
        if (pointwise(c, y) && c->segment[y] == c->segment[x] && !group_reads(c, c->group[y], x))
            try_merge(s, c->group[y], x);
    }
}

static void visit(struct ub_compiler *c, ub_node leader)
{
    if (c->position[leader] >= 0)
        return;
    c->position[leader] = 0; /* groups are free of cycles: no need to tell open from closed */
    for (ub_node x = leader; x != UB_NONE; x = c->next[x])
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            ub_node source = ub_use_of(c, x, i).source;
            if (source != UB_NONE)
                visit(c, c->group[source]);
        }
    c->position[leader] = c->n_groups;
    c->order[c->n_groups++] = leader;
}

/* Segments run one after the other; within one the order found stands. */
static void order_by_segment(struct ub_compiler *c)
{
    ub_node *order = ub_alloc(((size_t)c->n_groups + 1) * sizeof *order);
    int count = 0;
    for (int segment = 0; segment < c->p->n_segments; segment++)
        for (int i = 0; i < c->n_groups; i++)
            if (c->segment[c->order[i]] == segment) {
                c->position[c->order[i]] = count;
                order[count++] = c->order[i];
            }
    ub_free(c->order);
    c->order = order;
}

void ub_compile_fuse(struct ub_compiler *c)
{
    struct search s = {.c = c, .stamp = ub_calloc((size_t)c->n, sizeof *s.stamp)};
    for (ub_node x = 0; x < c->n; x++) {
        c->group[x] = c->group_last[x] = x;
        c->next[x] = UB_NONE;
        c->position[x] = -1;
    }
    merge_pointwise(&s, false);
    merge_pointwise(&s, true);
    merge_sums(&s);
    ub_free(s.stamp);
    for (ub_node x = 0; x < c->n; x++)
        if (c->live[x] && c->group[x] == x)
            visit(c, x);
    order_by_segment(c);
}
