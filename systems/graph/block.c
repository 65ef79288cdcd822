/* block.c - lowers a group of pointwise nodes and sums to instructions on registers of UB_BLOCK
 * elements, reused as soon as their values are dead. What alone reads a value follows it at once
 * if it can, in one instruction with it where there is a kernel for the two: the fewer registers
 * at work, the more of them are in L1. */
#include "systems/graph/program.h"

#include <string.h>

struct lowering {
    struct ub_compiler *c;
    struct ub_block *block;
    ub_node leader;
    int *reg;        /* by node minus leader: register of a value that is not stored, -1 */
    int *reads;      /* by node minus leader: reads still to come inside the group */
    ub_node *reader; /* by node minus leader: the last of those that read it so */
    bool *done;      /* by node minus leader */
    bool *busy;
    int n_busy;
    struct view *views; /* distinct ones */
    int n_views;
    struct remade *remade;
    int n_remade;
};

/* Memory read with strides: gathered once a block, or once a step, whatever reads it. */
struct view {
    struct ub_operand operand;
    int reads; /* still to come */
    bool gathered;
};

/* A value of the first stage that is made again where it is read. */
struct remade {
    ub_node node;
    int reg, reads; /* reg: -1 until made; reads: still to come */
};

static int take_register(struct lowering *l)
{
    for (int i = 0; i < l->n_busy; i++)
        if (!l->busy[i]) {
            l->busy[i] = true;
            return i;
        }
    l->busy[l->n_busy] = true;
    return l->n_busy++;
}

/* Constants fill a register once a step, before any code: they are taken before all other
 * registers and never given back. Equal ones share. */
static struct ub_operand constant(struct lowering *l, double value)
{
    struct ub_block *b = l->block;
    for (int i = 0; i < b->n_constants; i++)
        if (memcmp(&b->constants[i].value, &value, sizeof value) == 0)
            return (struct ub_operand){.kind = UB_REGISTER, .reg = b->constants[i].reg};
    int reg = take_register(l);
    b->constants = ub_realloc(b->constants, (size_t)(b->n_constants + 1) * sizeof *b->constants);
    b->constants[b->n_constants++] = (struct ub_constant){reg, value};
    return (struct ub_operand){.kind = UB_REGISTER, .reg = reg};
}

static struct ub_move walk_of(const struct ub_compiler *c, ub_node view)
{
    struct ub_shape shape = ub_shape_of(c->g, view);
    struct ub_shape from = ub_shape_of(c->g, ub_vertex(c->g, view)->in[0]);
    struct ub_move w = {.rank = shape.rank};
    memcpy(w.dim, shape.dim, sizeof w.dim);
    ub_shape_strides(shape, w.out_stride);
    ub_broadcast_strides(shape, from, w.in_stride);
    ub_move_merge(&w);
    return w;
}

/* The block's walk that is equal, or a new one. */
static int add_walk(struct ub_block *b, const struct ub_move *w)
{
    for (int i = 0; i < b->n_walks; i++)
        if (memcmp(&b->walks[i], w, sizeof *w) == 0)
            return i;
    b->walks = ub_realloc(b->walks, (size_t)(b->n_walks + 1) * sizeof *b->walks);
    b->walks[b->n_walks] = *w;
    return b->n_walks++;
}

static struct ub_operand strided(struct lowering *l, struct ub_use use)
{
    const struct ub_move w = walk_of(l->c, use.view);
    return (struct ub_operand){
        .kind = UB_STRIDED, .ref = l->c->ref[use.source], .walk = add_walk(l->block, &w)};
}

/* Does the walk read the same in every block? (A run as long as a block is read in place.) */
static bool is_periodic(const struct ub_move *w)
{
    int64_t period = 1;
    for (int i = 1; i < w->rank; i++)
        period *= w->dim[i];
    if (w->rank > 1 && w->dim[w->rank - 1] >= UB_BLOCK)
        return false;
    return w->rank == 0 || (w->in_stride[0] == 0 && UB_BLOCK % period == 0);
}

static struct view *find_view(struct lowering *l, const struct ub_operand *o)
{
    for (int i = 0; i < l->n_views; i++) {
        const struct ub_operand *v = &l->views[i].operand;
        if (v->ref.space == o->ref.space && v->ref.offset == o->ref.offset && v->walk == o->walk)
            return &l->views[i];
    }
    return NULL;
}

/* Runs as long as a block are read in place, each time. */
static bool is_sharable(const struct ub_move *w)
{
    return w->rank == 0 || w->in_stride[w->rank - 1] != 1 || w->dim[w->rank - 1] < UB_BLOCK;
}

/* Counts a read of a view; periodic ones are in registers taken before any code. */
static void note_view(struct lowering *l, struct ub_use use)
{
    struct ub_operand o = strided(l, use);
    struct view *found = find_view(l, &o);
    if (!found) {
        found = &l->views[l->n_views++];
        o.held = is_periodic(&l->block->walks[o.walk]);
        o.reg = o.held ? take_register(l) : -1;
        *found = (struct view){.operand = o};
    }
    found->reads++;
    found->operand.shared = found->reads > 1 && is_sharable(&l->block->walks[o.walk]);
}

/* The first to read it gathers it; others find it in its register. */
static struct ub_operand view(struct lowering *l, struct ub_use use)
{
    const struct ub_operand key = strided(l, use);
    struct view *v = find_view(l, &key);
    if (v->gathered && v->operand.shared)
        return (struct ub_operand){.kind = UB_REGISTER, .reg = v->operand.reg};
    if (!v->gathered && !v->operand.held)
        v->operand.reg = take_register(l);
    v->gathered = true;
    return v->operand;
}

static void release_view(struct lowering *l, struct ub_use use)
{
    const struct ub_operand key = strided(l, use);
    struct view *v = find_view(l, &key);
    if (--v->reads == 0 && !v->operand.held)
        l->busy[v->operand.reg] = false;
}

static bool in_group(const struct lowering *l, ub_node x)
{
    return l->c->group[x] == l->leader;
}

static struct remade *find_remade(const struct lowering *l, ub_node x)
{
    for (int i = 0; i < l->n_remade; i++)
        if (l->remade[i].node == x)
            return &l->remade[i];
    return NULL;
}

static struct ub_operand operand(struct lowering *l, struct ub_use use)
{
    struct ub_compiler *c = l->c;
    const struct remade *made = find_remade(l, use.source);
    if (made)
        return (struct ub_operand){.kind = UB_REGISTER, .reg = made->reg};
    if (use.source == UB_NONE)
        return constant(l, use.value);
    if (use.view != UB_NONE)
        return view(l, use);
    if (in_group(l, use.source) && !c->stored[use.source])
        return (struct ub_operand){.kind = UB_REGISTER, .reg = l->reg[use.source - l->leader]};
    return (struct ub_operand){.kind = UB_MEMORY, .ref = c->ref[use.source]};
}

/* After an instruction: views and values read for the last time. */
static void release(struct lowering *l, int n_in, ub_node x)
{
    struct ub_compiler *c = l->c;
    for (int i = 0; i < n_in; i++) {
        struct ub_use use = ub_use_of(c, x, i);
        if (use.source != UB_NONE && use.view != UB_NONE)
            release_view(l, use);
        if (use.source == UB_NONE || use.view != UB_NONE || !in_group(l, use.source))
            continue;
        int at = use.source - l->leader;
        if (--l->reads[at] == 0 && l->reg[at] >= 0)
            l->busy[l->reg[at]] = false;
    }
    for (int i = 0; i < n_in; i++) {
        struct remade *made = find_remade(l, ub_use_of(c, x, i).source);
        if (made && --made->reads == 0)
            l->busy[made->reg] = false;
    }
}

/* Registers that last are taken before all others. */
static void take_lasting(struct lowering *l, ub_node x)
{
    for (int i = 0; i < ub_vertex(l->c->g, x)->n_in; i++) {
        struct ub_use use = ub_use_of(l->c, x, i);
        if (use.source == UB_NONE)
            constant(l, use.value);
        else if (use.view != UB_NONE)
            note_view(l, use);
    }
}

static struct ub_instruction *add_instruction(struct lowering *l, ub_node x)
{
    struct ub_compiler *c = l->c;
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_instruction *code = &l->block->code[l->block->n_code++];
    *code = (struct ub_instruction){
        .op = v->op, .n_in = v->n_in, .run = c->p->kernels->pointwise[v->op]};
    for (int i = 0; i < v->n_in; i++)
        code->in[i] = operand(l, ub_use_of(c, x, i));
    return code;
}

static void make_again(struct lowering *l, struct remade *made)
{
    struct ub_instruction *code = add_instruction(l, made->node);
    made->reg = take_register(l);
    code->out = (struct ub_operand){.kind = UB_REGISTER, .reg = made->reg};
    release(l, code->n_in, made->node);
}

static void make_inputs_again(struct lowering *l, ub_node x)
{
    for (int i = 0; i < ub_vertex(l->c->g, x)->n_in; i++) {
        struct remade *made = find_remade(l, ub_use_of(l->c, x, i).source);
        if (made && made->reg < 0)
            make_again(l, made);
    }
}

/* After its inputs are released: it may be written where one of them was. */
static struct ub_operand result(struct lowering *l, ub_node x)
{
    if (l->c->stored[x])
        return (struct ub_operand){.kind = UB_MEMORY, .ref = l->c->ref[x]};
    l->reg[x - l->leader] = take_register(l);
    return (struct ub_operand){.kind = UB_REGISTER, .reg = l->reg[x - l->leader]};
}

static void lower_node(struct lowering *l, ub_node x)
{
    make_inputs_again(l, x);
    struct ub_instruction *code = add_instruction(l, x);
    if (code->op == UB_OP_SUM)
        code->sum = ub_reduction_of(l->c, x);
    release(l, code->n_in, x);
    code->out = result(l, x);
    l->done[x - l->leader] = true;
}

/* What alone reads x, which is in a register, and can follow it at once; or UB_NONE. */
static ub_node follower(const struct lowering *l, ub_node x)
{
    const struct ub_compiler *c = l->c;
    const ub_node reader =
        l->reads[x - l->leader] == 1 && !c->stored[x] ? l->reader[x - l->leader] : UB_NONE;
    for (int i = 0; reader != UB_NONE && i < ub_vertex(c->g, reader)->n_in; i++) {
        const struct ub_use use = ub_use_of(c, reader, i);
        if (use.source == UB_NONE || use.view != UB_NONE || use.source == x)
            continue;
        if (in_group(l, use.source) && !l->done[use.source - l->leader])
            return UB_NONE;
    }
    return reader;
}

/* x and what follows it in one instruction; false, and nothing is done, where there is none. */
static bool lower_pair(struct lowering *l, ub_node x, ub_node next)
{
    const struct ub_compiler *c = l->c;
    const int at = ub_use_of(c, next, 0).source == x ? 0 : 1;
    ub_pointwise_kernel *kernel =
        ub_pair_kernel(c->p->kernels, ub_vertex(c->g, x)->op, ub_vertex(c->g, next)->op, at);
    if (!kernel)
        return false;
    make_inputs_again(l, x);
    make_inputs_again(l, next);
    struct ub_instruction *code = add_instruction(l, x);
    code->op = ub_vertex(c->g, next)->op;
    code->run = kernel;
    code->n_in = 3;
    code->in[2] = operand(l, ub_use_of(c, next, 1 - at));
    release(l, 2, x);
    release(l, 2, next);
    code->out = result(l, next);
    l->done[x - l->leader] = l->done[next - l->leader] = true;
    return true;
}

/* x, and on to whatever can follow at once. */
static void lower_from(struct lowering *l, ub_node x)
{
    while (x != UB_NONE && !l->done[x - l->leader]) {
        const ub_node next = follower(l, x);
        const bool paired = next != UB_NONE && lower_pair(l, x, next);
        if (!paired)
            lower_node(l, x);
        x = paired ? follower(l, next) : next;
    }
}

/* Counts reads inside the group, and of what is made again for it. */
static int count_reads(struct lowering *l)
{
    const struct ub_compiler *c = l->c;
    int members = 0;
    for (ub_node x = l->leader; x != UB_NONE; x = c->next[x]) {
        members++;
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            struct ub_use use = ub_use_of(c, x, i);
            if (use.source != UB_NONE && use.view == UB_NONE && in_group(l, use.source)) {
                l->reads[use.source - l->leader]++;
                l->reader[use.source - l->leader] = x;
            }
            if (!ub_is_remade(c, use.source, x))
                continue;
            struct remade *made = find_remade(l, use.source);
            if (!made) {
                l->remade = ub_realloc(l->remade, (size_t)(l->n_remade + 1) * sizeof *l->remade);
                made = &l->remade[l->n_remade++];
                *made = (struct remade){use.source, -1, 0};
            }
            made->reads++;
        }
    }
    return members + l->n_remade;
}

void ub_lower_block(struct ub_compiler *c, ub_node leader, struct ub_block *block)
{
    size_t span = (size_t)(c->group_last[leader] - leader) + 1;
    struct lowering l = {.c = c, .block = block, .leader = leader};
    l.reg = ub_alloc(span * sizeof *l.reg);
    l.reads = ub_calloc(span, sizeof *l.reads);
    l.reader = ub_alloc(span * sizeof *l.reader);
    l.done = ub_calloc(span, sizeof *l.done);
    for (size_t i = 0; i < span; i++)
        l.reg[i] = -1;
    const size_t most = (size_t)count_reads(&l);
    l.busy = ub_calloc(4 * most + 4, sizeof *l.busy);
    l.views = ub_calloc(3 * most, sizeof *l.views);
    block->n = ub_count(ub_shape_of(c->g, leader));
    block->code = ub_calloc(most, sizeof *block->code);
    for (int i = 0; i < l.n_remade; i++)
        take_lasting(&l, l.remade[i].node);
    for (ub_node x = leader; x != UB_NONE; x = c->next[x])
        take_lasting(&l, x);
    for (ub_node x = leader; x != UB_NONE; x = c->next[x])
        lower_from(&l, x);
    block->n_registers = l.n_busy;
    ub_free(l.reg);
    ub_free(l.reads);
    ub_free(l.reader);
    ub_free(l.done);
    ub_free(l.busy);
    ub_free(l.views);
    ub_free(l.remade);
}
