/* work.c - what a program does, counted step by step, and its steps run alone, to be timed. */
#include "systems/graph/program.h"

/* ---- bytes of arithmetic ---- */

enum { SEEN = 256 }; /* arrays of a block that are told apart; more are counted again */
struct seen {
    struct ub_ref ref[SEEN];
    int count;
};

static bool is_new(struct seen *seen, struct ub_ref ref)
{
    for (int i = 0; i < seen->count; i++)
        if (seen->ref[i].space == ref.space && seen->ref[i].offset == ref.offset)
            return false;
    if (seen->count < SEEN)
        seen->ref[seen->count++] = ref;
    return true;
}

/* Numbers that a walk touches: axes of stride 0 repeat. */
static int64_t touched(const struct ub_move *walk)
{
    int64_t count = 1;
    for (int i = 0; i < walk->rank; i++)
        count *= walk->in_stride[i] != 0 ? walk->dim[i] : 1;
    return count;
}

static int64_t block_numbers(const struct ub_block *b)
{
    struct seen seen = {.count = 0};
    int64_t count = 0;
    for (int k = 0; k < b->n_code; k++) {
        const struct ub_instruction *code = &b->code[k];
        for (int i = 0; i < code->n_in; i++) {
            const struct ub_operand *in = &code->in[i];
            if (in->kind != UB_REGISTER && is_new(&seen, in->ref))
                count += in->kind == UB_MEMORY ? b->n : touched(&b->walks[in->walk]);
        }
        if (code->op == UB_OP_SUM)
            count += code->sum.a * code->sum.b;
        else if (code->out.kind == UB_MEMORY && is_new(&seen, code->out.ref))
            count += b->n;
    }
    return count;
}

static int64_t window_numbers(const struct ub_step *s)
{
    const struct ub_images *i = &s->images;
    const int64_t image = i->n * i->h * i->w * i->c;
    return image + i->n * i->out_h * i->out_w * i->kh * i->kw * i->c;
}

static int64_t reduced_numbers(const struct ub_reduce *r)
{
    return r->a * r->b * (r->r + 1);
}

/* Numbers read and written by one call of a step that is no product. */
static int64_t numbers(const struct ub_step *s, int64_t lanes)
{
    switch (s->kind) {
    case UB_STEP_BLOCK:
        return block_numbers(&s->block);
    case UB_STEP_MOVE: {
        int64_t written = 1;
        for (int i = 0; i < s->move.rank; i++)
            written *= s->move.dim[i];
        return written + touched(&s->move);
    }
    case UB_STEP_SUM:
    case UB_STEP_MAX:
        return reduced_numbers(&s->reduce);
    case UB_STEP_CUMSUM:
        return 2 * s->reduce.a * s->reduce.r * s->reduce.b;
    case UB_STEP_GATHER:
        return s->index.n * (2 * s->index.d + 1);
    case UB_STEP_SCATTER:
        return s->index.n * (s->index.d + 1) + s->index.rows * s->index.d;
    case UB_STEP_WINDOWS:
    case UB_STEP_WINDOWS_ADD:
        return window_numbers(s);
    case UB_STEP_JOIN:
        return (1 + lanes) * s->n;
    case UB_STEP_TOTAL:
        return 3 * s->n; /* the value, and the total before and after */
    case UB_STEP_FILL:
    case UB_STEP_IOTA:
    case UB_STEP_EACH:
    default:
        return s->n;
    }
}

/* ---- parts ---- */

static const struct ub_step *step_at(const struct ub_program *p, int i,
                                     const struct ub_segment **segment)
{
    for (int k = 0; k < p->n_segments; k++) {
        *segment = &p->segments[k];
        const struct ub_steps *steps = &p->segments[k].steps;
        if (i < steps->count)
            return &steps->step[i];
        i -= steps->count;
    }
    UB_ABORT("no such part");
}

int ub_program_parts(const struct ub_program *p)
{
    int count = 0;
    for (int i = 0; i < p->n_segments; i++)
        count += p->segments[i].steps.count;
    return count;
}

static void describe_product(struct ub_program_part *part, const struct ub_gemm *g)
{
    part->kind = UB_PART_PRODUCT;
    part->ta = g->ta;
    part->tb = g->tb;
    part->split = g->split != NULL;
    part->batch = g->batch;
    part->m = g->m;
    part->n = g->n;
    part->k = g->k;
}

/* Patches are rows of height x width x channels of a group. */
static void describe_convolution(struct ub_program_part *part, const struct ub_convolution *c)
{
    const struct ub_images *s = &c->images;
    const int64_t pixels = s->n * s->out_h * s->out_w, o = s->o / s->groups;
    const int64_t patch = s->kh * s->kw * (s->c / s->groups);
    part->kind = UB_PART_CONVOLUTION;
    part->batch = c->batch * s->groups;
    part->m = c->op == UB_OP_CONV_WEIGHT ? o : pixels;
    part->n = c->op == UB_OP_CONV ? o : patch;
    part->k = c->op == UB_OP_CONV ? patch : c->op == UB_OP_CONV_INPUT ? o : pixels;
    part->tb = c->op == UB_OP_CONV;
    part->ta = c->op == UB_OP_CONV_WEIGHT;
}

struct ub_program_part ub_program_part(const struct ub_program *p, int i)
{
    const struct ub_segment *segment = NULL;
    const struct ub_step *s = step_at(p, i, &segment);
    struct ub_program_part part = {.late = segment->late,
                                   .shared = !segment->chunk,
                                   .calls = segment->chunk ? (double)p->chunks : 1};
    if (s->kind == UB_STEP_GEMM)
        describe_product(&part, &s->gemm);
    else if (s->kind == UB_STEP_CONV)
        describe_convolution(&part, &s->conv);
    else if (s->kind == UB_STEP_MOVE || s->kind == UB_STEP_FILL || s->kind == UB_STEP_IOTA ||
             s->kind == UB_STEP_EACH)
        part.kind = UB_PART_COPY;
    else
        part.kind = UB_PART_ARITHMETIC;
    if (part.kind == UB_PART_PRODUCT || part.kind == UB_PART_CONVOLUTION)
        part.flops = 2.0 * (double)part.batch * (double)part.m * (double)part.n * (double)part.k;
    else
        part.bytes = (double)numbers(s, p->lanes) * (double)p->kernels->real;
    return part;
}

double ub_program_streamed(const struct ub_program *p, bool first)
{
    double bytes = 0;
    for (int i = 0; i < p->n_inputs; i++) {
        const struct ub_bound_input *in = &p->inputs[i];
        if (in->ref.space == UB_SPACE_NOWHERE || (!first && !in->spec.late))
            continue;
        if (in->spec.kind == UB_SHARED)
            bytes += (double)in->count * sizeof(double);
        else
            bytes += (double)(in->count * p->chunks) * (double)p->kernels->real;
    }
    for (int i = 0; i < p->n_outputs; i++) {
        const struct ub_bound_output *out = &p->outputs[i];
        const double each = out->spec.kind == UB_EACH ? (double)p->chunks : 1;
        if (first || out->late)
            bytes += (double)out->count * each * sizeof(double);
    }
    return bytes;
}

/* ---- a part alone ---- */

struct repeat {
    const struct ub_program *p;
    const struct ub_step *step;
    int64_t times;
};

static void repeat_step(void *context, int64_t task, int member)
{
    const struct repeat *r = context;
    struct ub_lane_context *t = &r->p->contexts[member];
    ub_run_at_lane(r->p, t, task);
    ub_run_at_chunk(r->p, t, task);
    t->chunk = task;
    t->lane_first = true; /* or totals would grow without end */
    for (int64_t i = 0; i < r->times; i++)
        ub_run_step(r->p, t, r->step, NULL);
}

void ub_program_repeat(struct ub_program *p, int i, int64_t times)
{
    const struct ub_segment *segment = NULL;
    struct repeat r = {.p = p, .step = step_at(p, i, &segment), .times = times};
    if (r.step->kind == UB_STEP_EACH)
        return;
    ub_workspace_enter(p);
    const int64_t tasks = p->threads < p->lanes ? p->threads : p->lanes;
    ub_team_run(p->team, segment->chunk ? tasks : 1, repeat_step, &r);
}

/* ---- parts where they stand ---- */

void ub_program_watch(struct ub_program *p)
{
    for (int i = 0, first = 0; i < p->n_segments; i++) {
        p->segments[i].first_part = first;
        first += p->segments[i].steps.count;
    }
    for (int t = 0; t < p->threads; t++) {
        ub_free(p->contexts[t].spent);
        p->contexts[t].spent = ub_calloc((size_t)ub_program_parts(p) + 1, sizeof(double));
    }
}

double ub_program_spent(const struct ub_program *p, int i)
{
    double sum = 0;
    for (int t = 0; t < p->threads; t++)
        sum += p->contexts[t].spent ? p->contexts[t].spent[i] : 0;
    return sum;
}
