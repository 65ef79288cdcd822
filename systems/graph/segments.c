/* segments.c - the parts of a program and their order. A value is computed once a call or once a
 * chunk; in the first stage or late; and after so many totals over all samples as lie on the way to
 * it, its phase: a total is known when every chunk has added to it, so that threads meet there.
 *
 * In order: what is once of a phase, then what is of chunks; then the next phase. The last phase of
 * the first stage and the first of the late one are run together, chunk by chunk. */
#include "systems/graph/program.h"

static void find_part(struct ub_compiler *c, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_part part = {.phase = 0};
    if (v->op == UB_OP_INPUT && c->input_of[x] >= 0) {
        const struct ub_program_input *in = &c->p->inputs[c->input_of[x]].spec;
        part.chunk = in->kind != UB_SHARED;
        part.late = in->late;
    }
    for (int i = 0; i < v->n_in; i++) {
        const struct ub_part of = c->part[v->in[i]];
        part.chunk = part.chunk || of.chunk;
        part.late = part.late || of.late;
        part.summed = part.summed || of.summed;
    }
    for (int i = 0; i < v->n_in; i++) {
        const struct ub_part of = c->part[v->in[i]];
        if (of.late == part.late && of.phase > part.phase)
            part.phase = of.phase;
    }
    if (v->op == UB_OP_TOTAL) {
        part.phase++;
        part.chunk = false;
        part.summed = true;
    }
    c->part[x] = part;
}

/* Place in the order above, when the first stage's last phase is `last`. */
static int segment_of(struct ub_part part, int last)
{
    if (!part.late)
        return 2 * part.phase + (part.chunk ? part.phase < last ? 1 : 2 : 0);
    if (part.phase == 0)
        return 2 * last + (part.chunk ? 3 : 1);
    return 2 * last + 2 + 2 * part.phase + part.chunk;
}

int ub_segment_of_chunks(const struct ub_compiler *c, ub_node x)
{
    struct ub_part part = c->part[x];
    part.chunk = true;
    return segment_of(part, c->last_phase);
}

static void number_segments(struct ub_compiler *c)
{
    int phases[2] = {0, 0};
    for (ub_node x = 0; x < c->n; x++)
        if (c->part[x].phase > phases[c->part[x].late])
            phases[c->part[x].late] = c->part[x].phase;
    c->last_phase = phases[0];
    struct ub_program *p = c->p;
    p->n_segments = 4 + 2 * phases[0] + 2 * phases[1];
    p->segments = ub_calloc((size_t)p->n_segments, sizeof *p->segments);
    for (int late = 0; late < 2; late++)
        for (int phase = 0; phase <= phases[late]; phase++)
            for (int chunk = 0; chunk < 2; chunk++) {
                const struct ub_part part = {.chunk = chunk, .late = late, .phase = phase};
                struct ub_segment *s = &p->segments[segment_of(part, c->last_phase)];
                s->chunk = chunk;
                s->late = late;
            }
    for (int i = 1; i < p->n_segments; i++) /* a region: segments of chunks in a row */
        p->segments[i].region =
            p->segments[i - 1].region + !(p->segments[i].chunk && p->segments[i - 1].chunk);
}

void ub_compile_segments(struct ub_compiler *c)
{
    for (ub_node x = 0; x < c->n; x++) {
        const struct ub_vertex *v = ub_vertex(c->g, x);
        const bool alias = ub_is_alias(v->op);
        c->base[x] = alias ? c->base[v->in[0]] : x;
        if (alias)
            c->part[x] = c->part[c->base[x]];
        else
            find_part(c, x);
    }
    number_segments(c);
    for (ub_node x = 0; x < c->n; x++)
        c->segment[x] = segment_of(c->part[x], c->last_phase);
}

/* ---- values that wait ---- */

static bool is_pointwise(const struct ub_compiler *c, ub_node x)
{
    return ub_operator_row(ub_vertex(c->g, x)->op)->pointwise;
}

/* First and last segments of a stage that read a value: found anew as readers move. */
struct readers {
    int *first, *last;
    bool *fixed; /* read by outputs, totals, or the other stage */
};

static void note_reader(const struct ub_compiler *c, struct readers *r, ub_node x, ub_node reader)
{
    const int at = c->segment[reader];
    r->first[x] = r->first[x] < 0 || at < r->first[x] ? at : r->first[x];
    r->last[x] = at > r->last[x] ? at : r->last[x];
    r->fixed[x] = r->fixed[x] || ub_vertex(c->g, reader)->op == UB_OP_TOTAL ||
                  c->part[reader].late != c->part[x].late;
}

/* Would its inputs be there anyway? One that nothing else reads may come along. */
static bool may_wait(const struct ub_compiler *c, const struct readers *r, ub_node x)
{
    int along = 0;
    for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
        const ub_node s = ub_use_of(c, x, i).source;
        if (s == UB_NONE || !c->part[s].chunk || c->input_of[s] >= 0)
            continue;
        const bool stays = r->last[s] >= r->first[x] || c->part[s].late != c->part[x].late;
        if (!stays && !(is_pointwise(c, s) && c->uses[s] == 1))
            return false;
        along += !stays;
    }
    return along <= 1;
}

/* Arithmetic that only later segments read is done in the first of them, where all that it reads is
 * at hand anyway: it needs no place until then. */
void ub_compile_wait(struct ub_compiler *c)
{
    const size_t n = (size_t)c->n;
    struct readers r = {ub_alloc(n * sizeof(int)), ub_alloc(n * sizeof(int)),
                        ub_calloc(n, sizeof(bool))};
    for (size_t i = 0; i < n; i++)
        r.first[i] = r.last[i] = -1;
    for (int i = 0; i < c->spec->n_outputs; i++)
        r.fixed[c->base[c->spec->outputs[i].node]] = true;
    for (ub_node x = 0; x < c->n; x++)
        for (int i = 0; c->live[x] && i < ub_vertex(c->g, x)->n_in; i++) {
            const ub_node s = ub_use_of(c, x, i).source;
            if (s != UB_NONE && c->segment[x] > r.last[s])
                r.last[s] = c->segment[x];
        }
    for (ub_node x = c->n - 1; x >= 0; x--) {
        if (!c->live[x])
            continue;
        const bool waits = is_pointwise(c, x) && c->part[x].chunk && !r.fixed[x] &&
                           r.first[x] > c->segment[x] && may_wait(c, &r, x);
        if (waits)
            c->segment[x] = r.first[x];
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            const ub_node s = ub_use_of(c, x, i).source;
            if (s != UB_NONE)
                note_reader(c, &r, s, x);
        }
    }
    ub_free(r.first);
    ub_free(r.last);
    ub_free(r.fixed);
}
