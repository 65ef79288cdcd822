/* fuse.c - second pass: pointwise nodes of one size and segment that feed each other become one
 * group, executed block by block, and sums join the group of what they sum. Two groups may merge
 * unless something outside both lies on a path between them. Then groups are put in an order of
 * execution. */
#include "systems/graph/program.h"

static bool pointwise(const struct ub_compiler *c, ub_node x)
{
    return ub_operator_row(ub_vertex(c->g, x)->op)->pointwise;
}

/* Groups in a list in which each comes after all that it reads. Labels ascend along it, with room
 * between them for others. */
struct search {
    struct ub_compiler *c;
    ub_node a, b;            /* the two groups */
    ub_node *before, *after; /* in the list; place n is its head and its end */
    uint64_t *label;
    int *stamp, now;
    int n_seen; /* since `now`, in `seen` */
    ub_node *seen;
};

/* ---- the list ---- */

static void relabel(struct search *s)
{
    uint64_t next = 0;
    for (ub_node x = s->after[s->c->n]; x != s->c->n; x = s->after[x])
        s->label[x] = ++next << 32;
}

static void open_list(struct search *s)
{
    const size_t n = (size_t)s->c->n;
    s->before = ub_alloc((n + 1) * sizeof *s->before);
    s->after = ub_alloc((n + 1) * sizeof *s->after);
    s->label = ub_calloc(n + 1, sizeof *s->label);
    s->seen = ub_alloc((n + 1) * sizeof *s->seen);
    s->stamp = ub_calloc(n + 1, sizeof *s->stamp);
    for (ub_node x = 0; x <= s->c->n; x++) {
        s->before[x] = x > 0 ? x - 1 : s->c->n;
        s->after[x] = x < s->c->n ? x + 1 : 0;
    }
    relabel(s);
}

static void close_list(struct search *s)
{
    ub_free(s->before);
    ub_free(s->after);
    ub_free(s->label);
    ub_free(s->seen);
    ub_free(s->stamp);
}

static void link_between(struct search *s, ub_node before, ub_node x, ub_node after)
{
    s->after[before] = s->before[after] = x;
    s->before[x] = before;
    s->after[x] = after;
}

static void unlink_from_list(struct search *s, ub_node x)
{
    s->after[s->before[x]] = s->after[x];
    s->before[s->after[x]] = s->before[x];
}

/* The labels of those between two of the list; close to the first, as more will come before the
 * second. */
static void label_between(struct search *s, ub_node before, ub_node after, int count)
{
    enum { STEP = 1 << 16 };
    const uint64_t low = before == s->c->n ? 0 : s->label[before];
    uint64_t step = (s->label[after] - low) / ((uint64_t)count + 1);
    if (step == 0) {
        relabel(s);
        return;
    }
    step = step < STEP ? step : STEP;
    uint64_t label = low;
    for (ub_node x = s->after[before]; x != after; x = s->after[x])
        s->label[x] = label += step;
}

static void sort_seen(struct search *s)
{
    for (int i = 1; i < s->n_seen; i++) { /* few, and nearly sorted backwards or forwards */
        const ub_node x = s->seen[i];
        int k = i;
        for (; k > 0 && s->label[s->seen[k - 1]] > s->label[x]; k--)
            s->seen[k] = s->seen[k - 1];
        s->seen[k] = x;
    }
}

/* a and b become `leader`, in the place of the first of them. What b reads and was seen to come
 * after that goes before it, in its order; what reads them comes after both already. */
static void move_in_list(struct search *s, ub_node leader)
{
    const ub_node first = s->label[s->a] < s->label[s->b] ? s->a : s->b;
    const ub_node second = first == s->a ? s->b : s->a, before = s->before[first];
    sort_seen(s);
    unlink_from_list(s, second);
    for (int i = 0; i < s->n_seen; i++) {
        unlink_from_list(s, s->seen[i]);
        link_between(s, s->before[first], s->seen[i], first);
    }
    if (s->n_seen > 0)
        label_between(s, before, first, s->n_seen);
    if (leader != first) {
        link_between(s, s->before[first], leader, s->after[first]);
        s->label[leader] = s->label[first];
    }
}

/* ---- merging ---- */

/* Notes what the group reads of others, but for what comes before a and b in the list; true where
 * one that is neither reads of them. */
static bool reads_back(struct search *s, ub_node leader, uint64_t least)
{
    const struct ub_compiler *c = s->c;
    const bool at_home = leader == s->a || leader == s->b;
    for (ub_node x = leader; x != UB_NONE; x = c->next[x]) {
        for (int i = 0; i < ub_inputs_of(c, x); i++) {
            const ub_node source = ub_use_of(c, x, i).source;
            if (source == UB_NONE)
                continue;
            const ub_node from = c->group[source];
            const bool inside = from == s->a || from == s->b;
            if (inside && !at_home)
                return true;
            if (inside || s->label[from] < least || s->stamp[from] == s->now)
                continue;
            s->stamp[from] = s->now;
            s->seen[s->n_seen++] = from;
        }
    }
    return false;
}

/* Does anything that a or b reads lead back to them? What does is mostly near, so that it is looked
 * for breadth first: along a recurrent network there is no end to depth. */
static bool leads_back(struct search *s)
{
    const uint64_t a = s->label[s->a], b = s->label[s->b], least = a < b ? a : b;
    s->now++;
    s->n_seen = 0;
    if (reads_back(s, s->a, least) || reads_back(s, s->b, least))
        return true;
    for (int i = 0; i < s->n_seen; i++)
        if (reads_back(s, s->seen[i], least))
            return true;
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
    if (leads_back(s))
        return;
    move_in_list(s, a < b ? a : b);
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
        for (int i = 0; i < ub_inputs_of(c, x); i++) {
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
        for (int i = 0; i < ub_inputs_of(c, x); i++)
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
        for (int i = 0; i < ub_inputs_of(c, x); i++) {
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
    struct search s = {.c = c};
    open_list(&s);
    for (ub_node x = 0; x < c->n; x++) {
        c->group[x] = c->group_last[x] = x;
        c->next[x] = UB_NONE;
        c->position[x] = -1;
    }
    merge_pointwise(&s, false);
    merge_pointwise(&s, true);
    merge_sums(&s);
    close_list(&s);
    for (ub_node x = 0; x < c->n; x++)
        if (c->live[x] && c->group[x] == x)
            visit(c, x);
    order_by_segment(c);
}
