/* transfer.c - numbers into and out of a program: parameters are rounded, lanes added. Of large
 * models that takes long enough to be shared out, in pieces that no thread's number changes. */
#include "systems/graph/program.h"

enum { PIECE = 4096 }; /* numbers: some microseconds */

static void add_copies(struct ub_copies *c, int index, int64_t members, int64_t each)
{
    for (int64_t member = 0; member < members; member++)
        for (int64_t start = 0; start < each; start += PIECE) {
            const int64_t count = each - start < PIECE ? each - start : PIECE;
            if (c->count == c->capacity) {
                c->capacity = 2 * c->capacity + 8;
                c->copy = ub_realloc(c->copy, (size_t)c->capacity * sizeof *c->copy);
            }
            c->copy[c->count++] = (struct ub_copy){index, member, start, count};
        }
}

/* Copies that follow one another make a task, up to the size of a piece. */
static void share_out(struct ub_copies *c)
{
    int64_t filled = PIECE;
    c->task = ub_calloc((size_t)c->count + 1, sizeof *c->task);
    for (int i = 0; i < c->count; i++) {
        if (filled + c->copy[i].count > PIECE) {
            c->task[c->tasks++] = i;
            filled = 0;
        }
        filled += c->copy[i].count;
    }
    c->task[c->tasks] = c->count;
}

void ub_plan_transfers(struct ub_program *p)
{
    for (int i = 0; i < p->n_inputs; i++) {
        const struct ub_bound_input *in = &p->inputs[i];
        if (in->ref.space != UB_SPACE_NOWHERE && in->spec.kind == UB_SHARED)
            add_copies(&p->loads, i, in->members, in->count / in->members);
    }
    for (int i = 0; i < p->n_outputs; i++) {
        const struct ub_bound_output *o = &p->outputs[i];
        if (o->spec.kind != UB_EACH)
            add_copies(&p->stores, i, o->members, o->count / o->members);
    }
    share_out(&p->loads);
    share_out(&p->stores);
}

struct transfer {
    struct ub_program *p;
    const double *const *vectors;
    double *const *results;
    bool first;
};

static void *at(const struct ub_program *p, struct ub_ref ref, int64_t more)
{
    return (char *)p->contexts[0].base[ref.space] + (size_t)(ref.offset + more) * p->kernels->real;
}

static void load(const struct transfer *t, const struct ub_copy *c)
{
    const struct ub_program *p = t->p;
    const struct ub_bound_input *in = &p->inputs[c->index];
    if (!in->spec.late && !t->first)
        return;
    const int64_t each = in->count / in->members;
    p->kernels->from_double(c->count, at(p, in->ref, c->member * each + c->start),
                            t->vectors[in->spec.slot] + in->spec.offset +
                                c->member * in->spec.stride + c->start);
}

static void store(const struct transfer *t, const struct ub_copy *c)
{
    const struct ub_program *p = t->p;
    const struct ub_bound_output *o = &p->outputs[c->index];
    if (!o->late && !t->first)
        return;
    const int64_t from = c->member * (o->count / o->members) + c->start;
    double *to = t->results[o->spec.slot] + o->spec.offset + c->member * o->spec.stride + c->start;
    if (o->once)
        p->kernels->to_double(c->count, to, at(p, o->ref, from));
    else
        p->kernels->sum_lanes(c->count, to,
                              (char *)p->lane + (size_t)(o->ref.offset + from) * p->kernels->real,
                              p->lanes, p->lane_size);
}

static void load_some(void *context, int64_t task, int member)
{
    const struct transfer *t = context;
    const struct ub_copies *c = &t->p->loads;
    (void)member;
    for (int i = c->task[task]; i < c->task[task + 1]; i++)
        load(t, &c->copy[i]);
}

static void store_some(void *context, int64_t task, int member)
{
    const struct transfer *t = context;
    const struct ub_copies *c = &t->p->stores;
    (void)member;
    for (int i = c->task[task]; i < c->task[task + 1]; i++)
        store(t, &c->copy[i]);
}

void ub_load_inputs(struct ub_program *p, const double *const *vectors, bool first)
{
    struct transfer t = {.p = p, .vectors = vectors, .first = first};
    ub_team_run(p->team, p->loads.tasks, load_some, &t);
}

void ub_store_outputs(struct ub_program *p, double *const *results, bool first)
{
    struct transfer t = {.p = p, .results = results, .first = first};
    ub_team_run(p->team, p->stores.tasks, store_some, &t);
}

void ub_free_transfers(struct ub_program *p)
{
    ub_free(p->loads.copy);
    ub_free(p->loads.task);
    ub_free(p->stores.copy);
    ub_free(p->stores.task);
}
