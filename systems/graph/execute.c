/* execute.c - runs programs: members of a team take lanes, a lane runs its chunks in order, and
 * lanes are added in order. Which thread does what never shows in the result. */
#include "base/clock.h"
#include "systems/graph/program.h"

#include <string.h>

static inline void *at(const struct ub_program *p, const struct ub_lane_context *t,
                       struct ub_ref ref)
{
    return (char *)t->base[ref.space] + (size_t)ref.offset * p->kernels->real;
}

/* ---- fused blocks ---- */

static inline void *register_at(const struct ub_program *p, const struct ub_lane_context *t,
                                int reg)
{
    return (char *)t->registers + (size_t)reg * UB_REGISTER_STRIDE * p->kernels->real;
}

/* A place in a strided walk. */
struct place {
    int64_t index[UB_RANK], offset;
};

static struct place place_of(const struct ub_move *w, int64_t element)
{
    struct place at = {.offset = 0};
    if (element == 0)
        return at;
    for (int i = w->rank - 1; i >= 0; i--) {
        at.index[i] = element % w->dim[i];
        element /= w->dim[i];
        at.offset += at.index[i] * w->in_stride[i];
    }
    return at;
}

/* So many steps along an axis, which must not pass its end by more than one. */
static void go_on(const struct ub_move *w, struct place *at, int axis, int64_t steps)
{
    at->index[axis] += steps;
    at->offset += steps * w->in_stride[axis];
    for (int i = axis; at->index[i] == w->dim[i]; i--) {
        at->offset -= w->dim[i] * w->in_stride[i];
        at->index[i] = 0;
        if (i == 0)
            break;
        at->index[i - 1]++;
        at->offset += w->in_stride[i - 1];
    }
}

/* How many whole ones of what follows the axis are ahead, within n elements. */
static int64_t whole_ahead(const struct ub_move *w, const struct place *at, int axis, int64_t n)
{
    if (axis < 0)
        return 0;
    for (int i = axis + 1; i < w->rank; i++) {
        if (at->index[i] != 0)
            return 0;
        n /= w->dim[i];
    }
    const int64_t left = w->dim[axis] - at->index[axis];
    return n < left ? n : left;
}

/* Elements start..start+n of a strided walk: in place when they are contiguous, else gathered, as
 * many runs at once as are whole, or planes of them; others that read it expect it gathered. */
static const void *gather(const struct ub_program *p, const struct ub_lane_context *t,
                          const struct ub_operand *o, const struct ub_move *w, int64_t start,
                          int64_t n)
{
    const size_t real = p->kernels->real;
    const char *source = at(p, t, o->ref);
    char *out = register_at(p, t, o->reg);
    if (w->rank == 0) {
        p->kernels->move(1, &n, out, (int64_t[]){1}, source, (int64_t[]){0});
        return out;
    }
    const int last = w->rank - 1;
    struct place here = place_of(w, start);
    if (!o->shared && w->in_stride[last] == 1 && here.index[last] + n <= w->dim[last])
        return source + (size_t)here.offset * real;
    for (int64_t done = 0, moved = 0; done < n; done += moved) {
        int axis = last > 1 ? last - 2 : 0;
        int64_t count = 0;
        while (axis < last && (count = whole_ahead(w, &here, axis, n - done)) == 0)
            axis++;
        if (axis == last) {
            count = w->dim[last] - here.index[last];
            count = count < n - done ? count : n - done;
        }
        int64_t dim[3] = {count}, stride[3];
        const int rank = last - axis + 1;
        for (int i = 1; i < rank; i++)
            dim[i] = w->dim[axis + i];
        stride[rank - 1] = 1;
        for (int i = rank - 1; i > 0; i--)
            stride[i - 1] = stride[i] * dim[i];
        p->kernels->move(rank, dim, out + (size_t)done * real, stride,
                         source + (size_t)here.offset * real, &w->in_stride[axis]);
        moved = count * stride[0];
        go_on(w, &here, axis, count);
    }
    return out;
}

static void run_block(const struct ub_program *p, const struct ub_lane_context *t,
                      const struct ub_block *b)
{
    size_t real = p->kernels->real;
    for (int i = 0; i < b->n_constants; i++)
        p->kernels->fill(b->n < UB_BLOCK ? b->n : UB_BLOCK, register_at(p, t, b->constants[i].reg),
                         b->constants[i].value);
    for (int64_t start = 0; start < b->n; start += UB_BLOCK) {
        int64_t n = b->n - start < UB_BLOCK ? b->n - start : UB_BLOCK;
        for (int k = 0; k < b->n_code; k++) {
            const struct ub_instruction *code = &b->code[k];
            const void *in[3] = {0};
            for (int i = 0; i < code->n_in; i++) {
                const struct ub_operand *o = &code->in[i];
                in[i] = o->kind == UB_REGISTER ? register_at(p, t, o->reg)
                        : o->kind == UB_MEMORY
                            ? (const char *)at(p, t, o->ref) + (size_t)start * real
                        : o->held && start > 0 ? register_at(p, t, o->reg)
                                               : gather(p, t, o, &b->walks[o->walk], start, n);
            }
            if (code->op == UB_OP_SUM) {
                p->kernels->sum_part(start, n, code->sum.r, code->sum.b, at(p, t, code->out.ref),
                                     in[0]);
                continue;
            }
            void *out = code->out.kind == UB_REGISTER
                            ? register_at(p, t, code->out.reg)
                            : (char *)at(p, t, code->out.ref) + (size_t)start * real;
            code->run(n, out, in);
        }
    }
}

/* ---- steps ---- */

static void run_gemm(const struct ub_program *p, const struct ub_lane_context *t,
                     const struct ub_step *s)
{
    const struct ub_gemm *g = &s->gemm;
    size_t real = p->kernels->real;
    const char *a = at(p, t, s->in[0]), *b = at(p, t, s->in[1]);
    char *c = at(p, t, s->out);
    bool accumulate = s->to_lane && !t->lane_first;
    int64_t index[UB_BATCH_RANK] = {0}, ia = 0, ib = 0, ic = 0;
    for (int64_t i = 0; i < g->batch; i++) {
        const char *ai = a + (size_t)ia * real, *bi = b + (size_t)ib * real;
        char *ci = c + (size_t)ic * real;
        if (g->split)
            ub_split_product_run(g->split, p->kernels, t->member, accumulate, ai, bi, ci,
                                 t->scratch);
        else
            g->multiply(g->ta, g->tb, g->m, g->n, g->k, ai, g->lda, bi, g->ldb, accumulate, ci,
                        g->ldc);
        for (int axis = g->rank - 1; axis >= 0; axis--) {
            ia += g->stride_a[axis];
            ib += g->stride_b[axis];
            ic += g->stride_c[axis];
            if (++index[axis] < g->dim[axis])
                break;
            index[axis] = 0;
            ia -= g->dim[axis] * g->stride_a[axis];
            ib -= g->dim[axis] * g->stride_b[axis];
            ic -= g->dim[axis] * g->stride_c[axis];
        }
    }
}

static void run_total(const struct ub_program *p, const struct ub_lane_context *t,
                      const struct ub_step *s)
{
    if (t->lane_first)
        memcpy(at(p, t, s->out), at(p, t, s->in[0]), (size_t)s->n * p->kernels->real);
    else
        p->kernels->add_to(s->n, at(p, t, s->out), at(p, t, s->in[0]));
}

/* Lanes in order, in double. */
static void run_join(const struct ub_program *p, const struct ub_lane_context *t,
                     const struct ub_step *s)
{
    enum { AT_ONCE = 256 };
    double sums[AT_ONCE];
    const size_t real = p->kernels->real;
    for (int64_t i = 0; i < s->n; i += AT_ONCE) {
        const int64_t n = s->n - i < AT_ONCE ? s->n - i : AT_ONCE;
        const char *lanes = (const char *)p->lane + (size_t)(s->in[0].offset + i) * real;
        p->kernels->sum_lanes(n, sums, lanes, p->lanes, p->lane_size);
        p->kernels->from_double(n, (char *)at(p, t, s->out) + (size_t)i * real, sums);
    }
}

static void run_each(const struct ub_program *p, const struct ub_lane_context *t,
                     const struct ub_step *s, double *const *results)
{
    int64_t start = t->chunk * p->chunk, rows = p->samples - start;
    rows = rows < p->chunk ? rows : p->chunk;
    double *out = results[p->outputs[s->output].spec.slot];
    p->kernels->to_double(rows * s->n, out + start * s->n, at(p, t, s->in[0]));
}

void ub_run_step(const struct ub_program *p, const struct ub_lane_context *t,
                 const struct ub_step *s, double *const *results)
{
    switch (s->kind) {
    case UB_STEP_BLOCK:
        run_block(p, t, &s->block);
        break;
    case UB_STEP_GEMM:
        run_gemm(p, t, s);
        break;
    case UB_STEP_MOVE:
        p->kernels->move(s->move.rank, s->move.dim, at(p, t, s->out), s->move.out_stride,
                         at(p, t, s->in[0]), s->move.in_stride);
        break;
    case UB_STEP_FILL:
        p->kernels->fill(s->n, at(p, t, s->out), s->value);
        break;
    case UB_STEP_SUM:
        p->kernels->sum(s->reduce.a, s->reduce.r, s->reduce.b, at(p, t, s->out),
                        at(p, t, s->in[0]));
        break;
    case UB_STEP_MAX:
        p->kernels->max(s->reduce.a, s->reduce.r, s->reduce.b, at(p, t, s->out),
                        at(p, t, s->in[0]));
        break;
    case UB_STEP_IOTA:
        p->kernels->iota(s->n, at(p, t, s->out));
        break;
    case UB_STEP_CUMSUM:
        p->kernels->cumsum(s->reduce.a, s->reduce.r, s->reduce.b, s->reverse, at(p, t, s->out),
                           at(p, t, s->in[0]));
        break;
    case UB_STEP_GATHER:
        p->kernels->gather(s->index.n, s->index.d, s->index.rows, at(p, t, s->out),
                           at(p, t, s->in[0]), at(p, t, s->in[1]));
        break;
    case UB_STEP_SCATTER:
        p->kernels->scatter(s->index.n, s->index.d, s->index.rows, at(p, t, s->out),
                            at(p, t, s->in[0]), at(p, t, s->in[1]));
        break;
    case UB_STEP_WINDOWS:
        p->kernels->windows(&s->images, 0, s->images.c, at(p, t, s->out), at(p, t, s->in[0]));
        break;
    case UB_STEP_WINDOWS_ADD:
        p->kernels->fill(s->n, at(p, t, s->out), 0);
        p->kernels->windows_add(&s->images, 0, s->images.c, at(p, t, s->out), at(p, t, s->in[0]));
        break;
    case UB_STEP_CONV:
        ub_convolve(p->kernels, &s->conv, t->member, at(p, t, s->out), at(p, t, s->in[0]),
                    at(p, t, s->in[1]), t->scratch);
        break;
    case UB_STEP_TOTAL:
        run_total(p, t, s);
        break;
    case UB_STEP_JOIN:
        run_join(p, t, s);
        break;
    case UB_STEP_EACH:
        run_each(p, t, s, results);
        break;
    }
}

static void run_steps(const struct ub_program *p, const struct ub_lane_context *t,
                      const struct ub_segment *segment, double *const *results)
{
    const struct ub_steps *steps = &segment->steps;
    double *spent = t->spent ? t->spent + segment->first_part : NULL;
    double before = spent ? ub_seconds() : 0;
    for (int i = 0; i < steps->count; i++) {
        ub_run_step(p, t, &steps->step[i], results);
        if (spent) {
            const double after = ub_seconds();
            spent[i] += after - before;
            before = after;
        }
    }
}

/* ---- a call ---- */

void ub_run_at_chunk(const struct ub_program *p, struct ub_lane_context *t, int64_t chunk)
{
    size_t real = p->kernels->real;
    t->chunk = chunk;
    t->base[UB_SPACE_KEPT] = (char *)p->kept + (size_t)(chunk * p->kept_size) * real;
    t->base[UB_SPACE_WEIGHTS] = (char *)p->weights + (size_t)(chunk * p->chunk) * real;
    for (int i = 0; i < UB_SLOTS; i++) {
        const struct ub_bound_samples *s = &p->bound[i];
        if (s->tail && chunk == p->chunks - 1)
            t->base[UB_SPACE_SAMPLES + i] = s->tail;
        else if (s->values)
            t->base[UB_SPACE_SAMPLES + i] =
                (char *)s->values + (size_t)(chunk * p->chunk * p->sample_size[i]) * real;
    }
}

void ub_run_at_lane(const struct ub_program *p, struct ub_lane_context *t, int64_t lane)
{
    t->base[UB_SPACE_LANE] = (char *)p->lane + (size_t)(lane * p->lane_size) * p->kernels->real;
}

/* A call; and the segments, from..to, of the region that a team shares out. */
struct call {
    const struct ub_program *p;
    bool first;
    double *const *results;
    int from, to;
};

static bool is_due(const struct call *call, int segment)
{
    const struct ub_segment *s = &call->p->segments[segment];
    return s->steps.count > 0 && (s->late || call->first);
}

static void run_chunk(const struct call *call, struct ub_lane_context *t, int64_t chunk)
{
    ub_run_at_chunk(call->p, t, chunk);
    for (int i = call->from; i < call->to; i++)
        if (is_due(call, i))
            run_steps(call->p, t, &call->p->segments[i], call->results);
}

static void run_lane(void *context, int64_t lane, int member)
{
    const struct call *call = context;
    const struct ub_program *p = call->p;
    struct ub_lane_context *t = &p->contexts[member];
    ub_run_at_lane(p, t, lane);
    for (int64_t chunk = lane; chunk < p->chunks; chunk += p->lanes) {
        t->lane_first = chunk == lane;
        run_chunk(call, t, chunk);
    }
}

static void run_region(struct call *call)
{
    const struct ub_program *p = call->p;
    bool due = false;
    for (int i = call->from; i < call->to; i++)
        due = due || is_due(call, i);
    if (due)
        ub_team_run(p->team, p->lanes, run_lane, call);
}

void ub_program_run(struct ub_program *p, const double *const *vectors, double *const *results,
                    bool first)
{
    ub_workspace_enter(p);
    ub_load_inputs(p, vectors, first);
    const bool whole = first || !p->keep; /* nothing kept: the first stage runs again */
    struct call call = {.p = p, .first = whole, .results = results};
    for (call.from = 0; call.from < p->n_segments; call.from = call.to) {
        const struct ub_segment *s = &p->segments[call.from];
        call.to = call.from + 1;
        while (call.to < p->n_segments && p->segments[call.to].region == s->region)
            call.to++;
        if (s->chunk)
            run_region(&call);
        else if (is_due(&call, call.from))
            run_steps(p, &p->contexts[0], s, results);
    }
    ub_store_outputs(p, results, whole);
}

void ub_program_share(struct ub_program *p, int slot, const void *values)
{
    struct ub_bound_samples *s = &p->bound[slot];
    const size_t row = (size_t)p->sample_size[slot] * p->kernels->real;
    s->values = values;
    for (int64_t k = 0, i = (p->chunks - 1) * p->chunk; s->tail && k < p->chunk; k++, i++)
        memcpy((char *)s->tail + (size_t)k * row,
               (const char *)values + (size_t)(i % p->samples) * row, row);
}

void ub_program_samples(struct ub_program *p, int slot, const double *values)
{
    const int64_t count = p->sample_size[slot] * p->samples;
    struct ub_bound_samples *s = &p->bound[slot];
    if (!s->own)
        s->own = ub_alloc((size_t)count * p->kernels->real);
    p->kernels->from_double(count, s->own, values);
    ub_program_share(p, slot, s->own);
}
