/* lower.c - last pass: steps with addresses, group by group in order of execution. */
#include "systems/graph/program.h"

static struct ub_step *add_step(struct ub_steps *steps, enum ub_step_kind kind)
{
    if (steps->count == steps->capacity) {
        steps->capacity = steps->capacity ? 2 * steps->capacity : 16;
        steps->step = ub_realloc(steps->step, (size_t)steps->capacity * sizeof *steps->step);
    }
    struct ub_step *s = &steps->step[steps->count++];
    *s = (struct ub_step){.kind = kind};
    return s;
}

void ub_shape_strides(struct ub_shape shape, int64_t *stride)
{
    int64_t s = 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        stride[i] = s;
        s *= shape.dim[i];
    }
}

void ub_broadcast_strides(struct ub_shape shape, struct ub_shape from, int64_t *stride)
{
    int64_t own[UB_RANK];
    ub_shape_strides(from, own);
    for (int i = 0; i < shape.rank; i++) {
        int j = i - (shape.rank - from.rank);
        stride[i] = j < 0 || (from.dim[j] == 1 && shape.dim[i] != 1) ? 0 : own[j];
    }
}

void ub_move_merge(struct ub_move *m)
{
    int rank = 0;
    for (int i = 0; i < m->rank; i++) {
        if (m->dim[i] == 1)
            continue;
        int last = rank - 1;
        if (rank && m->out_stride[last] == m->dim[i] * m->out_stride[i] &&
            m->in_stride[last] == m->dim[i] * m->in_stride[i]) {
            m->dim[last] *= m->dim[i];
            m->out_stride[last] = m->out_stride[i];
            m->in_stride[last] = m->in_stride[i];
            continue;
        }
        m->dim[rank] = m->dim[i];
        m->out_stride[rank] = m->out_stride[i];
        m->in_stride[rank] = m->in_stride[i];
        rank++;
    }
    m->rank = rank;
}

/* A copy over `dims`, both sides laid out as their own whole shapes. */
static void add_move(struct ub_steps *steps, struct ub_shape dims, struct ub_ref out,
                     const int64_t *out_stride, struct ub_ref in, const int64_t *in_stride)
{
    struct ub_step *s = add_step(steps, UB_STEP_MOVE);
    s->out = out;
    s->in[0] = in;
    s->move.rank = dims.rank;
    for (int i = 0; i < dims.rank; i++) {
        s->move.dim[i] = dims.dim[i];
        s->move.out_stride[i] = out_stride[i];
        s->move.in_stride[i] = in_stride[i];
    }
    ub_move_merge(&s->move);
}

static void lower_move(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    ub_node source = c->base[v->in[0]];
    struct ub_shape from = ub_shape_of(c->g, v->in[0]), dims = v->shape;
    int64_t out[UB_RANK], own[UB_RANK], in[UB_RANK];
    struct ub_ref to = c->ref[x], at = c->ref[source];
    ub_shape_strides(v->shape, out);
    ub_shape_strides(from, own);
    for (int i = 0; i < from.rank; i++)
        in[i] = own[i];
    if (v->op == UB_OP_TRANSPOSE) {
        for (int i = 0; i < from.rank; i++)
            in[i] = own[v->attributes.order[i]];
    } else if (v->op == UB_OP_BROADCAST) {
        ub_broadcast_strides(v->shape, from, in);
    } else if (v->op == UB_OP_SLICE) {
        at.offset += v->attributes.before * own[v->attributes.axis];
    } else { /* PAD */
        struct ub_step *zero = add_step(steps, UB_STEP_FILL);
        zero->out = to;
        zero->n = ub_count(v->shape);
        to.offset += v->attributes.before * out[v->attributes.axis];
        dims = from;
    }
    add_move(steps, dims, to, out, at, in);
}

static void lower_concat(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    int64_t out[UB_RANK], in[UB_RANK];
    struct ub_ref to = c->ref[x];
    ub_shape_strides(v->shape, out);
    for (int i = 0; i < v->n_in; i++) {
        struct ub_shape part = ub_shape_of(c->g, v->in[i]);
        ub_shape_strides(part, in);
        add_move(steps, part, to, out, c->ref[c->base[v->in[i]]], in);
        to.offset += part.dim[v->attributes.axis] * out[v->attributes.axis];
    }
}

static void lower_reduce(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_shape from = ub_shape_of(c->g, v->in[0]);
    struct ub_step *s = add_step(steps, v->op == UB_OP_SUM ? UB_STEP_SUM : UB_STEP_MAX);
    s->out = c->ref[x];
    s->in[0] = c->ref[c->base[v->in[0]]];
    s->reduce = (struct ub_reduce){1, 1, 1};
    bool passed = false;
    for (int i = 0; i < from.rank; i++) {
        bool reduced = v->attributes.axes & UB_AXIS(i);
        passed = passed || reduced;
        if (reduced)
            s->reduce.r *= from.dim[i];
        else if (passed)
            s->reduce.b *= from.dim[i];
        else
            s->reduce.a *= from.dim[i];
    }
}

static void lower_matmul(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_use a = ub_use_of(c, x, 0), b = ub_use_of(c, x, 1);
    struct ub_shape sa = ub_shape_of(c->g, v->in[0]), sb = ub_shape_of(c->g, v->in[1]);
    int64_t m = sa.dim[sa.rank - 2], k = sa.dim[sa.rank - 1], n = sb.dim[sb.rank - 1];
    struct ub_step *s = add_step(steps, UB_STEP_GEMM);
    s->out = c->ref[x];
    s->to_lane = s->out.space == UB_SPACE_LANE;
    s->in[0] = c->ref[a.source];
    s->in[1] = c->ref[b.source];
    s->gemm = (struct ub_gemm){.ta = a.transposed,
                               .tb = b.transposed,
                               .batch = ub_count(v->shape) / (m * n),
                               .m = m,
                               .n = n,
                               .k = k,
                               .stride_a = sa.rank == 2 ? 0 : m * k,
                               .stride_b = sb.rank == 2 ? 0 : k * n,
                               .stride_c = m * n};
    if (sb.rank == 2 && !a.transposed) { /* shared right side: one tall product */
        s->gemm.m *= s->gemm.batch;
        s->gemm.batch = 1;
    }
    c->p->facts.matmuls++;
    double calls = c->segment[x] < UB_CHUNK_FIRST ? 1 : (double)c->p->chunks;
    c->p->facts.flops += 2.0 * (double)ub_count(v->shape) * (double)k * calls;
}

static void lower_outputs(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    for (int i = 0; i < c->p->n_outputs; i++) {
        struct ub_bound_output *o = &c->p->outputs[i];
        if (c->base[o->spec.node] != x)
            continue;
        if (o->segment < UB_CHUNK_FIRST) {
            o->ref = c->ref[x];
        } else if (o->spec.kind == UB_EACH) {
            struct ub_step *s = add_step(steps, UB_STEP_EACH);
            s->in[0] = c->ref[x];
            s->output = i;
            s->n = o->count / c->p->chunk;
        } else if (c->ref[x].space != UB_SPACE_LANE) {
            struct ub_step *s = add_step(steps, UB_STEP_TOTAL);
            s->out = o->ref;
            s->in[0] = c->ref[x];
            s->n = o->count;
        }
    }
}

static void lower_group(struct ub_compiler *c, ub_node leader)
{
    struct ub_steps *steps = &c->p->steps[c->segment[leader]];
    const struct ub_vertex *v = ub_vertex(c->g, leader);
    if (ub_operator_row(v->op)->pointwise) {
        struct ub_block block = {0};
        ub_lower_block(c, leader, &block);
        add_step(steps, UB_STEP_BLOCK)->block = block;
        c->p->facts.fused_blocks++;
        if (block.n_registers > c->p->registers)
            c->p->registers = block.n_registers;
    } else if (v->op == UB_OP_FILL) {
        struct ub_step *s = add_step(steps, UB_STEP_FILL);
        s->out = c->ref[leader];
        s->n = ub_count(v->shape);
        s->value = v->attributes.value;
    } else if (v->op == UB_OP_MATMUL) {
        lower_matmul(c, steps, leader);
    } else if (v->op == UB_OP_SUM || v->op == UB_OP_REDUCE_MAX) {
        lower_reduce(c, steps, leader);
    } else if (v->op == UB_OP_CONCAT) {
        lower_concat(c, steps, leader);
    } else if (v->op != UB_OP_INPUT) {
        lower_move(c, steps, leader);
    }
    for (ub_node x = leader; x != UB_NONE; x = c->next[x])
        lower_outputs(c, steps, x);
}

void ub_compile_lower(struct ub_compiler *c)
{
    for (int i = 0; i < c->n_groups; i++)
        lower_group(c, c->order[i]);
    c->p->facts.steps_once = c->p->steps[UB_ONCE_FIRST].count + c->p->steps[UB_ONCE_LATE].count;
    c->p->facts.steps_chunk = c->p->steps[UB_CHUNK_FIRST].count + c->p->steps[UB_CHUNK_LATE].count;
}
